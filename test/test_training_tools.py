# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What helps with a run: the range test, early stopping, trackers, progress, what is noted."""

from __future__ import annotations

import csv
import math
import re

import numpy as np
import pytest
import yaml
from lightning.pytorch.loggers.logger import DummyLogger
from test_plain_loop import SETTINGS, TinyNetwork, Uneven

from fcn_seg_ros.cli.train import main
from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import write_file
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.processes import say
from fcn_seg_ros.training import loggers
from fcn_seg_ros.training.callbacks import EpochLines
from fcn_seg_ros.training.checks import check_run
from fcn_seg_ros.training.config import TrainingConfig
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.range_test import (
    LOWEST,
    RisingRate,
    find_learning_rate,
    range_config,
    suggest,
)
from fcn_seg_ros.training.record import STARTS_FILE, note_start
from fcn_seg_ros.training.run import train as train_network
from fcn_seg_ros.training.trainer import make_trainer


def config_of(**changes) -> TrainingConfig:
    return TrainingConfig(**(SETTINGS | {'batch_size': 5} | changes))


def fit(config, out, validation=None):
    """Train the tiny network on random images, and return the trainer."""
    trainer = make_trainer(config, out, validation)
    data = RoadDataModule(Mixture([Uneven()]), validation, config)
    trainer.fit(SegmentationModule(TinyNetwork(), config), datamodule=data)
    return trainer


def test_early_stopping_counts_validations(tmp_path, capsys):
    """Nothing is learned at such a rate, so the score never rises after the first validation."""
    config = config_of(epochs=12, validate_every=2, early_stopping=2, learning_rate=1e-12,
                       val=('rendered',))
    trainer = fit(config, tmp_path, Uneven(2, taught=False))
    assert trainer.current_epoch == 6
    lines = capsys.readouterr().out.splitlines()
    assert ['val_max_f' in line for line in lines] == [False, True] * 3, lines
    rows = list(csv.DictReader((tmp_path / 'metrics' / 'metrics.csv').open()))
    for name, epochs in (('epoch_loss', range(6)), ('learning_rate', range(6)),
                         ('val_max_f', (1, 3, 5))):
        assert [int(row['epoch']) for row in rows if row.get(name)] == list(epochs), name


