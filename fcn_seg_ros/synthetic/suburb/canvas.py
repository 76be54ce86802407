# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Draw three-dimensional polygons and textured walls over an image and its road mask."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.style import Colour

_NEAR, _SHIFT, _REACH = 0.4, 4, 20000.0


class Texture:
    """
    A picture with opacity, uint8 (H, W, 4), RGB premultiplied, and its smaller versions.

    A version is made on first use, by halving each side until it is about as large as what is
    drawn, so that nothing shimmers.
    """

    def __init__(self, rgba: np.ndarray) -> None:
        self._levels: dict[tuple[int, int], np.ndarray] = {(0, 0): rgba}

    def fitted(self, height: float, width: float) -> np.ndarray:
        """Return the version that suits ``height`` x ``width`` pixels."""
        rows, cols = self._levels[0, 0].shape[:2]
        key = tuple(int(np.clip(np.round(np.log2(n / max(size, 1.0))), 0, np.log2(n)))
                    for n, size in ((rows, height), (cols, width)))
        if key not in self._levels:
            size = (max(1, cols >> key[1]), max(1, rows >> key[0]))
            self._levels[key[0], key[1]] = cv2.resize(self._levels[0, 0], size,
                                                      interpolation=cv2.INTER_AREA)
        return self._levels[key[0], key[1]]

    def cut(self, part: float) -> Texture:
        """Return the texture without its left ``part`` (0..1)."""
        whole = self._levels[0, 0]
        return Texture(whole[:, min(int(part * whole.shape[1]), whole.shape[1] - 1):])


