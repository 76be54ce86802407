# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From directions to pixels and back, for the distortion models of sensor_msgs/CameraInfo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.errors import InputError, quoted

#: The number of coefficients that each model may have.
MODELS = {'plumb_bob': (0, 4, 5), 'rational_polynomial': (0, 8), 'equidistant': (0, 4)}
# No lens of the first two models sees further than 85 degrees from its axis; a fisheye may see
# behind itself.
_REACH = {'plumb_bob': np.tan(np.deg2rad(85.0)), 'rational_polynomial': np.tan(np.deg2rad(85.0)),
          'equidistant': np.deg2rad(110.0)}
_SAMPLES = 4096
_ITERATIONS = 20
# In normalised coordinates; 1e-9 px at any focal length there is.
_CONVERGED = 1e-13


def used_coefficients(distortion: str, d: Sequence[float]) -> tuple[str, tuple[float, ...]]:
    """
    Return the distortion model and the coefficients of a calibration, as CameraModel takes them.

    Calibrations pad their coefficients with zeros, and name no model for none. A model with no
    coefficient other than 0 is '' with none, except for ``equidistant``, which bends without.
    """
    longest = max(MODELS.get(distortion, (0,)))
    used = tuple(map(float, d))
    if not any(used[longest:]):
        used = used[:longest]
    return ('', ()) if not any(used) and distortion != 'equidistant' else (distortion, used)