def test_a_long_epoch_shows_its_batches(tmp_path, capsys):
    config = config_of(batch_size=5, epochs=1)
    trainer = make_trainer(config, tmp_path, None)
    trainer.callbacks.insert(0, EpochLines(every_s=0.0))
    trainer.fit(SegmentationModule(TinyNetwork(), config),
                datamodule=RoadDataModule(Mixture([Uneven()]), None, config))
    lines = [re.sub(r'[0-9]+[.][0-9]+', '#', line)
             for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [f'epoch 1/1  batch {number}/2  loss #  (# min left)'
                         for number in (1, 2)]
    assert lines[2] == 'epoch 1/1  loss #  distillation #  (# s, # min left)'


def test_a_rate_is_suggested_where_the_loss_falls_fastest():
    rates = np.geomspace(1e-6, 1, 100)
    fall = 1 / (1 + np.exp(4 * (np.log10(rates) + 3)))  # steepest at 1e-3
    losses = 0.2 + fall + np.clip(rates - 0.1, 0, None) * 30
    noise = np.random.default_rng(0).normal(0, 0.005, 100)
    # The moving average is some six steps late.
    assert 1e-3 <= suggest(rates, losses + noise) < 4e-3
    assert math.isnan(suggest(rates, np.linspace(1, 2, 100)))
    assert math.isnan(suggest(rates[:1], losses[:1]))


def test_range_test_of_a_network(tmp_path):
    """It writes the curve, keeps the groups' proportions, and accumulates."""
    config = range_config(config_of(encoder_rate=0.5, accumulate=2, batch_size=2, schedule='poly'))
    module = SegmentationModule(TinyNetwork(), config)
    data = RoadDataModule(Mixture([Uneven(taught=False)]), None, config)
    rate = find_learning_rate(module, data, config, tmp_path, steps=60)
    rows = list(csv.DictReader((tmp_path / 'learning_rate.csv').open()))
    rates = [float(row['learning_rate']) for row in rows]
    assert 20 < len(rows) <= 60 and min(rates) < rate < max(rates)
    assert float(rows[0]['loss']) == pytest.approx(0.7, abs=0.3)
    assert (tmp_path / 'learning_rate.png').read_bytes().startswith(b'\x89PNG')

    class Trainer:
        global_step = 59
        optimizers = (module.configure_optimizers.__self__.trainer.optimizers[0],)
    RisingRate(60).on_train_batch_start(Trainer(), module, None, 0)
    lrs = {group['lr'] / group['initial_lr'] for group in Trainer.optimizers[0].param_groups}
    assert all(share == pytest.approx(1 / LOWEST) for share in lrs)


class Breaking(TinyNetwork):
    """A network whose answers are no numbers from the first batch of step 61 on."""

    calls = 0

    def forward(self, images):
        self.calls += 1
        return super().forward(images) * (math.nan if self.calls > 100 else 1)


def test_the_curve_ends_before_a_loss_that_is_no_number(tmp_path):
    config = range_config(config_of(accumulate=2, batch_size=2))
    data = RoadDataModule(Mixture([Uneven(taught=False)]), None, config)
    assert find_learning_rate(SegmentationModule(Breaking(), config), data, config, tmp_path) > 0
    rows = list(csv.DictReader((tmp_path / 'learning_rate.csv').open()))
    assert len(rows) == 60 and all(math.isfinite(float(row['loss'])) for row in rows)


class Tracker(DummyLogger):
    """Stands in for a tracker's logger."""

    def __init__(self, known):
        super().__init__()
        self.known, self.metrics, self.settings = known, [], {}
        self.experiment_id = known or 'run-1'

    @property
    def experiment(self):
        return type('Run', (), {'id': self.experiment_id})()

    def log_metrics(self, metrics, step=None):
        self.metrics.append(metrics)

    def log_hyperparams(self, params):
        self.settings = params


def test_a_tracker_gets_figures_and_goes_on_with_its_run(tmp_path, monkeypatch):
    made = []

    def maker(out):
        made.append(Tracker(loggers._known_run(out, 'wandb')))
        return made[-1]
    monkeypatch.setitem(loggers._MAKERS, 'wandb', maker)
    config = config_of(trackers=('wandb',))
    fit(config, tmp_path)
    assert made[0].settings['batch_size'] == 5
    assert {'epoch_loss', 'learning_rate'} <= {name for row in made[0].metrics for name in row}
    loggers.make_loggers(config, tmp_path)
    assert [tracker.known for tracker in made] == [None, 'run-1']


@pytest.mark.parametrize('tracker', ['wandb', 'mlflow'])
def test_a_tracker_that_is_not_installed(tracker, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(ModuleNotFoundError) as caught:
        check_run(config_of(trackers=(tracker,)), 10, TinyNetwork())
    assert caught.value.name == tracker


@pytest.mark.parametrize(('rank', 'said'), [('0', 'a remark\n'), ('1', '')])
def test_of_several_processes_the_first_one_speaks(rank, said, monkeypatch, capsys):
    monkeypatch.setenv('RANK', rank)
    say('a remark')
    assert capsys.readouterr().out == said


def test_what_repeats_a_run_is_noted(tmp_path):
    note_start(tmp_path, 1)
    note_start(tmp_path, 2)
    first, second = yaml.safe_load((tmp_path / STARTS_FILE).read_text())
    assert first['versions']['torch'].startswith('2') and first['folder'] and first['command']
    assert (first['processes'], second['processes']) == (1, 2)


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--out', ''], 'argument --out: expected a folder, found an empty name'),
    (['--out', '/dev/null/x'], 'out: expected a folder to write to, found /dev/null, a file'),
    (['--out', 'x', '-x'], 'unknown option -x'),
    (['--out', 'x', 'stray'], 'unexpected word stray'),
    (['--out', 'x', '--scale', '0.5'], 'scale: expected two numbers, found 0.5'),
    (['--out', 'x', '--height', '0'], 'height: expected 32 to 4096, found 0'),
    (['--out', 'x', '--dice', 'nan'], 'loss: expected weights from 0'),
    (['--out', 'x', '--early-stopping', '1'], 'early_stopping: expected a dataset to score'),
    (['--out', 'x', '--trackers', 'wanb'], "trackers: expected wandb or mlflow, found 'wanb'"),
])
def test_impossible_values_are_one_line(arguments, text, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert main(['--train', 'rendered', *arguments]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert text in line and not list(tmp_path.iterdir())


@pytest.mark.parametrize(('train', 'val', 'changes', 'text'), [
    ('frames:{}', '', {}, 'has no labels: expected a --teacher to label it, found none'),
    ('frames:{}?teacher=0', '', {'teacher': 'open'}, 'to label it, found teacher=0'),
    ('frames:{}', '', {'teacher': 'open', 'teacher_weight': 0.0}, 'found --teacher-weight 0'),
    ('rendered?drives=1', 'frames:{}', {}, 'val: expected a dataset with labels, found frames:'),
])
def test_images_that_nobody_labels_are_refused(tmp_path, train, val, changes, text):
    write_file(tmp_path / 'a.png', encode_png(np.zeros((64, 64, 3), np.uint8)))
    specs = {'train': (train.format(tmp_path),), 'val': (val.format(tmp_path),) if val else ()}
    with pytest.raises(InputError, match=text) as caught:
        train_network(TrainingConfig(**specs, **changes), tmp_path / 'out')
    assert str(tmp_path) in str(caught.value) and not (tmp_path / 'out').exists()


@pytest.mark.parametrize(('changes', 'images', 'text'), [
    ({'devices': 2, 'batch_size': 2}, 1, 'at least one image for each of the 2 processes'),
    ({'devices': 2, 'batch_size': 3}, 9, 'batch_size: expected a multiple of the 2 processes'),
    ({'devices': 2, 'batch_size': 2, 'freeze_norm': False}, 9, 'freeze_norm: expected at least'),
    ({'freeze_norm': False}, 1, 'freeze_norm: expected at least two images'),
    ({'image_memory': 10**8}, 9, 'image_memory: expected at most'),
    ({'workers': 100000}, 9, 'workers: expected at most'),
    ({'devices': 100000}, 9, 'devices: expected at most'),
    ({'devices': 2, 'batch_size': 2, 'decoder_first': 0.1}, 9, 'decoder_first: not available'),
])
def test_runs_that_do_not_fit(changes, images, text, monkeypatch):
    monkeypatch.delenv('LOCAL_WORLD_SIZE', raising=False)
    monkeypatch.setattr('os.cpu_count', lambda: 2)
    monkeypatch.setattr('torch.cuda.device_count', lambda: 0)
    with pytest.raises(ValueError, match=text):
        check_run(config_of(**changes), images, TinyNetwork())
    check_run(config_of(batch_size=1), 1, TinyNetwork())
