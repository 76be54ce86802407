# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""From a camera's message to an RGB image."""

from __future__ import annotations

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from fcn_seg_ros.images.decode import decode
from fcn_seg_ros.images.encodings import to_rgb


def to_image(message: Image | CompressedImage) -> np.ndarray:
    """Return uint8 RGB (H, W, 3); raises InputError where the message is malformed."""
    if isinstance(message, CompressedImage):
        return decode(message.data, message.format)
    return to_rgb(message.data, message.height, message.width, message.encoding, message.step,
                  bool(message.is_bigendian))
