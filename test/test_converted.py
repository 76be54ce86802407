# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The converted models beside the packaged checkpoints, with which a node needs no PyTorch."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import (
    hardware,
    make_backend,
    onnxruntime,
    openvino,
    registry,
    row,
)
from fcn_seg_ros.inference.cache_key import hash_network
from fcn_seg_ros.inference.converted import IR, ONNX, converted_file, read_converted
from fcn_seg_ros.inference.seal import NETWORK_KEY, sealed_value
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_file import read_checkpoint, with_info
from fcn_seg_ros.resources import CHECKPOINTS, default_checkpoint, find_checkpoint

IMAGES = np.random.default_rng(0).integers(0, 256, (1, 96, 320, 3), np.uint8)
# Modules that the way of the demo and of a node on a CPU must not need.
HEAVY = ('torch', 'torchvision', 'lightning', 'matplotlib', 'onnx', 'onnxscript', 'nncf')


@pytest.fixture
def own(tmp_path) -> Path:
    """Return a copy of the packaged checkpoint with its converted models, to be spoilt."""
    packaged = default_checkpoint()
    for path in packaged.parent.glob(f'{packaged.stem}[._]*'):
        shutil.copy(path, tmp_path)
    return tmp_path / packaged.name


@pytest.mark.parametrize('name', CHECKPOINTS)
def test_they_are_what_the_checkpoint_converts_to(name, tmp_path):
    """Bit by bit, in every precision; `make networks` writes them anew."""
    checkpoint = read_checkpoint(find_checkpoint(name))
    alone = dataclasses.replace(checkpoint, path=tmp_path / 'alone.safetensors')
    runs = [('openvino', 'fp32'), ('onnxruntime', 'fp32')]
    runs += [('openvino', 'bf16')] if hardware.cpu_has_bf16() else []
    for backend, precision in runs:
        shipped, converted = (make_backend(each, 'cpu', precision, name=backend)(IMAGES)
                              for each in (checkpoint, alone))
        assert np.array_equal(shipped, converted), (backend, precision)


@pytest.mark.parametrize('name', CHECKPOINTS)
@pytest.mark.parametrize('suffix', [IR, ONNX])
def test_they_are_those_of_the_checkpoint(name, suffix):
    checkpoint = read_checkpoint(find_checkpoint(name))
    content, weights = read_converted(checkpoint, suffix)
    assert sealed_value(content, NETWORK_KEY) == hash_network(checkpoint)
    assert bool(weights) == (suffix == IR)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize('spoil', [truncate, flip])
@pytest.mark.parametrize('suffix', [IR, '.bin', ONNX])
def test_damage_is_noticed(own, caplog, suffix, spoil):
    spoil(converted_file(own, suffix))
    assert read_converted(read_checkpoint(own), ONNX if suffix == ONNX else IR) is None
    assert 'converting the checkpoint instead' in caplog.text


def test_one_of_other_weights_is_left_alone(own, caplog):
    info = read_checkpoint(own).info
    with_info(own, dataclasses.replace(info, threshold=0.3))
    assert read_converted(read_checkpoint(own), IR) is not None
    with_info(own, dataclasses.replace(info, temperature=2 * info.temperature))
    for suffix in (IR, ONNX):
        assert read_converted(read_checkpoint(own), suffix) is None
    assert caplog.text.count('made from weights or metadata other than') == 2


def test_nothing_is_converted(monkeypatch):
    for module in (openvino, onnxruntime):
        monkeypatch.setattr(module, 'default_cache', None)
    for backend in ('openvino', 'onnxruntime'):
        segmenter = RoadSegmenter(default_checkpoint(), 'cpu', backend=backend)
        assert segmenter.backend.name == backend


def without(code: str, *modules: str) -> subprocess.CompletedProcess[str]:
    """Run code in a process in which some modules are not installed."""
    start = ('import sys\n'
             'class Absent:\n'
             '    def find_spec(name, path=None, target=None):\n'
             f'        if name.partition(".")[0] in {modules}:\n'
             '            raise ModuleNotFoundError(f"No module named {name!r}", name=name)\n'
             'sys.meta_path.insert(0, Absent)\n'
             'import importlib.util\n'
             'real = importlib.util.find_spec\n'
             f'importlib.util.find_spec = lambda n: None if n in {modules} else real(n)\n')
    return subprocess.run([sys.executable, '-c', start + code], capture_output=True, text=True,
                          cwd=Path(__file__).resolve().parent.parent, check=False)


def test_the_way_of_the_demo_needs_no_heavy_library():
    """The node's own network, its player and its recorder, with the libraries absent."""
    code = ('import fcn_seg_ros.node.seg_node, fcn_seg_ros.drives.demo, fcn_seg_ros.cli.play_run\n'
            'import fcn_seg_ros.drives.player, fcn_seg_ros.drives.rendered\n'
            'import fcn_seg_ros.drives.video, fcn_seg_ros.drives.bag_drive\n'
            'import numpy as np\n'
            'from fcn_seg_ros.inference.segmenter import RoadSegmenter\n'
            'from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint\n'
            'for name in CHECKPOINTS:\n'
            '    backend = RoadSegmenter(find_checkpoint(name), "cpu").backend\n'
            '    print(backend.name, backend.precision)\n')
    done = without(code, *HEAVY)
    precision = 'bf16' if hardware.cpu_has_bf16() else 'fp32'
    if precision == 'fp32' and hardware.cpu_has_int8():
        precision = 'int8'
    assert done.stdout.split() == ['openvino', precision] * len(CHECKPOINTS), done.stderr


@pytest.mark.parametrize(('missing', 'text'), [
    (('torch',), '{path}: converting it for openvino needs PyTorch, which is not installed (pip '
                 'install torch; or, on a machine that has it, run `fcn_seg_ros export '
                 'random.safetensors --format openvino --out random_fp32.xml` and put the files '
                 'it writes next to the checkpoint)'),
    (('torch', 'openvino', 'onnxruntime'),
     "and none is installed (in a clone of fcn_seg_ros: pip install '.[cpu]')")])
def test_what_is_missing_for_another_checkpoint_is_one_line(random_checkpoint, monkeypatch,
                                                            missing, text):
    find_spec = row.importlib.util.find_spec
    monkeypatch.setattr(row.importlib.util, 'find_spec',
                        lambda name: None if name in missing else find_spec(name))
    monkeypatch.setattr(hardware, 'has_cuda_driver', lambda: False)
    with pytest.raises(InputError) as caught:
        RoadSegmenter(random_checkpoint)
    assert text.format(path=random_checkpoint) in str(caught.value)


def test_a_gpu_without_pytorch(monkeypatch):
    find_spec = row.importlib.util.find_spec
    monkeypatch.setattr(row.importlib.util, 'find_spec',
                        lambda name: None if name == 'torch' else find_spec(name))
    for module in (hardware, registry):
        monkeypatch.setattr(module, 'has_cuda_driver', lambda: True)
    reason = RoadSegmenter(default_checkpoint(), precision='fp32').backend.reason
    assert reason.endswith('on a GPU it needs PyTorch, which is not installed')
    with pytest.raises(InputError, match=r'cuda needs PyTorch, which is not installed'):
        RoadSegmenter(default_checkpoint(), 'cuda')
