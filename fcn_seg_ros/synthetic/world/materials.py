# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rows of the table of materials that faces refer to."""

from __future__ import annotations

import numpy as np

from fcn_seg_ros.synthetic.world.classes import SceneClass
from fcn_seg_ros.synthetic.world.face_textures import NAMES
from fcn_seg_ros.synthetic.world.raster import (
    CLASS,
    COLOUR,
    COLUMNS,
    GLOSS,
    LIFT,
    LIGHT,
    SPAN,
    TEXTURE,
)


def material(colour: tuple[float, float, float] | np.ndarray | float, scene_class: SceneClass,
             gloss: float = 0.0, texture: str | int = 0, span: float = 1.0,
             light: tuple[float, float, float] | np.ndarray | float = 0.0,
             lift: float = 0.0) -> np.ndarray:
    """
    Return one row: colour and emitted light in linear RGB, gloss 0..1, a texture by name.

    ``span`` is how many metres the texture spans; for ``lift`` see raster.LIFT.
    """
    row = np.zeros(COLUMNS, np.float32)
    row[COLOUR], row[LIGHT], row[GLOSS] = colour, light, gloss
    row[TEXTURE] = NAMES.index(texture) if isinstance(texture, str) else texture
    row[SPAN], row[CLASS], row[LIFT] = span, int(scene_class), lift
    return row
