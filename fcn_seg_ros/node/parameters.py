# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table from which everything else is made or checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterUninitializedException
from rclpy.node import Node
from rclpy.parameter import Parameter

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import PRECISIONS


@dataclass(frozen=True)
class Row:
    """
    One parameter.

    ``range`` is (lowest, highest) of a number; ``run_time`` says whether it may be set while the
    node runs.
    """

    name: str
    default: Any
    description: str
    range: tuple[float, float] | None = None
    run_time: bool = False


PARAMETERS = (
    Row('cameras', ['camera'], 'Cameras to segment; each subscribes to CAMERA/image_raw and '
        'publishes CAMERA/road/mask, probability and overlay.'),
    Row('checkpoint', '', 'Path of a checkpoint (.safetensors); empty: the packaged default.'),
    Row('device', 'auto', 'Where the network runs: auto (a GPU where there is one), cpu, cuda '
        'or cuda:N.'),
    Row('precision', 'auto', 'Arithmetic of the network: auto (fp16 on a GPU, bf16 on a CPU that '
        'has it), fp32, bf16 or fp16.'),
    Row('network_height', 0, 'Rows of the network\'s input; the width follows the image. 0: from '
        'the checkpoint.', (0, 4096)),
    Row('threads', 0, 'Threads of a CPU backend; 0: its own choice.', (0, 256)),
    Row('threshold', -1.0, 'A pixel is road where P(road) is at least this; -1: from the '
        'checkpoint.', (-1.0, 1.0), run_time=True),
    Row('max_age_ms', 0.0, 'A frame older than this (its stamp against the node\'s clock) gets no '
        'mask; 0: off.', (0.0, 1e9), run_time=True),
    Row('overlay_colour', [0, 200, 80], 'Colour of the road in the overlay: red, green, blue, '
        '0 to 255.', run_time=True),
    Row('overlay_alpha', 0.45, 'Share of that colour, 0 (none) to 1 (nothing else).', (0.0, 1.0),
        run_time=True),
    Row('autostart', True, 'Configure and activate at start, without a lifecycle manager.'),
)


@dataclass(frozen=True)
class Settings:
    """The parameters' values at one moment; between two frames the node swaps the whole object."""

    cameras: tuple[str, ...]
    checkpoint: str
    device: str
    precision: str
    network_height: int
    threads: int
    threshold: float
    max_age_ms: float
    overlay_colour: tuple[int, int, int]
    overlay_alpha: float
    autostart: bool


def declare(node: Node) -> None:
    """
    Declare every parameter of the table on a node.

    Raises InputError where a value given from outside has the wrong type or is out of range.
    """
    for row in PARAMETERS:
        descriptor = ParameterDescriptor(
            description=row.description, read_only=not row.run_time,
            # A whole number where a float is meant (threshold:=1) is accepted.
            dynamic_typing=isinstance(row.default, float), **_range(row))
        try:
            node.declare_parameter(row.name, row.default, descriptor)
        except Exception as error:  # rclpy raises several unrelated kinds
            raise InputError(f'parameter {row.name}: expected {_expected(row)}, found a value '
                             f'that does not fit ({error})') from None


def read(node: Node, changes: list[Parameter] | None = None) -> Settings:
    """
    Return the settings of a node, with ``changes`` applied.

    Raises InputError, one line with the parameter's name, for a value that no node can have.
    """
    values = {row.name: _value(node, row.name) for row in PARAMETERS}
    values |= {change.name: change.value for change in changes or [] if change.name in values}
    for row in PARAMETERS:
        values[row.name] = _checked(row, values[row.name])
    _check_cameras(values['cameras'])
    if values['precision'] not in PRECISIONS:
        raise InputError(f'parameter precision: expected one of {", ".join(PRECISIONS)}, '
                         f'found {values["precision"]!r}')
    if not (values['threshold'] == -1.0 or 0.0 <= values['threshold'] <= 1.0):
        raise InputError('parameter threshold: expected -1 (from the checkpoint) or 0 to 1, '
                         f'found {values["threshold"]}')
    colour = values['overlay_colour']
    if len(colour) != 3 or any(not 0 <= part <= 255 for part in colour):
        raise InputError('parameter overlay_colour: expected three numbers from 0 to 255, '
                         f'found {list(colour)}')
    return Settings(**values)


def refuse_or_accept(node: Node, changes: list[Parameter]) -> tuple[SetParametersResult, Settings]:
    """Return the answer to a change of parameters, and the settings after it."""
    try:
        return SetParametersResult(successful=True), read(node, changes)
    except InputError as error:
        return SetParametersResult(successful=False, reason=str(error)), read(node)


def _value(node: Node, name: str) -> Any:
    try:
        return node.get_parameter(name).value
    except ParameterUninitializedException:
        return None  # what an empty list in a YAML file becomes


def _checked(row: Row, value: Any) -> Any:
    """Return a value in the type of its default, or raise InputError."""
    if isinstance(row.default, float) and type(value) is int:
        value = float(value)
    if isinstance(row.default, list) and value is not None and not isinstance(value, str):
        value = tuple(value)
        if all(isinstance(item, type(row.default[0])) for item in value):
            return value
    elif type(value) is type(row.default):
        low, high = row.range or (None, None)
        if low is None or high is None or low <= value <= high:
            return value
    raise InputError(f'parameter {row.name}: expected {_expected(row)}, found '
                     f'{"nothing" if value is None else repr(value)}')


def _check_cameras(cameras: tuple[str, ...]) -> None:
    if not cameras or any(not camera.strip('/') for camera in cameras):
        raise InputError('parameter cameras: expected at least one camera name, found '
                         f'{list(cameras)}')
    if len(set(cameras)) < len(cameras):
        raise InputError(f'parameter cameras: expected different names, found {list(cameras)}')


def _expected(row: Row) -> str:
    if isinstance(row.default, list):
        kind = f'a list of {type(row.default[0]).__name__}'
    else:
        kind = {'str': 'a text', 'int': 'a whole number', 'float': 'a number',
                'bool': 'true or false'}[type(row.default).__name__]
    return kind + (f' from {row.range[0]:g} to {row.range[1]:g}' if row.range else '')


def _range(row: Row) -> dict[str, Any]:
    # rclpy checks floats against it; an integer given for a float is checked in ``read``.
    if row.range is None:
        return {}
    low, high = row.range
    if isinstance(row.default, int):
        return {'integer_range': [IntegerRange(from_value=int(low), to_value=int(high), step=0)]}
    return {'floating_point_range': [FloatingPointRange(from_value=low, to_value=high, step=0.0)]}
