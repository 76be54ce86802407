# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Convert between NumPy arrays and ROS images without needless copies, and handle headers."""

from __future__ import annotations

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from fcn_seg_ros.errors import InputError, quoted

CHANNELS = {'mono8': 1, '8UC1': 1, 'rgb8': 3, 'bgr8': 3, '8UC3': 3, 'rgba8': 4, 'bgra8': 4,
            '8UC4': 4}


def to_header(stamp_ns: int, frame_id: str) -> Header:
    """Return a header; ``stamp_ns`` is in nanoseconds."""
    return Header(stamp=Time(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9), frame_id=frame_id)


def stamp_ns(header: Header) -> int:
    """Return a header's stamp in nanoseconds."""
    return int(header.stamp.sec * 10**9 + header.stamp.nanosec)


def header_key(header: Header) -> tuple[int, str]:
    """Return a header's identity: its stamp in nanoseconds and its frame."""
    return stamp_ns(header), header.frame_id


def set_data(message: Image, pixels: np.ndarray) -> None:
    """
    Fill a new message's data with the bytes of a contiguous uint8 array.

    Writes into the ``array.array`` of the message: 0.7 ms for a 1242x375 rgb8 image. The setter,
    which copies once more, takes 1.1 ms, and ``array('B', ndarray)`` 78 ms.
    """
    message.data.frombytes(pixels.data)


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


def to_compressed(content: bytes, format: str, header: Header) -> CompressedImage:
    """Return a CompressedImage of an encoded file; ``format`` is spelt as in image_transport."""
    message = CompressedImage(header=header, format=format)
    message.data.frombytes(content)
    return message


def from_image(message: Image) -> np.ndarray:
    """
    Return a view of the pixels of an 8-bit Image message, without a copy.

    Shape (H, W) for one channel, (H, W, C) for more, in the order of the encoding. Raises
    InputError for any other encoding, or data shorter than height x step.
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
