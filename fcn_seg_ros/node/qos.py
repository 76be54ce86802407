# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of the image subscriptions: what to request, and what does not match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo

from fcn_seg_ros.errors import InputError

RELIABILITIES = ('auto', 'reliable', 'best_effort')
# As spelt by the middleware layer.
_UNKNOWN_NODE = '_NODE_NAME_UNKNOWN_'
_POLICIES = {'history': HistoryPolicy, 'reliability': ReliabilityPolicy,
             'durability': DurabilityPolicy}
# Only the newest image matters.
_DEFAULTS: dict[str, Any] = {'history': 'keep_last', 'depth': 1, 'durability': 'volatile',
                             'reliability': ''}


def declare_overrides(node: Node, topic: str) -> dict[str, Any]:
    """
    Declare ``qos_overrides.TOPIC.subscription.POLICY`` and return the arguments of a QoSProfile.

    ``topic`` is a resolved name. The result has no ``reliability`` unless it is overridden. The
    names are those of rclpy's QoSOverridingOptions, which is not used here: it cannot express "not
    given", so a choice made at run time would look like an override; and it would notice a wrong
    value only on subscribing, that is when the first subscriber comes. Raises InputError for a
    wrong value.
    """
    values: dict[str, Any] = {}
    for policy, default in _DEFAULTS.items():
        name = f'qos_overrides.{topic}.subscription.{policy}'
        description = f'{policy} of the subscription {topic}'
        if policy == 'reliability':
            description += '; empty: the parameter reliability'
        if not node.has_parameter(name):
            try:
                node.declare_parameter(name, default, ParameterDescriptor(
                    description=description, read_only=True))
            except ParameterException as error:
                raise InputError(f'parameter {name}: expected {_expected(policy)}, found a value '
                                 f'that does not fit ({error})') from None
        value = node.get_parameter(name).value
        if policy != 'reliability' or value:
            values[policy] = _parsed(name, policy, value)
    return values


def choose_reliability(publishers: Sequence[TopicEndpointInfo]) -> ReliabilityPolicy:
    """
    Return reliable if every publisher offers it, else, or without publishers, best effort.

    A reliable subscription gets nothing from a best-effort publisher; a best-effort subscription
    loses most large images that are sent as UDP fragments (docs/how-to/deploy.md).
    """
    offered = {info.qos_profile.reliability for info in publishers}
    if offered == {ReliabilityPolicy.RELIABLE}:
        return ReliabilityPolicy.RELIABLE
    return ReliabilityPolicy.BEST_EFFORT


def choose_durability(publishers: Sequence[TopicEndpointInfo]) -> DurabilityPolicy:
    """Return transient local if every publisher offers it, else volatile."""
    offered = {info.qos_profile.durability for info in publishers}
    if offered == {DurabilityPolicy.TRANSIENT_LOCAL}:
        return DurabilityPolicy.TRANSIENT_LOCAL
    return DurabilityPolicy.VOLATILE


def name_of(reliability: ReliabilityPolicy) -> str:
    """Return a reliability as spelt in the parameters."""
    return reliability.name.lower()


def mismatch(publishers: Sequence[TopicEndpointInfo], message_type: str, profile: QoSProfile
             ) -> str:
    """
    Say which publishers this subscription cannot receive from, and why; '' if there are none.

    ``message_type`` is spelt as in the ROS graph, ``sensor_msgs/msg/Image``.
    """
    problems = []
    for info in publishers:
        who = _publisher_of(info)
        if info.topic_type != message_type:
            problems.append(f'{who} publishes {info.topic_type}, expected {message_type}')
            continue
        fit, reason = qos_check_compatible(info.qos_profile, profile)
        if fit == QoSCompatibility.ERROR:
            words = ' '.join(reason.replace('ERROR:', '').split()).rstrip('; ')
            problems.append(f'{who} and this node do not match: {words}')
    return '; '.join(problems)


def matching(publishers: Sequence[TopicEndpointInfo], profile: QoSProfile) -> str:
    """Name the publishers of the right type that this subscription receives from."""
    return ', '.join(sorted(_publisher_of(info) for info in publishers
                            if qos_check_compatible(info.qos_profile, profile)[0]
                            != QoSCompatibility.ERROR))


def _publisher_of(info: TopicEndpointInfo) -> str:
    """Return a publisher's node, which is unknown at first, and always for non-ROS programs."""
    if info.node_name == _UNKNOWN_NODE:
        return 'a publisher of an unknown node'
    return f'{info.node_namespace.rstrip("/")}/{info.node_name}'


def _parsed(name: str, policy: str, value: Any) -> Any:
    if policy == 'depth':
        if value >= 1:
            return value
    elif value.upper() in _POLICIES[policy].__members__:
        return _POLICIES[policy][value.upper()]
    raise InputError(f'parameter {name}: expected {_expected(policy)}, found {value!r}')


def _expected(policy: str) -> str:
    return {'history': 'keep_last or keep_all', 'depth': 'a whole number from 1',
            'durability': 'volatile or transient_local',
            'reliability': 'reliable or best_effort'}[policy]
