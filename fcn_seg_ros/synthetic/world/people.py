# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""People on foot, on bicycles and on motorcycles: rounded limbs that face the camera."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.materials import material
from fcn_seg_ros.synthetic.world.mesh import CORNERS, Mesh, faces, joined
from fcn_seg_ros.synthetic.world.raster import LIGHT
from fcn_seg_ros.synthetic.world.shade import Scene
from fcn_seg_ros.synthetic.world.vehicles import on_ground, throw_shadow

Point = tuple[float, float, float]
#: Materials of a figure.
SKIN, TOP, LEGS, SHOES, HAIR, FRAME, WHEEL, LAMP = range(8)


def limb(a: np.ndarray, b: np.ndarray, radius: tuple[float, float], eye: np.ndarray,
         number: int) -> Mesh:
    """Return a limb from a to b as a flat outline that faces ``eye`` but is shaded as if round."""
    axis = b - a
    length = max(float(np.linalg.norm(axis)), 1e-3)
    axis = axis / length
    view = (a + b) / 2 - eye
    view /= np.linalg.norm(view)
    side = np.cross(axis, view)
    norm = float(np.linalg.norm(side))
    if norm < 1e-3:
        side, norm = np.array([1.0, 0.0, 0.0]), 1.0
    side /= norm
    half = CORNERS // 2
    turn = np.linspace(-np.pi / 2, np.pi / 2, half)
    flat = np.cross(view, side)
    flat *= np.sign(flat @ axis) or 1.0
    cap_b = b + radius[1] * (np.sin(turn)[:, None] * side + np.cos(turn)[:, None] * flat)
    cap_a = a - radius[0] * (np.sin(turn)[:, None] * side + np.cos(turn)[:, None] * flat)
    ring = np.concatenate([cap_b, cap_a])
    mesh = faces(ring[None], number)
    mean = (radius[0] + radius[1]) / 2
    mesh.normal[0, :, :3] = np.outer(side, side) / mean
    mesh.normal[0, :, 3] = -0.75 * view - mesh.normal[0, :, :3] @ ((a + b) / 2)
    mesh.chart[0, 0, :3], mesh.chart[0, 1, :3] = side, axis
    return mesh


class Figure:
    """Collects the limbs of one figure in the figure's frame: right, up, forward."""

    def __init__(self, place: Point, turn: float, size: float, eye: np.ndarray) -> None:
        c, s = np.cos(turn), np.sin(turn)
        self._rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) * size
        self._place, self._size, self._eye = np.array(place), size, eye
        self.limbs: list[Mesh] = []

    def limb(self, a: Point, b: Point, radius: float | tuple[float, float], number: int) -> None:
        """Add a limb between two points of the figure's frame."""
        radii = (radius, radius) if isinstance(radius, float) else radius
        at_a, at_b = (self._rotation @ np.array(p) + self._place for p in (a, b))
        self.limbs.append(limb(at_a, at_b, (radii[0] * self._size, radii[1] * self._size),
                               self._eye, number))

    def wheel(self, y: float, z: float, radius: float, thick: float) -> None:
        """Add a wheel aligned with the figure, made of spokes and a tyre of short limbs."""
        turn = np.linspace(0, 2 * np.pi, 13)
        rim = [(0.0, y + radius * float(np.sin(t)), z + radius * float(np.cos(t))) for t in turn]
        for a, b in pairwise(rim):
            self.limb(a, b, thick, WHEEL)
        for k in (0, 2, 4):
            self.limb(rim[k], rim[k + 6], 0.007, FRAME)


