# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demo's output folder: either complete or as it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.drives.contact_sheet import contact_sheet, evenly
from fcn_seg_ros.drives.demo_picture import DemoPicture
from fcn_seg_ros.drives.recording import Recording
from fcn_seg_ros.drives.video_writer import write_video
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import remove_partial, write_file
from fcn_seg_ros.images.encode import encode_png

VIDEO, SHEET, REPORT = 'overlay.mp4', 'contact_sheet.png', 'report.json'
FILES = (VIDEO, SHEET, REPORT)

LONGEST_GAP_S = 10.0
# Of camera and overlay in a tile of the contact sheet.
TILE_WIDTH = 480


class OutputFolder:
    """
    A folder for the demo's three files, as a context manager.

    On entering, only the files of an earlier run are removed. On leaving, unless ``keep`` was
    called, the new files are removed, and the folder if it was created here.
    """

    def __init__(self, path: Path) -> None:
        """Store the path; nothing is created yet."""
        self.path = path
        self._made = False
        self._keep = False

    def __enter__(self) -> OutputFolder:
        """Create the folder or clear it; raises InputError if that fails."""
        try:
            self._made = not self.path.exists()
            self.path.mkdir(parents=True, exist_ok=True)
            self._remove_files()
        except OSError as error:
            raise InputError(f'{self.path}: this folder cannot be created or changed '
                             f'({error.strerror})') from None
        return self

    def __exit__(self, *error: object) -> None:
        """Remove incomplete results."""
        if not self._keep:
            self._remove_files()
            if self._made and not any(self.path.iterdir()):
                self.path.rmdir()

    def keep(self) -> None:
        """Keep the files, which are complete."""
        self._keep = True

    def write(self, recording: Recording, report: Mapping[str, Any], rate_hz: float,
              stopped: Callable[[], bool]) -> None:
        """Write the report, and video and contact sheet if there are overlays."""
        if len(recording.overlays):
            write_video(self.path / VIDEO, timed_pictures(recording, rate_hz), rate_hz, stopped)
            if stopped():
                return
            indices = sheet_indices(recording)
            tiles = DemoPicture(recording, TILE_WIDTH)
            sheet = contact_sheet([tiles.draw(i) for i in indices],
                                  [caption(recording, i) for i in indices])
            write_file(self.path / SHEET, encode_png(sheet))
        write_file(self.path / REPORT, (json.dumps(report, indent=2) + '\n').encode())

    def _remove_files(self) -> None:
        for name in FILES:
            (self.path / name).unlink(missing_ok=True)
            remove_partial(self.path / name)


def timed_pictures(recording: Recording, rate_hz: float) -> Iterator[tuple[float, np.ndarray]]:
    """
    Yield (seconds, RGB image) of every frame with an overlay, spaced like their stamps.

    After a jump in the stamps (a loop, a wrong header) the next image follows one period later.
    """
    picture = DemoPicture(recording)
    seconds, previous_ns = 0.0, None
    for index, (stamp_ns, _) in enumerate(recording.overlays.keys):
        if previous_ns is not None:
            distance = (stamp_ns - previous_ns) / 1e9
            seconds += distance if 0.0 < distance < LONGEST_GAP_S else 1.0 / rate_hz
        previous_ns = stamp_ns
        yield seconds, picture.draw(index)


def sheet_indices(recording: Recording) -> list[int]:
    """Return the indices of the overlays to show: evenly spread, and always the worst one."""
    # The first frames come before the tables of the bird's-eye view.
    first = next((index for index, key in enumerate(recording.overlays.keys)
                  if recording.grid_of(key) is not None), 0)
    indices = [first + index for index in evenly(len(recording.overlays) - first)]
    worst = _worst(recording)
    if worst is not None and worst not in indices:
        nearest = min(range(len(indices)), key=lambda place: abs(indices[place] - worst))
        indices[nearest] = worst
    return indices


def caption(recording: Recording, index: int) -> str:
    """Return an overlay's caption in the contact sheet: its frame, and its IoU if known."""
    key = recording.overlays.keys[index]
    text = f'frame {recording.inputs.get(key, "?")}'
    iou = _iou(recording, index)
    if iou is not None:
        text += f'   IoU {100 * iou:.1f}'
    return f'{text}   (the worst)' if index == _worst(recording) else text


def _worst(recording: Recording) -> int | None:
    """Return the index of the overlay with the lowest IoU, None if no truth is known."""
    known = [(iou, index) for index in range(len(recording.overlays))
             if (iou := _iou(recording, index)) is not None]
    return min(known)[1] if known else None


def _iou(recording: Recording, index: int) -> float | None:
    overlap = recording.overlaps.get(recording.overlays.keys[index])
    return None if overlap is None else overlap.iou
