# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Settings of glibc's allocator, so that freed memory returns to the system."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8
# One for the threads that compute, one for all others.
_ARENAS = 2


def limit_arenas() -> None:
    """
    Let the threads of this process share two arenas; call it before starting threads.

    The default is up to eight arenas per core. Each network is loaded on a new thread, and the
    freed memory that each arena keeps adds up.
    """
    limit = getattr(ctypes.CDLL(None), 'mallopt', None)
    if limit is not None:
        limit(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return the freed memory of all arenas to the system; by itself glibc trims only one."""
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
