# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of the node's parameters, from which everything else about them is derived."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.exceptions import ParameterUninitializedException
from rclpy.node import Node
from rclpy.parameter import Parameter

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.ground.horizon_watch import HorizonOptions
from fcn_seg_ros.ground.tables import GroundSpec
from fcn_seg_ros.ground.temporal import TemporalOptions
from fcn_seg_ros.inference.backends import PRECISIONS, backend_names
from fcn_seg_ros.inference.monitor import MonitorOptions
from fcn_seg_ros.inference.segmentation import FROM_CHECKPOINT
from fcn_seg_ros.node.image_input import TRANSPORTS
from fcn_seg_ros.node.qos import RELIABILITIES
from fcn_seg_ros.outputs.frame import OutputOptions
from fcn_seg_ros.resources import CHECKPOINTS, DEFAULT_CHECKPOINT

FIXED = 'Cannot change while the node is configured; set it while it is unconfigured.'


@dataclass(frozen=True)
class Row:
    """
    One parameter.

    ``range`` is (lowest, highest) of a number and ``special`` the values allowed outside it;
    ``choices`` are the allowed strings; ``run_time`` means settable while the node is configured.
    """

    name: str
    default: Any
    description: str
    range: tuple[float, float] | None = None
    special: tuple[float, ...] = ()
    choices: tuple[str, ...] = ()
    run_time: bool = False


