# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fast DDS files in /dev/shm: check that there is room, and remove those of dead processes."""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from fcn_seg_ros.errors import InputError

FOLDER = Path('/dev/shm')
_MIB = 2**20
_REMEDY = ('get more by `docker run --shm-size` or `--ipc=host`; `fastdds shm clean` removes '
           'leftovers')
# With less, the libraries die of SIGBUS: each maps a page or two unchecked.
LEAST_BYTES = 64 * 1024
# Besides its segment a process has two or three ports (52 kB each), and with the discovery range
# LOCALHOST a second segment of 0.5 MB. The bookkeeping of a segment adds 5 %.
_BESIDE_BYTES = _MIB
_BOOKKEEPING = 1.05
# An owner locks a new file immediately, but may be interrupted just before.
_YOUNG_S = 2.0
# Fast DDS 2 (Humble, Jazzy) calls itself by its older name.
_SEGMENT = re.compile('fast(dds|rtps)_[0-9a-f]{16}')
_PORT = re.compile(r'fast(dds|rtps)_port\d{1,5}')
_PORT_MUTEX = re.compile(r'sem\.fast(dds|rtps)_port\d{1,5}_mutex')
# The size of a mutex (sem_t); opening a shorter file is SIGBUS.
_MUTEX_BYTES = 32


def check_least(folder: Path = FOLDER) -> None:
    """Raise InputError if there is so little room that the libraries would die of SIGBUS."""
    free = _free_bytes(folder)
    if free is not None and free < LEAST_BYTES:
        raise InputError(f'{folder}: expected at least {LEAST_BYTES // 1024} kB free, found '
                         f'{free // 1024} kB; {_REMEDY}')


def check_room(segment_bytes: int, folder: Path = FOLDER) -> str:
    """Return '' if there is room for a segment, or one line that says why there is not."""
    needed, free = round(segment_bytes * _BOOKKEEPING) + _BESIDE_BYTES, _free_bytes(folder)
    if free is not None and free >= needed:
        try:
            with tempfile.TemporaryFile(dir=folder):
                return ''
        except OSError as error:  # read-only, no inodes left, another user's
            return (f'{folder}: no file can be created in it ({error.strerror}); images travel '
                    'over UDP, and best-effort subscribers lose some')
    found = 'no such folder' if free is None else f'{free / _MIB:.1f} MB'
    return (f'{folder}: expected {needed / _MIB:.0f} MB free, found {found}; images travel over '
            f'UDP, and best-effort subscribers lose some; {_REMEDY}')


def remove_stale(folder: Path = FOLDER, older_than_s: float = _YOUNG_S) -> int:
    """
    Remove the files of killed Fast DDS processes; return how many were removed.

    Each such process leaves up to 25 MB, and a container has 64 MB by default. As in ``fastdds shm
    clean``, a locked file belongs to a living process. A file that is too small was never finished,
    and a process that opens it hangs or dies. A port without a lock is kept: its first writer locks
    nothing. Young files are kept, since their owner may be about to lock them.
    """
    removed = 0
    for path in sorted(folder.glob('*fast*_*')):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > older_than_s:
                removed += sum(map(_remove, _dead_files(path)))
    return removed


def _dead_files(path: Path) -> Iterator[Path]:
    """Yield the files to remove along with ``path``, whose lock, if any, is held meanwhile."""
    name, size = path.name, path.stat().st_size
    owned = path.with_name(re.sub('_(el|sl)$', '', name))
    locks = [owned.with_name(f'{owned.name}_{kind}') for kind in ('el', 'sl')]
    if path in locks and (_SEGMENT.fullmatch(owned.name) or _PORT.fullmatch(owned.name)):
        with ExitStack() as stack:
            for lock in filter(Path.exists, locks):
                file = stack.enter_context(lock.open('rb'))
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: it is in use
            yield from (owned, owned.with_name(f'sem.{owned.name}_mutex'), *locks)
    elif any(lock.exists() for lock in locks):
        return
    elif (_SEGMENT.fullmatch(name)  # its lock is created before it and removed after it
          or (_PORT.fullmatch(name) and size <= 1)
          or (_PORT_MUTEX.fullmatch(name) and size < _MUTEX_BYTES)):
        yield path


def _free_bytes(folder: Path) -> int | None:
    try:
        status = os.statvfs(folder)
    except OSError:
        return None
    return status.f_bavail * status.f_frsize


def _remove(path: Path) -> bool:
    with suppress(OSError):
        path.unlink()
        return True
    return False
