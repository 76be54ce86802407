# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The road's two edges, from the points at which the rays of scans leave the road."""

from __future__ import annotations

import numpy as np

# Cubic edges with the same course: y = right + b x + c x^2 + d x^3, and left in place of right.
# x in tens of metres keeps the numbers alike.
_SCALE = 10.0
_BEHIND, _REACH, _ASIDE = 10.0, 32.0, 16.0
# What is further off than this is rather a vehicle, or a side road.
_SCALE_OFF, _OFF = 1.0, 1.6
_FIRST_SCALES = (6.0, 4.0, 2.5, 1.5)
_ITERATIONS = 4
_BETTER = 1.15
# Where nothing is seen the edges stay about where they usually are, and straight.
_USUAL = np.array([-3.0, 3.0, 0.0, 0.0, 0.0])
_STEADY = np.array([0.05, 0.05, 1.0, 0.25, 100.0])
_POINTS, _LAST_FIT = 150.0, 40.0
# How much the last width counts: roads hardly get wider or narrower.
_WIDTH = 40.0
_AT = np.arange(-6.0, 31.0, 2.0)
# Points are kept from every so many metres.
_SPACING = 0.7


class RoadEdges:
    """
    A robust fit of both edges to the points of the last scans, carried along as the vehicle moves.

    Coordinates are those of base_link: x forward, y to the left, metres.
    """

    def __init__(self) -> None:
        self._fit: np.ndarray | None = None
        # x, y and weight of points on the edges.
        self._points = np.empty((0, 3))
        self._driven = np.inf

    def right(self, x: np.ndarray) -> np.ndarray:
        """Return y of the right edge."""
        return self._edge(x, False)

    def left(self, x: np.ndarray) -> np.ndarray:
        """Return y of the left edge."""
        return self._edge(x, True)

    def update(self, points: np.ndarray, part: float, forward: float, turned: float) -> bool:
        """
        Fit the edges to points (N, 2) of a scan and to earlier ones.

        ``part`` (rad) is the bearing between the left and the right ones, which counts only where
        no edges are known yet. ``forward`` (metres) and ``turned`` (rad to the left) is the motion
        since the last call. Returns False, with edges unknown, if there are too few points.
        """
        self._carry(forward, turned)
        x, y = points.T
        near = (x > 0.0) & (x < _REACH) & (np.abs(y) < _ASIDE)
        # Rays cross the far edge further apart, and less exactly.
        weight = np.clip((x / _SCALE) ** 2, 0.1, 2.0) / (1.0 + (x / 20.0) ** 2)
        new = np.column_stack([x, y, weight])[near]
        seen = np.concatenate([self._points, new])
        if len(seen) < 8:
            self._fit = None
            return False
        fits = [self._track(fit, seen) for fit in (self._fit, self._begin(new, part))
                if fit is not None]
        # A start from this scan alone wins where the edges went astray.
        good = [_robust(new[:, 2], _off(fit, new), _SCALE_OFF).sum() for fit in fits]
        self._fit = fits[1] if len(fits) > 1 and good[1] > _BETTER * good[0] else fits[0]
        if self._driven >= _SPACING:
            off = _off(self._fit, seen)
            self._points, self._driven = seen[(seen[:, 0] > -_BEHIND) & (off < _OFF)], 0.0
        return True

    def _begin(self, seen: np.ndarray, part: float) -> np.ndarray | None:
        """Return edges without knowing where they were, None for too few points."""
        if len(seen) < 8:
            return None
        x, y, weight = seen.T
        basis = _basis(x, np.arctan2(y, x) > part)
        weight = weight * (_POINTS / weight.sum())
        width = None if self._fit is None else float(self._fit[1] - self._fit[0])
        fit = _solve(basis, y, weight, width)
        for scale in _FIRST_SCALES:
            fit = _solve(basis, y, _robust(weight, basis @ fit - y, scale), width)
        return fit

    def _track(self, fit: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Return edges fitted to points, each to the one next to it, from ``fit`` on."""
        x, y, weight = seen.T
        right, left = (_basis(x, np.full(len(x), side)) for side in (False, True))
        width = float(fit[1] - fit[0])
        at = np.concatenate([_AT, _AT])
        old = _basis(at, np.arange(len(at)) >= len(_AT))
        last = old @ fit
        weight = weight * (_POINTS / weight.sum())
        for _ in range(_ITERATIONS):
            to_left = np.abs(left @ fit - y) < np.abs(right @ fit - y)
            basis = np.where(to_left[:, None], left, right)
            robust = _robust(weight, basis @ fit - y, _SCALE_OFF)
            fit = _solve(np.concatenate([basis, old]), np.concatenate([y, last]),
                         np.concatenate([robust, np.full(len(at), _LAST_FIT / len(at))]), width)
        return fit

    def _carry(self, forward: float, turned: float) -> None:
        """Move points and edges to where they are now."""
        self._points[:, :2] = carried(self._points[:, :2], forward, turned)
        self._driven += abs(forward)
        if self._fit is not None:
            x = np.concatenate([_AT, _AT])
            is_left = np.arange(len(x)) >= len(_AT)
            x, y = carried(np.stack([x, _basis(x, is_left) @ self._fit], axis=1), forward,
                           turned).T
            self._fit = _solve(_basis(x, is_left), y, np.ones(len(x)))

    def _edge(self, x: np.ndarray, is_left: bool) -> np.ndarray:
        assert self._fit is not None
        return _basis(x, np.full(np.shape(x), is_left)) @ self._fit


def carried(points: np.ndarray, forward: float, turned: float) -> np.ndarray:
    """Return where points (N, 2) are after base_link has driven ``forward`` and turned left."""
    x, y = points[:, 0] - forward * np.cos(turned / 2), points[:, 1] - forward * np.sin(turned / 2)
    c, s = np.cos(turned), np.sin(turned)
    return np.stack([c * x + s * y, c * y - s * x], axis=1)


def _basis(x: np.ndarray, is_left: np.ndarray) -> np.ndarray:
    t = np.asarray(x) / _SCALE
    return np.stack([~is_left * 1.0, is_left * 1.0, t, t * t, t ** 3], axis=-1)


def _off(fit: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return how far points are off the edge next to them, metres."""
    x, y = points[:, 0], points[:, 1]
    return np.min([np.abs(_basis(x, np.full(len(x), side)) @ fit - y)
                   for side in (False, True)], axis=0)


def _robust(weight: np.ndarray, off: np.ndarray, scale: float) -> np.ndarray:
    return weight / (1.0 + (off / scale) ** 2) ** 2


def _solve(basis: np.ndarray, y: np.ndarray, weight: np.ndarray, width: float | None = None
           ) -> np.ndarray:
    weighted = (basis * weight[:, None]).T
    squares, target = weighted @ basis + np.diag(_STEADY), weighted @ y + _STEADY * _USUAL
    if width is not None:
        apart = np.array([-1.0, 1.0, 0.0, 0.0, 0.0])
        squares += _WIDTH * np.outer(apart, apart)
        target += _WIDTH * width * apart
    return np.linalg.solve(squares, target)
