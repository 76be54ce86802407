# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The limits of a regression test: one table for options, verdict and report."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from fcn_seg_ros.errors import InputError


@dataclass(frozen=True)
class Gate:
    """
    A limit of one figure of a comparison.

    ``figure`` is a key of ``compare_figures.figures``, ``name`` is short for ``words``. It passes
    if it is at least (or at most) the value given by ``option``, from 0 to ``top``.
    """

    option: str
    metavar: str
    figure: str
    name: str
    words: str
    at_least: bool = False
    top: float = 1.0

    @property
    def help(self) -> str:
        """Return the help of the option."""
        return f'{self.words}, at {"least" if self.at_least else "most"}'

    def check(self, limit: float) -> None:
        """Raise InputError for a limit that makes no sense."""
        if not 0.0 <= limit <= self.top:
            upper = f' to {self.top:g}' if math.isfinite(self.top) else ' or more'
            raise InputError(f'{self.option}: expected 0{upper}, found {limit:g}')


GATES = (
    Gate('--min-iou', 'IOU', 'iou_mean', 'mean IoU', 'IoU of the road, mean of the frames in both',
         True),
    Gate('--min-frame-iou', 'IOU', 'iou_lowest', 'lowest IoU', 'IoU of the worst frame', True),
    Gate('--max-area-change', 'SHARE', 'area_change_size', 'change of area',
         'change of the road\'s area up or down, share of the image, mean of the frames'),
    Gate('--max-edge', 'PX', 'edge_px_mean', 'distance of edges',
         'distance between the edges of the two roads, pixels, mean of the frames', top=math.inf),
    Gate('--max-missing', 'N', 'only_a', 'missing frames',
         'frames with a mask in RUN_A and none in RUN_B', top=math.inf),
)


@dataclass(frozen=True)
class Check:
    """A gate with its limit, and what was found; a figure that is unknown fails."""

    gate: Gate
    limit: float
    found: float

    @property
    def passed(self) -> bool:
        """Return whether the figure is within the limit."""
        return self.found >= self.limit if self.gate.at_least else self.found <= self.limit

    @property
    def line(self) -> str:
        """Return the check in words."""
        side = 'least' if self.gate.at_least else 'most'
        return (f'{self.gate.name}: expected at {side} {self.limit:g}, found {self.shown}')

    @property
    def shown(self) -> str:
        """Return the figure as text."""
        return 'unknown' if math.isnan(self.found) else f'{self.found:.6g}'


def check_all(figures: Mapping[str, float], limits: Mapping[str, float]) -> list[Check]:
    """Return the checks of the limits that are given, by option."""
    found = []
    for gate in GATES:
        if gate.option in limits:
            found.append(Check(gate, limits[gate.option], figures[gate.figure]))
    return found
