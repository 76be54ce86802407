# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Find a bag's files by their names, first bytes and metadata."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

import yaml

from fcn_seg_ros.drives.folder import natural_key
from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.errors import InputError, one_line

KINDS = 'a rosbag2 (sqlite3 or mcap) or a ROS 1 bag'
METADATA = 'metadata.yaml'
# The first bytes of storage files.
MCAP = b'\x89MCAP0\r\n'
SQLITE = b'SQLite format 3\0'
ROS1 = b'#ROSBAG V2.0\n'
_STORAGE_NAME = re.compile(r'.\.(mcap|db3|bag|bag\.active)(\.zstd?)?$', re.IGNORECASE)


def head_of(file: Path) -> bytes:
    try:
        with file.open('rb') as opened:
            return opened.read(32)
    except OSError as error:
        raise InputError(f'{file}: expected {KINDS}, found a file that cannot be read '
                         f'({error.strerror})') from None


def is_bag(path: Path) -> bool:
    """Return whether a folder or file is a bag, judging by its name or first bytes."""
    if path.is_dir():
        return (path / METADATA).is_file() or bool(_storage_files(path))
    return bool(_STORAGE_NAME.search(path.name)) or head_of(path).startswith(
        (MCAP, SQLITE, ROS1))


def _storage_files(folder: Path) -> list[Path]:
    files = {p for p in folder.iterdir() if _STORAGE_NAME.search(p.name) and p.is_file()}
    # A recorder that is killed while it compresses a file leaves the whole one beside it.
    return sorted((p for p in files if not (p.suffix == '.zstd' and p.with_suffix('') in files)),
                  key=natural_key)


def bag_files(folder: Path, notes: Notes) -> list[Path]:
    """
    Return the storage files in the folder of a bag, those listed in its metadata first.

    A killed recorder leaves no metadata, or only part of it; then the file names decide. Listed
    files that are missing, and files that are not listed, are noted.
    """
    present = _storage_files(folder)
    if not (folder / METADATA).is_file():
        return present
    try:
        listed = [PurePath(name).name for name in _listed_files(folder / METADATA)]
    except (OSError, ValueError, TypeError, KeyError, RecursionError, yaml.YAMLError) as error:
        notes.add(Note(f'{METADATA} cannot be read ({type(error).__name__}: {one_line(error)}); '
                       'reading all storage files of the folder'))
        return present
    files = []
    for name in listed:
        # Compressed or not, since recorders compress a file only when it is complete.
        names = (name, f'{name}.zstd', name.removesuffix('.zstd'))
        file = next((folder / n for n in names if (folder / n).is_file()), None)
        if file is None:
            notes.add(Note(f'{name} is missing, although {METADATA} lists it', None))
        elif file not in files:
            files.append(file)
    if extra := [p for p in present if p not in files]:
        notes.add(Note(f'{", ".join(p.name for p in extra)}: read, although {METADATA} does not '
                       'list it'))
    return files + extra


def _listed_files(metadata: Path) -> list[str]:
    content = yaml.safe_load(metadata.read_text(errors='replace'))
    return [str(name) for name in content['rosbag2_bagfile_information']['relative_file_paths']]
