# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A cache of compiled networks on disk, so that a restarted node need not compile again.

Each entry is a file: a line of JSON (the full key, and the length and SHA-256 of the content), then
the content. Files are not trusted. An entry counts as missing, and is made again, if it is not a
regular file of this user, is writable by others, is too large, or has a wrong header or checksum. A
folder of another user is not used, since its owner could put another network there. Files are read
whole, so later changes do not affect the network, and replaced atomically, so processes that start
together see a complete entry or none. All entries together stay under MAX_BYTES; the least recently
used are removed first. If the disk is full or read-only, there is one warning and no cache.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import json
import logging
import os
import stat
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from fcn_seg_ros.files import PARTIAL_SUFFIX, open_regular, replacing
from fcn_seg_ros.processes import NO_HOME

# The environment variable that names the folder; if empty, there is no cache.
FOLDER_VARIABLE = 'FCN_SEG_CACHE'
# Three networks the size of VGG16, or two hundred the size of MobileNetV2.
MAX_BYTES = 2 * 2**30
_SUFFIX = '.artefact'
# No network takes this long to write, so older partial files were left by dead processes.
_PARTIAL_LIFETIME_S = 3600.0
# Ample for a key and two numbers; a file with a longer first line is not an entry.
_MAX_HEADER_BYTES = 65536
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH

_logger = logging.getLogger(__name__)
_Loaded = TypeVar('_Loaded')


class _NotAnEntry(Exception):
    """A file that is not a cache entry, or that another user may have changed."""


class ArtefactCache:
    """
    A store of bytes by key in one folder; if ``folder`` is None, nothing is kept.

    A key is a dict of strings that holds everything the content depends on. The file's name starts
    with the key's ``kind``.
    """

    def __init__(self, folder: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._warned = False

    def load(self, key: Mapping[str, str], make: Callable[[], _Loaded],
             dump: Callable[[_Loaded], bytes], read: Callable[[bytes], _Loaded],
             errors: tuple[type[BaseException], ...]) -> _Loaded:
        """
        Return ``read(content)`` of an entry, or ``make()`` if there is no entry.

        In the second case ``dump(result)`` becomes the entry. If ``read`` raises one of ``errors``,
        the entry is made again.
        """
        content = self.get(key)
        if content is not None:
            try:
                return read(content)
            except errors as error:
                _logger.warning('cache: %s cannot be used (%s) and is made again',
                                self._path(key), error)
        made = make()
        if self.folder is not None:
            try:
                self.put(key, dump(made))
            except OSError as error:
                self._warn(self.folder, error)
        return made

    def get(self, key: Mapping[str, str]) -> bytes | None:
        """Return the content of an entry, or None if there is no valid one."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            if not self._is_ours():
                return None
            header, content = _read(path, self.max_bytes)
        except FileNotFoundError:
            return None
        except _NotAnEntry as error:
            _logger.warning('cache: %s is %s and is made again', path, error)
            return None
        except OSError as error:
            self._warn(path, error)
            return None
        if header != _header(key, content):
            _logger.warning('cache: %s is broken and is made again', path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # marks it as most recently used
        return content

    def put(self, key: Mapping[str, str], content: bytes) -> None:
        """Write an entry, if the folder is writable, and remove old ones beyond ``max_bytes``."""
        header = _header(key, content)
        if self.folder is None or len(header) + len(content) > self.max_bytes:
            return
        path = self._path(key)
        try:
            _make_private(self.folder)
            if self._is_ours():
                _write(path, header, content)
                self._tidy(path)
        except OSError as error:
            self._warn(path, error)

    def _path(self, key: Mapping[str, str]) -> Path:
        assert self.folder is not None
        digest = hashlib.sha256(_canonical(key)).hexdigest()
        return self.folder / f'{key["kind"]}-{digest[:32]}{_SUFFIX}'

    def _tidy(self, newest: Path) -> None:
        """Remove the oldest entries beyond ``max_bytes``, and partial files of dead processes."""
        assert self.folder is not None
        entries = []
        for path in self.folder.iterdir():
            # Another process may be removing entries as well.
            with contextlib.suppress(FileNotFoundError):
                status = path.lstat()
                if stat.S_ISDIR(status.st_mode):
                    continue
                if path.suffix == _SUFFIX:
                    entries.append((status.st_mtime, status.st_size, path))
                elif (path.suffix == PARTIAL_SUFFIX
                      and time.time() - status.st_mtime > _PARTIAL_LIFETIME_S):
                    path.unlink()
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total > self.max_bytes and path != newest:
                path.unlink(missing_ok=True)
                total -= size

    def _is_ours(self) -> bool:
        """Return whether the folder belongs to this user; raises OSError if there is none."""
        assert self.folder is not None
        owner = self.folder.stat().st_uid
        if owner != os.geteuid():
            self._warn(self.folder, PermissionError(
                errno.EPERM, f'it belongs to the user {owner}, expected {os.geteuid()}'))
        return owner == os.geteuid()

    def _warn(self, path: Path, error: OSError) -> None:
        if not self._warned:
            _logger.warning('cache: %s cannot be used (%s); networks are compiled at every start. '
                            'Set %s to another folder', path, error.strerror or error,
                            FOLDER_VARIABLE)
        self._warned = True


def default_cache(environ: Mapping[str, str] = os.environ) -> ArtefactCache:
    """
    Return the cache of this user.

    Its folder is FCN_SEG_CACHE (empty: no cache), else ``fcn_seg_ros`` in XDG_CACHE_HOME, by
    default ``~/.cache``. Without a home directory there is no cache.
    """
    named = environ.get(FOLDER_VARIABLE)
    if named is not None:
        return _cache_in(Path(named) if named else None)
    base = Path(environ.get('XDG_CACHE_HOME', ''))
    if not base.is_absolute():  # the XDG specification says to ignore relative ones
        home = environ.get('HOME')
        if home in (None, '', NO_HOME):
            return _cache_in(None)
        base = Path(home) / '.cache'
    return _cache_in(base / 'fcn_seg_ros')


@functools.cache
def _cache_in(folder: Path | None) -> ArtefactCache:
    # One object per folder, so that a process warns once.
    return ArtefactCache(folder)


def _header(key: Mapping[str, str], content: bytes) -> bytes:
    return _canonical({'key': dict(key), 'bytes': len(content),
                       'sha256': hashlib.sha256(content).hexdigest()}) + b'\n'


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), sort_keys=True).encode()


def _read(path: Path, max_bytes: int) -> tuple[bytes, bytes]:
    """Return an entry's first line and content; raises _NotAnEntry or OSError."""
    try:
        file = open_regular(path, os.O_NOFOLLOW)
    except FileNotFoundError:
        raise
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO):
            raise _NotAnEntry('not a regular file') from None
        raise
    with file:
        status = os.fstat(file.fileno())
        if status.st_uid != os.geteuid() or status.st_mode & _OTHERS_MAY_WRITE:
            raise _NotAnEntry('one that others may have written')
        if status.st_size > max_bytes:
            raise _NotAnEntry(f'larger than {max_bytes} bytes')
        return file.readline(_MAX_HEADER_BYTES), file.read(max_bytes)


def _make_private(folder: Path) -> None:
    """Create a folder and its parents; new ones are accessible only to this user."""
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        # Another process may be creating it as well.
        missing.mkdir(mode=0o700, exist_ok=True)


def _write(path: Path, *parts: bytes) -> None:
    with replacing(path) as partial:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, 'wb') as file:
            file.writelines(parts)
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # OSError, unless it is empty
