# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Materials of the ground: colour, texture, and how wet they get."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.ground_textures import CHANNELS

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """
    A material of the ground: class, colour (linear RGB, 0..1) and look.

    ``weights`` are the strengths of the textures in ``CHANNELS``, ``wet`` is how visible rain is,
    0..1, and ``drop`` how far below the road it lies in metres.
    """

    scene_class: SceneClass
    colour: Colour
    weights: dict[str, float] = field(default_factory=dict)
    wet: float = 0.3
    drop: float = 0.0

    def row(self) -> np.ndarray:
        """Return the weights in the order of CHANNELS, float32."""
        return np.array([self.weights.get(name, 0.0) for name in CHANNELS], np.float32)


def tinted(rng: np.random.Generator, grey: float, spread: float = 0.04) -> Colour:
    """Return a slightly warmer or colder grey."""
    warm, green = rng.normal(0, spread), rng.normal(0, spread / 3)
    return grey * (1 + warm), grey * (1 + green), grey * (1 - warm)


def asphalt(rng: np.random.Generator, scene_class: SceneClass = SceneClass.ROAD) -> Surface:
    """Return asphalt, from new and black to old and pale, smooth or cracked."""
    return Surface(scene_class, tinted(rng, float(np.exp(rng.uniform(np.log(0.035), np.log(0.3)))),
                                       0.06),
                   {'blotch': rng.uniform(0.1, 0.5), 'streak': rng.uniform(0.0, 0.4),
                    'crack': rng.choice([0.0, 0.15, 0.4]), 'stain': rng.uniform(0.0, 0.6),
                    'grain': rng.uniform(0.3, 1.0), 'gravel': rng.choice([0.0, 0.3])}, 1.0)


def concrete(rng: np.random.Generator, scene_class: SceneClass = SceneClass.ROAD) -> Surface:
    """Return pale concrete."""
    return Surface(scene_class, tinted(rng, rng.uniform(0.22, 0.5), 0.05),
                   {'blotch': rng.uniform(0.1, 0.4), 'streak': rng.uniform(0.1, 0.5),
                    'crack': rng.choice([0.0, 0.5]), 'stain': rng.uniform(0.0, 0.5),
                    'grain': rng.uniform(0.2, 0.5)}, 0.9)


def cobbles(rng: np.random.Generator, scene_class: SceneClass = SceneClass.ROAD) -> Surface:
    """Return cobblestones."""
    return Surface(scene_class, tinted(rng, rng.uniform(0.08, 0.26), 0.08),
                   {'blotch': 0.3, 'stain': 0.3, 'grain': 0.4,
                    'cobble': rng.uniform(0.5, 1.2)}, 0.8)


def gravel(rng: np.random.Generator, scene_class: SceneClass = SceneClass.TERRAIN) -> Surface:
    """Return gravel or bare earth: grey, sand or red."""
    tone = [(0.25, 0.23, 0.2), (0.34, 0.27, 0.18), (0.3, 0.17, 0.1),
            (0.16, 0.13, 0.1)][int(rng.integers(4))]
    r, g, b = (float(c) for c in np.array(tone) * rng.uniform(0.7, 1.2))
    return Surface(scene_class, (r, g, b),
                   {'blotch': rng.uniform(0.3, 0.7), 'streak': rng.uniform(0, 0.5), 'grain': 0.6,
                    'gravel': rng.uniform(0.3, 0.9)}, 0.5)


def grass(rng: np.random.Generator) -> Surface:
    """Return grass, from lush to burnt."""
    dry = rng.random() ** 1.5
    tone = (np.array([0.06, 0.11, 0.025]) * (1 - dry) + np.array([0.3, 0.25, 0.11]) * dry)
    r, g, b = (float(c) for c in tone * rng.uniform(0.6, 1.4))
    return Surface(SceneClass.TERRAIN, (r, g, b),
                   {'blotch': rng.uniform(0.4, 1.0), 'grain': 1.2, 'gravel': 0.9}, 0.1)


def paving(rng: np.random.Generator) -> Surface:
    """Return the surface of a pavement: slabs, asphalt, concrete or bricks."""
    kind = int(rng.integers(4))
    if kind == 0:
        return asphalt(rng, SceneClass.PAVEMENT)
    tone = tinted(rng, rng.uniform(0.18, 0.5), 0.08)
    if kind == 1 and rng.random() < 0.5:
        tone = (tone[0], tone[1] * 0.65, tone[2] * 0.5)
    return Surface(SceneClass.PAVEMENT, tone,
                   {'blotch': 0.3, 'stain': rng.uniform(0.1, 0.6), 'grain': 0.4,
                    'slab' if kind < 3 else 'cobble': rng.uniform(0.3, 0.9)}, 0.6)


def kerb(rng: np.random.Generator) -> Surface:
    """Return the stone of a kerb."""
    return Surface(SceneClass.PAVEMENT, tinted(rng, rng.uniform(0.2, 0.55)),
                   {'blotch': 0.3, 'stain': 0.5, 'grain': 0.4}, 0.5)


def gutter(rng: np.random.Generator) -> Surface:
    """Return the dark foot of a kerb, in its own shade."""
    return Surface(SceneClass.PAVEMENT, tinted(rng, rng.uniform(0.04, 0.12)), {'grain': 0.5}, 0.5)


def water(drop: float) -> Surface:
    """Return water under a bridge."""
    return Surface(SceneClass.WATER, (0.03, 0.05, 0.05), {'blotch': 0.2, 'streak': 0.3}, 1.0, drop)


def lowland(rng: np.random.Generator, drop: float) -> Surface:
    """Return fields under a bridge."""
    ground = grass(rng)
    return Surface(SceneClass.TERRAIN, ground.colour, {'blotch': 1.3, 'stain': 0.5}, 0.0, drop)
