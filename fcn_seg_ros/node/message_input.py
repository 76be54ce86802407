# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A subscription on demand with the quality of service that all publishers offer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile

from fcn_seg_ros.node.events import subscribe_with_events
from fcn_seg_ros.node.qos import choose_durability, choose_reliability
from fcn_seg_ros.node.reviewed_input import ReviewedInput


class MessageInput(ReviewedInput):
    """
    Passes the messages of a topic on while it is open, in the executor.

    It requests the quality of service that all publishers offer, and decides again when publishers
    appear or disappear.
    """

    def __init__(self, node: Node, message: type[Any], topic: str,
                 on_message: Callable[[Any], None], depth: int) -> None:
        super().__init__(node)
        self._message = message
        package, _, _ = message.__module__.partition('.')
        self._type_name = f'{package}/msg/{message.__name__}'
        self._topic = topic
        self._on_message = on_message
        self._depth = depth

    def _review(self) -> None:
        """Subscribe as the current publishers require."""
        if self._timer is None:
            return  # a late event: the input is closed
        publishers = [info for info in self._node.get_publishers_info_by_topic(self._topic)
                      if info.topic_type == self._type_name]
        if self._profile is not None and not publishers:
            return  # probably the same publisher will be back
        profile = QoSProfile(depth=self._depth, reliability=choose_reliability(publishers),
                             durability=choose_durability(publishers))
        if profile != self._profile:
            self._unsubscribe()
            self._profile = profile
            self._subscription = subscribe_with_events(
                self._node, self._message, self._topic, self._on_message, profile,
                on_lost=lambda count: None, on_change=self._review)
