# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One picture of a recorded frame: the camera's image, the overlay, and the road from above."""

from __future__ import annotations

import cv2
import numpy as np

from fcn_seg_ros.drives.birds_eye_picture import BirdsEyePicture
from fcn_seg_ros.drives.recording import Recording
from fcn_seg_ros.drives.video_writer import fit

_GAP = 4
_DARK = 24
_HIGHEST, _WIDEST = 720, 960


class DemoPicture:
    """
    Draws the frames of a recording.

    The camera's image stands above the overlay, each scaled to at most ``width`` pixels, and the
    bird's-eye view, if any grid was recorded, to the right of both. All pictures have one shape.
    """

    def __init__(self, recording: Recording, width: int = _WIDEST) -> None:
        self._recording = recording
        rows, columns = recording.overlays.read(0).shape[:2]
        self._width = max(1, min(columns, width, round((_HIGHEST - _GAP) / 2 * columns / rows)))
        self._height = max(1, round(self._width * rows / columns))
        high = 2 * self._height + _GAP
        self._above = (None if recording.grid_spec is None
                       else BirdsEyePicture(recording.grid_spec, high))
        wide = self._width + (0 if self._above is None else _GAP + self._above.shape[1])
        # Videos have even sides.
        self.shape = high + high % 2, wide + wide % 2

    def draw(self, index: int) -> np.ndarray:
        """Return the picture of the overlay with this index, uint8 RGB (H, W, 3)."""
        recording = self._recording
        key = recording.overlays.keys[index]
        picture = np.full((*self.shape, 3), _DARK, np.uint8)
        for top, image in ((0, recording.images.find(key)),
                           (self._height + _GAP, recording.overlays.read(index))):
            if image is not None:
                picture[top:top + self._height, :self._width] = _scaled(image, self._width,
                                                                        self._height)
        if self._above is not None:
            above = self._above.draw(recording.grid_of(key))
            left = self._width + _GAP
            picture[:above.shape[0], left:left + above.shape[1]] = above
        return picture


def _scaled(image: np.ndarray, width: int, height: int) -> np.ndarray:
    off = abs(image.shape[0] * width / image.shape[1] - height)
    # Less than a pixel in height, as for the shape of the first one: no bars for that.
    if 0.0 < off < 1.0 and image.shape[:2] != (height, width):
        return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return fit(image, width, height)
