# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The C library's allocator, where it is glibc's: memory that was freed is to be given back."""

from __future__ import annotations

import ctypes

_M_ARENA_MAX = -8
# One for the threads that compute, one for the rest.
_ARENAS = 2


def limit_arenas() -> None:
    """
    Let this process's threads share two arenas; to be called before there are others.

    By default there are up to eight a core. Networks are loaded on a new thread each time, and what
    each arena keeps of what was freed in it adds up.
    """
    limit = getattr(ctypes.CDLL(None), 'mallopt', None)
    if limit is not None:
        limit(_M_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return freed memory to the system, of all arenas; glibc does it at the end of one only."""
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(0)
