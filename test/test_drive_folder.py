# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A folder of images as a drive."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError


def write_png(path: Path, value: int, width: int = 40, height: int = 30) -> np.ndarray:
    """Write an image with a gradient that depends on ``value``; return it as RGB."""
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x + value, y + 2 * value, np.full_like(x, value)], axis=2).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return rgb


def test_frames_come_in_natural_order_with_their_pixels(tmp_path: Path) -> None:
    images = [write_png(tmp_path / f'frame_{index}.png', index) for index in range(12)]
    (tmp_path / 'notes.txt').write_text('no image')
    write_png(tmp_path / '.hidden.png', 99)
    drive = open_drive(str(tmp_path))
    assert (drive.rate_hz, drive.length) == (10.0, 12)
    for _ in range(2):  # iterating twice gives the same frames twice
        frames = list(drive)
        assert [f.stamp_ns for f in frames] == [index * 10**8 for index in range(12)]
        for frame, image in zip(frames, images, strict=True):
            np.testing.assert_array_equal(frame.data, image)
            assert (frame.encoding, frame.height, frame.width, frame.step) == ('rgb8', 30, 40, 120)


def test_sizes_and_kinds_may_change_from_image_to_image(tmp_path: Path) -> None:
    first = write_png(tmp_path / '0.png', 10, 40, 30)
    second = write_png(tmp_path / '1.png', 20, 64, 48)
    grey = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    cv2.imwrite(str(tmp_path / '2.png'), grey)
    frames = list(open_drive(str(tmp_path)))
    assert [(f.width, f.height) for f in frames] == [(40, 30), (64, 48), (30, 20)]
    np.testing.assert_array_equal(frames[0].data, first)
    np.testing.assert_array_equal(frames[1].data, second)
    np.testing.assert_array_equal(frames[2].data, np.stack([grey] * 3, axis=2))


def test_kitti_road_brings_its_ground_truth(kitti_folder: Path) -> None:
    dataset = KittiRoad(kitti_folder)
    frames = list(open_drive(str(kitti_folder)))
    assert len(frames) == len(dataset) == 8
    for index, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.truth, dataset[index].labels)
        np.testing.assert_array_equal(frame.data, dataset[index].image)


def test_kitti_raw_stamps_follow_the_numbers_in_the_names(tmp_path: Path) -> None:
    folder = tmp_path / 'image_02'
    for number in (0, 1, 3, 4):  # 2 was lost, as KITTI raw loses some
        write_png(folder / 'data' / f'{number:010d}.png', number)
    (folder / 'timestamps.txt').write_text(''.join(
        f'2011-09-26 13:02:25.{964389445 + n * 10**7 if n < 3 else 994389445 + n:09d}\n'
        for n in range(6)))
    for named in (tmp_path, folder, folder / 'data'):
        drive = open_drive(str(named))
        stamps = [f.stamp_ns for f in drive]
        whole = 1317042145 * 10**9  # date -u -d '2011-09-26 13:02:25' +%s
        assert stamps == [whole + x for x in (964389445, 974389445, 994389448, 994389449)]
        assert drive.rate_hz == pytest.approx(100.0)


def test_kitti_road_layout_is_found(tmp_path: Path) -> None:
    write_png(tmp_path / 'training/gt_image_2/um_road_000000.png', 200)
    image = write_png(tmp_path / 'training/image_2/um_000000.png', 7)
    for named in (tmp_path, tmp_path / 'training', tmp_path / 'training/image_2'):
        frames = list(open_drive(str(named)))
        assert len(frames) == 1
        np.testing.assert_array_equal(frames[0].data, image)


def test_limit_rate_and_a_single_image(tmp_path: Path) -> None:
    for index in range(5):
        write_png(tmp_path / f'{index}.png', index)
    drive = open_drive(str(tmp_path), limit=3, rate_hz=20.0)
    assert (drive.length, drive.rate_hz) == (3, 20.0)
    assert [f.stamp_ns for f in drive] == [0, 50_000_000, 100_000_000]
    assert [f.data[0, 0, 2] for f in open_drive(str(tmp_path / '4.png'))] == [4]
    with pytest.raises(InputError, match='expected a bag, of which topic selects images'):
        open_drive(str(tmp_path), topics=('/front/image_raw',))


def test_timestamps_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    for index in range(3):
        write_png(tmp_path / 'data' / f'{index}.png', index)
    stamps = tmp_path / 'timestamps.txt'
    for content, expected in (('2011-09-26 13:02:25.9\n', 'found 1 lines'),
                              ('yesterday\n' * 3, "found: 'yesterday'"),
                              ('2011-09-26 13:02:25.9\n' * 3, 'increase')):
        stamps.write_text(content)
        with pytest.raises(InputError, match=expected):
            open_drive(str(tmp_path))


def test_a_damaged_image_is_left_out_and_noted(tmp_path: Path) -> None:
    for index in range(3):
        write_png(tmp_path / f'{index}.png', index)
    damaged = tmp_path / '0.png'
    damaged.write_bytes(damaged.read_bytes()[:-40])
    notes: list[Note] = []
    drive = open_drive(str(tmp_path), on_note=notes.append)
    assert not notes  # the first image is looked at, but not yet read
    assert [f.stamp_ns for f in drive] == [10**8, 2 * 10**8]
    assert [(note.lost, note.stamp_ns) for note in notes] == [(1, 0)]
    assert '0.png: expected a complete PNG' in notes[0].line()
    for index in (1, 2):
        (tmp_path / f'{index}.png').write_bytes(b'')
    with pytest.raises(InputError, match=r'0\.png: .*nor can the other 2 images'):
        open_drive(str(tmp_path))


def test_kitti_odometry_has_its_times_in_seconds(tmp_path: Path) -> None:
    for number in range(4):
        write_png(tmp_path / 'image_2' / f'{number:06d}.png', number)
    (tmp_path / 'times.txt').write_text('0.000000e+00\n1.037875e-01\n2.073939e-01\n3.1e-01\n')
    for named in (tmp_path, tmp_path / 'image_2'):
        drive = open_drive(str(named))
        assert [f.stamp_ns for f in drive] == [0, 103_787_500, 207_393_900, 310_000_000]


@pytest.mark.skipif('FCN_SEG_DATA' not in os.environ,
                    reason='FCN_SEG_DATA is not set: no real drive')
def test_the_real_drive_has_78_frames_of_one_size() -> None:
    folder = Path(os.environ['FCN_SEG_DATA']) / 'kitti_raw_2011_09_26'
    drive = open_drive(str(folder))
    assert drive.length == 78
    assert {f.data.shape for f in open_drive(str(folder), limit=5)} == {(375, 1242, 3)}
