# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The cross-section of a road: its surfaces and lines by distance from the centre."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from fcn_seg_ros.synthetic.world.surfaces import Surface

_HALF, _STEP, _LEVELS, _DASH_STEP = 60.0, 0.02, 8, 0.1
LINE_CHANNELS = (('solid', 'white'), ('dash', 'white'), ('solid', 'yellow'), ('dash', 'yellow'))


@dataclass(frozen=True)
class Line:
    """A line along the road: its distance from the centre and its width, metres."""

    d: float
    width: float
    kind: str = 'solid'
    paint: str = 'white'


@dataclass(frozen=True)
class Section:
    """
    Surfaces from left to right, the ``d`` of the borders between them, and lines.

    ``ragged`` is how many metres the left and right borders wander.
    """

    surfaces: tuple[Surface, ...]
    borders: tuple[float, ...]
    lines: tuple[Line, ...] = ()
    dash: tuple[float, float] = (3.0, 9.0)
    ragged: tuple[float, float] = (0.0, 0.0)
    wear: float = 0.3

    def indices(self) -> np.ndarray:
        """Return the surface number of each bin, uint8."""
        d = np.arange(-_HALF, _HALF, _STEP) + _STEP / 2
        return np.searchsorted(np.array(self.borders), d).astype(np.uint8)


def bins(d: np.ndarray) -> np.ndarray:
    """Return the bin of ``Section.indices`` in which each point lies, int32."""
    index = ((d + np.float32(_HALF)) * np.float32(1 / _STEP)).astype(np.int32)
    return np.clip(index, 0, round(2 * _HALF / _STEP) - 1, out=index)


@dataclass
class LinePainter:
    """The share of a pixel that a section's lines cover, blurred to the size of the pixel."""

    section: Section
    _across: np.ndarray = field(init=False)
    _along: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        """Tabulate the lines, and one dash."""
        d = np.arange(-_HALF, _HALF, _STEP)
        table = np.zeros((len(d), len(LINE_CHANNELS)), np.float32)
        for line in self.section.lines:
            cover = np.clip((line.width / 2 - np.abs(d - line.d)) / _STEP + 0.5, 0, 1)
            channel = LINE_CHANNELS.index((line.kind, line.paint))
            table[:, channel] = np.maximum(table[:, channel], cover)
        self._across = _blurred(table, wrap=False)
        on, off = self.section.dash
        s = np.arange(0, on + off, _DASH_STEP)
        self._along = _blurred((s < on).astype(np.float32)[:, None], wrap=True)

    def cover(self, s: np.ndarray, d: np.ndarray, foot_s: np.ndarray,
              foot_d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how much white and yellow paint covers ground points, float32 (H, W), 0..1."""
        lines = cv2.remap(self._across, (d + np.float32(_HALF)) * np.float32(1 / _STEP),
                          _level(foot_d, _STEP), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        period = np.float32(sum(self.section.dash))
        dash = cv2.remap(self._along, np.mod(s, period) * np.float32(1 / _DASH_STEP),
                         _level(foot_s, _DASH_STEP), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return (np.maximum(lines[..., 0], lines[..., 1] * dash),
                np.maximum(lines[..., 2], lines[..., 3] * dash))


def _level(foot: np.ndarray, step: float) -> np.ndarray:
    return np.clip(np.log2(np.maximum(foot * np.float32(1 / step), 1.0)), 0, _LEVELS - 1)


def _blurred(table: np.ndarray, wrap: bool) -> np.ndarray:
    """Return (LEVELS, N, C): the table blurred over 1, 2, 4, ... bins."""
    levels = []
    for k in range(_LEVELS):
        size = 2 ** k
        padded = np.pad(table, ((size, size), (0, 0)), mode='wrap' if wrap else 'edge')
        blurred = cv2.blur(padded[None], (size, 1)).reshape(padded.shape)
        levels.append(blurred[size:-size])
    return np.stack(levels)
