# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read whole files, and replace files atomically."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from fcn_seg_ros.errors import InputError

PARTIAL_SUFFIX = '.partial'


def read_file(path: Path, expected: str, most_bytes: int) -> bytes:
    """
    Return a file's content; later changes to the file have no effect.

    Raises InputError, which says what was ``expected``, for a file that is missing, unreadable, not
    regular (opening a FIFO would block, a device may be endless) or larger than ``most_bytes``.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most_bytes:
                raise InputError(f'{path}: expected {expected} of at most {most_bytes} bytes, '
                                 f'found {size}')
            return file.read(most_bytes)
    except FileNotFoundError:
        found = 'a link to nothing' if os.path.islink(path) else 'nothing'
    except IsADirectoryError:
        found = 'a folder'
    except OSError as error:
        found = f'one that cannot be read ({error.strerror or error})'
    except ValueError as error:  # a zero byte in the name
        found = f'an invalid file name ({error})'
    raise InputError(f'{path}: expected {expected}, found {found}')


def open_regular(path: Path, flags: int = 0) -> BinaryIO:
    """Open a regular file for reading, with extra flags for os.open; OSError for other files."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, 'not a regular file', str(path))
        return os.fdopen(descriptor, 'rb')
    except OSError:
        os.close(descriptor)
        raise


def make_folder(path: Path) -> Path:
    """Create a folder and its parents; raises InputError if that fails."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f'{path}: this folder cannot be created '
                         f'({error.strerror})') from None
    return path


def partial_name(path: Path) -> Path:
    """Return the hidden name, in the same folder, under which this process writes a file."""
    return path.with_name(f'.{path.name}.{os.getpid()}-{threading.get_ident()}{PARTIAL_SUFFIX}')


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """
    Yield a temporary path next to ``path``, which replaces ``path`` when the block ends.

    So ``path`` is always the old file or the complete new one. It stays as it was if the block
    raises or writes nothing.
    """
    partial = partial_name(path)
    try:
        yield partial
        if partial.exists():
            partial.replace(path)
    finally:
        with suppress(OSError):  # the exception being handled says more
            partial.unlink(missing_ok=True)


def remove_partial(path: Path) -> None:
    """Remove the partial files of processes that were killed while writing ``path``."""
    for partial in path.parent.glob(f'.{path.name}.*{PARTIAL_SUFFIX}'):
        partial.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """Replace a file atomically; raises InputError if that fails."""
    try:
        with replacing(path) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror})') from None
