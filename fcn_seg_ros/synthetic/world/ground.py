# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The ground of a rendered world: its intersection with rays, and its look."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.synthetic.suburb.noise import RipMap
from fcn_seg_ros.synthetic.suburb.road import Road, RoadView
from fcn_seg_ros.synthetic.world import ground_textures
from fcn_seg_ros.synthetic.world.features import PAINT, PATCH, PUDDLE, WIDTH
from fcn_seg_ros.synthetic.world.section import LinePainter, Section, bins

#: Ground farther away than this many metres is beyond the horizon.
FAR = 320.0
_RAG_STEP, _RAGS = 0.1, 2048
_FINE_PERIOD = np.float32(4.8)


class Bends(Road):
    """A road whose heading is a sum of waves: (rad, metres, phase)."""

    def __init__(self, waves: tuple[tuple[float, float, float], ...]) -> None:
        self._waves = waves

    def heading(self, s: np.ndarray | float) -> np.ndarray:
        """Return the direction of the centre line, rad, positive to the right."""
        s = np.asarray(s, np.float64)
        out = np.zeros_like(s)
        for a, length, phase in self._waves:
            out = out + a * np.sin(2 * np.pi * s / length + phase)
        return out

    def edges(self, s: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Return distant edges; the true ones are those of the section."""
        far = np.full_like(np.asarray(s, np.float64), 100.0)
        return -far, far


@dataclass(frozen=True)
class Junction:
    """A crossing of another road: its centre and half width along the road, metres."""

    s: float
    half: float
    corner: float = 4.0
    sides: tuple[bool, bool] = (True, True)


@dataclass
class Ground:
    """
    The ground of a drive.

    ``half`` is the distance of the kerb from the centre (left, right), where the corners of
    junctions begin; ``crest`` the vertical curvature in 1/m, negative over a hilltop.
    """

    section: Section
    features: RipMap
    rng: np.random.Generator
    junctions: tuple[Junction, ...] = ()
    junction_section: Section | None = None
    half: tuple[float, float] = (4.0, 4.0)
    crest: float = 0.0
    paint_albedo: float = 0.6
    _tables: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Tabulate both sections."""
        sections = [self.section] + ([self.junction_section] if self.junction_section else [])
        surfaces = [surface for section in sections for surface in section.surfaces]
        self._tables = {
            'bins': sections[0].indices(),
            'class': np.array([s.scene_class for s in surfaces], np.uint8),
            'colour': np.array([s.colour for s in surfaces], np.float32),
            'weights': np.stack([s.row() for s in surfaces]),
            'wet': np.array([s.wet for s in surfaces], np.float32),
            'drop': np.array([s.drop for s in surfaces], np.float32)}
        if self.junction_section is not None:
            self._tables['crossing'] = sections[1].indices() + len(sections[0].surfaces)
        rags = np.cumsum(self.rng.normal(0, 1, (2, _RAGS)), axis=1)
        trend = np.linspace(0, 1, _RAGS) * rags[:, -1:]
        rags = rags - trend + self.rng.normal(0, 1.0, (2, _RAGS))
        rags -= rags.mean(axis=1, keepdims=True)
        self._rags = (rags / np.abs(rags).max(axis=1, keepdims=True)).astype(np.float32)
        self._variant = int(self.rng.integers(ground_textures.VARIANTS))
        self._shift = self.rng.uniform(0, 50, 2)
        self._lines = LinePainter(self.section)

    def hit(self, down: np.ndarray, forward: np.ndarray, height: float) -> np.ndarray:
        """
        Return the factors by which rays must be multiplied to end on the ground.

        ``height`` is the camera's in metres; ``down`` and ``forward`` are the ray's components, (H,
        W). The result is inf where the ray meets no ground within FAR.
        """
        if self.crest == 0:
            scale = height / np.where(down > 1e-6, down, np.float32(1e-6))
        else:
            inside = down * down + 2 * self.crest * height * forward * forward
            root = down + np.sqrt(np.maximum(inside, 0))
            scale = 2 * height / np.where((inside >= 0) & (root > 1e-6), root, np.float32(1e-6))
        return np.where((scale * forward < FAR) & (scale < FAR), scale, np.float32(np.inf))

    def level(self, z: np.ndarray | float) -> np.ndarray:
        """Return how high the road lies z metres ahead."""
        return 0.5 * self.crest * np.square(np.minimum(np.abs(z), FAR))

    def surfaces(self, s: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Return the surface at (s, d), an index into the tables, uint8."""
        rag = self.section.ragged
        at = d
        if rag[0] or rag[1]:
            where = (s * np.float32(1 / _RAG_STEP)).astype(np.int32) % _RAGS
            at = d + np.where(d < 0, self._rags[0][where] * np.float32(rag[0]),
                              self._rags[1][where] * np.float32(rag[1]))
        index = bins(at)
        out = self._tables['bins'][index]
        inside = self.crossing(s, d)
        if inside is not None:
            out = np.where(inside, self._tables['crossing'][index], out)
        return out

    def crossing(self, s: np.ndarray, d: np.ndarray) -> np.ndarray | None:
        """Return which points lie on a junction, None if there is none."""
        if not self.junctions or self.junction_section is None:
            return None
        inside = np.zeros(s.shape, bool)
        out = np.where(d < 0, -d - np.float32(self.half[0]), d - np.float32(self.half[1]))
        for junction in self.junctions:
            left = np.clip(junction.corner - out, 0, junction.corner)
            round_off = junction.corner - np.sqrt(np.maximum(junction.corner ** 2 - left ** 2, 0))
            here = np.abs(s - np.float32(junction.s)) < junction.half + round_off
            if not all(junction.sides):
                here &= (d < 0) if junction.sides[0] else (d > 0)
            inside |= here & (out > -0.05)
        return inside

    def on_lines(self, s: np.ndarray) -> np.ndarray:
        """Return 0 on junctions, where no lines are painted, else 1, float32."""
        out = np.ones(s.shape, np.float32)
        for junction in self.junctions:
            out[np.abs(s - np.float32(junction.s)) < junction.half + 0.5 * junction.corner] = 0
        return out

    def classes(self, surfaces: np.ndarray) -> np.ndarray:
        """Return the SceneClass of surfaces."""
        return self._tables['class'][surfaces]

    def drop(self, surfaces: np.ndarray) -> np.ndarray | None:
        """Return how far below the road surfaces lie, None if all are level with it."""
        table = self._tables['drop']
        return table[surfaces] if table.any() else None

    def shade(self, s: np.ndarray, d: np.ndarray, surfaces: np.ndarray, foot_s: np.ndarray,
              foot_d: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return colour (linear RGB, (H, W, 3)), wettability and standing water of ground points.

        ``foot_s`` and ``foot_d`` are the metres that a pixel covers along and across the road.
        """
        rows = np.median(foot_s[:, ::16], axis=1)
        colour, gain = self._textured(s, d, surfaces, rows)
        marks = self.features.sample(s, d + np.float32(WIDTH / 2), rows)
        marks = marks.astype(np.float32)
        paved = (self._tables['wet'] > 0.7)[surfaces]
        tone = np.where(paved, marks[..., PATCH] * np.float32(1 / 128), np.float32(1))
        colour *= tone[..., None]
        self._paint(colour, gain, (s, d, foot_s, foot_d),
                    marks[..., PAINT] * np.float32(1 / 255))
        wet = self._tables['wet'][surfaces]
        return colour, wet, marks[..., PUDDLE] * np.float32(1 / 255) * wet

    def _textured(self, s: np.ndarray, d: np.ndarray, surfaces: np.ndarray,
                  rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        coarse = ground_textures.coarse(self._variant)
        fine = ground_textures.fine(self._variant)
        big = coarse.sample(s + np.float32(self._shift[0]), d + np.float32(self._shift[1]), rows)
        # A map is looked up at 16-bit pixels, so its coordinates must stay small.
        small = fine.sample(np.mod(s, _FINE_PERIOD), np.mod(d, _FINE_PERIOD), rows)
        both = np.concatenate([big, small], axis=2).reshape(-1, 8)
        flat = surfaces.ravel()
        gain = np.ones(flat.size, np.float32)
        for k in np.unique(flat):
            where = np.flatnonzero(flat == k)
            weights = self._tables['weights'][k] * np.float32(1 / 64)
            gain[where] = both[where].astype(np.float32) @ weights + (1 - 128 * weights.sum())
        np.clip(gain, 0.12, 3.0, out=gain)
        colour = (self._tables['colour'][flat] * gain[:, None]).reshape(*surfaces.shape, 3)
        return colour, gain.reshape(surfaces.shape)

    def _paint(self, colour: np.ndarray, gain: np.ndarray, where: tuple[np.ndarray, ...],
               marks: np.ndarray) -> None:
        """Paint lines and markings over ``colour``, worn off where the road's texture is dark."""
        white, yellow = self._lines.cover(*where)
        if self.junctions:
            there = self.on_lines(where[0])
            white, yellow = white * there, yellow * there
        white = np.maximum(white, marks)
        if not (white.any() or yellow.any()):
            return
        wear = np.float32(self.section.wear)
        keep = np.clip(1 - wear * np.clip(1.7 - 1.2 * gain, 0, 1.2), 0.08, 1)
        paint = np.float32(self.paint_albedo)
        colour += (white * keep)[..., None] * (paint - colour)
        gold = np.array([paint, 0.62 * paint, 0.12 * paint], np.float32)
        colour += (yellow * keep)[..., None] * (gold - colour)


def view_of(road: Bends, s: float, d: float, yaw: float) -> RoadView:
    """Return the road as seen by a camera at (s, d) that looks ``yaw`` rad to the right."""
    return RoadView(road, s, d, yaw)
