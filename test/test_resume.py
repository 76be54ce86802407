# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Runs that are killed at any stage go on as if nothing had happened; what a resumed run takes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import fcn_seg_ros.training.calibrate
import fcn_seg_ros.training.pruning
import fcn_seg_ros.training.run
import fcn_seg_ros.training.state
from fcn_seg_ros.cli.train import main
from fcn_seg_ros.errors import InputError, TrainingError
from fcn_seg_ros.files import write_file
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.training.checks import LOCK_FILE, check_out
from fcn_seg_ros.training.config import read_config
from fcn_seg_ros.training.metrics import MetricsLogger
from fcn_seg_ros.training.state import RunRecord, StateFile, read_notes

SMALL = ['--height', '64', '--crop', '64', '96', '--batch-size', '3', '--workers', '0',
         '--precision', '32-true', '--learning-rate', '0.003']
CHECKPOINT = 'checkpoint.safetensors'


class Killed(BaseException):
    """Stands for a kill: nothing catches it."""


def add_dropout(patch):
    """Give every network a dropout, whose random numbers a resumed run must draw again."""
    build = fcn_seg_ros.training.run._network

    def with_dropout(*arguments):
        network = build(*arguments)
        network.encoder.stride16.register_forward_hook(
            lambda layer, _, output: F.dropout(output, 0.3, layer.training))
        return network
    patch.setattr(fcn_seg_ros.training.run, '_network', with_dropout)


@pytest.fixture(autouse=True)
def dropout(monkeypatch):
    """Give the networks of every test the dropout."""
    add_dropout(monkeypatch)


@pytest.fixture(scope='module')
def base(kitti_folder, random_checkpoint, tmp_path_factory):
    start = tmp_path_factory.mktemp('start') / 'start.safetensors'
    shutil.copy(random_checkpoint, start)
    return ['--train', f'kitti:{kitti_folder}?split=train.txt', '--init-from', str(start),
            '--prune', '0.5', '--epochs', '3', *SMALL]


def content(out):
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob('*'))
            if path.is_file() and 'tensorboard' not in path.parts
            and path.name not in ('last.ckpt', 'starts.yaml')}


def dies_at(monkeypatch, home, name, call, words):
    """Run ``train`` until the given call of a function, which kills it."""
    whole, left = getattr(home, name), [call]

    def deadly(*arguments, **options):
        left[0] -= 1
        if not left[0]:
            raise Killed
        return whole(*arguments, **options)
    with monkeypatch.context() as patch:
        patch.setattr(home, name, deadly)
        with pytest.raises(Killed):
            main(words)
    assert not left[0]


@pytest.fixture(scope='module')
def whole(base, tmp_path_factory):
    """Return the folder of an undisturbed run."""
    out = tmp_path_factory.mktemp('whole') / 'run'
    with pytest.MonkeyPatch.context() as patch:
        add_dropout(patch)
        assert main([*base, '--out', str(out)]) == 0
    return out


def test_killed_at_every_stage_a_run_ends_as_if_nothing_had_happened(monkeypatch, base, whole,
                                                                     tmp_path, capsys):
    """The same bytes: weights, metrics and configuration."""
    out = tmp_path / 'run'
    resume = ['--resume', '--out', str(out)]
    # Before it began: the settings are not yet recorded.
    dies_at(monkeypatch, fcn_seg_ros.training.run, 'verify', 1, [*base, *resume])
    assert not out.exists()
    dies_at(monkeypatch, fcn_seg_ros.training.pruning, 'choose', 1, [*base, '--out', str(out)])
    dies_at(monkeypatch, RunRecord, 'on_train_epoch_start', 1, resume)
    assert not (out / 'last.ckpt').exists() and (out / 'pruned.safetensors').exists()
    capsys.readouterr()
    # The second state.
    dies_at(monkeypatch, fcn_seg_ros.training.state, 'write_file', 2, resume)
    assert 'from the beginning' in capsys.readouterr().out
    dies_at(monkeypatch, RunRecord, 'on_train_epoch_start', 2, resume)
    dies_at(monkeypatch, fcn_seg_ros.training.calibrate, 'fit_statistics', 1, resume)
    assert not (out / CHECKPOINT).exists()
    assert main(resume) == 0
    assert 'epoch' not in capsys.readouterr().out.partition('epoch 3/3')[2]
    assert content(out) == content(whole)


