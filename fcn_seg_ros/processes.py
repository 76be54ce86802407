# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every process that the package starts needs: the package, and an end with its parent."""

from __future__ import annotations

import ctypes
import os
import signal

from fcn_seg_ros.resources import PACKAGE_DIR

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec nothing should be.
_LIBC = ctypes.CDLL(None)


def environment() -> dict[str, str]:
    """Return this process's environment, with this package on the path of Python."""
    path = os.pathsep.join([str(PACKAGE_DIR.parent), os.environ.get('PYTHONPATH', '')])
    return os.environ | {'PYTHONPATH': path.rstrip(os.pathsep)}


def die_with(parent: int) -> bool:
    """
    Have the kernel kill this process when the thread that started it ends.

    Return whether its parent is still the process ``parent``: it may have died before.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent
