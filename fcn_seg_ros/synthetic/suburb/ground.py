# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The rendered ground: asphalt, markings, kerb, pavement and verge, by inverse mapping."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.ground.camera import GroundPlane, PinholeCamera
from fcn_seg_ros.synthetic.suburb.noise import RipMap, fractal, to_bytes
from fcn_seg_ros.synthetic.suburb.road import FAR, RoadView
from fcn_seg_ros.synthetic.suburb.style import PERIOD, Side, Style

#: The materials of a cross-section, in the order of the weights' channels.
_ROAD, _STONE, _VERGE = 0, 1, 2
_STEP, _INSIDE, _OUTSIDE, _LEVELS = 0.025, 3.0, 14.0, 8
_LANE_HALF, _DASH_STEP = 9.0, 0.1


class GroundShader:
    """Colours the pixels that show one drive's ground."""

    def __init__(self, style: Style, features: np.ndarray, feature_step: tuple[float, float],
                 rng: np.random.Generator) -> None:
        self._style = style
        self._features = RipMap(features, feature_step)
        self._grain = RipMap(_grain(rng, style), (0.008, 0.008))
        sections = [_section(style, side) for side in style.sides]
        self._colour = np.hstack([_blurred(colour) for colour, _ in sections])
        self._weight = np.hstack([_blurred(weight) for _, weight in sections])
        self._lines = _blurred(_lane_lines(style))
        self._dashes = _blurred(_dash(style), wrap=True)

    def render(self, view: RoadView, plane: GroundPlane, camera: PinholeCamera,
               image: np.ndarray, mask: np.ndarray) -> None:
        """Draw the ground below the horizon into ``image`` (RGB) and ``mask``, both (H, W)."""
        ends = plane.horizon_row(camera, np.array([0.0, camera.width - 1.0]))
        top = int(np.clip(np.floor(ends.min()), 0, camera.height))
        x, z, near = _rays(plane, camera, top)
        clear = np.flatnonzero(near.any(axis=1))
        if not clear.size:
            return
        first = int(clear[0])
        x, z, near = x[first:], z[first:], near[first:]
        image, mask = image[top + first:], mask[top + first:]
        ahead, d = view.locate(x, z)
        left, right = view.outside(ahead, d)
        colour = self._shade(view.s, ahead, d, left, right)
        middle = np.clip(z[:, z.shape[1] // 2], 1.0, FAR)
        haze = (1.0 - np.exp(-middle / self._style.haze_length)).astype(np.float32)[:, None, None]
        colour += haze * (np.array(self._style.sky[0], np.float32) - colour)
        cv2.copyTo(to_bytes_fast(colour), near.astype(np.uint8), image)
        mask[:] = near & (left < 0) & (right < 0)

    def _shade(self, s: float, ahead: np.ndarray, d: np.ndarray, left: np.ndarray,
               right: np.ndarray) -> np.ndarray:
        """Return the colour of ground points, float32 (H, W, 3)."""
        along = ahead + np.float32(s % PERIOD)
        foot_s, foot_d = _footprint(ahead), _footprint(d)
        rows = np.maximum(np.median(foot_s[:, ::8], axis=1), 1e-4)
        features = self._features.sample(along, d, rows)
        grain = self._grain.sample(along, d, rows)
        colour, weight = self._across(left, right, foot_d)
        wave = np.empty(features.shape[:2] + (3,), np.float32)
        np.add(features[..., :3], grain, out=wave, dtype=np.float32)
        wave -= 256.0
        wave *= weight
        shade = cv2.transform(wave, np.full((1, 3), 1 / 128.0 / 255.0, np.float32))
        colour *= (1.0 + shade)[..., None]
        self._mark(colour, along, d, foot_s, foot_d, features[..., 0])
        light = features[..., 3].astype(np.float32) * np.float32(1 / 255)
        dark = np.array([0.95, 1.0, 1.1], np.float32) * self._style.shade
        colour *= cv2.transform(light, np.stack([1 - dark, dark], axis=1))
        return colour

    def _across(self, left: np.ndarray, right: np.ndarray,
                foot: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the colour and the weights of the cross-section, float32 (H, W, 3) each."""
        width = self._colour.shape[1] / 2
        is_right = right > left
        index = np.maximum(left, right)
        index += _INSIDE
        index *= 1 / _STEP
        np.clip(index, 1, width - 2, out=index)
        index += is_right * np.float32(width)
        level = _level(foot)
        colour, weight = (cv2.remap(table, index, level, cv2.INTER_LINEAR,
                                    borderMode=cv2.BORDER_REPLICATE)
                          for table in (self._colour, self._weight))
        return colour.astype(np.float32), weight.astype(np.float32)

    def _mark(self, colour: np.ndarray, along: np.ndarray, d: np.ndarray, foot_s: np.ndarray,
              foot_d: np.ndarray, wear: np.ndarray) -> None:
        """Paint the lane lines and the zebra crossing over ``colour``."""
        paint = np.zeros(d.shape, np.float32)
        if self._style.lane_lines:
            index = (d + _LANE_HALF) * (1 / _STEP)
            lines = cv2.remap(self._lines, index, _level(foot_d), cv2.INTER_LINEAR,
                              borderMode=cv2.BORDER_REPLICATE)
            period = sum(self._style.dash)
            where = np.mod(along, period) * (1 / _DASH_STEP)
            dashes = cv2.remap(self._dashes, where, _level(foot_s, _DASH_STEP), cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_WRAP)
            paint = lines[..., 0] * dashes.astype(np.float32) * np.float32(1 / 255)
            paint += np.asarray(lines[..., 1], np.float32)
        if self._style.zebra is not None:
            paint = np.maximum(paint, self._zebra(along, d, foot_s, foot_d))
        paint *= np.float32(0.95 / 255)
        worn = wear.astype(np.float32) * np.float32(-1 / 60) + np.float32(128 / 60 + 0.2)
        paint *= 1.0 - np.clip(worn, 0.0, 1.0) * np.float32(self._style.line_wear)
        white = np.float32(225.0 if self._style.sunny else 195.0)
        colour += paint[..., None] * (white - colour)

    def _zebra(self, along: np.ndarray, d: np.ndarray, foot_s: np.ndarray,
               foot_d: np.ndarray) -> np.ndarray:
        """Return the coverage (0..255) by a zebra crossing: stripes of half a metre, 4 m long."""
        start = self._style.zebra or 0.0
        off = np.mod(along - np.float32(start), np.float32(PERIOD))
        far = _box(off, 0.0, 4.0, foot_s)
        rows = np.flatnonzero((far > 0).any(axis=1))
        out = np.zeros(d.shape, np.float32)
        if rows.size:
            part = slice(rows[0], rows[-1] + 1)
            phase = np.abs(np.mod(d[part], 1.0) - 0.5) - 0.25
            stripes = np.clip(0.5 - phase / np.maximum(foot_d[part], 1e-3), 0, 1)
            blend = np.clip(foot_d[part] * 2 - 0.5, 0, 1)
            stripes += blend * (0.5 - stripes)
            road = (d[part] > -self._style.left_width + 0.3) & (
                d[part] < self._style.right_width - 0.3)
            out[part] = 255 * far[part] * stripes * road
        return out


def to_bytes_fast(x: np.ndarray) -> np.ndarray:
    """Return float32 ``x`` rounded and clipped to uint8 by OpenCV."""
    return cv2.convertScaleAbs(np.maximum(x, 0.0, out=x))


def _rays(plane: GroundPlane, camera: PinholeCamera,
          top: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, z (float32 metres) and whether the ground is near, for the rows from ``top``."""
    u = ((np.arange(camera.width) - camera.cx) / camera.fx)[None]
    v = ((np.arange(top, camera.height) - camera.cy) / camera.fy)[:, None]
    to_level = plane.rotation.T
    right, down, forward = ((row[0] * u + (row[1] * v + row[2])).astype(np.float32)
                            for row in to_level)
    near = down > plane.height / (FAR * 1.5)
    scale = np.float32(plane.height) / np.where(near, down, np.float32(1.0))
    z = forward * scale
    near &= z < FAR
    return right * scale, z, near


def _footprint(field: np.ndarray) -> np.ndarray:
    """Return how much ``field`` changes from pixel to pixel, float32 (H, W)."""
    out = np.empty_like(field)
    out[:, 1:] = np.abs(field[:, 1:] - field[:, :-1])
    out[:, 0] = out[:, 1] if field.shape[1] > 1 else 0
    if field.shape[0] > 1:
        rise = np.abs(field[1:] - field[:-1])
        out[1:] += rise
        out[0] += rise[0]
    return out


def _level(foot: np.ndarray, step: float = _STEP) -> np.ndarray:
    """Return the (fractional) row of a blurred table for a footprint in metres."""
    level = np.log2(np.maximum(foot, np.float32(step)) * np.float32(1 / step))
    return np.minimum(level, np.float32(_LEVELS - 1), out=level)


def _box(field: np.ndarray, low: float, high: float, foot: np.ndarray) -> np.ndarray:
    """Return how much of each pixel lies between ``low`` and ``high``, 0..1."""
    scale = 1.0 / np.maximum(foot, 1e-4)
    return (np.clip((field - low) * scale + 0.5, 0, 1)
            - np.clip((field - high) * scale + 0.5, 0, 1))


def _blurred(row: np.ndarray, wrap: bool = False) -> np.ndarray:
    """Return (levels, N, C) uint8: a cross-section (N, C) averaged over 2**level steps."""
    border = cv2.BORDER_WRAP if wrap else cv2.BORDER_REPLICATE
    levels = []
    for k in range(_LEVELS):
        size = 2 ** k + (k > 0)
        pad = cv2.copyMakeBorder(row[None].astype(np.float32), 0, 0, size, size, border)
        soft = cv2.blur(pad, (size, 1))
        levels.append(soft[:, size:-size].reshape(1, *row.shape))
    return to_bytes(np.vstack(levels))


def _section(style: Style, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """Return a roadside's colours and material weights over the distance from the edge."""
    e = np.arange(-_INSIDE, _OUTSIDE, _STEP)
    colour = np.tile(np.array(style.asphalt), (len(e), 1))
    weight = np.zeros((len(e), 3))
    weight[:, _ROAD] = 255
    colour[(e > -0.35)] *= 0.93
    if side.edge_line:
        on = (e > -side.edge_line - style.line_width) & (e < -side.edge_line)
        colour[on] = 215 if style.sunny else 190
    outer = side.kerb + side.pavement
    if side.kerb:
        colour[e >= 0.0] = np.array(side.kerb_colour) * 0.72
        colour[e >= 0.05] = side.kerb_colour
        colour[(e >= -0.05) & (e < 0.0)] *= 0.6
    if side.pavement:
        colour[e >= side.kerb] = np.array(side.pavement_colour) * 0.8
        colour[e >= side.kerb + 0.03] = side.pavement_colour
        for joint in np.arange(side.kerb + 0.5, outer, 0.5):
            colour[(e >= joint) & (e < joint + 0.025)] *= 0.8
    weight[e >= 0.0] = (0, 255, 0)
    colour[e >= outer] = side.verge_colour
    weight[e >= outer] = (0, 0, 255)
    if not side.pavement:
        rough = (e >= outer) & (e < outer + 0.35)
        colour[rough] = 0.5 * (np.array(side.verge_colour) + (95, 82, 58))
    return colour, weight


def _lane_lines(style: Style) -> np.ndarray:
    """Return (N, 2) 0..255: whether ``d`` is on a dashed and on a solid lane line."""
    d = np.arange(-_LANE_HALF, _LANE_HALF, _STEP)
    out = np.zeros((len(d), 2))
    for at, solid in style.lane_lines:
        out[np.abs(d - at) < style.line_width / 2, int(solid)] = 255
    return out


def _dash(style: Style) -> np.ndarray:
    """Return (N, 1) 0..255: where in one period a dashed line is painted."""
    s = np.arange(0, sum(style.dash), _DASH_STEP)
    return np.where(s < style.dash[0], 255.0, 0.0)[:, None]


def _grain(rng: np.random.Generator, style: Style) -> np.ndarray:
    """Return the fine grain (uint8, 128 = none) of asphalt, stone and verge, 4 m square."""
    shape = (512, 512)
    asphalt = fractal(rng, shape, [(1, 18), (2, 14), (5, 5)]) * (0.6 + 0.6 * style.asphalt_age)
    stone = fractal(rng, shape, [(1, 8), (3, 6), (20, 5)])
    verge = fractal(rng, shape, [(2, 20), (4, 24), (9, 18), (25, 12)])
    return to_bytes(128 + np.stack([asphalt, stone, verge], axis=-1))
