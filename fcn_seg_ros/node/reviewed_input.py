# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A subscription on demand that is reviewed as publishers appear and disappear."""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription
from rclpy.timer import Timer

# Events report most changes at once. The review finds the rest: what an event came too early for,
# and publishers of another type, for which there is no event.
_REVIEW_PERIOD_S = 1.0


class ReviewedInput:
    """
    Subscribes while it is open, with the profile that the review of its publishers chooses.

    A subclass implements ``_review``, which sets ``_subscription`` and ``_profile``. All methods
    belong to the executor's thread.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._profile: QoSProfile | None = None
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def open(self) -> None:
        """Subscribe, unless subscribed already."""
        if self._timer is None:
            # Not the node's clock: it stands still while a bag pauses.
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
