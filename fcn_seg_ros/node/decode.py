# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decode camera messages to RGB images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.images import decode
from fcn_seg_ros.images.encodings import is_deep, to_rgb


class Decoded(NamedTuple):
    """An image, uint8 RGB (H, W, 3), and whether its source had 16 bits per value."""

    image: np.ndarray
    deep: bool


def deserialise(serialised: bytes, kind: type) -> Image | CompressedImage:
    """Deserialise a camera's message; raises InputError if it is broken."""
    try:
        message: Image | CompressedImage = deserialize_message(serialised, kind)
    except Exception as error:  # which type depends on the middleware
        raise InputError(f'message: expected {kind.__name__}, found {len(serialised)} bytes of '
                         f'something else ({type_and_words(error)})') from None
    return message


def decode_image(message: Image | CompressedImage, bit_depth: int = 0) -> Decoded:
    """
    Decode a camera's message; raises only InputError if it is malformed.

    ``bit_depth`` is the number of bits used in 16-bit values; 0 means all.
    """
    try:
        if isinstance(message, CompressedImage):
            pixels = decode.decode_pixels(message.data, message.format)
            return Decoded(decode.to_rgb(pixels, message.format, bit_depth),
                           pixels.dtype == np.uint16)
        rgb = to_rgb(message.data, message.height, message.width, message.encoding, message.step,
                     bool(message.is_bigendian), bit_depth)
        return Decoded(rgb, is_deep(message.encoding))
    except InputError:
        raise
    except Exception as error:  # the message is still the cause
        raise InputError(f'image: cannot be decoded: {type_and_words(error)}') from None
