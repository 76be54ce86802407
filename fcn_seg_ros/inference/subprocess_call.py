# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A function in a process of its own, for what needs PyTorch in a process that does not.

To import PyTorch and to trace a network hold the interpreter for seconds, in which a node that runs
another network could give no masks, and leave 0.7 GB behind. Not multiprocessing: it would import
the caller's main module, an executable that ROS installed.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.processes import command, die_with, environment

_BAD_INPUT = 2
_NO_PLACE = 3


def call_in_subprocess(function: Callable[..., bytes], *arguments: object) -> bytes:
    """
    Return what a function of a module returns; function and arguments must be picklable.

    It runs in the folder ``/``, and imports nothing from the current one. The other process dies
    with this one. Raises InputError where the function does, RuntimeError
    with its last words where it fails otherwise, and OSError where no process can be started or the
    function finds no place for its files.
    """
    done = subprocess.run(command(__name__, str(os.getpid())),
                          input=pickle.dumps((function, arguments)), capture_output=True,
                          env=environment(), cwd='/', check=False)
    if done.returncode == 0:
        return done.stdout
    words = done.stderr.decode(errors='replace').strip().splitlines() or ['it said nothing']
    if done.returncode == _BAD_INPUT:
        raise InputError(words[-1])
    if done.returncode == _NO_PLACE:
        raise OSError(words[-1])
    raise RuntimeError(f'process that was started for it ended with {done.returncode}: {words[-1]}')


def _main(parent: int) -> int:
    if not die_with(parent):
        return 1
    # Libraries print; only the result may go where the parent reads it.
    result = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Only this package's process writes to this pipe.
    function, arguments = pickle.load(sys.stdin.buffer)
    try:
        content = function(*arguments)
    except InputError as error:
        print(error, file=sys.stderr)
        return _BAD_INPUT
    except OSError as error:
        print(error, file=sys.stderr)
        return _NO_PLACE
    with open(result, 'wb') as pipe:
        pipe.write(content)
    return 0


if __name__ == '__main__':
    sys.exit(_main(int(sys.argv[1])))
