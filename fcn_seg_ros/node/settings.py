# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The parameters' values as one object that is checked as a whole and swapped as a whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.parameter import Parameter

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends.hardware import check_device_name
from fcn_seg_ros.inference.monitor import MonitorOptions
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmenter import SegmentOptions
from fcn_seg_ros.node.parameters import (
    FIXED,
    PARAMETERS,
    Row,
    camera_rows,
    checked,
    declare,
    value_of,
)

# What rclpy's functions raise where a text is no topic.
_TOPIC_ERRORS = (InvalidTopicNameException, ValueError, RuntimeError)


@dataclass(frozen=True)
class CameraSettings:
    """What holds for one camera: its own parameters, and the node's where it has none."""

    topic: str
    transport: str
    bit_depth: int
    options: SegmentOptions


@dataclass(frozen=True)
class Settings:
    """The parameters' values at one moment; between two frames the node swaps the whole object."""

    cameras: Mapping[str, CameraSettings]
    checkpoint: str
    device: str
    backend: str
    precision: str
    network_height: int
    threads: int
    cpu_latency_us: int
    max_age_ms: float
    mask_deadline_ms: float
    expected_processing_ms: float
    overlay_colour: tuple[int, int, int]
    overlay_alpha: float
    jpeg_quality: int
    reliability: str
    autostart: bool
    monitor: MonitorOptions


def declare_all(node: Node, changes: Sequence[Parameter] = ()) -> None:
    """
    Declare every parameter on a node: the table's, and those of each of its cameras.

    ``changes`` may name other cameras than the node has. Raises InputError for a value given from
    outside that does not fit.
    """
    declare(node, PARAMETERS)
    row = PARAMETERS[0]
    given = {change.name: change.value for change in changes}
    for camera in checked(row, given.get(row.name, value_of(node, row))):
        # A name that is no topic is refused by ``read``, in better words than rclpy's for this.
        if camera and not any(part.isspace() for part in camera):
            declare(node, camera_rows(camera))


def read(node: Node, changes: Sequence[Parameter] = ()) -> Settings:
    """
    Return the settings of a node, with ``changes`` applied.

    Raises InputError, one line with the parameter's name, for a value that no node can have.
    """
    given = {change.name: change.value for change in changes}
    return settings_of(lambda row: given[row.name] if row.name in given else value_of(node, row),
                       node.resolve_topic_name)


def settings_of(value: Callable[[Row], Any], resolve: Callable[[str], str]) -> Settings:
    """
    Return the settings for the values of parameters.

    ``resolve`` returns a topic's full name, or raises. Raises InputError, one line with the
    parameter's name, for a value that no node can have.
    """
    def values(rows: Sequence[Row]) -> dict[str, Any]:
        return {row.name: checked(row, value(row)) for row in rows}
    own = values(PARAMETERS)
    check_device_name(own['device'])
    _check_cameras(resolve, own['cameras'])
    _check_threshold('threshold', own['threshold'], -1.0)
    _check_bit_depth('bit_depth', own['bit_depth'], 0)
    colour = own['overlay_colour']
    if len(colour) != 3 or any(not 0 <= part <= 255 for part in colour):
        raise InputError('parameter overlay_colour: expected three numbers from 0 to 255, '
                         f'found {list(colour)}')
    own['region_of_interest'] = _region('region_of_interest', own['region_of_interest'])
    cameras = {name: _camera(name, values(camera_rows(name)), own) for name in own['cameras']}
    for name, camera in cameras.items():
        _check_topic(resolve, f'{name}.topic', camera.topic)
    for name in ('transport', 'bit_depth', 'threshold', 'unknown_below', 'region_of_interest'):
        del own[name]
    monitor = MonitorOptions(**{field.name: own.pop(field.name)
                                for field in fields(MonitorOptions)})
    return Settings(**own | {'cameras': cameras, 'monitor': monitor})


