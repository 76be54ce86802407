# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""``segment --ray``: a killed worker's frames are all there, and the results are those without."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from run_bags import FP32, read, record

from fcn_seg_ros.cli.segment import main
from fcn_seg_ros.offline.parts import Parts
from fcn_seg_ros.offline.run_reader import read_run

ray = pytest.importorskip('ray', reason='ray is not installed: it is in the extra cluster')
from fcn_seg_ros.cli import segment_archive  # noqa: E402
from fcn_seg_ros.offline.cluster import Cluster  # noqa: E402

FRAMES, PART = 36, 3
POSE = ('--pose', '0', '0', '1.6', '0', '0', '0')


@pytest.fixture(scope='module')
def two_workers():
    """Start a Ray of two cores, which ``--ray`` then takes."""
    with pytest.MonkeyPatch.context() as patch:
        # Ray's workers are nice by default, and wait long where other tests run.
        for name, value in (('RAY_USAGE_STATS_ENABLED', '0'), ('RAY_AUTH_MODE', 'disabled'),
                            ('RAY_worker_niceness', '0')):
            patch.setenv(name, value)
        start_ray()
        yield
        ray.shutdown()


def start_ray() -> None:
    ray.init('local', num_cpus=2, include_dashboard=False, object_store_memory=80 * 2**20,
             log_to_driver=False)


def comparable(run: Path) -> list[Any]:
    """Return the messages, files and tables of a run, without what took how long."""
    frames = [{name: value for name, value in frame.items() if name != 'ms'}
              for frame in read_run(run).frames()]
    return [read(run / 'bag'), frames, list(read_run(run).errors()),
            {file.name: file.read_bytes() for file in (run / 'mask').iterdir()}]


def kill_a_worker(parts: Path, killed: list[int]) -> None:
    """Kill the first process that is at work in a run, after its first part."""
    end = time.monotonic() + 60.0
    while time.monotonic() < end and not killed:
        done = [path for path in parts.glob('*') if path.name.isdigit()]
        for path in parts.glob('*.partial') if done else ():
            pid = int(path.name.split('.')[-2])
            assert pid != os.getpid()
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
            return
        time.sleep(0.001)


def test_a_killed_worker(two_workers, rendered_frames, random_checkpoint, tmp_path, capsys):
    drives = [record(tmp_path / name, rendered_frames, count)
              for name, count in (('long', FRAMES), ('short', 4))]
    words = [*map(str, drives), '--checkpoint', str(random_checkpoint), *FP32, '--png', 'mask',
             '--originals', '--part-frames', str(PART), '--write', 'mask,camera_info,grid', *POSE]
    assert main([*words, '--output', str(tmp_path / 'plain')]) == 0
    killed: list[int] = []
    killer = threading.Thread(target=kill_a_worker, args=(
        tmp_path / 'ray' / 'long.partial' / 'parts', killed))
    killer.start()
    assert main([*words, '--output', str(tmp_path / 'ray'), '--ray', 'local']) == 0
    killer.join()
    assert len(killed) == 1 and killed[0] != os.getpid()
    for name, count in (('long', FRAMES), ('short', 4)):
        plain, found = comparable(tmp_path / 'plain' / name), comparable(tmp_path / 'ray' / name)
        assert found == plain and len(found[1]) == len(found[3]) == count
    assert f'wrote {FRAMES} masks to {tmp_path / "ray" / "long"}' in capsys.readouterr().out
    assert [each.name for each in (tmp_path / 'ray').iterdir()
            if each.name.endswith('.partial')] == []


class StopAfter:
    """Asks the command to stop once a run has so many parts."""

    status = 130

    def __init__(self, parts: Path, count: int) -> None:
        self._parts = parts
        self._count = count

    def __call__(self) -> bool:
        return sum(path.name.isdigit() for path in self._parts.glob('*')) >= self._count


