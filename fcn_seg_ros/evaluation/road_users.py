# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measure how much of vehicles, people, cyclists and pavement is predicted as road."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from fcn_seg_ros.datasets.base import Classes
from fcn_seg_ros.evaluation.kitti_scores import LEVELS
from fcn_seg_ros.inference.postprocess import to_level

PAVEMENT = 'pavement'
# The columns of the reports, and the dataset classes in each of them.
GROUPS = {
    'vehicles': ('car', 'lorry', 'bus', 'motorcycle'),
    'people': ('pedestrian',),
    'cyclists': ('cyclist',),
    PAVEMENT: ('pavement',),
}
# The fewest connected pixels of a large object: a car 25 m ahead at 480x360.
LARGE = 1000
# An object is dark if the mean of its pixels, 0 to 255, is below this.
_DARK = 50
DARK_VEHICLES = 'dark vehicles'


@dataclass(frozen=True)
class RoadUser:
    """An object of at least LARGE connected pixels, and how many of them are road in the mask."""

    group: str
    image: str
    pixels: int
    as_road: int
    dark: bool


@dataclass
class RoadUsers:
    """
    Counts by group of road users; ``a + b`` combines two.

    ``histograms`` are int64 (256,), of the probability levels of all pixels of a group;
    ``objects`` are the large vehicles, people and cyclists.
    """

    histograms: dict[str, np.ndarray] = field(default_factory=dict)
    objects: list[RoadUser] = field(default_factory=list)

    def __add__(self, other: RoadUsers) -> RoadUsers:
        """Return the counts of both."""
        none = np.zeros(LEVELS, np.int64)
        summed = {group: self.histograms.get(group, none) + other.histograms.get(group, none)
                  for group in {**self.histograms, **other.histograms}}
        return RoadUsers(summed, self.objects + other.objects)

    def update(self, name: str, image: np.ndarray, probability: np.ndarray, classes: Classes,
               threshold: float) -> None:
        """Count one image, uint8 (H, W, 3), with its probability, uint8 (H, W), and classes."""
        level = to_level(threshold)
        for group, members in GROUPS.items():
            ids = [number for number, text in classes.names.items() if text in members]
            if not ids:
                continue
            inside = np.isin(classes.ids, ids)
            counted = np.bincount(probability[inside], minlength=LEVELS)
            self.histograms[group] = self.histograms.get(group, 0) + counted
            if group != PAVEMENT and inside.any():
                self.objects += _large(group, name, image, probability >= level, inside)

    def shares(self, threshold: float) -> dict[str, float]:
        """Return the share of each group's pixels predicted as road; NaN without pixels."""
        level = to_level(threshold)
        return {group: float(counts[level:].sum() / counts.sum()) if counts.sum() else float('nan')
                for group, counts in self.histograms.items()}

    def as_dict(self, threshold: float) -> dict[str, Any]:
        """Return what ``evaluate --json`` prints; shares in percent."""
        return {'as_road_percent': {group: None if np.isnan(share) else round(100 * share, 3)
                                    for group, share in self.shares(threshold).items()},
                'large': {group: _summed(members) for group, members in self.large().items()}}

    def large(self) -> dict[str, list[RoadUser]]:
        """Return the large objects by group, with dark vehicles as an additional group."""
        found: dict[str, list[RoadUser]] = {group: [] for group in self.histograms
                                            if group != PAVEMENT}
        for user in self.objects:
            found[user.group].append(user)
        if 'vehicles' in found:
            found[DARK_VEHICLES] = [user for user in found['vehicles'] if user.dark]
        return found


def as_road(users: list[RoadUser]) -> float:
    """Return the share of the objects' pixels that is road in the mask; NaN without any."""
    pixels = sum(user.pixels for user in users)
    return sum(user.as_road for user in users) / pixels if pixels else float('nan')


def worst(users: list[RoadUser]) -> RoadUser:
    """Return the object with the largest share predicted as road; there must be one."""
    return max(users, key=lambda user: user.as_road / user.pixels)


def _large(group: str, name: str, image: np.ndarray, road: np.ndarray, inside: np.ndarray
           ) -> list[RoadUser]:
    _, parts, found, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8))
    users = []
    for part, (x, y, width, height, pixels) in enumerate(found[1:], 1):
        if pixels >= LARGE:
            box = (slice(y, y + height), slice(x, x + width))
            inside_box = parts[box] == part
            users.append(RoadUser(group, name, int(pixels), int(road[box][inside_box].sum()),
                                  bool(image[box][inside_box].mean() < _DARK)))
    return users


def _summed(users: list[RoadUser]) -> dict[str, Any]:
    if not users:
        return {'number': 0}
    bad = worst(users)
    return {'number': len(users), 'as_road_percent': round(100 * as_road(users), 3),
            'worst': {'image': bad.image, 'pixels': bad.pixels,
                      'as_road_percent': round(100 * bad.as_road / bad.pixels, 1)}}
