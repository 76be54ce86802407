# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
What a recording is made of, in its order: images to segment, losses, and all other messages.

An image becomes a Decoded, then a Segmented, or a Loss; the others pass unchanged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fcn_seg_ros.inference.segmentation import Segmentation


class Topic(NamedTuple):
    """
    A topic and the type of its messages, which are CDR.

    A recorded one has the definition and the hash of the type and the publishers' quality of
    service as far as the recorder wrote them.
    """

    name: str
    type: str
    definition: str = ''
    type_hash: str = ''
    qos: str = ''


@dataclass(frozen=True)
class Passed:
    """A message of the recording that is written unchanged."""

    topic: Topic
    received_ns: int
    content: bytes | memoryview
    number: int | None = None

    @property
    def size(self) -> int:
        """Return about how many bytes this holds in memory."""
        return len(self.content)


@dataclass(frozen=True)
class Loss:
    """A line of ``errors.jsonl``; ``number`` is the image's among the chosen, None if unknown."""

    reason: str
    lost: int | None = 1
    topic: str | None = None
    stamp_ns: int | None = None
    received_ns: int | None = None
    number: int | None = None
    size: int = 0


@dataclass(frozen=True)
class Decoded:
    """
    An image, uint8 RGB (H, W, 3), with rosbags' Header and its camera's CameraInfo (None if none).

    ``received_ns`` is the time in the bag, which the results have too.
    """

    number: int
    topic: str
    received_ns: int
    header: Any
    image: np.ndarray
    info: Any
    decode_ms: float

    @property
    def size(self) -> int:
        """Return about how many bytes this holds in memory."""
        return int(self.image.nbytes)


@dataclass(frozen=True)
class Undecoded:
    """An image of which ``decode`` makes a Decoded or a Loss, in any thread; ``size`` in bytes."""

    number: int
    decode: Callable[[], Decoded | Loss]
    size: int


@dataclass(frozen=True)
class Segmented:
    """An image and its result."""

    frame: Decoded
    result: Segmentation

    @property
    def number(self) -> int:
        """Return the image's number."""
        return self.frame.number

    @property
    def size(self) -> int:
        """Return about how many bytes this holds in memory."""
        return self.frame.size + 2 * int(self.result.mask.nbytes)


Step = Passed | Loss | Undecoded | Decoded | Segmented
