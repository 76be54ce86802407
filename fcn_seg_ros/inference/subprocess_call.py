# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Call a function in a subprocess, for work that needs PyTorch when the caller does not.

Importing PyTorch and tracing a network would block the interpreter for seconds, while a node that
runs another network publishes no masks, and would keep 0.7 GB. multiprocessing is unsuitable: it
imports the caller's main module, an executable installed by ROS.
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
    Return ``function(*arguments)``, computed in a subprocess; everything must be picklable.

    The subprocess runs in ``/``, imports nothing from the current folder, and dies with this
    process. Raises the function's InputError or OSError, RuntimeError with the last line of stderr
    for any other failure, and OSError if no process can be started.
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
    raise RuntimeError(f'subprocess ended with status {done.returncode}: {words[-1]}')


def _main(parent: int) -> int:
    if not die_with(parent):
        return 1
    # Libraries print to stdout, from which the parent expects only the result.
    result = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    # Unpickling is safe: only the parent process writes to this pipe.
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
