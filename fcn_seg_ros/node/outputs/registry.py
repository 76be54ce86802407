# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The table of output topics.

Publishers, remappings in launch files, ``seg_node --help`` and the documentation's table come from
it. Another package adds a row with an entry point in the group ``fcn_seg_ros.outputs`` that refers
to the row, or by calling ``register_output`` before the node is created.
"""

from __future__ import annotations

from functools import partial

from rclpy.qos import DurabilityPolicy

from fcn_seg_ros import plugins
from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.node.outputs.fused_grid import FusedGrid
from fcn_seg_ros.node.outputs.ground import (
    FreespacePolygon,
    FreespaceScan,
    RoadGridMessage,
    RoadPoints,
    ThinImage,
)
from fcn_seg_ros.node.outputs.images import (
    ColourImage,
    FrameCameraInfo,
    GreyImage,
    JpegImage,
    PngImage,
    mask_colour,
    overlay,
)
from fcn_seg_ros.node.outputs.label_info import LabelNames
from fcn_seg_ros.node.outputs.output import OutputRow, Qos, check_row
from fcn_seg_ros.node.parameters import PARAMETERS, Row

ENTRY_POINTS = 'fcn_seg_ros.outputs'
# A topic below its image's, as in image_transport: it moves when the image is remapped.
COMPRESSED = '/compressed'
_IMAGE = 'sensor_msgs/msg/Image'
_COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
_GRID = 'nav_msgs/msg/OccupancyGrid'
_MASK_QOS = Qos(deadline=True)
_LATCHED = Qos(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_GROUND = ('mask', 'probability', 'camera_info', 'ground')

# In the order of publishing: a planner waits for the mask.
OUTPUTS = {row.name: row for row in (
    OutputRow('mask', _IMAGE, partial(GreyImage, 'mask'),
              'Class ids (two classes: 0 not road, 1 road); 255 unknown', ('mask',), 'mono8',
              _MASK_QOS),
    OutputRow('probability', _IMAGE, partial(GreyImage, 'probability'), 'round(255 x P(road))',
              ('probability',), 'mono8'),
    OutputRow('confidence', _IMAGE, partial(GreyImage, 'confidence'),
              'round(255 x P(class in the mask)), 0 where the mask is 255', ('confidence',),
              'mono8'),
    OutputRow('overlay', _IMAGE, partial(ColourImage, overlay), 'The image with the road tinted',
              ('image', 'road'), 'rgb8'),
    OutputRow('mask_colour', _IMAGE, partial(ColourImage, mask_colour),
              'The mask in the colours of its classes, unknown grey', ('mask',), 'rgb8'),
    OutputRow(f'mask{COMPRESSED}', _COMPRESSED_IMAGE, partial(PngImage, 'mask'),
              'The mask, lossless', ('mask',), 'PNG', _MASK_QOS),
    OutputRow(f'overlay{COMPRESSED}', _COMPRESSED_IMAGE, partial(JpegImage, overlay),
              'The overlay, for thin links', ('image', 'road'), 'JPEG'),
    OutputRow(f'mask_colour{COMPRESSED}', _COMPRESSED_IMAGE, partial(JpegImage, mask_colour),
              'The coloured mask, for thin links', ('mask',), 'JPEG'),
    OutputRow('camera_info', 'sensor_msgs/msg/CameraInfo', FrameCameraInfo,
              "The camera's newest CameraInfo, for the mask's size and with its header",
              ('camera_info',)),
    OutputRow('label_info', 'vision_msgs/msg/LabelInfo', LabelNames,
              'The names of the class ids; where vision_msgs is installed',
              qos=_LATCHED, per_frame=False),
    OutputRow('freespace', 'sensor_msgs/msg/LaserScan', FreespaceScan,
              'Range of the first ground that is not road, from the origin of `base_frame`; inf: '
              'free to `ground_range`, NaN: not seen', _GROUND),
    OutputRow('freespace_polygon', 'geometry_msgs/msg/PolygonStamped', FreespacePolygon,
              'The free area, in `base_frame`', _GROUND),
    OutputRow('grid', _GRID, RoadGridMessage, 'Cells on the ground, in `base_frame`: 0 road to 100 '
              'not road, -1 unknown', _GROUND),
    OutputRow('points', 'sensor_msgs/msg/PointCloud2', RoadPoints,
              'The ground points of every `points_stride`-th pixel, organised, in `base_frame`; '
              'NaN: no ground', _GROUND),
    OutputRow('points/mask', _IMAGE, partial(ThinImage, 'mask'), 'The mask of these pixels',
              ('mask', 'camera_info', 'ground'), 'mono8'),
    OutputRow('points/confidence', _IMAGE, partial(ThinImage, 'confidence'),
              'The confidence of these pixels', ('confidence', 'camera_info', 'ground'), 'mono8'),
    OutputRow('points/label_info', 'vision_msgs/msg/LabelInfo', LabelNames,
              'As label_info', qos=_LATCHED, per_frame=False),
    OutputRow('~/grid', _GRID, FusedGrid, 'The grids of all cameras in one, in `base_frame`',
              _GROUND),
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
