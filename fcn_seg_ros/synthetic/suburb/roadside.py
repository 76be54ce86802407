# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The things beside a rendered road: their places and looks."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.synthetic.suburb import facades, foliage
from fcn_seg_ros.synthetic.suburb.canvas import Canvas, Texture
from fcn_seg_ros.synthetic.suburb.road import RoadView
from fcn_seg_ros.synthetic.suburb.style import PERIOD, Side, Style

_NEAREST = 0.9


@dataclass(frozen=True)
class Thing:
    """
    Something upright at ``s``, ``d`` (metres): a picture, or else a post.

    ``along`` is its length along the road; 0 means that it faces the camera and is ``width`` metres
    wide. A ``roof`` (RGB) makes it a house, ``deep`` metres deep.
    """

    s: float
    d: float
    height: float
    width: float = 0.1
    along: float = 0.0
    texture: Texture | None = None
    colour: tuple[float, float, float] = (120.0, 120.0, 118.0)
    roof: tuple[float, float, float] | None = None
    deep: float = 0.0
    shadow: str = ''
    sign: bool = False
    arm: float = 0.0

    def draw(self, canvas: Canvas, view: RoadView, ahead: float, light: float) -> None:
        """Draw it ``ahead`` metres further along the road."""
        if self.along:
            self._draw_wall(canvas, view, ahead, light)
            return
        x, z, _ = (float(v) for v in view.place(ahead, self.d))
        if z < _NEAREST:
            return
        half = self.width / 2
        if self.sign:
            turn = np.arange(0, 2 * np.pi, np.pi / 8)
            face = np.stack([x + half * np.cos(turn), self.height - half * (1 - np.sin(turn)),
                             np.full(turn.shape, z)], axis=1)
            canvas.polygon(face, np.array(self.colour) * light)
            return
        corners = np.array([[x - half, self.height, z], [x + half, self.height, z],
                            [x + half, 0.0, z], [x - half, 0.0, z]])
        if self.texture is not None:
            canvas.wall(self.texture, corners)
        else:
            canvas.polygon(corners, np.array(self.colour) * light)
            if self.arm:
                reach = np.array([0.0, self.arm, self.arm, 0.0]) + x
                up = self.height + np.array([0.0, 0.25, 0.1, -0.1])
                canvas.polygon(np.stack([reach, up, corners[:, 2]], axis=1),
                               np.array(self.colour) * light)

    def _draw_wall(self, canvas: Canvas, view: RoadView, ahead: float, light: float) -> None:
        ends = np.array([ahead, ahead + self.along])
        x, z, _ = view.place(ends, self.d)
        back_x, back_z, _ = view.place(ends, self.d + np.sign(self.d) * self.deep)
        low = np.stack([x, np.zeros(2), z], axis=1)
        behind = np.stack([back_x, np.zeros(2), back_z], axis=1)
        up = np.array([0.0, self.height, 0.0])
        if self.roof is not None:
            if z[0] > _NEAREST and back_z[0] > _NEAREST:
                self._draw_gable(canvas, low[0], behind[0], light)
            peak = (low + behind) / 2 + up + (0.0, self.deep * 0.3, 0.0)
            canvas.polygon(np.array([low[0] + up, low[1] + up, peak[1], peak[0]]),
                           np.array(self.roof) * (0.6 + 0.4 * light))
        if z[1] < _NEAREST * 2 or self.texture is None:
            return
        texture = self.texture
        if z[0] < _NEAREST:
            part = (_NEAREST - z[0]) / (z[1] - z[0])
            low[0] += part * (low[1] - low[0])
            texture = texture.cut(part)
        canvas.wall(texture, np.array([low[0] + up, low[1] + up, low[1], low[0]]),
                    light if self.roof is not None else 1.0)

    def _draw_gable(self, canvas: Canvas, near: np.ndarray, back: np.ndarray,
                    light: float) -> None:
        """Draw the end of a house that faces the camera."""
        up = np.array([0.0, self.height, 0.0])
        peak = (near + back) / 2 + up + (0.0, self.deep * 0.3, 0.0)
        colour = np.array(self.colour) * (1.25 - 0.5 * light)
        canvas.polygon(np.array([near, near + up, peak, back + up, back]), colour)
        for across in (0.25, 0.65):
            for floor in range(int(self.height / 2.8)):
                sill = near + (back - near) * across + (0.0, 0.9 + 2.8 * floor, 0.0)
                wide = (back - near) / max(self.deep, 0.1)
                pane = np.array([sill, sill + wide, sill + wide + (0, 1.3, 0), sill + (0, 1.3, 0)])
                canvas.polygon(pane, (58.0, 62.0, 68.0))


