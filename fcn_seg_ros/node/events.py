# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions with the middleware's events, as far as the middleware has them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.subscription import Subscription

try:
    from rclpy.event_handler import SubscriptionEventCallbacks, UnsupportedEventTypeError
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks, UnsupportedEventTypeError


def between_waits(node: Node, call: Callable[[], None]) -> Callable[[object], None]:
    """
    Return an event's callback that has the executor do ``call`` while it waits for nothing.

    An event's own callback runs while what the executor waited on is still in its wait set. What
    is destroyed there, the event itself for one, is gone before the wait set is.
    """
    def later(info: object) -> None:
        if node.executor is None:
            call()
        else:
            node.executor.create_task(call)
    return later


def subscribe_with_events(node: Node, message: type, topic: str, on_message: Callable[..., None],
                          profile: QoSProfile, on_lost: Callable[[int], None],
                          on_change: Callable[[], None], raw: bool = False) -> Subscription:
    """
    Subscribe; call ``on_lost`` with how many messages the middleware lost, as it notices.

    ``on_change`` is called when a publisher comes, goes, or does not fit, at a moment when it may
    destroy the subscription. A middleware may lack
    any of these events (Humble's rclpy has none for comings and goings): then nothing is called.
    With ``raw``, messages come as the bytes that were on the wire.
    """
    events = {'message_lost': lambda info: on_lost(info.total_count_change),
              **dict.fromkeys(('incompatible_qos', 'incompatible_type', 'matched'),
                              between_waits(node, on_change))}
    known = inspect.signature(SubscriptionEventCallbacks.__init__).parameters
    events = {name: callback for name, callback in events.items() if name in known}

    def subscribe(events: dict[str, Any]) -> Subscription:
        callbacks = SubscriptionEventCallbacks(**events, use_default_callbacks=False)
        return node.create_subscription(message, topic, on_message, profile,
                                        event_callbacks=callbacks, raw=raw)
    try:
        return subscribe(events)
    except UnsupportedEventTypeError:
        return subscribe({'incompatible_qos': events['incompatible_qos']})
