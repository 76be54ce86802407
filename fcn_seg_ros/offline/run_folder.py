# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The folder of a run, which is written in parts so that a killed run resumes.

A run writes to ``DIR.partial`` and renames the result to ``DIR`` when it is complete. In between,
each part (a fixed number of consecutive images) is a folder that appears at once:

    DIR.partial/run.json               settings, to be the same on resuming
    DIR.partial/parts/000000/part.json counts; its presence says that the part is complete
    DIR.partial/parts/000000/files/    what is moved to the result as it is
    DIR.partial/parts/000001.HOST.PID.partial/  a part in work, thrown away on resuming
    DIR.partial/result/                being put together; the step can be repeated

``docs/reference/run_folder.md`` describes the result.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from fcn_seg_ros.errors import InputError, quote
from fcn_seg_ros.files import PARTIAL_SUFFIX, make_folder, write_file
from fcn_seg_ros.offline.parts import Part, Parts, flush, read_json

FORMAT = 1
RUN, FRAMES, ERRORS, BAG = 'run.json', 'frames.jsonl', 'errors.jsonl', 'bag'
_LOCK = 'lock'


class RunFolder:
    """A run in work; create it with ``open_run``."""

    def __init__(self, path: Path, lock: BinaryIO) -> None:
        self.path = path
        self.partial = partial_path(path)
        self._lock = lock
        self.parts = Parts(make_folder(self.partial / 'parts'))
        self.parts.clean()

    def finish(self, summary: Mapping[str, Any],
               steps: Sequence[Callable[[Path, Sequence[Part]], None]] = ()) -> None:
        """
        Put the parts together, call each step with the result's folder and the parts, and rename.

        It may be called again if it was interrupted, so the steps replace whole files.
        """
        result, parts = make_folder(self.partial / 'result'), self.parts.complete()
        for name in (FRAMES, ERRORS):
            _join(result / name, parts)
        for part in parts:
            _move_tree(part.files, result)
        write_file(result / RUN, _text(read_json(self.partial / RUN) | dict(summary)))
        for step in steps:
            step(result, parts)
        flush(result)
        result.rename(self.path)
        shutil.rmtree(self.partial)

    def discard(self) -> None:
        """Throw the run away."""
        shutil.rmtree(self.partial)

    def close(self) -> None:
        """Let another process take the run."""
        self._lock.close()


def partial_path(path: Path) -> Path:
    """Return the folder in which a run works until it is complete."""
    return path.with_name(path.name + PARTIAL_SUFFIX)


def open_run(path: Path, settings: Mapping[str, Any], facts: Mapping[str, Any]) -> RunFolder | None:
    """
    Begin or resume the run ``path``, which may be an empty folder; None if it is complete already.

    ``settings`` decide the results, and are compared on resuming; ``facts`` are for people. Raises
    InputError, one line, if the folder is something else, has other settings or is in use.
    """
    wanted = json.loads(json.dumps(settings))
    path = _place(path)
    partial = partial_path(path)
    if path.exists() and not _is_empty(path):
        _check_same(path, wanted)
        shutil.rmtree(partial, ignore_errors=True)
        return None
    make_folder(partial)
    lock = (partial / _LOCK).open('wb')
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f'{path}: expected a run that no other process works on, found one '
                             'at work') from None
        if not _is_at(lock, partial / _LOCK):
            # Another process has just completed the run.
            raise InputError(f'{path}: another process has just worked on this run: try again')
        if (partial / RUN).exists():
            _check_same(partial, wanted)
        elif any(each.name != _LOCK and not each.name.endswith(PARTIAL_SUFFIX)
                 for each in partial.iterdir()):
            raise InputError(f'{partial}: expected nothing, or an interrupted run, found a folder '
                             'of something else')
        else:
            write_file(partial / RUN, _text({'format': FORMAT, **facts, 'settings': wanted}))
        return RunFolder(path, lock)
    except BaseException:
        lock.close()
        raise


def _place(path: Path) -> Path:
    """Return a folder without links, which a rename would replace; raises InputError."""
    place = Path(os.path.realpath(path))
    if os.path.ismount(place):
        found = 'the root of a file system'
    elif Path.cwd().is_relative_to(place):
        found = 'one that the command is run in'
    elif place.is_symlink():
        found = 'a link to itself'
    else:
        return place
    raise InputError(f'{path}: expected a new folder, found {found}: name one below it')


def read_facts(folder: Path) -> dict[str, Any]:
    """Return what a run's ``run.json`` says, with settings by name; raises InputError."""
    facts = read_json(folder / RUN, f'the {RUN} of a run of segment')
    if facts.get('format') != FORMAT or not isinstance(facts.get('settings'), dict):
        raise InputError(f'{folder / RUN}: expected settings of a run of format {FORMAT}, found '
                         f'format {quote(facts.get("format"))} and settings '
                         f'{quote(facts.get("settings"))}')
    return facts


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Return whether an open file is still the one of this name."""
    return path.exists() and os.path.samestat(os.fstat(file.fileno()), path.stat())


def _check_same(folder: Path, wanted: Mapping[str, Any]) -> None:
    """Raise InputError unless a folder holds a run with these settings."""
    if not (folder / RUN).is_file():
        raise InputError(f'{folder}: expected a new folder or a run of segment, found another')
    found = read_facts(folder)['settings']
    for name in sorted(wanted.keys() | found.keys()):
        if wanted.get(name) != found.get(name):
            raise InputError(
                f'{folder}: expected a run with {name} {quote(wanted.get(name))}, found one with '
                f'{quote(found.get(name))}: give these settings again, or another --output')


def _text(content: Mapping[str, Any]) -> bytes:
    # What cannot be encoded, in a file name say, becomes JSON's own escape for it.
    return f'{json.dumps(content, indent=2, ensure_ascii=False)}\n'.encode(
        errors='backslashreplace')


def _join(path: Path, parts: Sequence[Part]) -> None:
    """Write the files of this name of the parts one after the other."""
    with path.open('wb') as out:
        for part in parts:
            try:
                with (part.path / path.name).open('rb') as content:
                    shutil.copyfileobj(content, out)
            except FileNotFoundError:
                raise InputError(f'{part.path}: expected {path.name} in a complete part of a run, '
                                 'found none: delete the part, and the same command does it again'
                                 ) from None


def _move_tree(source: Path, target: Path) -> None:
    """Move the files below ``source`` to the same places below ``target``."""
    for folder, _, names in os.walk(source):
        place = make_folder(target / Path(folder).relative_to(source))
        for name in names:
            Path(folder, name).replace(place / name)