@dataclass
class _Wardrobe:
    """The pictures of one drive, drawn once and used many times."""

    trees: list[Texture] = field(default_factory=list)
    bushes: list[Texture] = field(default_factory=list)
    woods: list[Texture] = field(default_factory=list)
    hedge: list[Texture] = field(default_factory=list)
    fences: list[Texture] = field(default_factory=list)

    @classmethod
    def sewn(cls, style: Style, rng: np.random.Generator) -> _Wardrobe:
        return cls([foliage.tree(style, rng) for _ in range(4)],
                   [foliage.bush(style, rng) for _ in range(2)],
                   [foliage.bank(style, rng, (256, 256), 0.11, 0.3) for _ in range(2)],
                   [foliage.bank(style, rng, (80, 320), 0.16, 0.12)],
                   [facades.fence(rng), facades.garden_wall(rng)])


def layout(style: Style, rng: np.random.Generator) -> list[Thing]:
    """Return the things along one period of the road, keeping side roads' mouths free."""
    wardrobe = _Wardrobe.sewn(style, rng)
    things: list[Thing] = []
    for sign, side, width in ((-1, style.sides[0], style.left_width),
                              (1, style.sides[1], style.right_width)):
        edge = width + style.width_wave + side.kerb + side.pavement
        place = _Beside(sign, edge, wardrobe, rng)
        for make in _PLANS[side.kind]:
            things += make(place, side)
        things = [t for t in things if t.d * sign < 0 or _is_free(t, sign, style)]
    return things


def _is_free(thing: Thing, sign: int, style: Style) -> bool:
    for where, half, side in style.openings:
        if side == sign:
            off = (where - thing.s + PERIOD / 2) % PERIOD - PERIOD / 2
            reach = half + (2.0 if not thing.along else 1.0)
            if -reach < off < thing.along + reach:
                return False
    return True


@dataclass(frozen=True)
class _Beside:
    """A roadside to fill; ``edge`` is where its verge begins, metres from the centre."""

    sign: int
    edge: float
    wardrobe: _Wardrobe
    rng: np.random.Generator

    def row(self, low: float, high: float, start: float = 0.0) -> list[tuple[float, float]]:
        """Return (s, gap to the next) for things ``low`` to ``high`` metres apart."""
        places, s = [], start + float(self.rng.uniform(0, low))
        while s < PERIOD - low:
            gap = float(self.rng.uniform(low, high))
            places.append((s, gap))
            s += gap
        return places

    def at(self, off: float) -> float:
        """Return ``d`` of a thing ``off`` metres beyond the verge's beginning."""
        return self.sign * (self.edge + off)

    def pick(self, pictures: list[Texture]) -> Texture:
        """Return a random one of the pictures."""
        return pictures[int(self.rng.integers(len(pictures)))]


def _woods(place: _Beside, side: Side) -> list[Thing]:
    """Return a wood's edge, with gaps in some drives."""
    rng, kept = place.rng, place.rng.uniform(0.3, 1.1)
    off, height = rng.uniform(5, 16), rng.uniform(6, 13)
    return [Thing(s, place.at(off + rng.uniform(-0.8, 0.8)), height * rng.uniform(0.85, 1.15),
                  along=gap * 1.35, texture=place.pick(place.wardrobe.woods), shadow='leaves')
            for s, gap in place.row(8, 10) if rng.random() < kept]


def _scattered_trees(place: _Beside, side: Side) -> list[Thing]:
    rng = place.rng
    return [_tree(place, s, rng.uniform(2.5, 12)) for s, _ in place.row(6, rng.uniform(14, 50))]


def _tree_row(place: _Beside, side: Side) -> list[Thing]:
    off = place.rng.uniform(1.0, 2.5)
    return [_tree(place, s, off) for s, _ in place.row(7, 12)]


