# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the vehicle moves, from nav_msgs/Odometry."""

from __future__ import annotations

from typing import Any

from rclpy.node import Node
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.motion import MotionTrack, PlanarPose
from fcn_seg_ros.messages import stamp_ns
from fcn_seg_ros.node.message_input import MessageInput

# At 1 kHz, for a tenth of a second in which the executor is busy.
_DEPTH = 100


class Odometry:
    """
    Keeps the vehicle's latest poses.

    It subscribes to the topic while a camera wants it. ``pose`` may be called from any thread.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._wanted: set[str] = set()
        self._input: MessageInput | None = None
        self._topic: str = ''
        self._track = MotionTrack()
        # (frame_id, child_frame_id) of the newest message.
        self._frames: tuple[str, str] = ('', '')
        # Whether the newest message held no pose.
        self._broken: bool = False

    def want(self, camera: str, wanted: bool, topic: str) -> None:
        """Tell whether a camera wants the motion; for the executor's thread; ``topic`` '': none."""
        self._wanted = self._wanted | {camera} if wanted and topic else self._wanted - {camera}
        if self._wanted and self._input is None:
            from nav_msgs.msg import Odometry as Message  # may be missing, and with it all grids
            self._topic = self._node.resolve_topic_name(topic)
            self._input = MessageInput(self._node, Message, self._topic, self._on_message, _DEPTH)
            self._input.open()
        elif not self._wanted and self._input is not None:
            self._input.close()
            self._input = None
            self._track = MotionTrack()

    def pose(self, header: Header, base_frame: str) -> PlanarPose:
        """
        Return where ``base_frame`` was at an image's time.

        Raises InputError, in one line, where odometry does not tell.
        """
        track = self._track
        ends = track.ends
        if ends is None:
            raise InputError(f'the odometry on {self._topic} holds no pose (NaN, a quaternion '
                             'whose length is not 1, or a place 1e9 m away)' if self._broken else
                             f'no odometry on {self._topic}')
        child = self._frames[1]
        if child and child != base_frame:
            raise InputError(f'the odometry on {self._topic} is of {child}, expected base_frame, '
                             f'{base_frame}')
        stamp = stamp_ns(header) / 1e9
        pose = track.at(stamp)
        if pose is None:
            late, early = stamp - ends[1], ends[0] - stamp
            raise InputError(
                f'the newest odometry on {self._topic} is {late:.1f} s older than the image'
                if late > 0.0 else
                f'the first odometry on {self._topic} is {early:.1f} s newer than the image'
                if early > 0.0 else f"a gap in the odometry on {self._topic} at the image's time")
        return pose

    def _on_message(self, message: Any) -> None:
        frames = message.header.frame_id, message.child_frame_id
        if frames != self._frames:
            self._frames, self._track = frames, MotionTrack()
        at, turn = message.pose.pose.position, message.pose.pose.orientation
        pose = PlanarPose.from_quaternion(at.x, at.y, (turn.x, turn.y, turn.z, turn.w))
        self._broken = not pose.is_usable
        self._track.add(stamp_ns(message.header) / 1e9, pose)
