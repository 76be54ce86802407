# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Watch whether anybody publishes an input topic."""

from __future__ import annotations

import time

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer

_PERIOD_S = 1.0
# Discovery takes a moment, and drivers restart.
ABSENT_S = 5.0
_MOST_NAMED = 3


class PublisherWatch:
    """
    Checks every second whether a topic has a publisher.

    ``hint`` says for how long it has had none and which topics of its type have one, or is ''; any
    thread may read it. Call methods on the executor's thread.
    """

    def __init__(self, node: Node, topic: str, type_name: str) -> None:
        self.hint: str = ''
        self._node = node
        self._topic = topic
        self._type_name = type_name
        self._seen_at: float = 0.0
        self._timer: Timer | None = None

    def start(self) -> None:
        """Start checking."""
        if self._timer is None:
            self._seen_at = time.monotonic()
            # Not by the node's clock, which stands still while a bag is paused.
            self._timer = self._node.create_timer(_PERIOD_S, self._look,
                                                  clock=Clock(clock_type=ClockType.STEADY_TIME))

    def stop(self) -> None:
        """Stop checking."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self.hint = ''

    def _look(self) -> None:
        now = time.monotonic()
        if self._node.count_publishers(self._topic):
            self._seen_at, self.hint = now, ''
        elif now - self._seen_at >= ABSENT_S:
            self.hint = f'{self._topic} has no publisher' + self._others()

    def _others(self) -> str:
        """Name topics of the same type that another node publishes."""
        own = {publisher.topic_name for publisher in self._node.publishers}
        others = [name for name, types in self._node.get_topic_names_and_types()
                  if self._type_name in types and name not in own
                  and self._node.count_publishers(name)]
        return '; images are published on ' + ', '.join(others[:_MOST_NAMED]) if others else ''