def change(node: Node, changes: Sequence[Parameter], configured: bool
           ) -> tuple[SetParametersResult, Settings | None]:
    """
    Return the answer to a change of parameters, and the settings after it where it is taken.

    ``configured`` says whether the node is, so that only run-time parameters may change. The
    parameters of cameras that become known by the change are declared.
    """
    try:
        if configured:
            _refuse_fixed(node, changes)
        read(node, changes)  # names are right before anything is declared by them
        declare_all(node, changes)
        settings = read(node, changes)
    except InputError as error:
        return SetParametersResult(successful=False, reason=str(error)), None
    return SetParametersResult(successful=True), settings


def _camera(name: str, values: dict[str, Any], node: dict[str, Any]) -> CameraSettings:
    """Return one camera's settings from its own parameters and the node's."""
    own = {key.removeprefix(f'{name}.'): value for key, value in values.items()}
    _check_threshold(f'{name}.threshold', own['threshold'], -2.0, -1.0)
    _check_bit_depth(f'{name}.bit_depth', own['bit_depth'], -1, 0)
    region = _region(f'{name}.region_of_interest', own['region_of_interest'])
    return CameraSettings(
        own['topic'] or f'{name}/image_raw', own['transport'] or node['transport'],
        node['bit_depth'] if own['bit_depth'] == -1 else own['bit_depth'],
        SegmentOptions(node['threshold'] if own['threshold'] == -2.0 else own['threshold'],
                       node['unknown_below'],
                       node['region_of_interest'] if region is None else region))


def _check_cameras(resolve: Callable[[str], str], cameras: tuple[str, ...]) -> None:
    if not cameras:
        raise InputError('parameter cameras: expected at least one camera name, found none')
    topics = set()
    for camera in cameras:
        try:
            # Without a name it would be a topic as well: /road/mask.
            topics.add(resolve(f'{camera or " "}/road/mask'))
        except _TOPIC_ERRORS:
            raise InputError('parameter cameras: expected names that can begin a topic (letters, '
                             f'digits, _ and / between them), found {camera!r}') from None
    if len(topics) < len(cameras):
        raise InputError(f'parameter cameras: expected different names, found {list(cameras)}')


def _check_topic(resolve: Callable[[str], str], name: str, topic: str) -> None:
    try:
        resolve(topic)
    except _TOPIC_ERRORS:
        raise InputError(f'parameter {name}: expected a topic name, found {topic!r}') from None


def _check_threshold(name: str, value: float, *special: float) -> None:
    if value not in special and not 0.0 <= value <= 1.0:
        words = ' or '.join(f'{number:g}' for number in special)
        raise InputError(f'parameter {name}: expected 0 to 1, or {words} (see its description), '
                         f'found {value:g}')


def _check_bit_depth(name: str, value: int, *special: int) -> None:
    if value not in special and not 8 <= value <= 16:
        raise InputError(f'parameter {name}: expected 8 to 16 bits, or '
                         f'{" or ".join(map(str, special))} (see its description), found {value}')


def _region(name: str, values: tuple[int, ...]) -> Region | None:
    if not any(values):
        return None
    try:
        x, y, width, height = values
        return Region(x, y, width, height)
    except ValueError:  # InputError too: it does not know the parameter's name
        raise InputError(f'parameter {name}: expected x, y, width and height in pixels, or zeros '
                         f'for the whole image, found {list(values)}') from None


def _refuse_fixed(node: Node, changes: Sequence[Parameter]) -> None:
    """Raise InputError where a fixed parameter of a configured node is to get another value."""
    cameras = checked(PARAMETERS[0], value_of(node, PARAMETERS[0]))
    rows = [*PARAMETERS, *(row for camera in cameras for row in camera_rows(camera))]
    fixed = {row.name: row for row in rows if not row.run_time}
    for item in changes:
        row = fixed.get(item.name)
        # Declaring a parameter comes by here as well.
        if (row is not None and node.has_parameter(item.name)
                and checked(row, item.value) != checked(row, value_of(node, row))):
            raise InputError(f'parameter {item.name}: found a new value while the node is '
                             f'configured. {FIXED}')
