# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The classes of a rendered pixel, and which of them are road."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE


class SceneClass(IntEnum):
    """
    What a pixel shows.

    A rider is PERSON, the cycle TWO_WHEELER. PARKING is the ground of parking bays, on which data
    sets disagree, so it is left unlabelled. STRUCTURE carries or spans the road: tunnel, bridge,
    gantry.
    """

    OTHER = 0
    ROAD = 1
    PAVEMENT = 2
    TERRAIN = 3
    PARKING = 4
    VEHICLE = 5
    PERSON = 6
    TWO_WHEELER = 7
    BUILDING = 8
    STRUCTURE = 9
    BARRIER = 10
    POLE = 11
    SIGN = 12
    VEGETATION = 13
    SKY = 14
    WATER = 15
    OWN_VEHICLE = 16


def road_labels(classes: np.ndarray) -> np.ndarray:
    """Return 1 where a class image (uint8, any shape) is road, 255 where parking, else 0."""
    table = np.zeros(256, np.uint8)
    table[SceneClass.ROAD], table[SceneClass.PARKING] = 1, IGNORE
    return table[classes]