def test_either_way_resumes_the_other(two_workers, rendered_frames, random_checkpoint, tmp_path,
                                      monkeypatch, capsys):
    # This topic has no CameraInfo, which is said once in each part.
    drive = record(tmp_path / 'drive', rendered_frames, 40, topics=('/front/color',))
    words = [str(drive), '--checkpoint', str(random_checkpoint), *FP32, '--png', 'mask',
             '--part-frames', '2', '--write', 'mask,grid', *POSE]
    out = tmp_path / 'out'
    assert main([*words, '--output', str(tmp_path / 'plain')]) == 0
    monkeypatch.setattr(segment_archive, 'stoppable', lambda: nullcontext(
        StopAfter(tmp_path / 'out.partial' / 'parts', 3)))
    assert main([*words, '--output', str(out), '--ray', 'local']) == 130
    assert 'the same command resumes there' in capsys.readouterr().err
    assert Parts(tmp_path / 'out.partial' / 'parts').missing()
    assert main([*words, '--output', str(out)]) == 0
    assert 'of them before)' in capsys.readouterr().out
    assert comparable(out) == comparable(tmp_path / 'plain')
    assert [each['number'] for each in read_run(out).errors()] == [*range(0, 40, 2)]


def test_what_fails_stops_no_other(two_workers, rendered_frames, random_checkpoint, tmp_path,
                                   monkeypatch, capsys):
    drive = record(tmp_path / 'drive', rendered_frames, 4)
    (tmp_path / 'none.mcap').write_bytes(b'nothing')
    gone = record(tmp_path / 'gone', rendered_frames, 4)

    def lost(task):
        return task._replace(given=f'{task.given}/lost') if 'gone' in task.given else task
    submit = Cluster.submit
    monkeypatch.setattr(Cluster, 'submit',
                        lambda self, task, owner: submit(self, lost(task), owner))
    words = ['--checkpoint', str(random_checkpoint), *FP32, '--output', str(tmp_path / 'out'),
             '--ray', 'local']
    assert main([str(tmp_path / 'none.mcap'), str(gone), str(drive), *words]) == 2
    said = capsys.readouterr()
    assert f'wrote 4 masks to {tmp_path / "out" / "drive"}' in said.out
    errors = [line for line in said.err.splitlines() if line.startswith('segment: error: ')]
    assert len(errors) == 2 and f'{tmp_path / "none.mcap"}: expected' in errors[0]
    assert f'{tmp_path}/gone/lost: ' in errors[1] and 'resumes after 0 images' in errors[1]


@pytest.mark.parametrize(('words', 'text'), [
    (('--threads', '0'), '--threads: expected the cores of each network with --ray on CPUs'),
    (('--threads', '9'), '--ray: expected a machine with 9 free cores, found machines with 2'),
    (('--device', 'cuda:1'), '--device: expected auto, cpu or cuda with --ray, found cuda:1'),
])
def test_bad_input(two_workers, rendered_frames, tmp_path, capsys, words, text):
    drive = record(tmp_path / 'drive', rendered_frames, 2)
    assert main([str(drive), '--output', str(tmp_path / 'out'), '--ray', 'local', *words]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f'segment: error: {text}')
    assert not list(tmp_path.glob('out*'))


@pytest.mark.parametrize('address', ['127.0.0.1:1', '127.0.0.1:99999', 'nonsense://there'])
def test_no_cluster_there(rendered_frames, tmp_path, capsys, monkeypatch, address):
    monkeypatch.setattr(ray, 'is_initialized', lambda: False)
    drive = record(tmp_path / 'drive', rendered_frames, 2)
    assert main([str(drive), '--output', str(tmp_path / 'out'), '--ray', address]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith('segment: error: --ray: expected the address of a Ray cluster, auto or '
                           f"local, found '{address}'")


def test_without_ray(rendered_frames, tmp_path, monkeypatch, capsys):
    drive = record(tmp_path / 'drive', rendered_frames, 2)
    for name in ('segment_archive', 'archive', 'cluster'):
        monkeypatch.delitem(sys.modules, f'fcn_seg_ros.offline.{name}', raising=False)
    monkeypatch.delitem(sys.modules, 'fcn_seg_ros.cli.segment_archive')
    monkeypatch.delattr('fcn_seg_ros.cli.segment_archive')
    monkeypatch.setitem(sys.modules, 'ray', None)
    assert main([str(drive), '--output', str(tmp_path / 'out'), '--ray', 'local']) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert 'package ray is not installed' in line and line.endswith("pip install '.[cluster]')")