PARAMETERS = (
    Row('cameras', ['camera'], 'Names of the cameras. Each reads CAMERA/image_raw and publishes '
        'its outputs under CAMERA/road/.'),
    Row('checkpoint', '', 'Checkpoint file (.safetensors) or the name of a packaged checkpoint '
        f'({", ".join(CHECKPOINTS)}); empty: {DEFAULT_CHECKPOINT}. On a configured node a new '
        'value takes effect when ~/load_checkpoint is called or the node is configured again.',
        run_time=True),
    Row('device', 'auto', 'Where the network runs: auto (a GPU if there is one), cpu, cuda '
        'or cuda:N.'),
    Row('backend', 'auto', 'Library that runs the network: auto (the fastest one installed for '
        'the device) or its name.', choices=('auto', *backend_names())),
    Row('precision', 'auto', 'Arithmetic of the network: fp32, bf16, fp16, int8 or auto (fp16 on a '
        'GPU; on a CPU bf16 if it is native, else int8 if CPU and checkpoint support it, else '
        'fp32).', choices=PRECISIONS),
    Row('network_height', 0, "Height of the network's input in pixels; the width follows the "
        'aspect ratio of the image. 0: from the checkpoint.', (0, 4096)),
    Row('threads', 0, 'Number of threads of a CPU backend; 0: the backend decides.', (0, 256)),
    Row('cpu_latency_us', -1, 'Maximum CPU wake-up latency in microseconds while somebody '
        'subscribes to an output; 0: CPUs stay awake, -1: no limit. Evens out the processing time '
        'at the cost of power. Needs write access to /dev/cpu_dma_latency.', (-1, 1_000_000)),
    Row('threshold', FROM_CHECKPOINT, 'Smallest P(road) of a road pixel; -1: from the checkpoint.',
        (0.0, 1.0), (FROM_CHECKPOINT,), run_time=True),
    Row('unknown_below', 0.0, 'Pixels whose most likely class is less probable than this are 255 '
        '(unknown) in the mask; 0: off.', (0.0, 1.0), run_time=True),
    Row('region_of_interest', [0, 0, 0, 0], 'Part of the image to segment: x, y, width, height in '
        'pixels. The mask is 255 (unknown) outside. All zeros: the whole image.',
        run_time=True),
    Row('max_age_ms', 0.0, "Drop frames older than this (node's clock minus stamp); 0: off.",
        (0.0, 1e9), run_time=True),
    Row('mask_deadline_ms', 0.0, 'DDS deadline offered with the masks; 0: none. A subscriber that '
        'requests a shorter deadline receives no masks.', (0.0, 1e9)),
    Row('expected_processing_ms', 100.0, 'Processing time above which the diagnostics warn.',
        (0.0, 1e9), run_time=True),
    Row('fault_after_s', MonitorOptions.fault_after_s, 'Report a fault of the picture once it '
        'has lasted for most of this time; 0: do not check pictures.', (0.0, 60.0), run_time=True),
    Row('frozen_after_s', MonitorOptions.frozen_after_s, 'Report a frozen picture once images with '
        'new stamps have repeated old pixels for this long; 0: off.', (0.0, 3600.0),
        run_time=True),
    Row('black_below', MonitorOptions.black_below, 'Report a black picture if 99 % of it is below '
        'this grey level; 0: off.', (0.0, 255.0), run_time=True),
    Row('overexposed_above', MonitorOptions.overexposed_above, 'Report an overexposed picture if '
        'more than this share of it is saturated; 1: off.', (0.0, 1.0), run_time=True),
    Row('sharpness_below', MonitorOptions.sharpness_below, 'Report a blurred picture if its '
        'sharpest edges are below this: 1 is a step, 0.125 a ramp 8 columns wide in an image of '
        '640; 0: off.', (0.0, 1.0), run_time=True),
    Row('covered_above', MonitorOptions.covered_above, 'Report a covered lens if more than this '
        'share of the detail usually seen is missing; 1: off.', (0.0, 1.0), run_time=True),
    Row('no_road_after_s', MonitorOptions.no_road_after_s, 'Report missing road once no road has '
        'been found for this long; 0: off.', (0.0, 3600.0), run_time=True),
    Row('unfamiliar_above', MonitorOptions.unfamiliar_above, 'Report a picture unlike the training '
        'data if one of its statistics is more than this many times as far from their middle as '
        'the end of their range; 0: off. Needs a checkpoint with statistics.', (0.0, 1e6),
        run_time=True),
    Row('horizon_off_above', HorizonOptions.horizon_off_above, 'Warn of a wrong camera pose if the '
        'horizon by the edges of straight road is off by more than this many degrees; 0: off.',
        (0.0, 90.0), run_time=True),
    Row('horizon_window_s', HorizonOptions.horizon_window_s, 'Judge the pose of a camera by the '
        'frames of so many seconds.', (1.0, 3600.0), run_time=True),
    Row('overlay_colour', list(OutputOptions.overlay_colour), 'Colour of the road in the overlay: '
        'red, green, blue, 0 to 255.', run_time=True),
    Row('overlay_alpha', OutputOptions.overlay_alpha, 'Opacity of that colour, 0 (invisible) to 1 '
        '(opaque).', (0.0, 1.0), run_time=True),
    Row('overlay_rings', OutputOptions.overlay_rings, 'Metres between the rings around base_frame '
        'that the overlay shows on the ground, with the end of the road in red; 0: neither. Needs '
        'what freespace needs.', (1.0, 1000.0), (0.0,), run_time=True),
    Row('jpeg_quality', OutputOptions.jpeg_quality, 'JPEG quality of overlay/compressed and '
        'mask_colour/compressed, 1 to 100.', (1, 100), run_time=True),
    Row('base_frame', OutputOptions.base_frame, 'Frame of grid, freespace and points: x forward, y '
        'left, z up, with the ground at z = 0.'),
    Row('ground_range', GroundSpec.reach, 'Range limit of freespace and points in metres.',
        (1.0, 1000.0)),
    Row('grid_length', GridSpec.length, 'Length of the grid along x in metres.', (0.1, 1000.0)),
    Row('grid_width', GridSpec.width, 'Width of the grid along y in metres, half of it on either '
        'side.', (0.1, 1000.0)),
    Row('grid_resolution', GridSpec.cell, 'Side of a cell of the grid in metres.', (0.01, 10.0)),
    Row('grid_x_min', GridSpec.x_min, 'x in metres at which the grid begins; negative: behind '
        'base_frame.', (-1000.0, 1000.0)),
    Row('grid_ego_connected', OutputOptions.grid_ego_connected, 'Make free cells of the grid '
        'unknown if no free cells connect them to the vehicle.', run_time=True),
    Row('odometry_topic', '', 'Topic of nav_msgs/Odometry of base_frame, such as odom: grids then '
        'keep what was not road, carried along by the motion; empty: each grid is of its frame '
        'alone.'),
    Row('grid_hold_frames', TemporalOptions.frames, 'With odometry_topic: what was not road is '
        'free again after so many frames in a row that show road; 0: off.', (0, 100),
        run_time=True),
    Row('grid_hold_s', TemporalOptions.keep_s, 'With odometry_topic: what was not road and is out '
        'of sight stays so for this long.', (0.0, 60.0), run_time=True),
    Row('grid_max_age_ms', 500.0, 'Age above which a camera is left out of ~/grid, against the '
        'newest camera.', (1.0, 1e6), run_time=True),
    Row('freespace_increment', 0.5, 'Angle between the rays of freespace in degrees.',
        (0.05, 10.0)),
    Row('points_stride', GroundSpec.stride, 'Distance in pixels between the points of the '
        'cloud.', (1, 64)),
    Row('transport', 'raw', 'Transport of the images: raw (Image) or compressed (CompressedImage '
        'with JPEG, PNG or TIFF, on TOPIC/compressed).', choices=tuple(TRANSPORTS)),
    Row('bit_depth', 0, 'Bits in use in 16-bit images, of which the upper 8 are kept; 0: all 16. '
        'Set 10 or 12 for a camera that sends 10 or 12 bits in the lower bits.', (8, 16), (0,),
        run_time=True),
    Row('reliability', 'auto', 'Reliability of the image subscriptions: reliable, best_effort or '
        'auto (reliable if every publisher offers it).', choices=RELIABILITIES),
    Row('autostart', True, 'Configure and activate at start, without a lifecycle manager.'),
)

