# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The video of a run is put together from pieces that know nothing of each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.offline.outputs import Picture
from fcn_seg_ros.offline.video import PartVideos, join_videos

PERIOD_NS = 100_000_000


def test_pieces_of_other_sizes_are_fitted_into_the_first(tmp_path: Path) -> None:
    pieces = []
    for number, (height, width) in enumerate(((48, 160), (24, 80), (48, 160))):
        folder = tmp_path / str(number)
        with PartVideos(folder, 10.0) as videos:
            for index in range(3):
                videos.add(Picture('/a', (3 * number + index) * PERIOD_NS, np.full(
                    (height, width, 3), 25 * (3 * number + index), np.uint8)))
        pieces.append((folder, videos.facts))
    for _ in range(2):  # an interrupted run does it again
        join_videos(tmp_path, pieces, 10.0)
    frames = list(open_drive(str(tmp_path / 'overlay.mp4')))
    assert [frame.stamp_ns for frame in frames] == [PERIOD_NS * index for index in range(9)]
    for index, frame in enumerate(frames):
        assert (frame.width, frame.height) == (160, 48)
        assert abs(int(frame.data.reshape(48, 160, 3)[24, 80, 1]) - 25 * index) < 6


def test_topics_that_differ_in_slashes_get_videos_of_their_own(tmp_path: Path) -> None:
    with PartVideos(tmp_path / 'part', 10.0) as videos:
        for topic in ('/a/b', '/a_b'):
            videos.add(Picture(topic, 0, np.zeros((48, 160, 3), np.uint8)))
    join_videos(tmp_path, [(tmp_path / 'part', videos.facts)], 10.0)
    assert sorted(each.name for each in tmp_path.glob('*.mp4')) == [
        'overlay_a_b_1.mp4', 'overlay_a_b_2.mp4']
