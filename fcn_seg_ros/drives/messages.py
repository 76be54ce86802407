# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Between a drive's frames and the ROS messages Image and CameraInfo, without needless copies."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, Image, RegionOfInterest
from std_msgs.msg import Header

from fcn_seg_ros.drives.drive import Calibration, DriveFrame
from fcn_seg_ros.errors import InputError, quoted

CHANNELS = {'mono8': 1, '8UC1': 1, 'rgb8': 3, 'bgr8': 3, '8UC3': 3, 'rgba8': 4, 'bgra8': 4,
            '8UC4': 4}


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """Return a header of a time in nanoseconds."""
    return Header(stamp=Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id=frame_id)


def header_key(header: Header) -> tuple[int, str]:
    """Return what makes two headers equal: the stamp in nanoseconds and the frame."""
    return header.stamp.sec * 10**9 + header.stamp.nanosec, header.frame_id


def set_data(message: Image, pixels: np.ndarray) -> None:
    """
    Fill a new message's data with the bytes of a contiguous uint8 array.

    Into the array.array that the message brings along: 0.7 ms for a 1242x375 rgb8 image here,
    1.1 ms through the setter (which copies once more), 78 ms for ``array('B', ndarray)``.
    """
    message.data.frombytes(pixels.data)


def to_image(frame: DriveFrame, header: Header) -> Image:
    """Return the Image message of a frame."""
    message = Image(header=header, height=frame.height, width=frame.width,
                    encoding=frame.encoding, is_bigendian=int(frame.is_bigendian),
                    step=frame.step)
    set_data(message, frame.data)
    return message


def to_mono8(mask: np.ndarray, header: Header) -> Image:
    """Return a mono8 Image of a uint8 array of shape (H, W)."""
    height, width = mask.shape
    message = Image(header=header, height=height, width=width, encoding='mono8', step=width)
    set_data(message, np.ascontiguousarray(mask))
    return message


def to_rgb8(rgb: np.ndarray, header: Header) -> Image:
    """Return an rgb8 Image of a uint8 array of shape (H, W, 3)."""
    height, width = rgb.shape[:2]
    message = Image(header=header, height=height, width=width, encoding='rgb8', step=3 * width)
    set_data(message, np.ascontiguousarray(rgb))
    return message


def to_camera_info(calibration: Calibration, header: Header) -> CameraInfo:
    """Return the CameraInfo message of a calibration."""
    x, y, width, height = calibration.roi
    return CameraInfo(
        header=header, width=calibration.width, height=calibration.height,
        distortion_model=calibration.distortion_model, d=list(calibration.d),
        k=np.asarray(calibration.k, np.float64), r=np.asarray(calibration.r, np.float64),
        p=np.asarray(calibration.p, np.float64),
        binning_x=calibration.binning_x, binning_y=calibration.binning_y,
        roi=RegionOfInterest(x_offset=x, y_offset=y, width=width, height=height,
                             do_rectify=calibration.do_rectify))


def from_image(message: Image) -> np.ndarray:
    """
    Return a view of the pixels of an 8-bit Image message, without a copy.

    Shape (H, W) for one channel, (H, W, C) for more, in the order of the encoding. Raises
    InputError for another encoding, or where the data is shorter than height x step.
    """
    channels = CHANNELS.get(message.encoding)
    height, width, step = message.height, message.width, message.step
    if channels is None or step < width * (channels or 0) or len(message.data) < height * step:
        raise InputError(
            f'image message: expected an 8-bit encoding ({", ".join(CHANNELS)}) with height x '
            f'step bytes, found {quoted(message.encoding)}, {width}x{height}, step {step}, '
            f'{len(message.data)} bytes')
    rows = np.frombuffer(message.data, np.uint8, height * step).reshape(height, step)
    pixels = rows[:, :width * channels].reshape(height, width, channels)
    return pixels[:, :, 0] if channels == 1 else pixels
