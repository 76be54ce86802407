# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Compiled networks on disk, so that a node that starts again need not compile again.

One file for each entry: a line of JSON (the key in full, the length and the SHA-256 of what
follows), then the content. Nothing read is trusted: a file whose line, key, length or checksum is
not as expected counts as missing and is made again. Files are written under a temporary name and
renamed, so processes that start at the same time see a whole entry or none. Together the entries
stay under MAX_BYTES; those unused for longest go first. A disk that is full or read-only costs the
cache and nothing else, with one warning.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

# The environment variable that names the folder; empty: no cache.
FOLDER_VARIABLE = 'FCN_SEG_CACHE'
# Three networks of VGG16's size, or two hundred of MobileNetV2's.
MAX_BYTES = 2 * 2**30
_SUFFIX = '.artefact'
_PARTIAL = '.partial'
# Longer than any network takes to be written; what is older was left by a process that died.
_PARTIAL_LIFETIME_S = 3600.0
# A key and two numbers fit easily; a longer first line is not ours.
_MAX_HEADER_BYTES = 65536

_logger = logging.getLogger(__name__)
_Loaded = TypeVar('_Loaded')


class ArtefactCache:
    """
    Bytes by key, in one folder; ``folder`` None is a cache that keeps nothing.

    A key is a mapping of texts that names everything the content depends on; its value ``kind``
    starts the file's name.
    """

    def __init__(self, folder: Path | None, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._warned = False

    def load(self, key: Mapping[str, str], make: Callable[[], _Loaded],
             dump: Callable[[_Loaded], bytes], read: Callable[[bytes], _Loaded],
             errors: tuple[type[BaseException], ...]) -> _Loaded:
        """
        Return ``read`` of an entry's content; where there is none, what ``make`` returns.

        That is then kept as ``dump`` of it. An entry that ``read`` refuses with one of ``errors``
        is made again.
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
        """Return the content of an entry, or None where there is none that is whole."""
        if self.folder is None:
            return None
        path = self._path(key)
        try:
            with path.open('rb') as file:
                header = file.readline(_MAX_HEADER_BYTES)
                content = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(path, error)
            return None
        if header != _header(key, content):
            _logger.warning('cache: %s is broken and is made again', path)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # just used: the last to be removed
        return content

    def put(self, key: Mapping[str, str], content: bytes) -> None:
        """Keep an entry, if the folder can be written to, and remove old ones that are too much."""
        header = _header(key, content)
        if self.folder is None or len(header) + len(content) > self.max_bytes:
            return
        path = self._path(key)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(path, header, content)
            self._tidy(path)
        except OSError as error:
            self._warn(path, error)

    def _path(self, key: Mapping[str, str]) -> Path:
        assert self.folder is not None
        digest = hashlib.sha256(_canonical(key)).hexdigest()
        return self.folder / f'{key["kind"]}-{digest[:32]}{_SUFFIX}'

    def _tidy(self, newest: Path) -> None:
        """Remove what is too much, and what processes that died have left."""
        assert self.folder is not None
        entries = []
        for path in self.folder.iterdir():
            # Another process may be tidying as well.
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                if path.suffix == _SUFFIX:
                    entries.append((status.st_mtime, status.st_size, path))
                elif (path.suffix == _PARTIAL
                      and time.time() - status.st_mtime > _PARTIAL_LIFETIME_S):
                    path.unlink()
        total = sum(size for _, size, _ in entries)
        for _, size, path in sorted(entries):
            if total > self.max_bytes and path != newest:
                path.unlink(missing_ok=True)
                total -= size

    def _warn(self, path: Path, error: OSError) -> None:
        if not self._warned:
            _logger.warning('cache: %s cannot be used (%s); networks are compiled at every start. '
                            '%s names another folder', path, error.strerror, FOLDER_VARIABLE)
        self._warned = True


def default_cache(environ: Mapping[str, str] = os.environ) -> ArtefactCache:
    """
    Return the cache of this user.

    Its folder is what FCN_SEG_CACHE names (empty: no cache), else ``fcn_seg_ros`` in
    XDG_CACHE_HOME, which by default is ``~/.cache``.
    """
    named = environ.get(FOLDER_VARIABLE)
    if named is not None:
        return _cache_in(Path(named) if named else None)
    base = Path(environ.get('XDG_CACHE_HOME', ''))
    if not base.is_absolute():  # the XDG specification: relative ones are to be ignored
        home = environ.get('HOME')
        if not home:
            return _cache_in(None)
        base = Path(home) / '.cache'
    return _cache_in(base / 'fcn_seg_ros')


@functools.cache
def _cache_in(folder: Path | None) -> ArtefactCache:
    # One object for each folder, so that one process warns once.
    return ArtefactCache(folder)


def _header(key: Mapping[str, str], content: bytes) -> bytes:
    return _canonical({'key': dict(key), 'bytes': len(content),
                       'sha256': hashlib.sha256(content).hexdigest()}) + b'\n'


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(value), sort_keys=True).encode()


def _write(path: Path, *parts: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f'{path.stem}.', suffix=_PARTIAL)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, 'wb') as file:
            file.writelines(parts)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
