# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A function in a process of its own, for what needs PyTorch in a process that does not.

To import PyTorch and to trace a network hold the interpreter for seconds, in which a node that runs
another network could give no masks, and leave 0.7 GB behind. Not multiprocessing: it would import
the caller's main module, an executable that ROS installed.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import PACKAGE_DIR

_PR_SET_PDEATHSIG = 1
_BAD_INPUT = 2


def run_apart(function: Callable[..., bytes], *arguments: object) -> bytes:
    """
    Return what a function of a module returns; function and arguments must be picklable.

    The other process dies with this one. Raises InputError where the function does, RuntimeError
    with its last words where it fails otherwise, and OSError where no process can be started.
    """
    path = os.pathsep.join(filter(None, [str(PACKAGE_DIR.parent), os.environ.get('PYTHONPATH')]))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / 'result'
        done = subprocess.run(
            [sys.executable, '-m', __name__, str(os.getpid()), str(out)],
            input=pickle.dumps((function, arguments)), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=os.environ | {'PYTHONPATH': path}, check=False)
        if done.returncode == 0:
            return out.read_bytes()
    words = done.stderr.decode(errors='replace').strip().splitlines() or ['it said nothing']
    if done.returncode == _BAD_INPUT:
        raise InputError(words[-1])
    raise RuntimeError(f'process that was started for it ended with {done.returncode}: {words[-1]}')


def _main(parent: int, out: Path) -> int:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was asked
        return 1
    # Only this package's process writes to this pipe.
    function, arguments = pickle.load(sys.stdin.buffer)
    try:
        out.write_bytes(function(*arguments))
    except InputError as error:
        print(error, file=sys.stderr)
        return _BAD_INPUT
    return 0


if __name__ == '__main__':
    sys.exit(_main(int(sys.argv[1]), Path(sys.argv[2])))
