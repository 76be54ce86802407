# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What is made of a recorded run: figures, video, contact sheet."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from fcn_seg_ros.drives.birds_eye_picture import BirdsEyePicture
from fcn_seg_ros.drives.contact_sheet import contact_sheet, evenly
from fcn_seg_ros.drives.demo_output import OutputFolder, caption, sheet_indices, timed_pictures
from fcn_seg_ros.drives.demo_picture import DemoPicture
from fcn_seg_ros.drives.demo_report import make_report
from fcn_seg_ros.drives.recording import MaskRecord, NodeCounts, Recording
from fcn_seg_ros.drives.video_writer import fit, write_video
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.grid import GridSpec

PLAYED = {'frames': 3, 'rate_hz': 10.0, 'late': 0}
VALUES = {'state': 'active', 'received': '4', 'published': '2', 'in_flight': '1',
          'dropped_replaced': '1', 'dropped_error': '0', 'segment_ms_p50': '20.5',
          'segment_ms_p95': '30', 'device': 'cpu'}


def record(latencies_ms: list[float]) -> Recording:
    """Return a recording of so many masks with the headers of their inputs."""
    recording = Recording()
    for index, latency in enumerate(latencies_ms):
        recording.add_input((index, 'camera'))
        recording.masks.append(MaskRecord((index, 'camera'), round(latency * 1e6)))
    return recording


def test_iou_is_the_sum_of_intersections_over_the_sum_of_unions() -> None:
    recording = Recording()
    truth = np.zeros((10, 10), np.uint8)
    truth[:4] = 1
    mask = np.zeros((10, 10), np.uint8)
    mask[2:6] = 1
    mask[9] = 255  # not known to the node: not road
    recording.add_truth((1, 'a'), truth)
    recording.add_mask_pixels((1, 'a'), mask)  # 20 of 60
    recording.add_mask_pixels((2, 'a'), truth)  # the truth may come after the mask: 40 of 40
    recording.add_truth((2, 'a'), truth)
    recording.add_truth((3, 'a'), truth)  # no mask came
    assert recording.iou == pytest.approx((20 + 40) / (60 + 40))
    assert recording.overlaps[1, 'a'].iou == pytest.approx(20 / 60)
    unknown = truth.copy()
    unknown[4:] = 255  # of the mask's 40 road pixels 20 lie where the truth is known
    recording.add_truth((4, 'a'), unknown)
    recording.add_mask_pixels((4, 'a'), mask)
    assert recording.overlaps[4, 'a'].iou == pytest.approx(20 / 40)
    recording.add_truth((5, 'a'), truth[:5])
    recording.add_mask_pixels((5, 'a'), mask)
    assert recording.wrong_sizes == ['mask 10x10, truth 10x5']


def test_latency_percentiles_and_headers() -> None:
    recording = record([float(x) for x in range(1, 102)])
    assert recording.latencies_ms() == pytest.approx(
        {'p50': 51.0, 'p95': 96.0, 'p99': 100.0, 'max': 101.0})
    assert recording.foreign_headers() == []
    recording.masks.append(MaskRecord((5, 'other frame'), 10**12))
    recording.masks.append(MaskRecord((5, 'camera'), 1))  # a second mask for one image
    assert recording.foreign_headers() == [(5, 'other frame'), (5, 'camera')]
    assert recording.latencies_ms()['max'] == 101.0


def test_counts_add_up_or_are_a_problem() -> None:
    assert NodeCounts.from_values(VALUES).add_up()
    recording = record([10.0, 20.0, 30.0])
    recording.add_overlay((0, 'camera'), np.zeros((4, 4, 3), np.uint8))
    report = make_report('x', PLAYED, recording, VALUES)
    assert report.problems == []
    assert (report.frames_in, report.masks_out, report.in_flight) == (4, 2, 1)
    assert report.dropped == {'error': 0, 'replaced': 1}
    assert dict(report.rows())['time from image to mask'] == (
        'median 20.0 ms, 95 % within 29.0 ms, 99 % within 29.8 ms')
    assert report.as_dict()['latency_ms']['p50'] == pytest.approx(20.0)
    assert dict(report.rows())['images dropped by the node'] == '1 (1 replaced)'
    report = make_report('x', PLAYED, recording, VALUES | {'received': '5'})
    assert 'found 5 = 2 + (0 error + 1 replaced) + 1' in report.problems[0]
    with pytest.raises(ValueError, match="'published', found None"):
        NodeCounts.from_values({'received': '1'})


