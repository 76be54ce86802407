# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Occasional features of a road: patches, puddles, arrows, crossings, manhole covers."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.synthetic.suburb.noise import RipMap, fractal, smoothstep

#: Metres after which the features repeat along and across the road.
PERIOD, WIDTH = 115.2, 38.4
_STEP = (0.06, 0.04)
_SHAPE = (round(PERIOD / _STEP[0]), round(WIDTH / _STEP[1]))
PATCH, PAINT, PUDDLE = range(3)


class Features:
    """A map of the road's features under construction; ``rip_map`` returns it for shading."""

    def __init__(self) -> None:
        self._layers = [np.full(_SHAPE, 128, np.uint8), np.zeros(_SHAPE, np.uint8),
                        np.zeros(_SHAPE, np.uint8)]

    def rip_map(self) -> RipMap:
        """Return tone (128: none), white paint and puddles, uint8, prefiltered."""
        return RipMap(cv2.merge(self._layers), _STEP)

    def area(self, layer: int, points: np.ndarray, value: float) -> None:
        """Fill a polygon of (s, d) metres, d counted from the middle."""
        at = (points[:, ::-1] + (WIDTH / 2, 0.0)) / _STEP[::-1]
        for shift in (-_SHAPE[0], 0):
            moved = np.rint((at + (0, shift)) * 16).astype(np.int32)
            cv2.fillPoly(self._layers[layer], [moved], (float(value),), cv2.LINE_AA, 4)

    def rectangle(self, layer: int, s: tuple[float, float], d: tuple[float, float],
                  value: float) -> None:
        """Fill a rectangle along the road."""
        self.area(layer, np.array([[s[0], d[0]], [s[1], d[0]], [s[1], d[1]], [s[0], d[1]]]), value)

    def patches(self, rng: np.random.Generator, half: float, count: int) -> None:
        """Add repairs: darker and paler patches, some along a trench, sealed with tar."""
        for _ in range(count):
            s, d = rng.uniform(0, PERIOD), rng.uniform(-half, half)
            size = (rng.uniform(0.5, 6), rng.uniform(0.4, 2.5))
            if rng.random() < 0.25:
                size = (rng.uniform(10, 60), rng.uniform(0.3, 1.0))
            turn = rng.normal(0, 0.03)
            box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2 * size + rng.normal(
                0, 0.04, (4, 2))
            box[:, 1] += box[:, 0] * turn
            if rng.random() < 0.5:
                self.area(PATCH, box * (1 + 0.12 / np.array(size)) + (s, d), 50)
            self.area(PATCH, box + (s, d), float(np.clip(128 + rng.normal(-12, 28), 50, 190)))

    def covers(self, rng: np.random.Generator, half: float, count: int) -> None:
        """Put manhole covers in the road."""
        turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        for _ in range(count):
            at = (rng.uniform(0, PERIOD), rng.uniform(-half, half))
            self.area(PATCH, ring * 0.42 + at, 60)
            self.area(PATCH, ring * 0.34 + at, float(rng.uniform(80, 150)))

    def zebra(self, s: float, left: float, right: float, ladder: bool = False) -> None:
        """Paint a crossing from ``left`` to ``right``, 4 m long."""
        if ladder:
            for at in (0.0, 3.6):
                self.rectangle(PAINT, (s + at, s + at + 0.35), (left, right), 235)
            return
        for d in np.arange(left + 0.25, right - 0.4, 1.0).tolist():
            self.rectangle(PAINT, (s, s + 4.0), (d, d + 0.5), 235)

    def stop_line(self, s: float, left: float, right: float) -> None:
        """Paint a stop line."""
        self.rectangle(PAINT, (s, s + 0.45), (left, right), 235)

    def arrow(self, s: float, d: float, turn: int) -> None:
        """Paint an arrow, straight on (0) or to a side, 5 m long."""
        self.rectangle(PAINT, (s, s + 3.2), (d - 0.08, d + 0.08), 225)
        if turn == 0:
            self.area(PAINT, np.array([[s + 3.0, d - 0.35], [s + 3.0, d + 0.35], [s + 5, d]]), 225)
        else:
            self.rectangle(PAINT, (s + 3.0, s + 3.3), (min(d, d + turn * 0.5),
                                                       max(d, d + turn * 0.5)), 225)
            self.area(PAINT, np.array([[s + 2.4, d + turn * 0.4], [s + 3.9, d + turn * 0.4],
                                       [s + 3.15, d + turn * 0.95]]), 225)

    def letters(self, s: float, d: float, word: str) -> None:
        """Paint a word that drivers can read, 4 m long."""
        board = np.zeros((40, 26 * len(word)), np.uint8)
        cv2.putText(board, word, (2, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (230.0,), 4, cv2.LINE_AA)
        size = (round(0.5 * len(word) / _STEP[1]), round(4 / _STEP[0]))
        letters: np.ndarray = np.asarray(cv2.resize(board, size), np.uint8)[::-1]
        row, col = round(s % PERIOD / _STEP[0]), round((d + WIDTH / 2) / _STEP[1])
        col -= letters.shape[1] // 2
        target = self._layers[PAINT][row:row + letters.shape[0], col:col + letters.shape[1]]
        if target.shape == letters.shape and col >= 0:
            np.maximum(target, letters, out=target)

    def puddles(self, rng: np.random.Generator, share: float) -> None:
        """Add puddles on about ``share`` of the road, elongated along it."""
        field = fractal(rng, _SHAPE, [(70, 0.7), (28, 0.5), (8, 0.2)], stretch=1.5)
        level = float(np.quantile(field[::7, ::7], 1 - share))
        self._layers[PUDDLE][:] = np.rint(255 * smoothstep(field, level - 0.12, level + 0.2))