def resumed(out, *words):
    return main(['--resume', '--out', str(out), *words])


@pytest.fixture
def finished(whole, tmp_path):
    """Return a copy of the finished run."""
    return Path(shutil.copytree(whole, tmp_path / 'run'))


def test_a_finished_run_says_so_and_stays_as_it_is(finished, capsys):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns)
              for path in finished.rglob('*') if path.is_file()}
    assert resumed(finished) == 0
    assert 'the run is finished after 3 epochs; nothing was changed' in capsys.readouterr().out
    assert resumed(finished, '--learning-rate', '0.1') == 2
    assert 'learning_rate: the run is finished' in capsys.readouterr().err
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns)
                      for path in finished.rglob('*') if path.is_file()}


@pytest.mark.parametrize(('words', 'message'), [
    (['--batch-size', '2'], 'batch_size: expected 3, as the run began, found 2'),
    (['--decoder', 'fcn32s'], "decoder: expected 'fcn8s', as the run began, found 'fcn32s'"),
    (['--average-decay', '0'], 'average_decay: expected 0.99, as the run began, found 0'),
    (['--epochs', '2'], 'epochs: expected at least the 3 that the run has done, found 2'),
    (['--train', 'rendered?drives=2', '--epochs', '4'],
     'train: expected the data that the run began with, 6 '),
])
def test_settings_with_which_a_run_cannot_go_on(finished, capsys, words, message):
    before = content(finished)
    assert resumed(finished, *words) == 2
    error, = capsys.readouterr().err.splitlines()
    assert message in error and content(finished) == before


def test_a_run_goes_on_with_more_epochs_and_another_learning_rate(finished, base):
    """Also without the file that it started from; its configuration tells what ran when."""
    path = Path(base[base.index('--init-from') + 1])
    moved = path.rename(path.with_suffix('.moved'))
    try:
        assert resumed(finished, '--epochs', '5', '--learning-rate', '0.001', '--schedule',
                       'one_cycle') == 0
    finally:
        moved.rename(path)
    config = read_config(finished / 'config.yaml')
    assert (config.epochs, config.learning_rate, config.schedule) == (5, 0.001, 'one_cycle')
    assert 'until epoch 3: learning_rate: 0.003' in read_notes(finished / 'config.yaml')
    state = torch.load(finished / 'last.ckpt', weights_only=True)
    assert state['run']['epochs'] == 5 and state['global_step'] == 10
    peak = state['optimizer_states'][0]['param_groups'][0]['max_lr']
    assert peak == pytest.approx(0.001)
    assert load_checkpoint(finished / CHECKPOINT).self_test is not None


def test_a_broken_state_and_another_run_in_the_folder(finished, base, capsys):
    assert main([*base, '--out', str(finished)]) == 2
    assert 'already holds a run (last.ckpt)' in capsys.readouterr().err
    (finished / 'last.ckpt').write_bytes(b'')
    assert resumed(finished) == 2
    error, = capsys.readouterr().err.splitlines()
    assert 'last.ckpt: expected the state of a run, found a broken file' in error


def test_metrics_keep_the_rows_of_steps_that_are_not_trained_again(tmp_path):
    for steps, value in ((0, 1.0), (3, 2.0)):
        logger = MetricsLogger(tmp_path / 'metrics', steps)
        for step in range(steps, steps + 5):
            logger.log_metrics({'loss': value} | ({'score': 3.0} if steps else {}), step)
        logger.save()
    lines = (tmp_path / 'metrics' / 'metrics.csv').read_text().splitlines()
    assert lines == ['loss,score,step', *(f'1.0,,{step}' for step in range(3)),
                     *(f'2.0,3.0,{step}' for step in range(3, 8))]


