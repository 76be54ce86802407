# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A dataset defined here, outside the package: trained on, scored and checked like any other."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from fcn_seg_ros import list_backends, list_datasets
from fcn_seg_ros.cli import check_dataset, evaluate, train
from fcn_seg_ros.datasets import registry
from fcn_seg_ros.datasets.base import Classes, DatasetOptions, RoadDataset, Sample
from fcn_seg_ros.datasets.registry import DatasetSpec, open_dataset, parse_spec, register_dataset
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import registry as backends
from fcn_seg_ros.models.checkpoint_file import read_checkpoint


@dataclass(frozen=True)
class LaneOptions(DatasetOptions):
    """How many images there are, and the grey level of their road."""

    images: int = 4
    grey: int = 90


class Lanes(RoadDataset):
    """A grey lane between greens, with a white car on it; its road plane is the identity."""

    kind, title, licence = 'lanes', 'painted lanes', 'CC0-1.0 (painted lanes)'
    Options, scoring_options = LaneOptions, LaneOptions(images=2)
    has_root = has_splits = False

    def __init__(self, images, grey):
        self._images, self._grey = images, grey

    def __len__(self):
        return self._images

    def __getitem__(self, index):
        ids = self._ids(index)
        image = np.random.default_rng(index).integers(0, 40, (96, 160, 3), np.uint8)
        image[ids == 0, 1] += 120
        image[ids == 1] += np.uint8(self._grey)
        image[ids == 2] = 255
        return Sample(f'lane_{100 * index:04d}', image, (ids == 1).astype(np.uint8))

    def classes(self, index):
        return Classes(self._ids(index), {0: 'grass', 1: 'road', 2: 'car'})

    def geometry(self, name):
        # Metres (x, z) to pixels: 160 pixels are 20 m, 96 rows 40 m.
        return np.array([[8.0, 0.0, 80.0], [0.0, -2.4, 110.4], [0.0, 0.0, 1.0]])

    @staticmethod
    def _ids(index):
        ids = np.zeros((96, 160), np.uint8)
        ids[30:, 50 + index:110 + index] = 1
        ids[40:60, 70:100] = 2
        return ids


@pytest.fixture(autouse=True)
def lanes(monkeypatch):
    monkeypatch.setattr(registry, '_KINDS', dict(registry._KINDS))
    register_dataset(Lanes)


def test_it_is_opened_by_name():
    assert list_datasets()[-1] == 'lanes'
    spec = parse_spec('lanes?images=7&weight=2')
    assert spec == DatasetSpec('lanes', weight=2.0, options=LaneOptions(7))
    assert str(spec) == 'lanes?weight=2&images=7'
    assert parse_spec('lanes', scoring=True).options == LaneOptions(2)
    for text, fault in (('lanes:x', 'expected lanes without a path'),
                        ('lanes?split=a', 'dataset lanes: expected no split'),
                        ('lanes?width=1', "unknown option 'width' .*to, images, grey"),
                        ('lanes?grey=dark', "expected a number for grey, found 'dark'")):
        with pytest.raises(InputError, match=fault):
            parse_spec(text)
    with pytest.raises(ValueError, match='registered already'):
        register_dataset(Lanes)
    with pytest.raises(ValueError, match='needs a kind, a title and a licence'):
        register_dataset(type('Nameless', (RoadDataset,), {}))


def test_an_installed_package_brings_datasets_and_backends(tmp_path, monkeypatch):
    """By entry points, so that they are known in every process."""
    (tmp_path / 'foreign_plugin.py').write_text(
        'from fcn_seg_ros.datasets.base import RoadDataset\n'
        'from fcn_seg_ros.inference.backends import BackendRow\n'
        'class Moon(RoadDataset):\n'
        '    kind, title, licence, has_root = "moon", "craters", "CC0", False\n'
        '    def __len__(self): return 3\n'
        'row = BackendRow("abacus", "foreign_plugin:Abacus", "slow", cpu=("fp32",))\n')
    metadata = tmp_path / 'foreign_plugin-1.0.dist-info'
    metadata.mkdir()
    (metadata / 'METADATA').write_text('Metadata-Version: 2.1\nName: foreign-plugin\nVersion: 1\n')
    (metadata / 'entry_points.txt').write_text(
        '[fcn_seg_ros.datasets]\nmoon = foreign_plugin:Moon\nbroken = foreign_plugin:Missing\n'
        '[fcn_seg_ros.backends]\nabacus = foreign_plugin:row\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(backends, '_TABLE', list(backends._TABLE))
    assert 'moon' in list_datasets() and len(open_dataset(parse_spec('moon'))) == 3
    with pytest.raises(InputError, match=r"'broken' \(foreign_plugin:Missing\) does not load"):
        parse_spec('broken')
    assert 'abacus' in list_backends('cpu') and 'abacus' in backends.backend_names()


def test_it_is_checked(capsys):
    assert check_dataset.main(['--json', '--train', 'lanes', '--val', 'lanes?grey=140']) == 1
    train_set, val_set = json.loads(capsys.readouterr().out)['datasets']
    assert train_set['images'] == 4 and sum(train_set['counts'].values()) == 0
    assert val_set['counts']['leak'] > 0  # the same frames in another grey


def test_it_is_scored_with_its_geometry_and_classes(capsys):
    assert evaluate.main(['lanes', '--checkpoint', 'open', '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['dataset'] == 'lanes?images=2' and found['images']['all'] == 2
    assert found['birds_eye']['images']['all'] == 2
    assert found['road_users']['large']['vehicles'] == {'number': 0}  # of 600 pixels
    assert found['road_users']['as_road_percent']['vehicles'] is not None


def test_it_is_trained_on(tmp_path, capsys):
    arguments = ['--train', 'lanes', '--epochs', '1', '--encoder-weights', 'none', '--height', '96',
                 '--crop', '96', '160', '--batch-size', '2', '--precision', '32-true', '--workers',
                 '0', '--out', str(tmp_path)]
    assert train.main(arguments) == 0, capsys.readouterr().err
    info = read_checkpoint(tmp_path / 'checkpoint.safetensors').info
    assert info.training_data == 'painted lanes, 4 images (all)'
    assert info.licence == 'CC0-1.0 (painted lanes)'
