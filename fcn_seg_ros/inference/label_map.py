# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Names and colours of the values in a mask."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from fcn_seg_ros.inference.postprocess import UNKNOWN
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo, is_binary

_UNKNOWN_COLOUR = (128, 128, 128)


@dataclass(frozen=True)
class LabelMap:
    """
    Names and colours (RGB) of a mask's values 0, 1, ..., and which of them are road.

    255 is ``unknown`` and drawn grey.
    """

    names: tuple[str, ...]
    colours: tuple[tuple[int, int, int], ...]
    road_ids: tuple[int, ...] = (1,)
    _table: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Build the colour table once, not for every image."""
        table = np.full((1, 256, 3), _UNKNOWN_COLOUR, np.uint8)
        table[0, :len(self.colours)] = self.colours
        object.__setattr__(self, '_table', table)

    @property
    def meanings(self) -> dict[int, str]:
        """Return the name of every mask value, including 255."""
        return dict(enumerate(self.names)) | {UNKNOWN: 'unknown'}

    def draw(self, mask: np.ndarray) -> np.ndarray:
        """Return a mask, uint8 (H, W), in colour, uint8 RGB (H, W, 3)."""
        return cv2.LUT(cv2.merge([mask] * 3), self._table)


def label_map_of(info: CheckpointInfo) -> LabelMap:
    """
    Return the label map of a checkpoint's masks.

    The values are the checkpoint's class ids, except that for a binary checkpoint 1 is always road
    and 0 the rest.
    """
    if not is_binary(info):
        return LabelMap(info.classes, info.palette, info.road_ids)
    road, = info.road_ids
    return LabelMap((info.classes[1 - road], info.classes[road]),
                    (info.palette[1 - road], info.palette[road]))
