# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The values of all parameters as one object, which is checked and replaced as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.parameter import Parameter

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.horizon_watch import HorizonOptions
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.tables import GroundSpec
from fcn_seg_ros.ground.temporal import memory_bits
from fcn_seg_ros.inference.backends.hardware import check_device_name
from fcn_seg_ros.inference.monitor import MonitorOptions
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmentation import SegmentOptions, optional_threshold
from fcn_seg_ros.node.outputs.registry import node_parameters
from fcn_seg_ros.node.parameters import (
    CAMERA_PARAMETERS,
    FIXED,
    PARAMETERS,
    Row,
    camera_rows,
    checked,
    declare,
    value_of,
)

# What rclpy raises for an invalid topic name.
_TOPIC_ERRORS = (InvalidTopicNameException, ValueError, RuntimeError)
_MOST_CELLS = 4_000_000
# The memory of a grid then takes 400 MB.
_MOST_MEMORY_BITS = 13


@dataclass(frozen=True)
class CameraSettings:
    """The settings of one camera: its parameters, or else the node's."""

    topic: str
    transport: str
    bit_depth: int
    options: SegmentOptions
    # None: from TF.
    pose: CameraPose | None = None
    rectified: bool = False


@dataclass(frozen=True)
class Settings:
    """
    A snapshot of all parameters; the node replaces the whole object between two frames.

    ``output_parameters`` are those declared by the rows of the outputs, by name.
    """

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
    overlay_rings: float
    jpeg_quality: int
    reliability: str
    autostart: bool
    monitor: MonitorOptions
    base_frame: str
    ground: GroundSpec
    horizon: HorizonOptions
    grid_ego_connected: bool
    grid_max_age_ms: float
    odometry_topic: str
    grid_hold_frames: int
    grid_hold_s: float
    output_parameters: Mapping[str, Any] = field(default_factory=dict)


def declare_all(node: Node, changes: Sequence[Parameter] = ()) -> None:
    """
    Declare every parameter on a node: those of the node, the outputs and each of its cameras.

    ``changes`` may name new cameras. Raises InputError if a given value does not fit.
    """
    declare(node, node_parameters())
    row = PARAMETERS[0]
    given = {change.name: change.value for change in changes}
    for camera in checked(row, given.get(row.name, value_of(node, row))):
        # ``read`` refuses an invalid topic name, with a clearer message than rclpy's here.
        if camera and not any(part.isspace() for part in camera):
            declare(node, camera_rows(camera))


def read(node: Node, changes: Sequence[Parameter] = ()) -> Settings:
    """
    Return the settings of a node, with ``changes`` applied.

    Raises InputError, one line with the parameter's name, for an invalid value.
    """
    given = {change.name: change.value for change in changes}
    return settings_of(lambda row: given[row.name] if row.name in given else value_of(node, row),
                       node.resolve_topic_name)


def settings_of(value: Callable[[Row], Any], resolve: Callable[[str], str]) -> Settings:
    """
    Return the settings for the values of parameters.

    ``resolve`` returns a topic's full name, or raises. Raises InputError, one line with the
    parameter's name, for an invalid value.
    """
    values = {row.name: checked(row, value(row)) for row in node_parameters()}
    check_device_name(values['device'])
    _check_cameras(resolve, values['cameras'])
    colour = values['overlay_colour']
    if len(colour) != 3 or any(not 0 <= part <= 255 for part in colour):
        raise InputError('parameter overlay_colour: expected three numbers from 0 to 255, '
                         f'found {list(colour)}')
    _region('region_of_interest', values['region_of_interest'])
    cameras = {name: _camera(name, value, values) for name in values['cameras']}
    for name, camera in cameras.items():
        _check_topic(resolve, f'{name}.topic', camera.topic)
    if values['odometry_topic']:
        _check_topic(resolve, 'odometry_topic', values['odometry_topic'])
    typed = {each.name: values[each.name] for each in fields(Settings)
             if each.name in values and each.name != 'cameras'}
    monitor = {each.name: values[each.name] for each in fields(MonitorOptions)}
    horizon = {each.name: values[each.name] for each in fields(HorizonOptions)}
    known = {row.name for row in PARAMETERS}
    return Settings(
        cameras=cameras, monitor=MonitorOptions(**monitor), ground=_ground(values),
        horizon=HorizonOptions(**horizon), **typed,
        output_parameters={name: each for name, each in values.items() if name not in known})


