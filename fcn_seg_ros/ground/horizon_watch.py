# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a camera's pose over the road agrees with the road that the camera sees."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.road_edges import LevelRows

# Frames are looked at about this often; neighbouring ones tell the same.
_EVERY_S = 0.2
# Straight frames that a verdict needs, spread over at least this part of the window.
_FEWEST = 15
_LEAST_PART = 0.5
# A pose whose pitch changes by more is another one: of a parameter or a camera that was moved.
_REMOUNTED_DEG = 0.3
# Road is far above the horizon beyond this angle and this share of all road in view, in most of
# the window's frames. Networks' masks and hills reach a little above.
_ABOVE = float(np.deg2rad(2.0))
_ABOVE_SHARE = 0.02


@dataclass(frozen=True)
class HorizonOptions:
    """
    When to doubt a pose; the names are those of the node's parameters.

    Its horizon is off by more than ``horizon_off_above`` degrees (0 turns the check off) in the
    middle of ``horizon_window_s`` seconds.
    """

    horizon_off_above: float = 0.5
    horizon_window_s: float = 20.0


@dataclass(frozen=True)
class HorizonReport:
    """
    What the latest frames tell; angles in degrees.

    ``pitch`` is the camera's by the road's edges, ``error`` that less the assumed one, NaN without
    enough straight road; ``above`` the share of the road that lies far above the horizon.
    ``fault`` is '' or a line for the diagnostics; ``time`` that of the latest frame.
    """

    time: float = float('-inf')
    pitch: float = float('nan')
    error: float = float('nan')
    above: float = 0.0
    fault: str = ''


@dataclass(frozen=True)
class _Seen:
    time: float
    error: float | None
    above: float


class HorizonWatch:
    """
    Follows one camera, frame by frame; time is in seconds.

    ``look`` is for one thread; ``report`` is replaced as a whole and may be read from any.
    """

    def __init__(self) -> None:
        self.report = HorizonReport()
        self._past: deque[_Seen] = deque()
        self._pitch = float('nan')

    def look(self, level: LevelRows, mask: np.ndarray, road_ids: Sequence[int], now: float,
             options: HorizonOptions) -> None:
        """
        Judge a frame, ``mask`` uint8 (H, W): class ids, 255 where unknown.

        ``level`` is that of the pose in use; a pose that changes little, as with a vehicle's
        springs, goes on with the same past.
        """
        past, pitch = self._past, float(np.rad2deg(level.pitch))
        if not options.horizon_off_above:
            past.clear()
            self.report = HorizonReport()
            return
        if not abs(pitch - self._pitch) < _REMOUNTED_DEG or (past and now < past[-1].time):
            past.clear()
            self._pitch = pitch
        if past and now - past[-1].time < _EVERY_S:
            return
        road, known = level.rows(mask, road_ids)
        point = level.vanishing_point(road, known)
        # The edges meet above the horizon (y < 0) if the camera looks further down than assumed.
        error = None if point is None else -float(np.rad2deg(np.arctan(point.y)))
        past.append(_Seen(now, error, level.above(road, float(np.tan(_ABOVE)))))
        while now - past[0].time > options.horizon_window_s:
            past.popleft()
        self.report = self._judge(now, pitch, options)

    def _judge(self, now: float, pitch: float, options: HorizonOptions) -> HorizonReport:
        past, least = self._past, _LEAST_PART * options.horizon_window_s
        straight = [(each.time, each.error) for each in past if each.error is not None]
        above = float(np.median([each.above for each in past]))
        error = float('nan')
        if len(straight) >= _FEWEST and straight[-1][0] - straight[0][0] >= least:
            error = float(np.median([each for _, each in straight]))
        fault = ''
        if abs(error) > options.horizon_off_above:
            fault = (f'the road\'s edges meet {abs(error):.1f} degrees '
                     f'{"above" if error > 0 else "below"} the horizon of the camera\'s pose: its '
                     f'pitch looks like {pitch + error:.1f} degrees, not {pitch:.1f} (see '
                     'calibrate_ground)')
        elif above > _ABOVE_SHARE and now - past[0].time >= least:
            fault = (f'{100 * above:.0f} % of the road lies more than '
                     f'{np.rad2deg(_ABOVE):.0f} degrees above the horizon of the camera\'s pose, '
                     f'whose pitch is {pitch:.1f} degrees')
        return HorizonReport(now, pitch + error, error, above, fault)
