# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The shape of a rendered road, as such and as seen from a camera."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.style import PERIOD, Style

#: Ground farther away than this many metres is hidden by the background.
FAR = 150.0
_STEP = 0.125
_BEHIND, _AHEAD = 24.0, 230.0


class Road:
    """
    A curved road with coordinates ``s`` metres along its centre line and ``d`` metres right of it.

    Its heading is a sum of waves, so that it is smooth and defined for every ``s``.
    """

    def __init__(self, style: Style) -> None:
        self._style = style

    def heading(self, s: np.ndarray | float) -> np.ndarray:
        """Return the direction of the centre line, rad, positive to the right."""
        s = np.asarray(s, np.float64)
        return np.sum([a * np.sin(2 * np.pi * s / length + phase)
                       for a, length, phase in self._style.bends], axis=0)

    def edges(self, s: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ``d`` of the road's left and right edge in metres (left is negative)."""
        s = np.asarray(s, np.float64)
        style = self._style
        wave = style.width_wave * np.sin(2 * np.pi * s / PERIOD * 2 + style.width_phase)
        left, right = style.left_width + wave, style.right_width + wave
        for where, half, side in style.openings:
            along = np.abs((s - where + PERIOD / 2) % PERIOD - PERIOD / 2) - half
            if side < 0:
                left = left + _opening(along)
            else:
                right = right + _opening(along)
        return -left, right


def _opening(beyond: np.ndarray, radius: float = 4.0, depth: float = 22.0) -> np.ndarray:
    """Return how much wider the road is, ``beyond`` metres outside a side road's mouth."""
    t = np.clip(radius - beyond, 0.0, radius)
    corner = radius - np.sqrt(radius ** 2 - t ** 2)
    return np.where(beyond <= 0.0, depth, corner)


@dataclass(frozen=True)
class RoadView:
    """
    The road around a camera that stands at ``s``, ``d`` and looks ``yaw`` rad off its direction.

    ``x``, ``z`` are ground coordinates of the camera (GroundPlane), metres right and forward.
    """

    road: Road
    s: float
    d: float
    yaw: float

    def __post_init__(self) -> None:
        """Integrate the centre line around the camera."""
        ahead = np.arange(-_BEHIND, _AHEAD, _STEP)
        turn = self.road.heading(self.s + ahead) - self.azimuth
        zero = round(_BEHIND / _STEP)
        x, z = (_integral(f, zero) for f in (np.sin(turn), np.cos(turn)))
        x -= self.d * np.cos(turn[zero])
        z += self.d * np.sin(turn[zero])
        object.__setattr__(self, '_centre', np.stack([ahead, x, z, turn]))
        at = np.arange(-4.0, FAR + 20.0, _STEP)
        table = np.stack([np.interp(at, z, f) for f in
                          (x, ahead, np.sin(turn), np.gradient(turn, _STEP))], axis=-1)
        object.__setattr__(self, '_by_z', table.astype(np.float32))
        edges = np.stack(self.road.edges(self.s + ahead))
        slant = 1.0 / np.hypot(1.0, np.clip(np.gradient(edges, _STEP, axis=1), -3.0, 3.0))
        object.__setattr__(self, '_by_s', np.vstack([edges, slant]).T.astype(np.float32))

    @property
    def azimuth(self) -> float:
        """Return the camera's direction, rad, measured like Road.heading."""
        return float(self.road.heading(self.s)) + self.yaw

    def place(self, ahead: np.ndarray | float,
              d: np.ndarray | float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (x, z, heading relative to the camera) of points ``ahead`` m along the road."""
        s, x, z, turn = self._centre  # type: ignore[attr-defined]
        turn_at = np.interp(ahead, s, turn)
        return (np.interp(ahead, s, x) + d * np.cos(turn_at),
                np.interp(ahead, s, z) - d * np.sin(turn_at), turn_at)

    def locate(self, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (metres ahead along the road, ``d``) of ground points, float32 (H, W) each."""
        t = np.clip((z + 4.0) / _STEP, 0, len(self._by_z) - 1)  # type: ignore[attr-defined]
        centre, ahead, sine, bend = cv2.split(_lookup(self._by_z, t))  # type: ignore[attr-defined]
        right = x - centre
        d = right * np.sqrt(1.0 - sine * sine)
        along = right * sine
        d -= 0.5 * bend * along * along
        bend *= d
        np.clip(bend, -0.5, 0.5, out=bend)
        return ahead + along * (1.0 + bend), d

    def outside(self, ahead: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how many metres points lie outside the left and the right edge, (H, W) each."""
        t = np.clip((ahead + _BEHIND) / _STEP, 0, len(self._by_s) - 1)  # type: ignore[attr-defined]
        left, right, slant_l, slant_r = cv2.split(
            _lookup(self._by_s, t))  # type: ignore[attr-defined]
        return (left - d) * slant_l, (d - right) * slant_r

    def edges(self, z: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the ``x`` of the road's left and right edge ``z`` metres forward, in metres.

        They are the first edges met going outwards from the centre line; NaN where none is known
        (behind the camera and beyond 150 m) or none lies within 40 m to the side.
        """
        z = np.atleast_1d(np.asarray(z, np.float64)).ravel()
        found = []
        for side in (-1, 1):
            reach = np.arange(0.0, 40.0, 0.1)[None]
            zs = np.broadcast_to(z[:, None], (len(z), reach.shape[1])).astype(np.float32)
            xs = (self._centre_x(z)[:, None] + side * reach).astype(np.float32)
            out = self.outside(*self.locate(xs, zs))[side > 0]
            first = np.argmax(out > 0, axis=1)
            rows, before = np.arange(len(z)), np.maximum(first - 1, 0)
            a, b = out[rows, before], out[rows, first]
            part = np.where(b > a, -a / np.where(b > a, b - a, 1.0), 0.0)
            x = xs[rows, before] + side * 0.1 * part
            found.append(np.where((first > 0) & (z > 0) & (z <= FAR), x, np.nan))
        return found[0], found[1]

    def _centre_x(self, z: np.ndarray) -> np.ndarray:
        at = np.arange(len(self._by_z)) * _STEP - 4.0  # type: ignore[attr-defined]
        return np.interp(z, at, self._by_z[:, 0])  # type: ignore[attr-defined]


def _integral(values: np.ndarray, zero: int) -> np.ndarray:
    """Return the integral of ``values`` over the road grid, 0 at index ``zero``."""
    total = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * _STEP)])
    return total - total[zero]


def _lookup(table: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return rows of a float32 (N, C) table at fractional indices, (H, W, C)."""
    return cv2.remap(table[None], index.astype(np.float32, copy=False),
                     np.zeros(index.shape, np.float32), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)