def change(node: Node, changes: Sequence[Parameter], configured: bool
           ) -> tuple[SetParametersResult, Settings | None]:
    """
    Return the answer to a change of parameters, and the new settings if it is accepted.

    While the node is ``configured``, only run-time parameters may change. If the change adds
    cameras, their parameters are declared.
    """
    try:
        if configured:
            _refuse_fixed(node, changes)
        read(node, changes)  # checks the names before anything is declared under them
        declare_all(node, changes)
        settings = read(node, changes)
    except InputError as error:
        return SetParametersResult(successful=False, reason=str(error)), None
    return SetParametersResult(successful=True), settings


def _camera(name: str, value: Callable[[Row], Any], node: Mapping[str, Any]) -> CameraSettings:
    """Return one camera's settings: its parameters, or the node's for those at their default."""
    values = {}
    for row, named in zip(CAMERA_PARAMETERS, camera_rows(name), strict=True):
        given = checked(named, value(named))
        inherits = given == checked(named, row.default) and row.name in node
        values[row.name] = node[row.name] if inherits else given
    return CameraSettings(
        values['topic'] or f'{name}/image_raw', values['transport'], values['bit_depth'],
        SegmentOptions(optional_threshold(values['threshold']), node['unknown_below'],
                       _region(f'{name}.region_of_interest', values['region_of_interest'])),
        _pose(f'{name}.pose', values['pose']), values['rectified'])


def _check_cameras(resolve: Callable[[str], str], cameras: tuple[str, ...]) -> None:
    if not cameras:
        raise InputError('parameter cameras: expected at least one camera name, found none')
    topics = set()
    for camera in cameras:
        try:
            # An empty name would also give a valid topic: /road/mask.
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


def _region(name: str, values: tuple[int, ...]) -> Region | None:
    if not any(values):
        return None
    try:
        x, y, width, height = values
        return Region(x, y, width, height)
    except ValueError:  # InputError included, since it lacks the parameter's name
        raise InputError(f'parameter {name}: expected x, y, width and height in pixels, or zeros '
                         f'for the whole image, found {list(values)}') from None


def _pose(name: str, values: tuple[float, ...]) -> CameraPose | None:
    if not any(values):
        return None
    try:
        return CameraPose.from_angles(*values)
    except (TypeError, InputError):
        raise InputError(f'parameter {name}: expected x, y, z, roll, pitch and yaw in metres and '
                         f'rad with z above 0, or zeros, found {list(values)}') from None


def _ground(values: Mapping[str, Any]) -> GroundSpec:
    grid = GridSpec(values['grid_length'], values['grid_width'], values['grid_resolution'],
                    values['grid_x_min'])
    rows, columns = grid.shape
    if rows * columns > _MOST_CELLS:
        raise InputError(f'parameter grid_resolution: expected at most {_MOST_CELLS} cells in '
                         f'grid_length x grid_width, found {rows * columns}')
    if values['odometry_topic'] and memory_bits(grid) > _MOST_MEMORY_BITS:
        raise InputError('parameter grid_resolution: expected, with odometry_topic, a grid whose '
                         f'furthest cell is at most {2 ** (_MOST_MEMORY_BITS - 1) - 2} cells from '
                         f'base_frame, found one that needs a memory of {2 ** memory_bits(grid)} x '
                         f'{2 ** memory_bits(grid)} cells')
    if not values['base_frame']:
        raise InputError("parameter base_frame: expected the name of a frame, found ''")
    return GroundSpec(grid, values['ground_range'],
                      math.radians(values['freespace_increment']), values['points_stride'])


def _refuse_fixed(node: Node, changes: Sequence[Parameter]) -> None:
    """Raise InputError if a parameter that is fixed while configured would change."""
    cameras = checked(PARAMETERS[0], value_of(node, PARAMETERS[0]))
    rows = [*node_parameters(), *(row for camera in cameras for row in camera_rows(camera))]
    fixed = {row.name: row for row in rows if not row.run_time}
    for item in changes:
        row = fixed.get(item.name)
        # Declaring a parameter also calls this.
        if (row is not None and node.has_parameter(item.name)
                and checked(row, item.value) != checked(row, value_of(node, row))):
            raise InputError(f'parameter {item.name}: {FIXED}')