def test_the_video_plays_in_browsers_and_keeps_time(tmp_path: Path) -> None:
    colours = [(200, 40, 40), (40, 200, 40), (40, 40, 200)]
    images = [np.full((51, 65, 3), colour, np.uint8) for colour in colours]
    path = tmp_path / 'v.mp4'
    # The third image is 0.3 s after the second: two frames between them were dropped.
    assert write_video(path, zip((0.0, 0.1, 0.4), images, strict=True), 10.0) == 3
    content = path.read_bytes()
    assert 0 < content.find(b'moov') < content.find(b'mdat')
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ('h264', 'yuv420p')
        assert (stream.width, stream.height) == (64, 50)
        frames = list(container.decode(stream))
        assert [float(f.pts * f.time_base) for f in frames] == pytest.approx([0.0, 0.1, 0.4])
        for frame, colour in zip(frames, colours, strict=True):
            np.testing.assert_allclose(
                frame.to_ndarray(format='rgb24').mean((0, 1)), colour, atol=4)
    assert list(tmp_path.iterdir()) == [path]


def test_images_of_another_size_are_fitted_in() -> None:
    image = np.full((20, 40, 3), 255, np.uint8)
    fitted = fit(image, 80, 80)
    assert fitted.shape == (80, 80, 3)
    assert fitted[20:60].min() == 255 and fitted[:20].max() == 0 and fitted[60:].max() == 0
    np.testing.assert_array_equal(fit(image, 40, 20), image)
    assert fit(image, 39, 19).shape == (19, 39, 3)


def test_a_video_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def images():
        yield 0.0, np.zeros((64, 64, 3), np.uint8)
        raise RuntimeError('no more')
    with pytest.raises(RuntimeError):
        write_video(tmp_path / 'v.mp4', images(), 10.0)
    assert list(tmp_path.iterdir()) == []


def test_contact_sheet_shows_every_image_in_its_place(tmp_path: Path) -> None:
    assert evenly(100) == [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]
    assert evenly(3) == [0, 1, 2]
    images = [np.full((375, 1242, 3), 20 * k, np.uint8) for k in range(12)]
    sheet = contact_sheet(images, [f'frame {k}' for k in range(12)])
    assert sheet.shape[1] == 1920
    width, height = (1920 - 4) // 2, round((1920 - 4) // 2 * 375 / 1242)
    for index in range(12):
        y, x = index // 2 * (height + 4) + height // 2, index % 2 * (width + 4) + width // 2
        assert (sheet[y, x] == 20 * index).all()
    assert sheet[:30, :120].max() > 200  # the caption


def test_the_sheet_always_shows_the_worst_image() -> None:
    recording = record([1.0] * 100)
    truth = np.ones((4, 4), np.uint8)
    for index in range(100):
        key = (index, 'camera')
        recording.add_overlay(key, np.zeros((4, 4, 3), np.uint8))
        recording.add_truth(key, truth)
        recording.add_mask_pixels(key, truth * (index != 30))
    assert sheet_indices(recording) == [0, 9, 18, 30, 36, 45, 54, 63, 72, 81, 90, 99]
    assert caption(recording, 30) == 'frame 30   IoU 0.0   (the worst)'
    assert caption(recording, 9) == 'frame 9   IoU 100.0'


