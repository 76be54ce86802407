# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""``segment --ray``: a killed worker's frames are all there, and the results are those without."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from run_bags import FP32, read, record

from fcn_seg_ros.cli.segment import main
from fcn_seg_ros.offline.run_reader import read_run

ray = pytest.importorskip('ray', reason='ray is not installed: it is in the extra cluster')
FRAMES, PART = 36, 3


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
             '--originals', '--part-frames', str(PART), '--write', 'mask,camera_info,grid',
             '--pose', '0', '0', '1.6', '0', '0', '0']
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