def _tree(place: _Beside, s: float, off: float) -> Thing:
    height = place.rng.uniform(5.0, 10.0)
    return Thing(s, place.at(off), height, width=height * place.rng.uniform(0.75, 1.0),
                 texture=place.pick(place.wardrobe.trees), shadow='crown')


def _bushes(place: _Beside, side: Side) -> list[Thing]:
    rng = place.rng
    return [Thing(s, place.at(rng.uniform(1.6, 6)), h := rng.uniform(0.7, 2.4),
                  width=h * rng.uniform(1.2, 1.9), texture=place.pick(place.wardrobe.bushes),
                  shadow='crown') for s, _ in place.row(4, rng.uniform(10, 40))]


def _border(place: _Beside, side: Side) -> list[Thing]:
    """Return hedges, fences and garden walls along the pavement."""
    rng = place.rng
    out = []
    for s, gap in place.row(6, 11):
        if rng.random() < 0.12:
            continue
        green = rng.random() < 0.5
        picture = place.pick(place.wardrobe.hedge if green else place.wardrobe.fences)
        out.append(Thing(s, place.at(0.5), rng.uniform(0.8, 1.9 if green else 1.3), along=gap,
                         texture=picture, shadow='leaves' if green else ''))
    return out


def _houses(place: _Beside, side: Side) -> list[Thing]:
    return _built(place, (3.0, 8.0), (3.2, 6.0), (10, 20), place.rng.uniform(3.0, 7.0))


def _street(place: _Beside, side: Side) -> list[Thing]:
    return _built(place, (0.3, 0.6), (6.0, 13.0), (9, 16), place.rng.uniform(0.0, 2.0))


def _built(place: _Beside, off: tuple[float, float], tall: tuple[float, float],
           step: tuple[float, float], gap_after: float) -> list[Thing]:
    rng = place.rng
    back, out = rng.uniform(*off), []
    for s, gap in place.row(*step):
        height, length = rng.uniform(*tall), gap - gap_after
        colour = facades.plaster(rng)
        out.append(Thing(s, place.at(back), height, along=length,
                         texture=facades.facade(rng, colour, length, height),
                         colour=_rgb(colour), roof=_rgb(facades.roof(rng)),
                         deep=rng.uniform(7, 10), shadow='block'))
    return out


def _rgb(colour: np.ndarray) -> tuple[float, float, float]:
    r, g, b = colour.tolist()
    return r, g, b


def _posts(place: _Beside, side: Side) -> list[Thing]:
    """Return delineators: white posts with a black band."""
    out = []
    for s in np.arange(place.rng.uniform(0, 20), PERIOD, 25.0).tolist():
        d = place.at(0.7)
        out.append(Thing(s, d, 1.0, width=0.12, colour=(222, 222, 218)))
        out.append(Thing(s - 0.001, d, 0.88, width=0.12, colour=(40, 40, 40)))
        out.append(Thing(s - 0.002, d, 0.66, width=0.12, colour=(222, 222, 218)))
    return out


def _lamps(place: _Beside, side: Side) -> list[Thing]:
    """Return lamp posts and traffic signs at the pavement's outer or inner side."""
    rng, out = place.rng, []
    off = -side.pavement + 0.4 if side.pavement else 0.8
    grey = rng.uniform(60, 150)
    for s, _ in place.row(22, 40):
        out.append(Thing(s, place.at(off), rng.uniform(6, 9), width=0.14,
                         colour=(grey, grey, grey * 0.97), shadow='pole', arm=-1.4 * place.sign))
    for s, _ in place.row(15, 60):
        d = place.at(off)
        face = [(190, 40, 36), (40, 80, 170), (228, 228, 224), (226, 186, 40)][rng.integers(4)]
        out.append(Thing(s, d, 2.2, width=0.07, colour=(126, 128, 128), shadow='pole'))
        out.append(Thing(s - 0.001, d, 2.5, width=rng.uniform(0.5, 0.75), colour=face, sign=True))
    return out


_PLANS = {
    'rural': (_woods, _scattered_trees, _bushes, _posts),
    'suburb': (_houses, _border, _bushes, _scattered_trees, _lamps),
    'urban': (_street, _lamps),
    'avenue': (_woods, _tree_row, _bushes, _lamps),
}
