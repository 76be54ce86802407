# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Masks as people have them: the same scores, or one line that says what to do."""

from __future__ import annotations

import json

import numpy as np
import pytest
from mask_variants import HEIGHT, NAMES, VARIANTS, WIDTH, Variant, image_of, road_of, save, write
from safetensors import safe_open

from fcn_seg_ros.cli import check_dataset, evaluate, train
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.evaluation.evaluate import score
from fcn_seg_ros.evaluation.predictors import StoredProbabilities


def spec_of(root, options):
    return f'folder:{root}' + (f'?{options}' if options else '')


@pytest.fixture(scope='module')
def probabilities(tmp_path_factory):
    """Return stored probabilities for all names under which the samples go."""
    folder = tmp_path_factory.mktemp('probabilities')
    for number, name in enumerate(NAMES):
        rng = np.random.default_rng(50 + number)
        noise = rng.integers(-60, 60, (HEIGHT, WIDTH))
        pixels = np.clip(np.where(road_of(number), 160, 95) + noise, 0, 255).astype(np.uint8)
        for known in (name, f'my {name}', f'north/{name}'):
            save(folder / f'{known}.png', pixels)
    return folder


def scored(probabilities, capsys, spec):
    """Return status, scores and errors of `evaluate`."""
    status = evaluate.main([spec, '--probabilities', str(probabilities), '--json'])
    out, errors = capsys.readouterr()
    scores = json.loads(out)['scores']['all'] if status == 0 else {}
    return status, scores, errors


@pytest.fixture(scope='module')
def reference(tmp_path_factory, probabilities):
    """Return the scores of the set in its plainest form."""
    root = write(VARIANTS[0], tmp_path_factory.mktemp('plain'))
    return score(StoredProbabilities(probabilities), open_dataset(parse_spec(spec_of(root, '')))
                 ).as_dict()['scores']['all']


def test_there_are_forty():
    assert len(VARIANTS) >= 40 and len({variant.name for variant in VARIANTS}) == len(VARIANTS)


@pytest.mark.parametrize('variant', VARIANTS, ids=lambda variant: variant.name)
def test_the_same_scores_or_one_line(variant, tmp_path, capsys, probabilities, reference):
    root = write(variant, tmp_path / 'set')
    spec = spec_of(root, variant.options)
    dataset = open_dataset(parse_spec(spec))
    for number in range(len(NAMES)):
        sample = dataset[number]
        assert np.array_equal(sample.labels == 1, road_of(number)), variant.name
        assert np.array_equal(sample.image, image_of(number)) and not (sample.labels == 255).any()
    status, scores, _ = scored(probabilities, capsys, spec)
    assert status == 0 and scores == reference and 60 < scores['max_f'] < 99
    assert check_dataset.main(['--json', '--train', spec]) == 0
    found = json.loads(capsys.readouterr().out)['datasets'][0]
    assert found['pixels']['road'] == pytest.approx(
        np.mean([road_of(number) for number in range(len(NAMES))]))
    assert found['pixels']['unlabelled'] == 0
    if variant.says:
        stopped(variant, root, tmp_path, capsys, probabilities)


def stopped(variant: Variant, root, tmp_path, capsys, probabilities):
    """Without the options: one line from each command, which names them, and no step."""
    spec = spec_of(root, '')
    status, _, errors = scored(probabilities, capsys, spec)
    assert status == 2 and errors.count('\n') == 1 and variant.says in errors, errors
    assert train.main(['--train', spec, '--out', str(tmp_path / 'run')]) == 2
    errors = capsys.readouterr().err
    assert errors.count('\n') == 1 and variant.says in errors, errors
    assert not (tmp_path / 'run').exists()
    status = check_dataset.main(['--train', spec])
    out, errors = capsys.readouterr()
    assert status in (1, 2) and variant.says in out + errors, out + errors


def test_another_form_trains_the_same_network(tmp_path, capsys):
    """Bit for bit, threshold included."""
    forms = {'plain': ('0 and 1', ''), 'soft': ('soft edges', 'road=255&nearest=1')}
    hashes = []
    for name, (variant, options) in forms.items():
        root = write(next(v for v in VARIANTS if v.name == variant), tmp_path / 'sets' / name)
        arguments = ['--train', spec_of(root, options), '--val', spec_of(root, options),
                     '--epochs', '1', '--encoder-weights', 'none', '--height', '64', '--crop',
                     '64', '96', '--batch-size', '3', '--precision', '32-true', '--workers', '0']
        assert train.main([*arguments, '--out', str(tmp_path / name)]) == 0, capsys.readouterr().err
        with safe_open(str(tmp_path / name / 'checkpoint.safetensors'), 'pt') as file:
            names = sorted(file.keys())
            hashes.append([file.get_tensor(key).numpy().tobytes() for key in names])
            hashes[-1].append(json.loads(file.metadata()['fcn_seg_ros'])['threshold'])
    assert hashes[0] == hashes[1]
    assert 'soft?road=255&nearest=1: each pixel of a mask counts as the nearest' in (
        capsys.readouterr().out)
