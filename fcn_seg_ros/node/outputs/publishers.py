# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The publishers of the outputs; messages are computed only while somebody subscribes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fcn_seg_ros.ground.tables import GroundTables
from fcn_seg_ros.inference.segmenter import Segmentation
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.node.grid_memory import GridMemory
from fcn_seg_ros.node.ground_source import GroundSource
from fcn_seg_ros.node.outputs.output import NetworkInUse, Output, OutputRow, SegmentedFrame
from fcn_seg_ros.node.outputs.registry import OUTPUTS
from fcn_seg_ros.node.publish import publish_on_demand
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.outputs.camera_info import described, problem
from fcn_seg_ros.outputs.table import COMPRESSED

_WARN_EVERY_S = 60.0
# A CameraInfo may arrive a little later than the first images.
_INFO_GRACE_S = 3.0


@dataclass(frozen=True)
class Published:
    """An output and its publisher."""

    row: OutputRow
    output: Output
    publisher: Any

    def is_watched(self) -> bool:
        """Return whether it has a subscriber."""
        return bool(self.publisher.get_subscription_count() > 0)


class Outputs:
    """
    The publishers of some rows of OUTPUTS, with the topics that they have for ``camera``.

    ``on_change`` is called in the executor when a subscriber of a per-frame output comes or goes.
    """

    def __init__(self, node: LifecycleNode, rows: Iterable[OutputRow], camera: str,
                 settings: Settings, on_change: Callable[[], None]) -> None:
        """Create the publishers; raises InputError if a ``qos_overrides`` parameter is wrong."""
        self._node = node
        self.published: dict[str, Published] = {}
        try:
            for row in rows:
                if row.message is not None:
                    output = row.output(node, camera)
                    publisher = publish_on_demand(
                        node, row.message, _topic(node, row.topic(camera)),
                        row.qos.profile(settings.mask_deadline_ms),
                        on_change if row.per_frame else None)
                    self.published[row.name] = Published(row, output, publisher)
        except BaseException:
            self.destroy()
            raise

    @property
    def topics(self) -> dict[str, str]:
        """Return the full name of each output's topic."""
        return {name: each.publisher.topic_name for name, each in self.published.items()}

    @property
    def facts(self) -> dict[str, str]:
        """Return what the outputs add to the diagnostics."""
        facts: dict[str, str] = {}
        for each in self.published.values():
            facts |= each.output.facts
        return facts

    def destroy(self) -> None:
        """Remove the publishers from the graph."""
        for each in self.published.values():
            each.output.close()
            self._node.destroy_lifecycle_publisher(each.publisher)
        self.published.clear()


def shared_outputs(node: LifecycleNode, settings: Settings, on_change: Callable[[], None]
                   ) -> Outputs:
    """Return the outputs that all cameras of the node share."""
    return Outputs(node, [row for row in OUTPUTS.values() if row.shared], '', settings, on_change)


