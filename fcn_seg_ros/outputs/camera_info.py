# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Match a CameraInfo with an image, and convert it to the CameraInfo of just that image.

By definition width, height, K and P refer to the full sensor, and the image is the region of
interest after binning. As in image_geometry's PinholeCameraModel, the principal point is shifted by
the region's offset, then everything is divided by the binning. Any class with the fields of
sensor_msgs/CameraInfo will do, rclpy's or rosbags'.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fcn_seg_ros.ground.lens import CameraModel, used_coefficients


def for_image(info: Any, height: int, width: int) -> Any:
    """
    Return a new CameraInfo for an image of this size, without region and binning.

    Returns None if ``info`` describes no image of this size, or if ``problem`` finds a problem. An
    image as large as the sensor is assumed to be the full sensor's, whatever region and binning
    say.
    """
    part = _part_shown(info, height, width)
    return None if part is None else _copy(info, width, height, *part)


def focal_length(info: Any, height: int, width: int) -> float:
    """Return the focal length in pixels for images of this size, 0 if unknown."""
    part = None if info is None else _part_shown(info, height, width)
    return 0.0 if info is None or part is None else float(info.k[0]) / part[2]


def problem(info: Any) -> str:
    """
    Describe values that no camera has (not finite, a region outside the sensor), or return ''.

    K may be all zeros, which means not calibrated.
    """
    if not all(map(math.isfinite, (*info.k, *info.p, *info.d, *info.r))):
        return 'it holds numbers that are infinite or NaN'
    if info.k[0] < 0 or info.k[4] < 0:
        return f'its focal length is {info.k[0]:g}, {info.k[4]:g}'
    roi = info.roi
    if roi.x_offset + roi.width > info.width or roi.y_offset + roi.height > info.height:
        return (f'its region of {roi.width}x{roi.height} at ({roi.x_offset}, {roi.y_offset}) is '
                f'outside the sensor, {info.width}x{info.height}')
    return ''


def camera_model(info: Any, rectified: bool) -> tuple[CameraModel, np.ndarray, np.ndarray]:
    """
    Return the camera of an image from its own CameraInfo (see ``for_image``).

    ``rectified``: the image is what P describes, otherwise K and the distortion. The second and the
    third item are its rotation, float64 (3, 3), and its centre, (3,) in metres, in the frame of
    the CameraInfo: as in image_geometry, this frame is parallel to the rectified image, and P's
    last column is the offset of a stereo pair's right camera. Raises InputError, in one line, for a
    camera that is not calibrated and for an unknown distortion.
    """
    p = np.asarray(info.p, np.float64).reshape(3, 4)
    r = np.asarray(info.r, np.float64).reshape(3, 3)
    offset = np.zeros(3)
    if p[0, 0] > 0.0 and p[1, 1] > 0.0:
        offset[:2] = -p[0, 3] / p[0, 0], -p[1, 3] / p[1, 1]
    if rectified:
        model = CameraModel(info.width, info.height, p[0, 0], p[1, 1], p[0, 2], p[1, 2])
        return model, np.eye(3), offset
    k, (name, d) = info.k, used_coefficients(info.distortion_model, info.d)
    model = CameraModel(info.width, info.height, float(k[0]), float(k[4]), float(k[2]),
                        float(k[5]), name, d)
    return model, r if r.any() else np.eye(3), offset


def described(info: Any) -> str:
    """Return a description of the image that a CameraInfo describes."""
    words = f'{info.width}x{info.height} pixels'
    _, _, columns, rows, binning_x, binning_y = _part(info)
    if (columns, rows) != (info.width, info.height):
        words += f', region of interest {columns}x{rows}'
    if (binning_x, binning_y) != (1, 1):
        words += f', binned {binning_x}x{binning_y}'
    return words


def _part_shown(info: Any, height: int, width: int) -> tuple[int, int, int, int] | None:
    """Return offset and binning, x and y each, for an image of this size; None if unmatched."""
    if problem(info):
        return None
    if (info.width, info.height) == (width, height):
        return 0, 0, 1, 1
    x_offset, y_offset, columns, rows, binning_x, binning_y = _part(info)
    # Drivers differ in whether they round an incomplete last pixel up or down.
    if not (width in (columns // binning_x, -(-columns // binning_x))
            and height in (rows // binning_y, -(-rows // binning_y))):
        return None
    return x_offset, y_offset, binning_x, binning_y


def _part(info: Any) -> tuple[int, int, int, int, int, int]:
    """Return the region's offset and size, and the binning, with zeros resolved."""
    roi = info.roi
    whole = roi.width == 0 or roi.height == 0
    columns, rows = (info.width, info.height) if whole else (roi.width, roi.height)
    return (roi.x_offset, roi.y_offset, columns, rows,
            max(1, info.binning_x), max(1, info.binning_y))


def _copy(info: Any, width: int, height: int, x_offset: int, y_offset: int,
          binning_x: int, binning_y: int) -> Any:
    k, p = info.k.copy(), info.p.copy()
    for matrix, columns in ((k, 3), (p, 4)):
        matrix[2] -= x_offset
        matrix[columns + 2] -= y_offset
        matrix[:columns] /= binning_x
        matrix[columns:2 * columns] /= binning_y
    roi = type(info.roi)(x_offset=0, y_offset=0, height=0, width=0,
                         do_rectify=info.roi.do_rectify)
    return type(info)(header=info.header, width=width, height=height, d=info.d, k=k, r=info.r, p=p,
                      distortion_model=info.distortion_model, binning_x=0, binning_y=0, roi=roi)
