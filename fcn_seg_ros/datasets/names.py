# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Find the files of samples by name, in folders and split files as people have them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES
from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.files import read_file

# A million names.
_MOST_BYTES = 2**26
_MARKS = {b'\xef\xbb\xbf': 'utf-8-sig', b'\xff\xfe': 'utf-16', b'\xfe\xff': 'utf-16'}


def find_files(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES, nested: bool = False
               ) -> list[Path]:
    """
    Return the sorted files with a suffix, in any case; also those in subfolders if ``nested``.

    Links are followed. Hidden files are ignored: macOS writes ``._x.png`` next to ``x.png``. Raises
    OSError for a folder that cannot be read.
    """
    found: list[Path] = []
    visited: set[str] = set()
    for place, folders, files in os.walk(folder, onerror=_fail, followlinks=True):
        real = os.path.realpath(place)
        # A link to a parent folder would lead to an endless loop.
        folders[:] = [] if not nested or real in visited else sorted(
            name for name in folders if not name.startswith('.'))
        if real in visited:
            continue
        visited.add(real)
        found += [Path(place, name) for name in files if not name.startswith('.')
                  and Path(name).suffix.lower() in suffixes]
    return sorted(found)


def by_name(folder: Path, files: Sequence[Path], suffix: str = '') -> dict[str, Path]:
    """
    Return files by sample name: the path in ``folder`` without extension and ``suffix``.

    ``suffix`` may include an extension (``_mask.png``). Files that do not end so are left out.
    Raises InputError for two of the same name.
    """
    named: dict[str, Path] = {}
    for path in files:
        inside = path.relative_to(folder)
        name = (inside if '.' in suffix else inside.with_suffix('')).as_posix()
        if not name.endswith(suffix) or name == suffix:
            continue
        name = name.removesuffix(suffix)
        if name in named:
            raise InputError(f'{folder}: expected one file called {name}, found '
                             f'{named[name].name} and {path.name}')
        named[name] = path
    return named


def images_by_name(folder: Path) -> dict[str, Path]:
    """Return the images in a folder by their stems; raises InputError for none."""
    named = by_name(folder, find_files(folder))
    if not named:
        raise InputError(f'{folder}: expected images ({", ".join(IMAGE_SUFFIXES)}), found none')
    return named


def image_called(name: str, folder: Path, named: Mapping[str, Path]) -> Path:
    """Return an image by its name; raises InputError for one that is not in ``named``."""
    if name not in named:
        raise InputError(f'{folder / name}.png: expected the image of sample {name} (.png, .jpg), '
                         'found none')
    return named[name]


def read_split(root: Path, split: str | Path) -> list[str]:
    """
    Return the names in a split file, one per line; it is a path or a file in ``root``.

    A byte-order mark, empty lines and space around names do not count. Raises InputError for a
    file that is missing, empty or not text.
    """
    path = Path(split) if Path(split).is_file() else root / split
    if not path.is_file():
        raise InputError(f'{split}: expected a split file, found none there nor in {root}')
    content = read_file(path, 'one sample name per line', _MOST_BYTES)
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), 'utf-8')
    try:
        names = [line.strip() for line in content.decode(encoding).splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError(f'{path}: expected one sample name per line, found a file that is not '
                         f'text ({one_line(error)})') from None
    if not names:
        raise InputError(f'{path}: expected one sample name per line, found an empty file')
    return names


def listed_name(listed: str, named: Mapping[str, Path], folder: str = '', suffix: str = ''
                ) -> str:
    r"""
    Return the name that a line of a split file means: ``a``, ``a.png`` or ``images/a.png``.

    ``folder`` is that of the images, and ``suffix`` what they are called beyond their names. A name
    that is not in ``named`` is returned unchanged.
    """
    name = listed.replace('\\', '/').removeprefix('./')
    bare = name.removeprefix(f'{folder}/')
    stem = bare.removesuffix(Path(bare).suffix)
    candidates = (name, bare, stem, bare.removesuffix(suffix), stem.removesuffix(suffix))
    return next((found for found in candidates if found in named), listed)


def _fail(error: OSError) -> None:
    raise error
