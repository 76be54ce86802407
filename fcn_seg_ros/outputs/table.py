# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of what is computed from a frame; the node publishes it, and ``segment`` writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from fcn_seg_ros.outputs.frame import SegmentedFrame
from fcn_seg_ros.outputs.ground import (
    freespace,
    freespace_polygon,
    road_grid,
    road_points,
    thin_image,
)
from fcn_seg_ros.outputs.images import (
    camera_info,
    colour_image,
    grey_image,
    jpeg_image,
    mask_colour,
    overlay,
    png_image,
)

# A topic below its image's, as in image_transport: it moves when the image is remapped.
COMPRESSED = '/compressed'
_IMAGE = 'sensor_msgs/msg/Image'
_COMPRESSED_IMAGE = 'sensor_msgs/msg/CompressedImage'
_RINGS = (('overlay_rings', 'ground'),)
_GROUND = ('mask', 'probability', 'camera_info', 'ground')


def road_topic(camera: str, name: str) -> str:
    """Return the topic of a camera's output."""
    return f'{camera}/road/{name}'


@dataclass(frozen=True)
class ContentRow:
    """
    One output of a camera, ``CAMERA/road/NAME``.

    ``compute`` returns one of the classes of ``content``, or None for nothing. ``needs`` are the
    parts of a SegmentedFrame that it is computed from, ``format`` what the data is in. ``wants``
    are (setting, part): parts that it shows, where the frame has them, unless the setting is 0.
    """

    name: str
    type_name: str
    compute: Callable[[SegmentedFrame], Any]
    description: str
    needs: tuple[str, ...]
    format: str = ''
    wants: tuple[tuple[str, str], ...] = ()


# In the order of publishing: a planner waits for the mask.
CONTENTS = {row.name: row for row in (
    ContentRow('mask', _IMAGE, partial(grey_image, 'mask'),
               'Class ids (two classes: 0 not road, 1 road); 255 unknown', ('mask',), 'mono8'),
    ContentRow('probability', _IMAGE, partial(grey_image, 'probability'), 'round(255 x P(road))',
               ('probability',), 'mono8'),
    ContentRow('confidence', _IMAGE, partial(grey_image, 'confidence'),
               'round(255 x P(class in the mask)), 0 where the mask is 255', ('confidence',),
               'mono8'),
    ContentRow('overlay', _IMAGE, partial(colour_image, overlay), 'The image with the road tinted; '
               'with `overlay_rings`, distances too', ('image', 'road'), 'rgb8', _RINGS),
    ContentRow('mask_colour', _IMAGE, partial(colour_image, mask_colour),
               'The mask in the colours of its classes, unknown grey', ('mask',), 'rgb8'),
    ContentRow(f'mask{COMPRESSED}', _COMPRESSED_IMAGE, partial(png_image, 'mask'),
               'The mask, lossless', ('mask',), 'PNG'),
    ContentRow(f'overlay{COMPRESSED}', _COMPRESSED_IMAGE, partial(jpeg_image, overlay),
               'The overlay, for thin links', ('image', 'road'), 'JPEG', _RINGS),
    ContentRow(f'mask_colour{COMPRESSED}', _COMPRESSED_IMAGE, partial(jpeg_image, mask_colour),
               'The coloured mask, for thin links', ('mask',), 'JPEG'),
    ContentRow('camera_info', 'sensor_msgs/msg/CameraInfo', camera_info,
               "The camera's newest CameraInfo, for the mask's size and with its header",
               ('camera_info',)),
    ContentRow('freespace', 'sensor_msgs/msg/LaserScan', freespace,
               'Range of the first ground that is not road, from the origin of `base_frame`; inf: '
               'free to `ground_range`, NaN: not seen', _GROUND),
    ContentRow('freespace_polygon', 'geometry_msgs/msg/PolygonStamped', freespace_polygon,
               'The free area, in `base_frame`', _GROUND),
    ContentRow('grid', 'nav_msgs/msg/OccupancyGrid', road_grid, 'Cells on the ground, in '
               '`base_frame`: 0 road to 100 not road, -1 unknown', (*_GROUND, 'memory')),
    ContentRow('points', 'sensor_msgs/msg/PointCloud2', road_points,
               'The ground points of every `points_stride`-th pixel, organised, in `base_frame`; '
               'NaN: no ground', _GROUND),
    ContentRow('points/mask', _IMAGE, partial(thin_image, 'mask'), 'The mask of these pixels',
               ('mask', 'camera_info', 'ground'), 'mono8'),
    ContentRow('points/confidence', _IMAGE, partial(thin_image, 'confidence'),
               'The confidence of these pixels', ('confidence', 'camera_info', 'ground'), 'mono8'),
)}
