# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What tells whether a frame is worth labelling: scores and a small picture of each frame."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from fcn_seg_ros.inference.segmentation import Segmentation

# Of the band around the road's edge, as a share of the image's height.
_BAND = 0.04
# Columns and rows of the pictures that are compared.
_LOOK = (16, 9)
#: Parts of a look: the colours of the image, and the road.
LOOK_PARTS = (slice(0, 3 * _LOOK[0] * _LOOK[1]), slice(3 * _LOOK[0] * _LOOK[1], None))


def edge_doubt(road: np.ndarray, confidence: np.ndarray) -> float:
    """
    Return the mean doubt around the road's edge, 0 (sure) to 1 (either way).

    ``road`` is uint8 (H, W), 0 or 1; ``confidence`` round(255 P(the class published)), uint8
    (H, W). Without an edge it is the mean of the whole image.
    """
    width = 2 * round(_BAND * len(road) / 2) + 1
    band = cv2.morphologyEx(road, cv2.MORPH_GRADIENT, np.ones((max(3, width),) * 2, np.uint8))
    doubt = 2.0 * (255 - (confidence[band > 0] if band.any() else confidence)) / 255.0
    return float(np.minimum(doubt, 1.0).mean())


def disagreement(road: np.ndarray, other: np.ndarray) -> float:
    """Return the share of pixels, 0 to 1, that only one of two masks of 0 and 1 calls road."""
    return float((road != other).mean())


def look(image: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """
    Return a tiny picture of a frame and its road, uint8 (576,), to compare frames by.

    ``image`` is uint8 RGB (H, W, 3), ``probability`` uint8 (H, W).
    """
    small = [cv2.resize(part, _LOOK, interpolation=cv2.INTER_AREA)
             for part in (image, probability)]
    return np.concatenate([cv2.cvtColor(small[0], cv2.COLOR_RGB2LAB).ravel(), small[1].ravel()])


@dataclass
class FrameScores:
    """
    The scores of the frames of all drives, in some 700 bytes a frame.

    ``source`` numbers the cameras (input and topic), whose ``time_ns`` are comparable; ``number``
    counts the frames of an input from 0.
    """

    edge_doubt: list[float] = field(default_factory=list)
    disagreement: list[float] = field(default_factory=list)
    source: list[int] = field(default_factory=list)
    time_ns: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    _looks: bytearray = field(default_factory=bytearray)

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.source)

    def add(self, source: int, number: int, time_ns: int, image: np.ndarray,
            results: list[Segmentation]) -> None:
        """Add a frame, its image and what one or two networks say of it."""
        first, road = results[0], results[0].road
        self.edge_doubt.append(edge_doubt(road, first.confidence))
        self.disagreement.append(disagreement(road, results[-1].road))
        self.source.append(source)
        self.time_ns.append(time_ns)
        self.number.append(number)
        self._looks += look(image, first.probability).tobytes()

    @property
    def looks(self) -> np.ndarray:
        """Return the looks of all frames, uint8 (N, 576)."""
        return np.frombuffer(self._looks, np.uint8).reshape(len(self), -1)