def _torso(figure: Figure, rng: np.random.Generator, hip: float, lean: float, seat: float) -> None:
    """Add trunk, head and arms; ``lean`` metres forward at the shoulders, hips at ``seat``."""
    wide, top = float(rng.uniform(0.14, 0.2)), hip + 0.55
    figure.limb((0, hip, seat), (0, top - 0.12, seat + lean * 0.8), (wide * 0.85, wide), TOP)
    for side in (-1, 1):
        figure.limb((side * 0.03, top - 0.06, seat + lean),
                    (side * wide, top - 0.08, seat + lean), 0.075, TOP)
    figure.limb((0, top, seat + lean), (0, top + 0.1, seat + lean * 1.1), 0.055, SKIN)
    figure.limb((0, top + 0.15, seat + lean * 1.15), (0, top + 0.21, seat + lean * 1.15), 0.1, SKIN)
    figure.limb((0, top + 0.2, seat + lean * 1.12), (0, top + 0.24, seat + lean * 1.1), 0.105, HAIR)


def _pedestrian(figure: Figure, rng: np.random.Generator) -> None:
    stride, hip = float(rng.uniform(-0.35, 0.35)), 0.86
    for side in (-1, 1):
        foot = side * stride
        knee = (side * 0.1, 0.47, foot * 0.55 + 0.03)
        figure.limb((side * 0.09, hip, 0), knee, (0.1, 0.07), LEGS)
        figure.limb(knee, (side * 0.1, 0.09, foot), (0.065, 0.05), LEGS)
        figure.limb((side * 0.1, 0.05, foot - 0.04), (side * 0.11, 0.05, foot + 0.16), 0.05, SHOES)
    _torso(figure, rng, hip + 0.04, 0.02, 0.0)
    for side in (-1, 1):
        swing = -side * stride * 0.8
        figure.limb((side * 0.21, 1.37, 0), (side * 0.25, 1.08, swing * 0.4), (0.06, 0.05), TOP)
        figure.limb((side * 0.25, 1.08, swing * 0.4), (side * 0.24, 0.84, swing + 0.05),
                    (0.05, 0.035), SKIN if rng.random() < 0.4 else TOP)
    if rng.random() < 0.3:
        figure.limb((0.33, 0.5, 0), (0.33, 0.75, 0), 0.12, HAIR)


def _cyclist(figure: Figure, rng: np.random.Generator) -> None:
    for z in (-0.5, 0.52):
        figure.wheel(0.34, z, 0.33, 0.022)
    for a, b in (((0, .34, -.5), (0, .32, -.05)), ((0, .32, -.05), (0, .85, -.2)),
                 ((0, .32, -.05), (0, .82, .36)), ((0, .8, -.18), (0, .84, .34)),
                 ((0, .34, .52), (0, .95, .38)), ((-.26, .98, .36), (.26, .98, .36)),
                 ((0, .85, -.2), (0, .9, -.28))):
        figure.limb(a, b, 0.022, FRAME)
    turn = float(rng.uniform(0, 2 * np.pi))
    for side in (-1, 1):
        up, on = side * .15 * float(np.sin(turn)), side * .15 * float(np.cos(turn))
        pedal = (side * .12, .32 + up, on)
        knee = (side * .12, .5 + pedal[1] * .55, .14 + pedal[2] * .4)
        figure.limb((side * .09, .93, -.2), knee, (.1, .07), LEGS)
        figure.limb(knee, pedal, (.065, .05), LEGS)
        figure.limb(pedal, (pedal[0], pedal[1] - .02, pedal[2] + .15), .045, SHOES)
    _torso(figure, rng, 0.96, 0.3, -.2)
    for side in (-1, 1):
        figure.limb((side * .2, 1.38, .08), (side * .25, 1.02, .34), (.055, .04), TOP)
    figure.limb((0, .8, -.5), (0, .83, -.5), .03, LAMP)


