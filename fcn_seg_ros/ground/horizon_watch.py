# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Whether a camera's pose over the road agrees with the road that the camera sees."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.road_edges import LevelRows

# Frames are looked at about this often; neighbouring ones tell the same.
_EVERY_S = 0.2
# Straight frames that a verdict needs, spread over at least this part of the window.
_FEWEST = 15
_LEAST_PART = 0.5
# Road is far above the horizon beyond this angle and this share of all road in view, in most of
# the window's frames. Networks' masks and hills reach a little above.
_ABOVE = float(np.deg2rad(2.0))
_ABOVE_SHARE = 0.02


@dataclass(frozen=True)
class HorizonOptions:
    """
    When to doubt a pose: its horizon is off by more than ``limit_deg`` over ``window_s`` seconds.

    A limit of 0 turns the check off.
    """

    limit_deg: float = 0.5
    window_s: float = 20.0


@dataclass(frozen=True)
class HorizonReport:
    """
    What the latest frames tell; angles in degrees.

    ``pitch`` is the camera's by the road's edges, ``error`` that less the assumed one, NaN without
    enough straight road; ``above`` the share of the road that lies far above the horizon.
    ``fault`` is '' or a line for the diagnostics.
    """

    pitch: float = float('nan')
    error: float = float('nan')
    above: float = 0.0
    frames: int = 0
    fault: str = ''


@dataclass
class _Seen:
    time: float
    error: float | None
    above: float


class HorizonWatch:
    """
    Follows one camera in one pose, frame by frame; time is in seconds and must not decrease.

    ``report`` is replaced as a whole.
    """

    def __init__(self, camera: CameraModel, pose: CameraPose,
                 options: HorizonOptions | None = None) -> None:
        self.options = options or HorizonOptions()
        self.report = HorizonReport()
        self._level = LevelRows(camera, pose.rotation)
        self._pitch = float(np.rad2deg(pose.angles[1]))
        self._past: deque[_Seen] = deque()

    def look(self, mask: np.ndarray, road_ids: Sequence[int], now: float) -> HorizonReport:
        """Judge a frame, ``mask`` uint8 (H, W): class ids, 255 where unknown."""
        past = self._past
        if not self.options.limit_deg or (past and 0.0 <= now - past[-1].time < _EVERY_S):
            return self.report
        if past and now < past[-1].time:
            past.clear()
        road, known = self._level.rows(mask, road_ids)
        point = self._level.vanishing_point(road, known)
        # The edges meet above the horizon (y < 0) if the camera looks further down than assumed.
        error = None if point is None else -float(np.rad2deg(np.arctan(point.y)))
        past.append(_Seen(now, error, self._level.above(road, float(np.tan(_ABOVE)))))
        while now - past[0].time > self.options.window_s:
            past.popleft()
        self.report = self._judge(now)
        return self.report

    def _judge(self, now: float) -> HorizonReport:
        past, window = self._past, self.options.window_s
        straight = [each for each in past if each.error is not None]
        above = float(np.median([each.above for each in past]))
        error = float('nan')
        if len(straight) >= _FEWEST and (
                straight[-1].time - straight[0].time >= _LEAST_PART * window):
            error = float(np.median([each.error for each in straight]))
        fault = ''
        if abs(error) > self.options.limit_deg:
            fault = (f'the road\'s edges meet {abs(error):.1f} degrees '
                     f'{"above" if error > 0 else "below"} the horizon of the camera\'s pose: its '
                     f'pitch looks like {self._pitch + error:.1f} degrees, not '
                     f'{self._pitch:.1f} (see calibrate_ground)')
        elif above > _ABOVE_SHARE and now - past[0].time >= _LEAST_PART * window:
            fault = (f'{100 * above:.0f} % of the road lies more than '
                     f'{np.rad2deg(_ABOVE):.0f} degrees above the horizon of the camera\'s pose, '
                     f'whose pitch is {self._pitch:.1f} degrees')
        return HorizonReport(self._pitch + error, error, above, len(straight), fault)
