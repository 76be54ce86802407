# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Images without labels, for a teacher to label."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.datasets.base import IGNORE, RoadDataset, Sample
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.datasets.names import images_by_name
from fcn_seg_ros.datasets.options import FramesOptions
from fcn_seg_ros.errors import InputError

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.mov', '.m4v', '.webm', '.mpg', '.mpeg', '.ts')


class Frames(RoadDataset):
    """
    Every ``every``-th image of a folder, or frame of a video, without labels.

    A video is decoded immediately and kept in memory. Raises InputError for a path that is neither,
    and for a video that cannot be decoded.
    """

    kind = 'frames'
    title = 'unlabelled frames'
    licence = 'that of the frames'
    Options = FramesOptions
    has_splits = False
    # Without labels there is nothing to check.
    check_first = labelled = False
    named_by_root = True

    def __init__(self, root: str | Path, every: int = 1) -> None:
        self.root = Path(root)
        if every < 1:
            raise InputError(f'{root}: every: must be at least 1, found {every}')
        self._images: list[np.ndarray] = []
        self._files: dict[str, Path] = {}
        if self.root.is_dir():
            self._files = images_by_name(self.root)
            self.names = list(self._files)[::every]
        elif self.root.is_file():
            self._images = _decode(self.root, every)
            self.names = [f'{self.root.stem}_{every * number:06d}'
                          for number in range(len(self._images))]
        else:
            raise InputError(f'{root}: neither a folder of images nor a video')

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        """Return an image without labels; raises InputError for a damaged file."""
        name = self.names[index]
        image = (self._images[index] if self._images else
                 read_rgb(self._files[name]))
        return Sample(name, image, np.full(image.shape[:2], IGNORE, np.uint8))


def _decode(path: Path, every: int) -> list[np.ndarray]:
    # FFmpeg opens much more: pictures, and playlists that name other files and addresses.
    if path.suffix.lower() not in VIDEO_SUFFIXES:
        raise InputError(f'{path}: expected a folder of images or a video '
                         f'({", ".join(VIDEO_SUFFIXES)}), found {path.suffix or "no suffix"}')
    video = cv2.VideoCapture(str(path))
    images = []
    number = 0
    while video.grab():
        if number % every == 0:
            done, image = video.retrieve()
            if done:
                images.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
        number += 1
    if not images:
        raise InputError(f'{path}: not a video that can be decoded')
    return images
