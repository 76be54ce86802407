# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Publishers that report when subscribers come and go."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile
from rclpy.qos_overriding_options import InvalidQosOverridesError, QoSOverridingOptions

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.node.events import between_waits

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

# Humble's rclpy has no event for matched subscribers: there the node polls 10 times a second.
HAS_MATCHED_EVENT = 'matched' in inspect.signature(PublisherEventCallbacks.__init__).parameters
POLL_PERIOD_S = 0.1


def publish_on_demand(node: LifecycleNode, message: type, topic: str, profile: QoSProfile,
                      on_change: Callable[[], None] | None = None) -> Any:
    """
    Create a lifecycle publisher; ``on_change`` is called when a subscriber comes or goes.

    It is called in the executor, provided that rclpy has the event (see HAS_MATCHED_EVENT), and may
    destroy publishers and subscriptions. The standard ``qos_overrides`` parameters are declared and
    change ``profile``. rclpy logs subscribers whose quality of service does not match. Raises
    InputError for a wrong override.
    """
    events: dict[str, Any] = (
        {'matched': between_waits(node, on_change)} if HAS_MATCHED_EVENT and on_change else {})
    try:
        return node.create_lifecycle_publisher(
            message, topic, profile, event_callbacks=PublisherEventCallbacks(**events),
            qos_overriding_options=QoSOverridingOptions.with_default_policies())
    except (InvalidQosOverridesError, RuntimeError) as error:
        raise InputError(f'parameters qos_overrides of {node.resolve_topic_name(topic)}: '
                         'expected history, depth and reliability as ROS has them, found '
                         f'{one_line(error)}') from None