# Each camera has these under its name, as in ``front.topic``. A parameter at its default means the
# node's parameter of the same name.
CAMERA_PARAMETERS = (
    Row('topic', '', "Topic of this camera's images; empty: CAMERA/image_raw."),
    Row('transport', '', "Transport of this camera's images; empty: the parameter transport.",
        choices=('', *TRANSPORTS)),
    Row('bit_depth', -1, "Bit depth of this camera's images; -1: the parameter bit_depth.",
        (8, 16), (-1, 0), run_time=True),
    Row('threshold', -2.0, 'Threshold of this camera; -1: from the checkpoint, -2: the parameter '
        'threshold.', (0.0, 1.0), (-2.0, FROM_CHECKPOINT), run_time=True),
    Row('region_of_interest', [0, 0, 0, 0], 'Region of interest of this camera; all zeros: the '
        'parameter region_of_interest.', run_time=True),
    Row('pose', [0.0] * 6, 'Pose of this camera in base_frame: x, y, z in metres, then roll, pitch '
        'and yaw in rad (a positive pitch looks down, a positive yaw to the left); all zeros: from '
        'TF.', run_time=True),
    Row('rectified', False, 'The images are rectified: use P of the CameraInfo, not K and the '
        'distortion.', run_time=True),
)


def camera_rows(camera: str) -> tuple[Row, ...]:
    """Return the rows of one camera's parameters, with their full names."""
    return tuple(dataclasses.replace(row, name=f'{camera}.{row.name}')
                 for row in CAMERA_PARAMETERS)


def declare(node: Node, rows: Iterable[Row]) -> None:
    """
    Declare the parameters that a node does not have yet.

    An integer given for a float is converted, so the type stays that of the default. Raises
    InputError if a given value has the wrong type or is out of range.
    """
    for row in rows:
        if node.has_parameter(row.name):
            continue
        try:
            given = _whole_number_given(node, row) if isinstance(row.default, float) else None
            node.declare_parameter(
                row.name, row.default if given is None else float(given),
                ParameterDescriptor(description=row.description,
                                    additional_constraints=_constraints(row), **_range(row)),
                ignore_override=given is not None)
        except Exception as error:  # rclpy raises several unrelated types
            raise InputError(f'parameter {row.name}: expected {_expected(row)}, found a value '
                             f'that does not fit ({error})') from None


def _whole_number_given(node: Node, row: Row) -> int | None:
    """Return the int given for a float parameter, None if none was given."""
    # rclpy shows only declared parameters, and refuses an int for a float.
    node.declare_parameter(row.name, row.default, ParameterDescriptor(dynamic_typing=True))
    value = node.get_parameter(row.name).value
    node.undeclare_parameter(row.name)
    return value if type(value) is int else None


def in_declared_types(node: Node, changes: Iterable[Parameter]) -> list[Parameter]:
    """Return changes of parameters, with integers given for floats converted."""
    return [Parameter(change.name, Parameter.Type.DOUBLE, float(change.value))
            if change.type_ == Parameter.Type.INTEGER and node.has_parameter(change.name)
            and node.get_parameter(change.name).type_ == Parameter.Type.DOUBLE else change
            for change in changes]


def value_of(node: Node, row: Row) -> Any:
    """Return a parameter's value on a node, the default if it is not declared."""
    if not node.has_parameter(row.name):
        return row.default
    try:
        return node.get_parameter(row.name).value
    except ParameterUninitializedException:
        return None  # an empty list in a YAML file


def checked(row: Row, value: Any) -> Any:
    """
    Return a value in the type of its row's default, with lists as tuples.

    Raises InputError, one line with the parameter's name, if it does not fit the row.
    """
    if isinstance(row.default, float) and type(value) is int:
        value = float(value)
    if isinstance(row.default, list) and value is not None and not isinstance(value, str):
        value = tuple(value)
        if all(isinstance(item, type(row.default[0])) for item in value):
            return value
    elif type(value) is type(row.default) and _is_allowed(row, value):
        return value
    raise InputError(f'parameter {row.name}: expected {_expected(row)}, found '
                     f'{"nothing" if value is None else repr(value)}')


def _is_allowed(row: Row, value: Any) -> bool:
    if row.choices:
        return value in row.choices
    # The comparison also refuses NaN.
    return row.range is None or row.range[0] <= value <= row.range[1] or value in row.special


def _expected(row: Row) -> str:
    if row.choices:
        return 'one of ' + ', '.join(choice or "''" for choice in row.choices)
    if isinstance(row.default, list):
        kind = f'a list of {type(row.default[0]).__name__}'
    else:
        kind = {'str': 'a text', 'int': 'a whole number', 'float': 'a number',
                'bool': 'true or false'}[type(row.default).__name__]
    kind += f' from {row.range[0]:g} to {row.range[1]:g}' if row.range else ''
    return kind + ''.join(f' or {value:g}' for value in row.special)


def _constraints(row: Row) -> str:
    said = [f'{_expected(row)}.'.capitalize()] if row.choices or row.special else []
    return ' '.join(said + ([] if row.run_time else [FIXED]))


def _range(row: Row) -> dict[str, Any]:
    """Return a descriptor's range, which must include the special values too."""
    if row.range is None:
        return {}
    low, high = min(*row.range, *row.special), max(*row.range, *row.special)
    if isinstance(row.default, int):
        return {'integer_range': [IntegerRange(from_value=int(low), to_value=int(high), step=0)]}
    return {'floating_point_range': [FloatingPointRange(from_value=low, to_value=high, step=0.0)]}
