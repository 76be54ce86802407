# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The tables of one camera over the ground: made on a thread of their own, used by the worker."""

from __future__ import annotations

import math
import threading
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.tables import GroundSpec, GroundTables
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.node.poses import Poses
from fcn_seg_ros.outputs.camera_info import camera_model

if TYPE_CHECKING:
    from fcn_seg_ros.node.settings import Settings

# Metres and rad. Up to the first, tables are as good as new; up to the second they serve until new
# ones are made; a camera that moves further in the vehicle has lost its mounting or its TF.
_SAME = (0.002, math.radians(0.02))
_CLOSE = (0.02, math.radians(0.1))
_JUMP = (0.3, math.radians(5.0))
_SETTLED_S = 1.0
# Making tables takes some tenths of a second; nobody has to know.
_PATIENCE_S = 5.0


@dataclass(frozen=True)
class _Made:
    """Tables for a view, or why there are none."""

    view: GroundView
    spec: GroundSpec
    tables: GroundTables | None
    reason: str = ''
    at: float = field(default_factory=time.monotonic)


class GroundSource:
    """
    Gives the worker a camera's tables, and has them made anew when CameraInfo or pose change.

    ``reason`` is why the last frame had none, '' if it had, or if they are about to come; any
    thread may read it.
    """

    def __init__(self, node: Node, camera: str, poses: Poses) -> None:
        self.reason: str = ''
        self._camera = camera
        self._poses = poses
        self._logger = node.get_logger()
        self._made: _Made | None = None
        self._making: threading.Thread | None = None
        self._since: float = 0.0
        # The pose that the camera has jumped to, and when.
        self._jumped: tuple[CameraPose, float] | None = None

    def tables(self, info: CameraInfo, header: Header, settings: Settings) -> GroundTables | None:
        """
        Return the tables for an image with its own CameraInfo, None while there are none.

        For the worker's thread; never waits.
        """
        try:
            found = self._tables(info, header, settings)
        except InputError as error:
            self.reason = str(error)
            return None
        self.reason = ''
        if found is None and time.monotonic() - self._since > _PATIENCE_S:
            self.reason = 'its tables are still being made'
        return found

    def _tables(self, info: CameraInfo, header: Header, settings: Settings) -> GroundTables | None:
        own = settings.cameras[self._camera]
        model, rotation, offset = camera_model(info, own.rectified)
        mount = own.pose
        if mount is None:
            mount = self._poses.of(self._camera, header, settings.base_frame)
        view = GroundView(model, mount.turned(rotation, offset))
        made = self._made
        if made is None or made.view.camera != model or made.spec != settings.ground:
            self._make(view, settings.ground)
            return None
        moved = made.view.pose.moved(view.pose)
        if own.pose is None:
            self._check_jump(view.pose, moved)
        if _exceeds(moved, _SAME):
            self._make(view, settings.ground)
        if _exceeds(moved, _CLOSE):
            age = time.monotonic() - made.at
            if own.pose is None and age < _PATIENCE_S and not _exceeds(moved, _JUMP):
                raise InputError(f'its pose sways faster than tables are made, by {moved[0]:.2f} m '
                                 f'and {math.degrees(moved[1]):.1f} degrees within {age:.1f} s '
                                 '(choose a base_frame that is fixed to the body)')
            return None
        if made.reason:
            raise InputError(made.reason)
        return made.tables

    def _check_jump(self, pose: CameraPose, moved: tuple[float, float]) -> None:
        """Raise InputError while the camera has just jumped; wait until it stays."""
        now = time.monotonic()
        if self._jumped is None:
            if not _exceeds(moved, _JUMP):
                return
            self._jumped = pose, now
        elif _exceeds(self._jumped[0].moved(pose), _JUMP):
            self._jumped = pose, now
        if now - self._jumped[1] < _SETTLED_S:
            raise InputError(f'its pose jumped by {moved[0]:.2f} m and '
                             f'{math.degrees(moved[1]):.1f} degrees')
        if not _exceeds(moved, _JUMP):
            self._jumped = None

    def _make(self, view: GroundView, spec: GroundSpec) -> None:
        """Start to make tables, unless some are being made."""
        if self._making is not None and self._making.is_alive():
            return
        self._since = time.monotonic()
        self._making = threading.Thread(target=self._run, args=(view, spec), daemon=True,
                                        name=f'ground tables of {self._camera}')
        self._making.start()

    def _run(self, view: GroundView, spec: GroundSpec) -> None:
        try:
            self._made = _Made(view, spec, GroundTables(view, spec))
        except InputError as error:
            self._made = _Made(view, spec, None, str(error))
        except Exception as error:  # a bug or too little memory: the masks go on
            self._made = _Made(view, spec, None, f'its tables cannot be made ({error})')
            self._logger.error(f'{self._camera}: {traceback.format_exc()}')


def is_other_mounting(before: CameraPose, after: CameraPose, given: bool) -> bool:
    """Return whether a camera was mounted anew, or a ``given`` pose corrected; TF may sway."""
    return _exceeds(before.moved(after), _SAME if given else _JUMP)


def _exceeds(moved: tuple[float, float], limit: tuple[float, float]) -> bool:
    return moved[0] > limit[0] or moved[1] > limit[1]
