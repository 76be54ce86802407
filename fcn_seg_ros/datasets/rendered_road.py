# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames of rendered drives as a dataset."""

from __future__ import annotations

from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.datasets.rendered import RenderedDrive
from fcn_seg_ros.errors import InputError

# Seeds below are for training; the tests, the demo and every reported figure use others.
FIRST_HELD_OUT_SEED = 10_000


class RenderedRoad:
    """
    ``frames`` frames, 2.5 s apart, of each of ``drives`` rendered drives.

    Drive i has the seed ``first_seed + i``. Raises InputError for numbers below one.
    """

    def __init__(self, drives: int, frames: int, first_seed: int = 0) -> None:
        if drives < 1 or frames < 1:
            raise InputError(f'rendered drives: expected at least one drive of at least one '
                             f'frame, found {drives} of {frames}')
        self._step = 25
        self._frames = frames
        self._drives = [RenderedDrive(first_seed + drive, length=self._step * frames)
                        for drive in range(drives)]
        self._first_seed = first_seed

    def __len__(self) -> int:
        """Return the number of frames of all drives."""
        return self._frames * len(self._drives)

    def __getitem__(self, index: int) -> Sample:
        """Render one frame."""
        drive, position = divmod(index, self._frames)
        frame = self._drives[drive][position * self._step]
        name = f'rendered_{self._first_seed + drive:05d}_{position * self._step:04d}'
        return Sample(name, frame.image, frame.road)
