# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Frames without labels, and inputs of a constant area."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from conftest import network_info

from fcn_seg_ros.datasets.frames import Frames
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.datasets.survey import survey
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import evaluate
from fcn_seg_ros.inference.preprocess import network_rows, network_size, rows_of_area
from fcn_seg_ros.inference.segmenter import RoadSegmenter


def test_a_folder_and_a_video(tmp_path):
    folder = tmp_path / 'images'
    folder.mkdir()
    video = cv2.VideoWriter(str(tmp_path / 'v.avi'), cv2.VideoWriter.fourcc(*'MJPG'), 10, (64, 48))
    for number in range(7):
        image = np.full((48, 64, 3), 30 * number, np.uint8)
        cv2.imwrite(str(folder / f'{number}.png'), image)
        video.write(image)
    video.release()
    for path, tolerance in ((folder, 0), (tmp_path / 'v.avi', 3)):
        frames = open_dataset(parse_spec(f'frames:{path}?every=3'))
        assert len(frames) == 3
        for index in range(3):
            sample = frames[index]
            assert (sample.labels == 255).all() and sample.labels.shape == (48, 64)
            assert abs(sample.image.astype(int) - 90 * index).max() <= tolerance


def test_what_holds_no_frames(tmp_path):
    (tmp_path / 'text.mp4').write_text('no video')
    with pytest.raises(InputError, match='not a video that can be decoded'):
        Frames(tmp_path / 'text.mp4')
    with pytest.raises(InputError, match='neither a folder of images nor a video'):
        Frames(tmp_path / 'missing')
    with pytest.raises(InputError, match='at least 1'):
        Frames(tmp_path, every=0)


@pytest.mark.parametrize(('height', 'width', 'expected'), [
    (375, 1242, (320, 1056)), (720, 1280, (448, 800)), (480, 640, (512, 672)),
    (1280, 720, (768, 448)), (1080, 2560, (384, 896))])
def test_an_area_keeps_the_aspect_ratio_and_the_cost(height, width, expected):
    info = network_info(network_pixels=340_000)
    size = network_size(height, width, network_rows(height, width, info))
    assert size == expected
    assert 0.93 < size[0] * size[1] / 340_000 < 1.07
    assert network_rows(height, width, network_info()) == 96


@pytest.mark.parametrize(('focal_length', 'expected'), [
    (0.0, (448, 800)), (900.0, (448, 800)), (1700.0, (352, 640)), (3400.0, (192, 352))])
def test_a_narrow_field_of_view_gets_a_small_input(focal_length, expected):
    """A focal length of 850 pixels of the input is the most; rounding to the stride adds 10 %."""
    info = network_info(network_pixels=340_000)
    size = network_size(720, 1280, network_rows(720, 1280, info, focal_length))
    assert size == expected
    assert focal_length * size[0] / 720 < 1.1 * 850


def test_nothing_is_scored_without_labels(tmp_path, random_checkpoint):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((96, 320, 3), np.uint8))
    with pytest.raises(InputError, match='1 images: expected labelled pixels to score on'):
        evaluate(RoadSegmenter(random_checkpoint, 'cpu'), Frames(tmp_path))


def test_frames_without_labels_are_no_fault(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((96, 320, 3), np.uint8))
    assert not survey(Frames(tmp_path)).problems


@pytest.mark.parametrize('focal', [3000.0, 7215.0, 721500.0, 1e300])
def test_a_wrong_focal_length_does_not_empty_the_input(focal):
    rows = rows_of_area(375, 1242, 260_000, focal)
    assert 260_000 / 14 < rows * rows * 1242 / 375 < 260_000 / 3
