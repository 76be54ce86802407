# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What play publishes of a bag: image and CameraInfo agree, and nothing piles up in memory."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bag_makers import STORE, T0, messages, write_ros1
from PIL import Image as Picture
from test_drive_bag import camera_info, image, noise, write_bag

from fcn_seg_ros.drives.messages import PreparedFrame
from fcn_seg_ros.drives.registry import open_drive


def described(width: int, height: int, **changes: Any) -> Any:
    """Return a CameraInfo with some fields changed."""
    return replace(camera_info(width, height, 50.0, T0), **changes)


def region(*values: int) -> object:
    """Return a RegionOfInterest: x, y, height and width."""
    return STORE.types['sensor_msgs/msg/RegionOfInterest'](*values, False)


@pytest.mark.parametrize(('info', 'shape', 'notes'), [
    (described(40, 30), (30, 40), 0),
    (described(80, 60, roi=region(0, 20, 30, 40)), (30, 40), 0),
    (described(80, 60, binning_x=2, binning_y=2), (30, 40), 0),
    (described(80, 60, roi=region(0, 20, 60, 80), binning_x=2, binning_y=2), (30, 40), 0),
    (described(80, 60, roi=region(0, 20, 30, 40)), (60, 80), 1),
    (described(80, 60), (30, 40), 1),
])
def test_region_and_binning_are_published_as_recorded(
        tmp_path: Path, info: Any, shape: tuple[int, int], notes: int) -> None:
    pixels = noise(1, (*shape, 3))
    bag = write_bag(tmp_path / 'bag', 'mcap', [
        ('/camera/camera_info', info, T0), ('/camera/image_raw', image(pixels, 'rgb8', T0), T0)])
    drive = open_drive(str(bag))
    frame, = drive
    prepared = PreparedFrame.of(frame, True)
    published = prepared.info
    assert (published.width, published.height) == (info.width, info.height)
    assert (published.binning_x, published.binning_y) == (info.binning_x, info.binning_y)
    for name in ('x_offset', 'y_offset', 'width', 'height'):
        assert getattr(published.roi, name) == getattr(info.roi, name)
    assert len([n for n in drive.notes if 'CameraInfo describes' in n.reason]) == notes


def test_a_camera_info_that_stops_fitting_is_noted_once_for_each_size(tmp_path: Path) -> None:
    rows = [('/camera/camera_info', described(40, 30), T0)]
    rows += [('/camera/image_raw', image(noise(1, (*shape, 3)), 'rgb8', T0 + i), T0 + i)
             for i, shape in enumerate([(30, 40), (15, 20), (15, 20), (60, 80), (15, 20)])]
    drive = open_drive(str(write_bag(tmp_path / 'bag', 'mcap', rows)))
    for _ in range(2):
        assert len(list(drive)) == 5
        assert [note.reason.split()[3] for note in drive.notes] == ['20x15,', '80x60,']


def test_exif_turns_neither_image_nor_camera_info(tmp_path: Path) -> None:
    exif = Picture.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Picture.fromarray(noise(0)).save(buffer, 'PNG', exif=exif)
    message = STORE.types['sensor_msgs/msg/CompressedImage'](
        camera_info(40, 30, 50.0, T0).header, 'png', np.frombuffer(buffer.getvalue(), np.uint8))
    bag = write_bag(tmp_path / 'bag', 'mcap', [
        ('/camera/camera_info', camera_info(40, 30, 50.0, T0), T0),
        ('/camera/image_raw/compressed', message, T0)])
    drive = open_drive(str(bag))
    frame, = drive
    np.testing.assert_array_equal(frame.data, noise(0))
    assert frame.calibration is not None
    assert (frame.width, frame.height) == frame.calibration.image_size == (40, 30)
    assert not list(drive.notes)


def test_camera_info_of_ros_1(tmp_path: Path) -> None:
    frame = next(iter(open_drive(str(write_ros1(tmp_path / 'a.bag', messages(2))))))
    assert frame.calibration is not None
    assert frame.calibration.k[0] == 50.0 and frame.calibration.p[3] == -40.0
    assert frame.calibration.d == (0.01,) * 5


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap', 'ros1'])
def test_a_long_bag_streams(tmp_path: Path, storage: str) -> None:
    rows = [('/image', image(noise(i % 7, (60, 80, 3)), 'rgb8', T0 + i), T0 + i)
            for i in range(1500)]
    bag = (write_ros1(tmp_path / 'bag.bag', rows) if storage == 'ros1'
           else write_bag(tmp_path / 'bag', storage, rows))
    del rows
    next(iter(open_drive(str(bag))))  # whatever is imported and compiled once
    tracemalloc.start()
    count = sum(frame.data.size for frame in open_drive(str(bag)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1500 * 14400  # 21.6 MB
    # A few chunks of up to 1 MB, compressed and not.
    assert peak < 10e6
