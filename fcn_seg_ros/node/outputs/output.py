# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The base class of output topics, and the data that messages are computed from."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fcn_seg_ros.ground.rays import RoadMask
from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.inference.segmentation import Segmentation
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.node.camera_info import for_image
from fcn_seg_ros.node.ground_source import GroundSource
from fcn_seg_ros.node.parameters import Row

if TYPE_CHECKING:
    from fcn_seg_ros.node.settings import Settings

T = TypeVar('T')
# Topics in the node's own namespace.
_PRIVATE = '~/'


class SegmentedFrame:
    """
    A camera image and the network's results: the data that outputs compute from.

    Arrays have the size of the image and are read-only for outputs; see ``Segmentation`` for their
    content. ``newest_info`` is the camera's newest CameraInfo, None if there is none yet.
    """

    #: The names that an output may list in ``needs``.
    PARTS = ('image', 'mask', 'probability', 'confidence', 'road', 'camera_info', 'ground')

    def __init__(self, camera: str, header: Header, image: np.ndarray, result: Segmentation,
                 newest_info: CameraInfo | None, settings: Settings,
                 ground: GroundSource | None = None) -> None:
        self.camera = camera
        self.header = header
        self.image = image
        self.result = result
        self.newest_info = newest_info
        self.settings = settings
        self._ground = ground
        self._shared: dict[Callable[[SegmentedFrame], Any], Any] = {}

    @property
    def mask(self) -> np.ndarray:
        """Return class ids, 255 where unknown."""
        return self.result.mask

    @property
    def probability(self) -> np.ndarray:
        """Return round(255 P(road))."""
        return self.result.probability

    @property
    def confidence(self) -> np.ndarray:
        """Return round(255 P(class in the mask)), 0 where unknown; computed on first use."""
        return self.result.confidence

    @property
    def road(self) -> np.ndarray:
        """Return 1 on the road, else 0."""
        return self.result.road

    @functools.cached_property
    def camera_info(self) -> CameraInfo | None:
        """Return the CameraInfo of just this image, with its header; None if unknown."""
        if self.newest_info is None:
            return None
        info = for_image(self.newest_info, *self.image.shape[:2])
        if info is not None:
            info.header = self.header
        return info

    @functools.cached_property
    def ground(self) -> GroundTables | None:
        """Return the tables of the camera over the ground, None if its pose is not known (yet)."""
        if self._ground is None or self.camera_info is None:
            return None
        return self._ground.tables(self.camera_info, self.header, self.settings)

    @functools.cached_property
    def seen(self) -> RoadMask:
        """Return the mask as the ground's tables take it."""
        return RoadMask(self.mask, self.probability, self.result.threshold,
                        self.result.label_map.road_ids)

    def once(self, compute: Callable[[SegmentedFrame], T]) -> T:
        """Return ``compute(self)``, computed once for all outputs that share it."""
        if compute not in self._shared:
            self._shared[compute] = compute(self)
        result: T = self._shared[compute]
        return result


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
    computed from; outputs that need a CameraInfo or the ground are not computed without one. With
    ``per_frame`` it is computed from every SegmentedFrame, otherwise from a NetworkInUse.
    ``parameters`` are declared on the node; their values are in ``Settings.output_parameters``.
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

    @property
    def shared(self) -> bool:
        """Return whether all cameras share the output: one topic, one object."""
        return self.name.startswith(_PRIVATE)

    def topic(self, camera: str) -> str:
        """Return the topic of the output for a camera, before remapping."""
        return self.name if self.shared else f'{camera}/road/{self.name}'

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
