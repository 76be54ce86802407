# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""An on-demand subscription that is reviewed as publishers appear and disappear."""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer

# Events report most changes immediately. Regular reviews find the rest: details not yet known when
# the event came, and publishers of another type, which cause no event.
_REVIEW_PERIOD_S = 1.0


class ReviewedInput:
    """
    Subscribes while open, with the profile that the review of the publishers chooses.

    A subclass implements ``_review``, which sets ``_subscription`` and ``_profile``. Call all
    methods on the executor's thread.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._profile: QoSProfile | None = None
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def open(self) -> None:
        """Subscribe, unless subscribed already."""
        if self._timer is None:
            # Not by the node's clock, which stands still while a bag is paused.
            self._timer = self._node.create_timer(_REVIEW_PERIOD_S, self._review,
                                                  clock=Clock(clock_type=ClockType.STEADY_TIME))
            self._review()

    def close(self) -> None:
        """Unsubscribe."""
        if self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None
        self._unsubscribe()

    def _review(self) -> None:
        """Subscribe as the current publishers require."""
        raise NotImplementedError

    def _unsubscribe(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
        self._subscription = self._profile = None
