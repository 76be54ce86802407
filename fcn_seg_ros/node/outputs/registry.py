# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The table of output topics: what ``fcn_seg_ros.outputs`` computes from a frame, and a few more.

Publishers, remappings in launch files, ``seg_node --help`` and the documentation's table come from
it. Another package adds a row with an entry point in the group ``fcn_seg_ros.outputs`` that refers
to the row, or by calling ``register_output`` before the node is created.
"""

from __future__ import annotations

from functools import partial

from rclpy.qos import DurabilityPolicy

from fcn_seg_ros import plugins
from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.node.outputs.computed import Computed
from fcn_seg_ros.node.outputs.fused_grid import FusedGrid
from fcn_seg_ros.node.outputs.label_info import LabelNames
from fcn_seg_ros.node.outputs.output import OutputRow, Qos, check_row
from fcn_seg_ros.node.parameters import PARAMETERS, Row
from fcn_seg_ros.outputs.table import COMPRESSED, CONTENTS, ContentRow

ENTRY_POINTS = 'fcn_seg_ros.outputs'
_MASK_QOS = Qos(deadline=True)
_LATCHED = Qos(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def _computed(row: ContentRow) -> OutputRow:
    return OutputRow(row.name, row.type_name, partial(Computed, row.compute), row.description,
                     row.needs, row.format,
                     _MASK_QOS if row.name.removesuffix(COMPRESSED) == 'mask' else Qos(),
                     wants=row.wants)


# In the order of publishing.
OUTPUTS = {row.name: row for row in (
    *map(_computed, CONTENTS.values()),
    OutputRow('label_info', 'vision_msgs/msg/LabelInfo', LabelNames,
              'The names of the class ids; where vision_msgs is installed',
              qos=_LATCHED, per_frame=False),
    OutputRow('points/label_info', 'vision_msgs/msg/LabelInfo', LabelNames,
              'As label_info', qos=_LATCHED, per_frame=False),
    OutputRow('~/grid', 'nav_msgs/msg/OccupancyGrid', FusedGrid, 'The grids of all cameras in one, '
              'in `base_frame`', CONTENTS['grid'].needs),
)}


def register_output(row: OutputRow) -> None:
    """Add an output topic; raises ValueError if its name is taken or a need is unknown."""
    check_row(row, OUTPUTS)
    OUTPUTS[row.name] = row


def register_installed() -> None:
    """Add the outputs of installed packages; raises InputError for one that does not load."""
    for point, error in plugins.register_installed(ENTRY_POINTS, register_output):
        raise InputError(f'output: {point.name!r} of the package {point.value!r} does not load '
                         f'({type_and_words(error)})')


def node_parameters() -> tuple[Row, ...]:
    """Return the rows of the node's parameters, those of the outputs last."""
    return (*PARAMETERS, *(row for output in OUTPUTS.values() for row in output.parameters))


def remapped_names() -> list[str]:
    """Return the outputs that launch files remap; compressed ones move with their image."""
    return [name for name, row in OUTPUTS.items()
            if not name.endswith(COMPRESSED) and not row.shared]


def output_help() -> str:
    """Return a line per output for ``seg_node --help``."""
    width = max(map(len, OUTPUTS))
    return '\n'.join(f'  {row.name:{width}}  {row.description}' for row in OUTPUTS.values())


def topic_table(camera: str = '<camera>') -> list[str]:
    """Return the lines of the documentation's table of output topics, in Markdown."""
    lines = ['| topic | type | quality of service | computed from | content |',
             '|---|---|---|---|---|']
    for row in OUTPUTS.values():
        kind = row.type_name.replace('/msg/', '/') + (f', {row.format}' if row.format else '')
        source = ', '.join(row.needs) if row.per_frame else 'the network'
        lines.append(f'| `{row.topic(camera)}` | {kind} | {row.qos} | {source} | '
                     f'{row.description} |')
    return lines


register_installed()