class Canvas:
    """
    The frame being painted: ``image`` uint8 RGB and ``mask`` uint8, 1 for road; both are modified.

    Points are float (N, 3): metres to the right, up and forward of the ground below the camera.
    """

    def __init__(self, image: np.ndarray, mask: np.ndarray, camera: PinholeCamera,
                 plane: GroundPlane, haze: Colour, haze_length: float) -> None:
        self.image, self.mask = image, mask
        self._camera, self._plane = camera, plane
        self._rotation = plane.rotation
        self._haze, self._haze_length = np.array(haze), haze_length

    def haze(self, z: float) -> float:
        """Return how much haze hides things ``z`` metres away, 0 to 1."""
        return 1.0 - float(np.exp(-max(z, 0.0) / self._haze_length))

    def _optical(self, points: np.ndarray) -> np.ndarray:
        """Return points in the optical frame (right, down, forward)."""
        level = points * (1.0, -1.0, 1.0) + (0.0, self._plane.height, 0.0)
        return level @ self._rotation.T

    def _pixels(self, optical: np.ndarray) -> np.ndarray:
        camera = self._camera
        uv = optical[:, :2] / optical[:, 2:] * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        return np.clip(uv, -_REACH, _REACH)

    def outline(self, points: np.ndarray) -> np.ndarray | None:
        """Return the pixels (N, 2) of a polygon clipped at the near plane, None if out of view."""
        optical = self._optical(points)
        inside = optical[:, 2] > _NEAR
        if not inside.any():
            return None
        if not inside.all():
            optical = _clip(optical, inside)
        uv = self._pixels(optical)
        low, high = uv.min(axis=0), uv.max(axis=0)
        if (high < -1).any() or low[0] > self._camera.width or low[1] > self._camera.height:
            return None
        return uv

    def polygon(self, points: np.ndarray, colour: np.ndarray | Colour) -> None:
        """Fill a convex polygon with a colour (RGB, before haze) and mark it as not road."""
        uv = self.outline(points)
        if uv is None:
            return
        hidden = self.haze(float(points[:, 2].mean()))
        shown = np.clip(np.asarray(colour) * (1 - hidden) + self._haze * hidden, 0, 255)
        fixed = np.rint(uv * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(self.image, fixed, shown.tolist(), cv2.LINE_AA, _SHIFT)
        cv2.fillConvexPoly(self.mask, fixed, (0.0,), cv2.LINE_8, _SHIFT)

    def darken(self, points: np.ndarray, light: float, soft: float) -> None:
        """Darken a convex patch of ground to ``light`` with edges ``soft`` metres wide."""
        uv = self.outline(points)
        if uv is None:
            return
        blur = soft * self._camera.fx / max(float(points[:, 2].mean()), 1.0) / 2
        margin = int(2 * blur) + 2
        box = self._box(uv, margin)
        if box is None:
            return
        rows, cols = box
        cover = np.zeros((rows.stop - rows.start, cols.stop - cols.start), np.uint8)
        fixed = np.rint((uv - (cols.start, rows.start)) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillConvexPoly(cover, fixed, (255.0,), cv2.LINE_AA, _SHIFT)
        if blur > 0.4:
            size = 2 * int(blur * 1.5) + 1
            cover = cv2.blur(cv2.blur(cover, (size, max(1, size // 3))), (size, max(1, size // 3)))
        keep = cv2.merge([255 - cv2.convertScaleAbs(cover, alpha=1 - light)] * 3)
        self.image[rows, cols] = cv2.multiply(self.image[rows, cols], keep, scale=1 / 255)

    def wall(self, texture: Texture, points: np.ndarray, gain: float = 1.0,
             solid: bool = True) -> None:
        """
        Draw a texture on a flat quad: corners (4, 3) top left, top right, bottom right, left.

        All four must lie beyond the near plane. A ``solid`` texture hides the road where it is
        opaque.
        """
        optical = self._optical(points)
        if optical[:, 2].min() < _NEAR:
            return
        uv = self._pixels(optical)
        box = self._box(uv, 1)
        if box is None:
            return
        rows, cols = box
        size = np.hypot(*(uv[[3, 2, 1]] - uv[[0, 1, 0]]).T)
        source = texture.fitted(float(size[:2].max()), float(size[2]))
        height, width = source.shape[:2]
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
        target = (uv - (cols.start, rows.start)).astype(np.float32)
        if abs(cv2.contourArea(target)) < 0.5:
            return
        matrix = cv2.getPerspectiveTransform(corners, target)
        drawn = cv2.warpPerspective(source, matrix, (cols.stop - cols.start,
                                                     rows.stop - rows.start))
        self._blend(drawn, rows, cols, gain, self.haze(float(points[:, 2].mean())), solid)

    def _blend(self, drawn: np.ndarray, rows: slice, cols: slice, gain: float, hidden: float,
               solid: bool) -> None:
        alpha = cv2.extractChannel(drawn, 3)
        keep = cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2RGB)
        tint = np.hstack([np.eye(3) * gain * (1 - hidden), self._haze[:, None] * hidden / 255])
        ink = cv2.transform(drawn, tint)
        part = self.image[rows, cols]
        self.image[rows, cols] = cv2.add(ink, cv2.multiply(part, keep, scale=1 / 255))
        if solid:
            self.mask[rows, cols][alpha > 127] = 0

    def _box(self, uv: np.ndarray, margin: int) -> tuple[slice, slice] | None:
        """Return the rows and columns that enclose pixels, clipped to the image; None if empty."""
        low = np.floor(uv.min(axis=0)).astype(int) - margin
        high = np.ceil(uv.max(axis=0)).astype(int) + margin + 1
        top, bottom = max(low[1], 0), min(high[1], self.image.shape[0])
        left, right = max(low[0], 0), min(high[0], self.image.shape[1])
        if bottom <= top or right <= left:
            return None
        return slice(top, bottom), slice(left, right)


def _clip(optical: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the part of a convex polygon in front of the near plane."""
    out = []
    for k in range(len(optical)):
        a, b = optical[k - 1], optical[k]
        if inside[k - 1] != inside[k]:
            t = (_NEAR - a[2]) / (b[2] - a[2])
            out.append(a + t * (b - a))
        if inside[k]:
            out.append(b)
    return np.array(out)
