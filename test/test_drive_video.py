# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A video file as a drive."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from measure_play_times import write_timed_video

from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError


def write_video(path: Path, frames: int = 10, rate: int = 20, codec: str = 'ffv1') -> list:
    """Write a lossless video of moving colour blocks; return its frames as RGB arrays."""
    images = []
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = 'rgb24' if codec == 'png' else 'bgr0'
        for index in range(frames):
            image = np.zeros((48, 64, 3), np.uint8)
            image[:, 4 * index:4 * index + 8] = (200, 10 * index, 30)
            images.append(image)
            frame = av.VideoFrame.from_ndarray(image, format='rgb24')
            frame.pts, frame.time_base = index, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return images


def test_pixels_stamps_and_rate(tmp_path: Path) -> None:
    images = write_video(tmp_path / 'drive.mkv')
    drive = open_drive(str(tmp_path / 'drive.mkv'))
    assert drive.rate_hz == 20.0
    for _ in range(2):
        frames = list(drive)
        assert [f.stamp_ns for f in frames] == [index * 50_000_000 for index in range(10)]
        for frame, image in zip(frames, images, strict=True):
            np.testing.assert_array_equal(frame.data, image)
            assert (frame.encoding, frame.width, frame.height, frame.step) == ('rgb8', 64, 48, 192)
    assert len(list(open_drive(str(tmp_path / 'drive.mkv'), limit=4))) == 4


def test_a_file_without_video_says_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / 'sound.wav'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('pcm_s16le', rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout='mono')
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(InputError, match=r'sound\.wav: .*found audio'):
        open_drive(str(path))


def test_frames_have_their_own_times(tmp_path: Path) -> None:
    times = [i / 30 for i in range(15)] + [0.5 + i / 5 for i in range(15)]
    drive = open_drive(str(write_timed_video(tmp_path / 'night.mkv', times)))
    frames = list(drive)
    assert [f.time_ns for f in frames] == [round(t * 1000) * 1_000_000 for t in times]
    assert [f.data[0, 0, 0] for f in frames] == list(range(30))


def test_a_name_with_a_colon_is_no_protocol(tmp_path: Path) -> None:
    write_video(tmp_path / 'a:b#c?d%204.mkv')
    assert len(list(open_drive(str(tmp_path / 'a:b#c?d%204.mkv')))) == 10


def test_a_recorder_that_was_killed_leaves_what_is_whole(tmp_path: Path) -> None:
    write_video(tmp_path / 'drive.mkv', frames=25)
    whole = (tmp_path / 'drive.mkv').read_bytes()
    (tmp_path / 'cut.mkv').write_bytes(whole[:len(whole) * 7 // 10])
    frames = list(open_drive(str(tmp_path / 'cut.mkv')))
    assert 12 <= len(frames) < 25
    assert [f.stamp_ns for f in frames] == [i * 50_000_000 for i in range(len(frames))]
    (tmp_path / 'cut.mp4').write_bytes(
        (24).to_bytes(4, 'big') + b'ftypisom' + bytes(12) + b'\0\0\0\0mdat' + bytes(1000))
    with pytest.raises(InputError, match=r'its index \(moov\) is missing, .* repair it'):
        open_drive(str(tmp_path / 'cut.mp4'))


def test_a_damaged_frame_in_the_middle_is_noted(tmp_path: Path) -> None:
    write_video(tmp_path / 'drive.mov', frames=25, codec='png')
    with av.open(str(tmp_path / 'drive.mov')) as container:
        place = [p.pos for p in container.demux(video=0) if p.pos is not None][15]
    content = bytearray((tmp_path / 'drive.mov').read_bytes())
    content[place + 30:place + 150] = bytes(120)
    (tmp_path / 'drive.mov').write_bytes(content)
    notes: list[Note] = []
    frames = list(open_drive(str(tmp_path / 'drive.mov'), on_note=notes.append))
    assert len(frames) == 24 and frames[-1].stamp_ns == 24 * 50_000_000
    assert [f.stamp_ns // 50_000_000 for f in frames] == [*range(15), *range(16, 25)]
    assert [note.lost for note in notes] == [1] and 'frame 15' in notes[0].reason


def test_a_video_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    write_video(tmp_path / 'drive.mkv')
    whole = (tmp_path / 'drive.mkv').read_bytes()
    (tmp_path / 'cut.mkv').write_bytes(whole[:100])
    with pytest.raises(InputError, match=r'cut\.mkv: expected a video'):
        open_drive(str(tmp_path / 'cut.mkv'))


@pytest.mark.skipif('FCN_SEG_DATA' not in os.environ,
                    reason='FCN_SEG_DATA is not set: no real video')
def test_a_real_video() -> None:
    drive = open_drive(os.environ['FCN_SEG_DATA'] + '/video/solidWhiteRight.mp4', limit=3)
    frames = list(drive)
    assert drive.rate_hz == 25.0
    assert [f.stamp_ns for f in frames] == [0, 40_000_000, 80_000_000]
    assert frames[0].data.shape == (540, 960, 3)
    # The sky is bluish, and brighter than the road.
    sky, road = frames[0].data[:100].mean((0, 1)), frames[0].data[-40:].mean((0, 1))
    assert sky[2] >= sky[0] and sky.mean() > road.mean()
