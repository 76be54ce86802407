# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames of rendered drives as a dataset."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.options import RenderedOptions
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.birds_eye import ground_homography
from fcn_seg_ros.synthetic.suburb import RenderedDrive
from fcn_seg_ros.synthetic.world import WorldDrive, WorldFrame

# The world of RenderedRoad; all others are worlds of WorldDrive.
SUBURB = 'suburb'

# Smaller seeds are for training; tests, demo and reported figures use seeds from this one on.
FIRST_HELD_OUT_SEED = 10_000


class Rendered(RoadDataset):
    """Frames of drives that this package renders: RenderedRoad or RenderedWorld."""

    kind = 'rendered'
    title = 'rendered drives'
    licence = 'Apache-2.0 (rendered drives)'
    Options = RenderedOptions
    scoring_options = RenderedOptions(20, 4, FIRST_HELD_OUT_SEED)
    has_root = has_splits = third_party = check_first = False

    @classmethod
    def open(cls, root: str, split: str | None, options: RenderedOptions, strict: bool
             ) -> Rendered:
        """Return the frames of rendered drives; raises InputError for options that do not fit."""
        drives = options.drives, options.frames, options.first_seed
        choices: dict[str, Any] = {
            name: value for name in ('conditions', 'aspect', 'fov')
            if (value := getattr(options, name)) is not None}
        if options.world != SUBURB:
            return RenderedWorld(*drives, world=options.world, **choices)
        if choices:
            raise InputError(f'rendered drives: expected {", ".join(choices)} only with world=all '
                             f'or a world other than {SUBURB}')
        return RenderedRoad(*drives)

    @classmethod
    def describe(cls, root: str, options: RenderedOptions, images: int, which: str) -> str:
        """Return a model card's description: how many frames of which drives."""
        world = '' if options.world == SUBURB else f' (world {options.world})'
        return f'{images} frames of {options.drives} {cls.title}{world}'


class RenderedRoad(Rendered):
    """
    ``frames`` frames, 2.5 s apart, of each of ``drives`` rendered drives.

    Drive i has the seed ``first_seed + i``. Raises InputError for numbers below one.
    """

    def __init__(self, drives: int, frames: int, first_seed: int = 0) -> None:
        _check_counts(drives, frames)
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

    def geometry(self, name: str) -> np.ndarray | None:
        """Return the true homography of the road plane, None for other datasets' frames."""
        found = re.fullmatch(r'rendered_(\d+)_(\d+)', name)
        if found is None:
            return None
        seed, index = (int(number) for number in found.groups())
        frame = RenderedDrive(seed, length=index + 1)[index]
        return ground_homography(frame.camera, frame.plane)


class RenderedWorld(Rendered):
    """
    ``frames`` frames, 2.5 s apart, of each of ``drives`` drives through other worlds.

    Drive i has the seed ``first_seed + i``; the other arguments are those of WorldDrive. Raises
    InputError for numbers below one and for unknown choices.
    """

    def __init__(self, drives: int, frames: int, first_seed: int = 0, *, world: str = 'all',
                 conditions: str = 'all', aspect: str = 'all', fov: float | None = None) -> None:
        _check_counts(drives, frames)
        self._frames, self._first_seed = frames, first_seed
        self._drives = [WorldDrive(first_seed + drive, frames, world, conditions, aspect, fov)
                        for drive in range(drives)]

    def __len__(self) -> int:
        """Return the number of frames of all drives."""
        return self._frames * len(self._drives)

    def frame(self, index: int) -> WorldFrame:
        """Render one frame with its classes and depth."""
        drive, position = divmod(index, self._frames)
        return self._drives[drive][position]

    def __getitem__(self, index: int) -> Sample:
        """Render one frame."""
        drive, position = divmod(index, self._frames)
        frame = self.frame(index)
        name = f'world_{frame.world}_{self._first_seed + drive:05d}_{position:04d}'
        return Sample(name, frame.image, frame.road)


# More than a training run uses.
_MOST_FRAMES = 1_000_000


def _check_counts(drives: int, frames: int) -> None:
    if not (drives >= 1 and frames >= 1 and drives * frames <= _MOST_FRAMES):
        raise InputError(f'rendered drives: expected 1 to {_MOST_FRAMES} frames in all, found '
                         f'{drives} drives of {frames}')
