# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table from which everything else is made or checked."""

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
from fcn_seg_ros.inference.backends import PRECISIONS, backend_names
from fcn_seg_ros.inference.monitor import MonitorOptions
from fcn_seg_ros.node.image_input import TRANSPORTS
from fcn_seg_ros.node.qos import RELIABILITIES
from fcn_seg_ros.resources import CHECKPOINTS, DEFAULT_CHECKPOINT

FIXED = 'Fixed while the node is configured: changes are taken while it is unconfigured.'


@dataclass(frozen=True)
class Row:
    """
    One parameter.

    ``range`` is (lowest, highest) of a number, ``choices`` what a text may be; ``run_time`` says
    whether it may be set while the node is configured.
    """

    name: str
    default: Any
    description: str
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    run_time: bool = False


PARAMETERS = (
    Row('cameras', ['camera'], 'Cameras to segment; each subscribes to CAMERA/image_raw and '
        'publishes CAMERA/road/mask, mask_colour, probability, confidence, overlay, camera_info, '
        'label_info, and mask, mask_colour and overlay with /compressed.'),
    Row('checkpoint', '', 'Checkpoint file (.safetensors), or a packaged checkpoint by name '
        f'({", ".join(CHECKPOINTS)}); empty: {DEFAULT_CHECKPOINT}. While the node is configured a '
        'new one waits for a call of ~/load_checkpoint, or for the node to be configured again.',
        run_time=True),
    Row('device', 'auto', 'Where the network runs: auto (a GPU where there is one), cpu, cuda '
        'or cuda:N.'),
    Row('backend', 'auto', 'What runs the network: auto (the fastest that is installed for the '
        'device) or one by name.', choices=('auto', *backend_names())),
    Row('precision', 'auto', 'Arithmetic of the network: auto (fp16 on a GPU; bf16 on a CPU that '
        'has it, else int8 where the CPU and the checkpoint have that, else fp32), fp32, bf16, '
        'fp16 or int8.', choices=PRECISIONS),
    Row('network_height', 0, 'Rows of the network\'s input; the width follows the image. 0: from '
        'the checkpoint.', (0, 4096)),
    Row('threads', 0, 'Threads of a CPU backend; 0: its own choice.', (0, 256)),
    Row('cpu_latency_us', -1, 'While somebody listens, the kernel is asked that processors wake up '
        'within this many microseconds; 0: that they do not sleep, -1: nothing. For an even '
        'latency, at the cost of power; needs write access to /dev/cpu_dma_latency.',
        (-1, 1_000_000)),
    Row('threshold', -1.0, 'A pixel is road where P(road) is at least this; -1: from the '
        'checkpoint.', (-1.0, 1.0), run_time=True),
    Row('unknown_below', 0.0, 'A pixel whose likeliest class has less than this probability is '
        '255 (unknown) in the mask; 0: none is.', (0.0, 1.0), run_time=True),
    Row('region_of_interest', [0, 0, 0, 0], 'Part of the image that is segmented: x, y, width, '
        'height in pixels; outside of it the mask is 255 (unknown). Zeros: the whole image.',
        run_time=True),
    Row('max_age_ms', 0.0, 'A frame older than this (its stamp against the node\'s clock) gets no '
        'mask; 0: off.', (0.0, 1e9), run_time=True),
    Row('mask_deadline_ms', 0.0, 'DDS deadline offered with the masks; 0: none. A subscriber that '
        'asks for a shorter one gets no masks.', (0.0, 1e9)),
    Row('expected_processing_ms', 100.0, 'Longer processing of a frame is reported by the '
        'diagnostics key is_processing_time_ms_in_expected_range.', (0.0, 1e9), run_time=True),
    Row('fault_after_s', MonitorOptions.fault_after_s, 'A camera\'s picture is reported as faulty '
        'when it has been for most of so many seconds; 0: pictures are not looked at.',
        (0.0, 60.0), run_time=True),
    Row('frozen_after_s', MonitorOptions.frozen_after_s, 'The picture is frozen when pixels seen '
        'before have come with new stamps for so many seconds; 0: never.', (0.0, 3600.0),
        run_time=True),
    Row('black_below', MonitorOptions.black_below, 'The picture is black when 99 % of it are below '
        'this grey level; 0: never.', (0.0, 255.0), run_time=True),
    Row('overexposed_above', MonitorOptions.overexposed_above, 'The picture is overexposed when '
        'more than this share of it is saturated; 1: never.', (0.0, 1.0), run_time=True),
    Row('sharpness_below', MonitorOptions.sharpness_below, 'The picture is blurred when its '
        'strongest edges are less sharp: 0.125 is a ramp 8 of 640 columns wide, 1 a step; 0: '
        'never.', (0.0, 1.0), run_time=True),
    Row('covered_above', MonitorOptions.covered_above, 'The lens is covered when more than this '
        'share of what the picture usually shows has gone; 1: never.', (0.0, 1.0),
        run_time=True),
    Row('no_road_after_s', MonitorOptions.no_road_after_s, 'A picture without any road for so many '
        'seconds is reported; 0: never.', (0.0, 3600.0), run_time=True),
    Row('unfamiliar_above', MonitorOptions.unfamiliar_above, 'The picture is unlike the training '
        'data when a figure of it lies more than so many times as far out as theirs; 0: never. '
        'Needs a checkpoint with statistics.', (0.0, 1e6), run_time=True),
    Row('overlay_colour', [0, 200, 80], 'Colour of the road in the overlay: red, green, blue, '
        '0 to 255.', run_time=True),
    Row('overlay_alpha', 0.45, 'Share of that colour, 0 (none) to 1 (nothing else).', (0.0, 1.0),
        run_time=True),
    Row('jpeg_quality', 80, 'Quality of the pictures overlay/compressed and '
        'mask_colour/compressed (JPEG): 1, small, to 100.', (1, 100), run_time=True),
    Row('transport', 'raw', 'How images arrive: raw (Image) or compressed (CompressedImage, JPEG, '
        'PNG or TIFF, on the topic TOPIC/compressed).', choices=tuple(TRANSPORTS)),
    Row('bit_depth', 0, 'How many bits of 16-bit images are in use, 8 to 16, of which the upper 8 '
        'are kept; 0: derived from the encoding, which means all 16. A 10- or 12-bit camera that '
        'sends its values in the lower bits needs 10 or 12.', (0, 16), run_time=True),
    Row('reliability', 'auto', 'Reliability of the image subscriptions: auto (reliable where '
        'every publisher offers it), reliable or best_effort.', choices=RELIABILITIES),
    Row('autostart', True, 'Configure and activate at start, without a lifecycle manager.'),
)

