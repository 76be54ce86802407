# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames of rendered drives as a dataset."""

from __future__ import annotations

from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.synthetic.suburb import RenderedDrive
from fcn_seg_ros.synthetic.world import WorldDrive, WorldFrame

#: The world of ``RenderedRoad``; all others are those of ``WorldDrive``.
SUBURB = 'suburb'

# Seeds below are for training; the tests, the demo and every reported figure use others.
FIRST_HELD_OUT_SEED = 10_000


class RenderedRoad:
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


class RenderedWorld:
    """
    ``frames`` frames, 2.5 s apart, of each of ``drives`` drives through other worlds.

    Drive i has the seed ``first_seed + i``; ``choices`` are those of WorldDrive: world, conditions,
    aspect, fov. Raises InputError for numbers below one and for a choice that is unknown.
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


def open_rendered(drives: int = 30, frames: int = 2, first_seed: int = 0, world: str = SUBURB,
                  **choices: str | float) -> RenderedRoad | RenderedWorld:
    """
    Return the frames of rendered drives through a world, by default the suburb.

    ``choices`` are those of RenderedWorld beside its world. Raises InputError for one that is
    unknown, or where the suburb, which has none, is given some.
    """
    if world != SUBURB:
        return RenderedWorld(drives, frames, first_seed, world=world,
                             **choices)  # type: ignore[arg-type]
    if choices:
        raise InputError(f'rendered drives: expected {", ".join(choices)} only with world=all or '
                         f'a world other than {SUBURB}')
    return RenderedRoad(drives, frames, first_seed)


def _check_counts(drives: int, frames: int) -> None:
    if drives < 1 or frames < 1:
        raise InputError(f'rendered drives: expected at least one drive of at least one frame, '
                         f'found {drives} of {frames}')