@pytest.fixture
def full_disk():
    """Let no file grow beyond 1,000 bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_keeps_the_state_before(tmp_path, full_disk):
    path = tmp_path / 'last.ckpt'
    path.write_bytes(b'before')
    with pytest.raises(TrainingError, match=r'last\.ckpt: cannot be written .*--resume'):
        StateFile().save_checkpoint({'weights': torch.zeros(1000)}, path)
    assert path.read_bytes() == b'before' and list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_metrics_before(tmp_path, full_disk):
    logger = MetricsLogger(tmp_path / 'metrics', 0)
    logger.log_metrics({'loss': 1.0}, 0)
    logger.save()
    logger.log_metrics({'x' * 1000: 1.0}, 1)
    with pytest.raises(TrainingError, match=r'metrics\.csv: cannot be written .*--resume'):
        logger.save()
    assert (tmp_path / 'metrics' / 'metrics.csv').read_text() == 'loss,step\n1.0,0\n'


@pytest.mark.parametrize('found', ['a full disk', 'a folder'])
def test_a_checkpoint_that_cannot_be_written_is_named(request, tmp_path, monkeypatch, found):
    path, folder = tmp_path / 'checkpoint.safetensors', found == 'a folder'
    monkeypatch.setattr(fcn_seg_ros.training.calibrate, '_write', lambda path, *_: write_file(
        path, bytes(2000)))
    if folder:
        path.mkdir()
    else:
        request.getfixturevalue('full_disk')
    with pytest.raises(TrainingError, match=r'/checkpoint\.safetensors: cannot be written .*'
                                            r'--resume'):
        fcn_seg_ros.training.calibrate.finish(path, None, None, None)
    assert list(tmp_path.iterdir()) == ([path] if folder else [])


def test_damaged_metrics_are_said(tmp_path):
    path = tmp_path / 'metrics' / 'metrics.csv'
    path.parent.mkdir()
    path.write_bytes(b'loss,step\n\xff\n')
    with pytest.raises(InputError, match=r'metrics\.csv: expected the metrics .*move it away'):
        MetricsLogger(path.parent, 3).log_metrics({'loss': 1.0}, 3)


HOLD = '''
import fcntl, sys
file = open(sys.argv[1], 'ab')
fcntl.lockf(file, fcntl.LOCK_EX)
print('held', flush=True)
sys.stdin.read()
'''


def test_two_runs_do_not_share_a_folder(base, tmp_path, capsys):
    out = tmp_path / 'run'
    out.mkdir()
    with subprocess.Popen([sys.executable, '-c', HOLD, str(out / LOCK_FILE)], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == 'held\n'
        assert main([*base, '--out', str(out), '--epochs', '1']) == 2
        assert 'another process is training there' in capsys.readouterr().err
        assert [path.name for path in out.iterdir()] == [LOCK_FILE]
        other.communicate('')


def test_folders_that_cannot_hold_a_run_are_said(tmp_path, monkeypatch):
    def refuse(path, **_):
        raise PermissionError
    with pytest.raises(InputError, match=r'out: expected a name in UTF-8'):
        check_out(tmp_path / 'a\udcff')
    with monkeypatch.context() as patch:
        patch.setattr(Path, 'exists', refuse)  # as below a folder that may not be read
        check_out(tmp_path / 'below' / 'run')


@pytest.mark.parametrize(('number', 'moment', 'group'), [
    (signal.SIGTERM, 'numpy', False), (signal.SIGINT, 'epoch 1/', True)])
def test_signals_end_a_run_with_one_line(kitti_folder, tmp_path, number, moment, group):
    """Not with the loader's worker either: what it prints would come before or after."""
    words = ['--train', f'kitti:{kitti_folder}?split=train.txt', '--encoder-weights', 'none',
             '--epochs', '300', *SMALL, '--workers', '1', '--out', str(tmp_path / 'run')]
    with subprocess.Popen(
            [sys.executable, '-X', 'importtime', '-m', 'fcn_seg_ros', 'train', *words], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
            env=os.environ | {'PYTHONUNBUFFERED': '1'}) as process:
        assert process.stdout is not None
        assert any(moment in line for line in process.stdout)
        (os.killpg if group else os.kill)(process.pid, number)
        rest = [line for line in process.stdout
                if not line.startswith(('import time', 'epoch '))]
    assert process.returncode == 128 + number, rest
    assert rest == ['train: interrupted; go on with --resume\n']
