# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Notice 16-bit images that use fewer bits, such as those of a 10-bit camera, which look black."""

from __future__ import annotations

import numpy as np

# Fewer dark images may be chance, for instance while the exposure settles.
_ENOUGH_IMAGES = 10
# The upper two bits are unused if no pixel reaches a quarter of white.
_DARK = 64
# Bit depths of sensors.
_DEPTHS = (10, 12, 14)


class DepthWatch:
    """
    Looks for upper bits that are never used.

    ``hint`` says in one line what was found, or is ''; any thread may read it. Call ``note`` on one
    thread.
    """

    def __init__(self) -> None:
        self.hint: str = ''
        self._depth = 0
        self._images = 0
        self._highest = 0

    def note(self, image: np.ndarray, bit_depth: int) -> None:
        """Look at a uint8 image that holds the upper 8 of ``bit_depth`` bits (0: 16)."""
        depth = bit_depth or 16
        if depth != self._depth:
            self._depth, self._images, self._highest, self.hint = depth, 0, 0, ''
        if self._highest >= _DARK:
            return
        self._images += 1
        self._highest = max(self._highest, int(image.max()))
        if self._highest >= _DARK:
            self.hint = ''
        elif self._images >= _ENOUGH_IMAGES:
            used = depth - 8 + self._highest.bit_length()
            likely = next((bits for bits in _DEPTHS if bits >= used), depth)
            self.hint = (f'the upper {depth - used} of {depth} bits of the images are never used: '
                         f'for a {likely}-bit camera set bit_depth to {likely}')
