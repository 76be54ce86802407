# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a camera stands in the base frame, from TF."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from rclpy.time import Time
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.ground.pose import CameraPose

try:
    import tf2_ros
except ImportError:  # comes with a ROS distribution only
    tf2_ros = None

# A transform that is published a little later than the image, or more slowly, will do.
_OLDEST_S = 0.2


class Poses:
    """
    Looks up the poses of the cameras' frames in the base frame.

    It subscribes to /tf and /tf_static while a camera wants its pose, where tf2_ros is installed.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wanted: set[str] = set()
        self._buffer: Any = None
        self._listener: Any = None

    def want(self, camera: str, wanted: bool) -> None:
        """Tell whether a camera wants its pose; for the executor's thread."""
        self._wanted = self._wanted | {camera} if wanted else self._wanted - {camera}
        if self._wanted and self._listener is None and tf2_ros is not None:
            if self._buffer is None:
                # Kept from then on: nothing takes its service and its time callback off the node.
                self._buffer = tf2_ros.Buffer(node=self._node)
            self._listener = tf2_ros.TransformListener(self._buffer, self._node)
        elif not self._wanted and self._listener is not None:
            self._listener.unregister()
            self._listener = None
            self._buffer.clear()

    def of(self, camera: str, header: Header, base_frame: str) -> CameraPose:
        """
        Return the pose of the frame of an image, at its time or nearly so.

        Raises InputError, in one line, where TF does not know it.
        """
        buffer = self._buffer if self._listener is not None else None
        if buffer is None:
            raise InputError(f'its pose is not known: set {camera}.pose (tf2_ros is not installed)'
                             if tf2_ros is None else 'its pose is not known yet')
        if not header.frame_id:
            raise InputError(f'its pose is not known: its images name no frame (or set '
                             f'{camera}.pose)')
        if header.stamp.sec < 0:  # TF has no such times
            raise InputError(f'its pose is not known: its images are of {header.stamp.sec} s, '
                             'before the beginning of time')
        stamp = Time.from_msg(header.stamp)
        try:
            found = buffer.lookup_transform(base_frame, header.frame_id, stamp)
        except tf2_ros.TransformException:
            found = _latest(buffer, camera, header, base_frame, stamp)
        at, turn = found.transform.translation, found.transform.rotation
        return CameraPose.from_quaternion((at.x, at.y, at.z), (turn.x, turn.y, turn.z, turn.w))


def _latest(buffer: Any, camera: str, header: Header, base_frame: str, stamp: Time) -> Any:
    """Return the newest transform, which static ones are at any time."""
    try:
        found = buffer.lookup_transform(base_frame, header.frame_id, Time())
    except tf2_ros.TransformException as error:
        raise InputError(f'its pose is not known: {one_line(error)} (or set {camera}.pose)'
                         ) from None
    newest = Time.from_msg(found.header.stamp)
    late = (stamp.nanoseconds - newest.nanoseconds) / 1e9
    if newest.nanoseconds and abs(late) > _OLDEST_S:
        raise InputError(f'the newest transform from {base_frame} to {header.frame_id} is '
                         f'{abs(late):.1f} s {"older" if late > 0 else "newer"} than the image')
    return found