def _motorcyclist(figure: Figure, rng: np.random.Generator) -> None:
    for z in (-0.62, 0.68):
        figure.wheel(0.31, z, 0.27, 0.06)
    figure.limb((0, .55, -.3), (0, .6, .35), (.17, .19), FRAME)
    figure.limb((0, .8, .1), (0, .84, .4), (.14, .16), FRAME)
    figure.limb((0, .75, -.65), (0, .76, -.1), (.11, .14), HAIR)
    figure.limb((0, .32, .68), (0, .95, .48), .05, FRAME)
    figure.limb((-.36, 1.02, .42), (.36, 1.02, .42), .03, FRAME)
    figure.limb((0, .85, .62), (0, .9, .62), .09, FRAME)
    for side in (-1, 1):
        figure.limb((side * .14, .82, -.15), (side * .24, .62, .25), (.11, .08), LEGS)
        figure.limb((side * .24, .62, .25), (side * .22, .3, -.02), (.075, .06), LEGS)
        figure.limb((side * .22, .26, -.05), (side * .22, .26, .16), .05, SHOES)
    for _ in range(1 + int(rng.random() < 0.25)):
        _torso(figure, rng, 0.85, 0.14, -.15)
    for side in (-1, 1):
        figure.limb((side * .2, 1.3, 0), (side * .34, 1.03, .38), (.065, .05), TOP)
    figure.limb((0, .7, -.72), (0, .73, -.72), .05, LAMP)


_BUILD = {'pedestrian': _pedestrian, 'cyclist': _cyclist, 'motorcyclist': _motorcyclist}
FIGURES = tuple(_BUILD)
_LENGTH = {'pedestrian': 0.5, 'cyclist': 1.7, 'motorcyclist': 1.9}


def _palette(rng: np.random.Generator, lamps: bool) -> np.ndarray:
    person, machine = SceneClass.PERSON, SceneClass.TWO_WHEELER

    def cloth() -> np.ndarray:
        tone = float(np.exp(rng.uniform(np.log(0.012), np.log(0.5))))
        return np.clip(tone * (1 + rng.normal(0, 0.4, 3)), 0.006, 0.8)

    skin = np.array([0.55, 0.34, 0.24]) * rng.uniform(0.15, 1.1)
    hair = np.array([0.05, 0.035, 0.02]) if rng.random() < 0.6 else cloth()
    return np.stack([
        material(skin, person), material(cloth(), person, 0, 'cloth', 0.8),
        material(cloth(), person, 0, 'cloth', 0.8), material(cloth() * 0.5, person),
        material(hair, person), material(cloth(), machine, 0.5), material(0.012, machine, 0.1),
        material((0.3, 0.02, 0.02), machine, light=(2.5, 0.05, 0.03) if lamps else 0.0)])


def person(scene: Scene, rng: np.random.Generator, kind: str, height: float, ahead: float,
           d: float, turn: float = 0.0) -> None:
    """Put a figure of a ``kind`` in FIGURES on the ground; ``height`` is the camera's."""
    x, z, heading = (float(v) for v in scene.view.place(ahead, d))
    if z < 0.8:
        return
    level = float(scene.ground.level(z))
    size = float(rng.normal(1.0, 0.06))
    if kind == 'pedestrian' and rng.random() < 0.1:
        size *= 0.65
    figure = Figure((x, level, z), heading + turn, size, np.array([0.0, height, 0.0]))
    _BUILD[kind](figure, rng)
    colours = _palette(rng, scene.conditions.lamps)
    if kind != 'pedestrian' and np.cos(turn) < 0:
        colours[LAMP, LIGHT] = 0
    scene.things.add(joined(figure.limbs), colours, float(np.hypot(x, z)))
    length = _LENGTH[kind]
    s, c = np.sin(heading + turn), np.cos(heading + turn)
    corners = np.array([[-.25, -1], [.25, -1], [.25, 1], [-.25, 1]]) * (1, length / 2)
    base = np.stack([x + corners[:, 0] * c + corners[:, 1] * s,
                     z - corners[:, 0] * s + corners[:, 1] * c], axis=1)
    scene.contacts.append(on_ground(scene, base))
    throw_shadow(scene, base * 0.5 + base.mean(axis=0) * 0.5, 1.7)