@dataclass(frozen=True)
class CameraModel:
    """
    Intrinsics of an image, in pixels with centres at whole numbers, and the lens's distortion.

    ``distortion`` is a model of sensor_msgs/CameraInfo with its coefficients ``d`` as OpenCV
    defines them, '' for a rectified image. Directions are in the optical frame of REP 103: x right,
    y down, z forward. Raises InputError, in one line, for what no camera has.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: str = ''
    d: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the values, and tabulate how far the distortion is invertible."""
        values = np.array([self.fx, self.fy, self.cx, self.cy, *self.d])
        if not (np.isfinite(values).all() and min(self.fx, self.fy) > 0.0):
            raise InputError('camera: expected finite numbers and focal lengths above 0, found '
                             f'{self.fx:g} and {self.fy:g}')
        if self.distortion and self.distortion not in MODELS:
            raise InputError(f'camera: expected the distortion model {", ".join(MODELS)} or a '
                             f'rectified image, found {quoted(self.distortion)}')
        if len(self.d) not in MODELS.get(self.distortion, (0,)):
            raise InputError(f'camera: expected {MODELS.get(self.distortion, (0,))[-1]} distortion '
                             f'coefficients of the model {quoted(self.distortion)}, found '
                             f'{len(self.d)}')
        object.__setattr__(self, '_coefficients', np.pad(self.d, (0, 8 - len(self.d))))
        if self._is_bent:
            # As far as the distorted radius rises; further out the formula folds the image back.
            radius = np.linspace(0.0, _REACH[self.distortion], _SAMPLES)
            distorted = self._radial(radius)
            falls = np.flatnonzero(~(np.diff(distorted) > 0.0))
            last = int(falls[0]) if falls.size else _SAMPLES - 1
            object.__setattr__(self, '_table', (radius[:last + 1], distorted[:last + 1]))

    @property
    def _is_bent(self) -> bool:
        # An equidistant lens bends even with zeros.
        return self.distortion == 'equidistant' or any(self.d)

    def inside(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return whether pixel coordinates lie in the image, its outermost half pixels included."""
        with np.errstate(invalid='ignore'):
            return ((u >= -0.5) & (u <= self.width - 0.5)
                    & (v >= -0.5) & (v <= self.height - 0.5))

    def project(self, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the pixels (u, v) that see directions, float64 (3, ...) of any length.

        NaN where the lens sees nothing: behind it, or further out than its model holds.
        """
        x, y, z = directions
        if self.distortion == 'equidistant':
            radius = np.hypot(x, y)
            angle = np.arctan2(radius, z)
            seen = angle < self._table[0][-1]  # type: ignore[attr-defined]
            scale = np.where(radius > 1e-12, self._radial(angle) / np.maximum(radius, 1e-12),
                             1.0 / np.maximum(z, 1e-12))
            x, y = x * scale, y * scale
        else:
            seen = z > 1e-9
            z = np.where(seen, z, np.nan)
            x, y = x / z, y / z
            if self._is_bent:
                with np.errstate(invalid='ignore'):
                    last = self._table[0][-1]  # type: ignore[attr-defined]
                    seen = seen & (np.hypot(x, y) < last)
                x, y = self._bend(x, y)
        x, y = np.where(seen, x, np.nan), np.where(seen, y, np.nan)
        return self.fx * x + self.cx, self.fy * y + self.cy

    def directions(self, u: np.ndarray | float, v: np.ndarray | float) -> np.ndarray:
        """
        Return the unit directions, float64 (3, ...), that pixels see; the arguments broadcast.

        NaN where the model has none: beyond the radius at which it folds the image.
        """
        u, v = np.broadcast_arrays(np.asarray(u, np.float64), np.asarray(v, np.float64))
        x, y = (u - self.cx) / self.fx, (v - self.cy) / self.fy
        if self.distortion == 'equidistant':
            radius = np.hypot(x, y)
            angle = self._unbend_radius(radius)
            scale = np.where(radius > 1e-12, np.sin(angle) / np.maximum(radius, 1e-12), 1.0)
            return np.stack([x * scale, y * scale, np.cos(angle)])
        if self._is_bent:
            x, y = self._unbend(x, y)
        length = np.sqrt(x * x + y * y + 1.0)
        return np.stack([x / length, y / length, 1.0 / length])

    def _radial(self, r: np.ndarray) -> np.ndarray:
        """Return the distorted radius; ``r`` is an angle of an equidistant lens, else a tangent."""
        k = self._coefficients  # type: ignore[attr-defined]
        s = r * r
        if self.distortion == 'equidistant':
            return r * (1.0 + s * (k[0] + s * (k[1] + s * (k[2] + s * k[3]))))
        with np.errstate(divide='ignore', invalid='ignore'):
            return r * ((1.0 + s * (k[0] + s * (k[1] + s * k[4])))
                        / (1.0 + s * (k[5] + s * (k[6] + s * k[7]))))

    def _bend(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the distorted coordinates of plumb_bob and rational_polynomial."""
        k = self._coefficients  # type: ignore[attr-defined]
        s = x * x + y * y
        ratio = ((1.0 + s * (k[0] + s * (k[1] + s * k[4])))
                 / (1.0 + s * (k[5] + s * (k[6] + s * k[7]))))
        return (x * ratio + 2.0 * k[2] * x * y + k[3] * (s + 2.0 * x * x),
                y * ratio + k[2] * (s + 2.0 * y * y) + 2.0 * k[3] * x * y)

    def _unbend_radius(self, distorted: np.ndarray) -> np.ndarray:
        """Return the radius whose distorted one is given: from the table, then by Newton's rule."""
        radius, table = self._table  # type: ignore[attr-defined]
        r = np.interp(distorted, table, radius, right=np.nan)
        for _ in range(4):
            step = 1e-6
            slope = (self._radial(r + step) - self._radial(r - step)) / (2.0 * step)
            r = r - (self._radial(r) - distorted) / slope
        return np.where(r < radius[-1], r, np.nan)

    def _unbend(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the undistorted coordinates: the radial part from the table, then Newton."""
        distorted = np.hypot(x, y)
        radius, table = self._table  # type: ignore[attr-defined]
        start = np.interp(distorted, table, radius, right=np.nan)
        scale = np.where(distorted > 1e-12, start / np.maximum(distorted, 1e-12), 1.0)
        a, b = x * scale, y * scale
        step = 1e-6
        error = np.full(np.shape(x), np.inf)
        for _ in range(_ITERATIONS):
            fa, fb = self._bend(a, b)
            ea, eb = fa - x, fb - y
            error = np.hypot(ea, eb)
            if not (error > _CONVERGED).any():
                break
            right, left = self._bend(a + step, b), self._bend(a - step, b)
            above, below = self._bend(a, b + step), self._bend(a, b - step)
            aa, ba = ((p - q) / (2.0 * step) for p, q in zip(right, left, strict=True))
            ab, bb = ((p - q) / (2.0 * step) for p, q in zip(above, below, strict=True))
            det = aa * bb - ab * ba
            a = a - (bb * ea - ab * eb) / det
            b = b - (aa * eb - ba * ea) / det
        with np.errstate(invalid='ignore'):
            found = (error < 1e-9) & (np.hypot(a, b) < radius[-1])
        return np.where(found, a, np.nan), np.where(found, b, np.nan)