class CameraOutputs:
    """
    The publishers ``CAMERA/road/OUTPUT``; ``on_change`` as in Outputs.

    ``shared`` are outputs that this camera's frames serve as well; ``ground`` gives the tables of
    those in metres, ``memory`` what grids remember. ``silent`` says which outputs the last frame
    did not have, and why; ``tables`` are those that its outputs in metres used, None without.
    Publish from one thread only.
    """

    def __init__(self, node: LifecycleNode, camera: str, settings: Settings,
                 on_change: Callable[[], None], shared: Mapping[str, Published] | None = None,
                 ground: GroundSource | None = None, memory: GridMemory | None = None) -> None:
        """Create the publishers; raises InputError if a ``qos_overrides`` parameter is wrong."""
        self.silent: str = ''
        self.tables: GroundTables | None = None
        self._node = node
        self._camera = camera
        self._ground = ground
        self._memory = memory
        self._own = Outputs(node, [row for row in OUTPUTS.values() if not row.shared], camera,
                            settings, on_change)
        self._published = self._own.published | dict(shared or {})
        self._without_info_since: float | None = None

    @property
    def topics(self) -> dict[str, str]:
        """Return the full name of each of the camera's own topics."""
        return self._own.topics

    def watched(self, *names: str) -> bool:
        """Return whether these outputs, by default all per-frame ones, have any subscriber."""
        chosen = map(self._published.__getitem__, names) if names else (
            each for each in self._published.values() if each.row.per_frame)
        return any(each.is_watched() for each in chosen)

    def uses(self, part: str, settings: Settings) -> bool:
        """Return whether an output that somebody subscribes to uses a part of the frame."""
        return any(each.row.uses(part, settings) and each.is_watched()
                   for each in self._published.values())

    def publish(self, header: Header, image: np.ndarray, result: Segmentation,
                camera_info: CameraInfo | None, settings: Settings) -> None:
        """
        Publish the outputs that have subscribers; ``header`` is the camera image's, unchanged.

        ``camera_info`` is the camera's newest, for outputs that need this image's.
        """
        frame = SegmentedFrame(self._camera, header, image, result, camera_info, settings,
                               self._ground, self._memory)
        without: dict[str, list[str]] = {'camera_info': [], 'ground': []}
        self.tables = None
        for name, each in self._published.items():
            if not each.row.per_frame or not each.is_watched():
                continue
            if lacking := frame.lacks(each.row.needs):
                without[lacking].append(name)
                continue
            for wanted in each.row.wanted(settings):
                if lacking := frame.lacks(('camera_info', 'ground')):
                    without[lacking].append(wanted)
            if each.row.uses('ground', settings):
                self.tables = frame.ground
            message = each.output.compute(frame)
            if message is not None:
                each.publisher.publish(message)
        self._report({_listed(without['camera_info']): self._info_reason(without['camera_info'],
                                                                         frame),
                      _listed(without['ground']): self._ground.reason if self._ground else ''})

    def publish_network(self, info: CheckpointInfo, threshold: float) -> None:
        """Publish the outputs that describe the network, for present and later subscribers."""
        source = NetworkInUse(info, threshold, self._node.get_clock().now().to_msg())
        for each in self._own.published.values():
            if not each.row.per_frame:
                each.publisher.publish(each.output.compute(source))

    def destroy(self) -> None:
        """Remove the publishers from the graph."""
        self._own.destroy()
        self._published.clear()

    def _report(self, reasons: Mapping[str, str]) -> None:
        """Keep and log why outputs (the keys, in words) are not published; '' for not worth it."""
        words = [f'no {names}: {reason}' for names, reason in reasons.items() if names and reason]
        self.silent = '; '.join(words)
        if words:
            self._node.get_logger().warning(f'{self._camera}: {self.silent}',
                                            throttle_duration_sec=_WARN_EVERY_S)

    def _info_reason(self, names: list[str], frame: SegmentedFrame) -> str:
        """Say why outputs have no CameraInfo that describes the images; '' if it may yet come."""
        now = time.monotonic()
        if not names:
            self._without_info_since = None
            return ''
        if self._without_info_since is None:
            self._without_info_since = now
        if frame.newest_info is not None:
            height, width = frame.image.shape[:2]
            wrong = problem(frame.newest_info)
            return (f'the CameraInfo cannot be used: {wrong}' if wrong else
                    f'the CameraInfo is for {described(frame.newest_info)}, the images have '
                    f'{width}x{height} pixels')
        late = now - self._without_info_since >= _INFO_GRACE_S
        return 'the camera has published no CameraInfo' if late else ''


def _listed(names: Iterable[str]) -> str:
    """Return names as text, each once."""
    return ', '.join(dict.fromkeys(names))


def _topic(node: LifecycleNode, name: str) -> str:
    """
    Return an output's topic; a compressed one follows its image's topic, even if remapped.

    This follows image_transport. Only remapping the compressed topic too moves it elsewhere.
    """
    image = name.removesuffix(COMPRESSED)
    remapped = node.resolve_topic_name(name) != node.resolve_topic_name(name, only_expand=True)
    return name if remapped or image == name else node.resolve_topic_name(image) + COMPRESSED
