# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Packaged checkpoints by name, for the node and the executables alike; one table says it all."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import network_info
from node_client import FAST, start_node, wait_for_end

from fcn_seg_ros.cli import benchmark, demo, evaluate, export, segment
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import save_checkpoint
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.resources import (
    CHECKPOINTS,
    DEFAULT_CHECKPOINT,
    PACKAGE_DIR,
    default_checkpoint,
    find_checkpoint,
)

LISTED = f'checkpoint: expected a file or one of the names {", ".join(CHECKPOINTS)}, found '


def test_every_name_is_a_packaged_checkpoint():
    for name in CHECKPOINTS:
        assert find_checkpoint(name).parent == PACKAGE_DIR / 'data'
        assert read_checkpoint(find_checkpoint(name)).info.licence
    for nothing in (None, ''):
        assert find_checkpoint(nothing) == find_checkpoint(DEFAULT_CHECKPOINT)
    assert default_checkpoint() == find_checkpoint(DEFAULT_CHECKPOINT)


def test_paths_stay_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('HOME', str(tmp_path))
    for path in ('./general', 'a/b', 'missing.safetensors', '/x/general', tmp_path):
        assert find_checkpoint(path) == Path(path)
    assert find_checkpoint('~/x.xml') == tmp_path / 'x.xml'
    (tmp_path / 'plain').touch()
    assert find_checkpoint('plain') == Path('plain')


@pytest.mark.parametrize('word', ['Open', 'generel', 'x' * 5000, 'a\0b', 'a b'])
def test_an_unknown_name_lists_the_known_ones(word):
    with pytest.raises(InputError) as caught:
        find_checkpoint(word)
    assert LISTED + repr(word[:100]) in str(caught.value)


@pytest.mark.parametrize('run', [
    lambda folder, name: segment.main([folder, '--mask', f'{folder}/out', '--checkpoint', name]),
    lambda folder, name: evaluate.main(['rendered', '--checkpoint', name]),
    lambda folder, name: export.main([name, '--format', 'onnx', '--out', f'{folder}/x.onnx']),
    lambda folder, name: benchmark.main([name]),
    lambda folder, name: demo.main(['--out', f'{folder}/out', '--checkpoint', name]),
], ids=['segment', 'evaluate', 'export', 'benchmark', 'demo'])
def test_every_executable_says_so(run, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / 'photo.png'), np.zeros((96, 320, 3), np.uint8))
    assert run(str(tmp_path), 'generel') == 2
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1 and LISTED + "'generel'" in errors[0]
    assert [path.name for path in tmp_path.iterdir()] == ['photo.png']


def test_a_row_is_all_that_a_new_one_takes(random_checkpoint, rendered_frames, tmp_path,
                                           monkeypatch):
    monkeypatch.setitem(CHECKPOINTS, 'another', str(random_checkpoint))
    image = rendered_frames[0].image
    cv2.imwrite(str(tmp_path / 'road.png'), image[..., ::-1])
    assert segment.main([str(tmp_path), '--checkpoint', 'another', '--precision', 'fp32',
                         '--probability', str(tmp_path / 'out')]) == 0
    written = cv2.imread(str(tmp_path / 'out' / 'road.png'), cv2.IMREAD_UNCHANGED)
    expected = RoadSegmenter(random_checkpoint, precision='fp32').segment(image)
    assert np.array_equal(written, expected.probability)


def test_the_node_says_which_network_runs_and_its_licence(random_network, tmp_path):
    path = tmp_path / 'own.safetensors'
    save_checkpoint(path, random_network, network_info(licence='CC0 1.0 (own\nphotos)'))
    node = start_node('-p', f'checkpoint:={path}', *FAST)
    try:
        lines = []
        for line in node.stderr:
            lines.append(line)
            if 'ready after' in line:
                break
        assert f'fcn8s on mobilenet_v2 from {path} (' in lines[-1], lines
        assert 'licence of the weights: CC0 1.0 (own photos); ' in lines[-1]
    finally:
        node.terminate()
        wait_for_end(node, 20.0)


def test_the_node_lists_the_names(tmp_path):
    node = start_node('-p', 'checkpoint:=generel', *FAST)
    output = wait_for_end(node)
    assert node.returncode == 2
    assert LISTED + "'generel'" in output and 'Traceback' not in output
