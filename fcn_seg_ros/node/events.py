# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Create subscriptions with those events that the middleware supports."""

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
    Return an event callback that makes the executor run ``call`` later, outside its wait set.

    During the event's callback the executor still holds its wait set. Destroying an entity in that
    set, such as the event, would leave a dangling reference.
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
    Subscribe; ``on_lost`` is called with the number of messages that the middleware reports lost.

    ``on_change`` is called when a publisher appears, disappears or does not match; it may destroy
    the subscription. Neither is called if the middleware lacks the event (Humble's rclpy has none
    for matched publishers). With ``raw``, messages are passed on serialised.
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