def test_overlays_come_back_as_they_were() -> None:
    recording = Recording()
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 48, 0)
    images = [np.concatenate([ramp, ramp // 2, 255 - ramp], axis=2), np.repeat(ramp, 3, 2)]
    for index, image in enumerate(images):
        recording.add_overlay((index * 10**8, 'camera'), image)
    recording.add_image((10**8, 'camera'), images[1])  # the first one was lost on the way
    times, read = zip(*timed_pictures(recording, 10.0), strict=True)
    assert times == pytest.approx((0.0, 0.1))
    for image, back in zip(images, read, strict=True):
        assert back.shape == (100, 64, 3)
        assert np.abs(image.astype(int) - back[52:].astype(int)).mean() < 3
    assert (read[0][:52] == 24).all()
    assert np.abs(images[1].astype(int) - read[1][:48].astype(int)).mean() < 3
    recording.add_overlay((5, 'wrong stamp'), images[0])
    assert [t for t, _ in timed_pictures(recording, 10.0)] == pytest.approx([0.0, 0.1, 0.2])
    recording.close()


def test_the_road_is_seen_from_above_as_the_grid_has_it() -> None:
    spec = GridSpec(40.0, 20.0, 0.5)
    grid = np.full(spec.shape, -1, np.int8)
    grid[:20, 20:] = 100  # right of the vehicle, from 10 m on
    grid[20:, 20:] = 0
    grid[30:, 60:] = 50  # left by 5 m and more, from 30 m on
    picture = BirdsEyePicture(spec, 600)
    drawn = picture.draw(grid)
    assert drawn.shape == (*picture.shape, 3)

    def at(x: float, y: float) -> list[int]:
        column, row = picture._pixel(x, y)
        return drawn[row, column].tolist()
    # Away from the rings; brown, green, yellow, grey.
    assert at(12.0, -4.0) == [150, 60, 50] and at(12.0, 4.0) == [60, 190, 110]
    assert at(33.0, 7.0) == [215, 190, 80] and at(8.0, -4.0) == [58, 58, 58]
    assert at(1.2, 0.5) == [235, 235, 235]  # the vehicle
    assert at(20.0, 0.0)[0] > 100  # a ring passes straight ahead
    assert (picture.draw(None) != drawn).any()


def test_grids_stand_beside_their_frames() -> None:
    recording = Recording()
    spec, image = GridSpec(4.0, 2.0, 0.5), np.full((40, 100, 3), 90, np.uint8)
    for index in range(30):
        recording.add_overlay((index, 'camera'), image)
    free = np.zeros(spec.shape, np.int8)
    recording.add_grid(5, spec, free - 1)  # the tables took five frames
    recording.add_grid(6, spec, free)
    recording.add_grid(7, GridSpec(4.0, 2.0, 0.25), np.zeros((8, 16), np.int8))
    assert recording.grid_of((4, 'camera')) is None and recording.grid_of((7, 'camera')) is None
    np.testing.assert_array_equal(recording.grid_of((5, 'camera')), free - 1)
    np.testing.assert_array_equal(recording.grid_of((6, 'camera')), free)
    picture = DemoPicture(recording)
    assert picture.shape[0] == 84 and picture.shape[1] > 104
    assert (picture.draw(6)[:, 104:] != picture.draw(5)[:, 104:]).any()
    np.testing.assert_array_equal(picture.draw(4)[:, 104:], picture.draw(5)[:, 104:])
    assert sheet_indices(recording)[0] == 5 and sheet_indices(recording)[-1] == 29
    recording.close()


def test_the_output_folder_is_complete_or_as_before(tmp_path: Path) -> None:
    out = tmp_path / 'out'
    with OutputFolder(out):
        (out / 'overlay.mp4').write_text('half')
    assert not out.exists()
    out.mkdir()
    (out / 'mine.txt').write_text('keep')
    (out / 'report.json').write_text('stale')
    with OutputFolder(out):
        assert [p.name for p in out.iterdir()] == ['mine.txt']
        (out / 'overlay.mp4').write_text('half')
    assert [p.name for p in out.iterdir()] == ['mine.txt']
    with OutputFolder(out) as folder:
        (out / 'overlay.mp4').write_text('whole')
        folder.keep()
    assert sorted(p.name for p in out.iterdir()) == ['mine.txt', 'overlay.mp4']
    with pytest.raises(InputError, match=r'mine\.txt: this folder cannot be created'):
        OutputFolder(out / 'mine.txt').__enter__()
