# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base class of output topics, and the rows of their table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.node.parameters import Row
from fcn_seg_ros.outputs.frame import SegmentedFrame
from fcn_seg_ros.outputs.table import road_topic

__all__ = ['NetworkInUse', 'Output', 'OutputRow', 'Qos', 'SegmentedFrame', 'check_row']

# Topics in the node's own namespace.
_PRIVATE = '~/'


@dataclass(frozen=True)
class NetworkInUse:
    """The data for outputs that describe the network, at activation and whenever it changes."""

    info: CheckpointInfo
    threshold: float
    stamp: Time


class Output:
    """
    Computes the messages for one topic of one camera, or of all (``camera`` is '' then).

    It is created at configure and closed at cleanup.

    A message carries the stamp of its frame, and the frame's ``frame_id`` unless the output is in
    another coordinate frame. ``compute`` is called on the worker's thread, and only while somebody
    subscribes and the frame has what the row needs; it returns None to publish nothing.
    """

    def __init__(self, node: LifecycleNode, camera: str) -> None:
        self.node = node
        self.camera = camera

    def compute(self, source: Any) -> Any:
        """Return the message for a SegmentedFrame, or for a NetworkInUse (see OutputRow)."""
        raise NotImplementedError

    @property
    def facts(self) -> dict[str, str]:
        """Return what an output that all cameras share adds to the node's diagnostics."""
        return {}

    def close(self) -> None:
        """Free the output's resources."""


@dataclass(frozen=True)
class Qos:
    """An output's quality of service; with ``deadline`` it offers that of ``mask_deadline_ms``."""

    depth: int = 5
    # Reliable, so that RViz's default subscription is served.
    reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE
    deadline: bool = False

    def profile(self, mask_deadline_ms: float) -> QoSProfile:
        """Return a new profile, which ``qos_overrides`` may change."""
        profile = QoSProfile(depth=self.depth, reliability=self.reliability,
                             durability=self.durability)
        if self.deadline and mask_deadline_ms:
            profile.deadline = Duration(nanoseconds=round(1e6 * mask_deadline_ms))
        return profile

    def __str__(self) -> str:
        """Return it as text for the documentation."""
        words = [self.reliability.name, self.durability.name, f'depth {self.depth}']
        return ', '.join(word.lower().replace('_', ' ') for word in words)


@dataclass(frozen=True)
class OutputRow:
    """
    One output topic, ``CAMERA/road/NAME``, or ``~/NAME`` for one that all cameras share.

    ``type_name`` is as ``ros2 topic type`` prints it; if its package is not installed, the topic is
    left out. ``needs`` are the parts of a SegmentedFrame (``SegmentedFrame.PARTS``) that it is
    computed from; outputs that need a CameraInfo or the ground are not computed without one.
    ``wants`` are (parameter, part): parts that it shows, where the frame has them, unless the
    parameter is 0. With ``per_frame`` it is computed from every SegmentedFrame, otherwise from a
    NetworkInUse. ``parameters`` are declared on the node; their values are in
    ``Settings.output_parameters``.
    """

    name: str
    type_name: str
    output: Callable[[LifecycleNode, str], Output]
    description: str
    needs: tuple[str, ...] = ()
    format: str = ''
    qos: Qos = Qos()
    per_frame: bool = True
    parameters: tuple[Row, ...] = ()
    wants: tuple[tuple[str, str], ...] = ()

    def wanted(self, settings: Any) -> list[str]:
        """Return the parameters that ask for parts beyond ``needs``."""
        return [name for name, _ in self.wants if getattr(settings, name)]

    def uses(self, part: str, settings: Any) -> bool:
        """Return whether the output is computed from a part of the frame."""
        return part in self.needs or any(part == wanted and getattr(settings, name)
                                         for name, wanted in self.wants)

    @property
    def shared(self) -> bool:
        """Return whether all cameras share the output: one topic, one object."""
        return self.name.startswith(_PRIVATE)

    def topic(self, camera: str) -> str:
        """Return the topic of the output for a camera, before remapping."""
        return self.name if self.shared else road_topic(camera, self.name)

    @property
    def message(self) -> type[Any] | None:
        """Return the message class, None if its package is not installed."""
        package, _, name = self.type_name.split('/')
        try:
            found: type[Any] = getattr(importlib.import_module(f'{package}.msg'), name)
        except ImportError:
            return None
        return found


def check_row(row: OutputRow, known: Mapping[str, OutputRow]) -> None:
    """Raise ValueError if a row cannot be added to the known ones."""
    if row.name in known:
        raise ValueError(f'output {row.name}: the name is taken')
    unknown = set(row.needs) - set(SegmentedFrame.PARTS)
    if unknown:
        raise ValueError(f'output {row.name}: needs {", ".join(sorted(unknown))}, which is none of '
                         f'{", ".join(SegmentedFrame.PARTS)}')
