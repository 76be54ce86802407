# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The folder of picked frames: a dataset for ``train`` with drafts of its labels.

    images/, masks/        frames and masks (0 not road, 1 road) as PNG
    frames.csv             scores and reasons, the most valuable frame first
    sheet_1.jpg, ...       frames with their masks, to look at
    cvat.zip, label_studio.json, label_studio.xml   the drafts for annotation tools
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.drives.contact_sheet import contact_sheet
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder, partial_name
from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.inference.segmentation import Segmentation
from fcn_seg_ros.offline.label_tools import (
    CVAT,
    CvatArchive,
    label_studio_task,
    write_label_studio,
)
from fcn_seg_ros.offline.lowest_frames import shrink

TABLE = 'frames.csv'
# Frames on a sheet, and the longer side of each in pixels.
_ON_SHEET, _LONGEST = 40, 640
_QUALITY = 88


@dataclass(frozen=True)
class PickedFrame:
    """A chosen frame: its place in the choice from 1, where it is from, and why it was chosen."""

    rank: int
    name: str
    input: str
    topic: str
    number: int
    stamp_ns: int
    edge_doubt: float
    disagreement: float
    distance: float
    reasons: str


class PickFolder:
    """The folder in work; create it with ``open_folder``."""

    def __init__(self, path: Path, final: Path, model: str) -> None:
        self._path, self._final, self._model = path, final, model
        for name in ('images', 'masks'):
            make_folder(path / name)
        self._rows: list[PickedFrame] = []
        self._tasks: list[dict[str, Any]] = []
        self._tiles: list[tuple[np.ndarray, str]] = []
        self._sheets = 0
        self._cvat: CvatArchive = CvatArchive(path / CVAT)

    def add(self, frame: PickedFrame, image: np.ndarray, result: Segmentation) -> None:
        """
        Write a frame, uint8 RGB (H, W, 3), and its draft; frames come by time.

        Raises InputError if they cannot be written.
        """
        road = result.road
        self._tasks.append(label_studio_task(self._final.name, frame.name, road, self._model,
                                             1.0 - frame.edge_doubt))
        self._rows.append(frame)
        self._tiles.append((shrink(result.overlay(image), longest=_LONGEST),
                            f'{frame.rank}: doubt {frame.edge_doubt:.2f} '
                            f'differ {100 * frame.disagreement:.1f}%'))
        with _writing(self._final):
            (self._path / 'images' / f'{frame.name}.png').write_bytes(encode_png(image))
            (self._path / 'masks' / f'{frame.name}.png').write_bytes(encode_png(road))
            self._cvat.add(frame.name, road)
            if len(self._tiles) == _ON_SHEET:
                self._write_sheet()

    def finish(self) -> None:
        """Write what all frames together make, and show the folder; raises InputError."""
        with _writing(self._final):
            self._cvat.finish()
            if self._tiles:
                self._write_sheet()
            write_label_studio(self._path, self._tasks)
            self._write_table()
            self._path.rename(self._final)

    def _write_table(self) -> None:
        with (self._path / TABLE).open('w', newline='', encoding='utf-8',
                                       errors='backslashreplace') as file:
            table = csv.writer(file)
            table.writerow(PickedFrame.__dataclass_fields__)
            for row in sorted(self._rows, key=lambda each: each.rank):
                table.writerow(f'{value:.4f}' if isinstance(value, float) else value
                               for value in vars(row).values())

    def _write_sheet(self) -> None:
        self._sheets += 1
        images, captions = zip(*self._tiles, strict=True)
        (self._path / f'sheet_{self._sheets}.jpg').write_bytes(
            encode_jpeg(contact_sheet(images, captions), _QUALITY))
        self._tiles.clear()


@contextmanager
def open_folder(path: Path, model: str) -> Iterator[PickFolder]:
    """
    Yield a folder to fill, which appears as ``path`` when the block ends without an error.

    ``model`` names the network of the drafts. Raises InputError if there is something already, or
    if it cannot be written.
    """
    path = path.expanduser().absolute()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f'{path}: expected a new or empty folder, since labels that were '
                         'corrected there would be lost, found something in it'
                         if path.is_dir() else f'{path}: expected a new folder, found a file')
    partial = partial_name(path)
    make_folder(partial)
    try:
        with _writing(path):
            folder = PickFolder(partial, path, model)
        yield folder
        folder.finish()
    finally:
        with suppress(OSError):  # it is renamed, or the exception being handled says more
            shutil.rmtree(partial)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn faults of writing below ``path`` into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror or error})') from None
