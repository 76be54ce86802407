# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a camera's message to an RGB image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.images import decode
from fcn_seg_ros.images.encodings import is_deep, to_rgb


class Decoded(NamedTuple):
    """An image, uint8 RGB (H, W, 3), and whether its values came in 16 bits."""

    image: np.ndarray
    deep: bool


def to_message(serialised: bytes, kind: type) -> Image | CompressedImage:
    """Return a message that came as it was on the wire; raises InputError where it is none."""
    try:
        message: Image | CompressedImage = deserialize_message(serialised, kind)
    except Exception as error:  # the middlewares raise different kinds
        raise InputError(f'message: expected {kind.__name__}, found {len(serialised)} bytes of '
                         f'something else ({type_and_words(error)})') from None
    return message


def to_image(message: Image | CompressedImage, bit_depth: int = 0) -> Decoded:
    """
    Return a message's image; raises InputError where it is malformed, whatever a library raised.

    ``bit_depth`` is how many bits of 16-bit values are in use; 0: all.
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
    except Exception as error:  # what nobody thought of is still the message's fault
        raise InputError(f'image: expected one that can be decoded, found '
                         f'{type_and_words(error)}') from None