# Each camera has these under its own name, as in ``front.topic``.
CAMERA_PARAMETERS = (
    Row('topic', '', 'Topic of this camera\'s images; empty: CAMERA/image_raw.'),
    Row('transport', '', 'How this camera\'s images arrive; empty: as the parameter transport '
        'says.', choices=('', *TRANSPORTS)),
    Row('bit_depth', -1, 'The bit depth of this camera; -1: as the parameter bit_depth says.',
        (-1, 16), run_time=True),
    Row('threshold', -2.0, 'The threshold for this camera; -1: from the checkpoint, -2: as the '
        'parameter threshold says.', (-2.0, 1.0), run_time=True),
    Row('region_of_interest', [0, 0, 0, 0], 'The region of interest for this camera; zeros: as '
        'the parameter region_of_interest says.', run_time=True),
)


def camera_rows(camera: str) -> tuple[Row, ...]:
    """Return the rows of one camera's parameters, with their full names."""
    return tuple(dataclasses.replace(row, name=f'{camera}.{row.name}')
                 for row in CAMERA_PARAMETERS)


def declare(node: Node, rows: Iterable[Row]) -> None:
    """
    Declare parameters on a node, but for those that it has.

    A whole number given from outside for a float is taken as that float: the type stays that of
    the default. Raises InputError where such a value has the wrong type or is out of range.
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
        except Exception as error:  # rclpy raises several unrelated kinds
            raise InputError(f'parameter {row.name}: expected {_expected(row)}, found a value '
                             f'that does not fit ({error})') from None


def _whole_number_given(node: Node, row: Row) -> int | None:
    """Return what was given from outside for a float that is to be declared, if it is an int."""
    # rclpy tells only of parameters that are declared, and refuses an int for a declared float.
    node.declare_parameter(row.name, row.default, ParameterDescriptor(dynamic_typing=True))
    value = node.get_parameter(row.name).value
    node.undeclare_parameter(row.name)
    return value if type(value) is int else None


def in_declared_types(node: Node, changes: Iterable[Parameter]) -> list[Parameter]:
    """Return changes of a node's parameters, a whole number for a float as that float."""
    return [Parameter(change.name, Parameter.Type.DOUBLE, float(change.value))
            if change.type_ == Parameter.Type.INTEGER and node.has_parameter(change.name)
            and node.get_parameter(change.name).type_ == Parameter.Type.DOUBLE else change
            for change in changes]


def value_of(node: Node, row: Row) -> Any:
    """Return the value that a node has for a parameter; the default where it is not declared."""
    if not node.has_parameter(row.name):
        return row.default
    try:
        return node.get_parameter(row.name).value
    except ParameterUninitializedException:
        return None  # what an empty list in a YAML file becomes


def checked(row: Row, value: Any) -> Any:
    """
    Return a value in the type of its row's default, a list as a tuple.

    Raises InputError, one line with the parameter's name, where it does not fit the row.
    """
    if isinstance(row.default, float) and type(value) is int:
        value = float(value)
    if isinstance(row.default, list) and value is not None and not isinstance(value, str):
        value = tuple(value)
        if all(isinstance(item, type(row.default[0])) for item in value):
            return value
    elif type(value) is type(row.default):
        low, high = row.range or (value, value)
        # The comparison is also what refuses NaN.
        if low <= value <= high and (not row.choices or value in row.choices):
            return value
    raise InputError(f'parameter {row.name}: expected {_expected(row)}, found '
                     f'{"nothing" if value is None else repr(value)}')


def _expected(row: Row) -> str:
    if row.choices:
        return 'one of ' + ', '.join(choice or "''" for choice in row.choices)
    if isinstance(row.default, list):
        kind = f'a list of {type(row.default[0]).__name__}'
    else:
        kind = {'str': 'a text', 'int': 'a whole number', 'float': 'a number',
                'bool': 'true or false'}[type(row.default).__name__]
    return kind + (f' from {row.range[0]:g} to {row.range[1]:g}' if row.range else '')


def _constraints(row: Row) -> str:
    said = [f'{_expected(row)}.'.capitalize()] if row.choices else []
    return ' '.join(said + ([] if row.run_time else [FIXED]))


def _range(row: Row) -> dict[str, Any]:
    if row.range is None:
        return {}
    low, high = row.range
    if isinstance(row.default, int):
        return {'integer_range': [IntegerRange(from_value=int(low), to_value=int(high), step=0)]}
    return {'floating_point_range': [FloatingPointRange(from_value=low, to_value=high, step=0.0)]}
