# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""``segment --output``: every image gets a mask or a reason, whatever interrupts the run."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from rosbags.rosbag2 import Reader
from run_bags import FP32, STEP_NS, images_of, read, record, street
from test_drive_bag import START_NS, STORE, image, write_bag

from fcn_seg_ros.cli import segment_recordings
from fcn_seg_ros.cli.segment import main
from fcn_seg_ros.datasets.images import read_grey
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.inference.segmentation import SegmentOptions
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.bag_writer import PartBag
from fcn_seg_ros.offline.run_reader import read_run


@pytest.fixture
def bag(rendered_frames, tmp_path) -> Path:
    """Return a bag of ten images."""
    return record(tmp_path / 'drive', rendered_frames)


@pytest.fixture
def segment(random_checkpoint):
    """Return what runs the command with a random network."""
    def call(*words: Any) -> int:
        return main([*map(str, words), '--checkpoint', str(random_checkpoint), *FP32])
    return call


def test_a_bag_of_masks_beside_the_original_messages(bag, segment, rendered_frames, tmp_path,
                                                     random_checkpoint, capsys):
    out = tmp_path / 'out'
    assert segment(bag, '--output', out, '--originals', '--part-frames', 4, '--write',
                   'mask,probability,camera_info,overlay/compressed', '--png', 'mask') == 0
    assert f'wrote 10 masks to {out}' in capsys.readouterr().out
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')
    options = SegmentOptions(focal_length=120.0)
    masks, levels = (images_of(out / 'bag', f'/front/road/{name}')
                     for name in ('mask', 'probability'))
    for index in range(10):
        result = segmenter.segment(street(index, rendered_frames), options)
        assert np.array_equal(masks[START_NS + index * STEP_NS], result.mask)
        assert np.array_equal(levels[START_NS + index * STEP_NS], result.probability)
        assert np.array_equal(read_grey(out / 'mask' / f'{index:06d}.png'), result.mask)
    written = read(out / 'bag')
    times = [when for _, _, when, _ in written]
    assert times == sorted(times) and len(written) == 30 + 40
    assert [each for each in written if '/road/' not in each[0]] == read(bag)
    infos = [STORE.deserialize_cdr(content, kind) for topic, kind, _, content in written
             if topic == '/front/road/camera_info']
    assert {(info.width, info.height, info.k[0]) for info in infos} == {(160, 48, 120.0)}
    assert sorted(each.name for each in (out / 'bag').iterdir()) == [
        'bag_000000.mcap', 'bag_000001.mcap', 'bag_000002.mcap', 'metadata.yaml']
    frames = list(read_run(out).frames())
    assert [frame['number'] for frame in frames] == list(range(10))
    assert [frame['stamp_ns'] for frame in frames] == sorted(masks)
    for frame in frames:
        mask = masks[frame['stamp_ns']]
        assert frame['topic'] == '/front/image_raw' and frame['received_ns'] % 10**8 == 2_000_000
        assert frame['road_share'] == pytest.approx((mask == 1).mean(), abs=1e-6)
        assert 0.5 < frame['confidence'] <= 1.0
    assert len({frame['road_share'] for frame in frames}) > 5
    assert not (out / 'errors.jsonl').read_text() and (out / 'report.html').exists()


def test_what_cannot_be_decoded_has_a_line(rendered_frames, segment, tmp_path, capsys):
    messages = []
    for index in range(6):
        message = image(street(index, rendered_frames), 'rgb8', START_NS + index * STEP_NS)
        if index == 1:
            message.data = message.data[:100]
        if index == 4:
            message.encoding = 'vinyl'
        messages.append(('/front/image_raw', message, START_NS + index * STEP_NS))
    bag = write_bag(tmp_path / 'drive', 'mcap', messages)
    assert segment(bag, '--output', tmp_path / 'out', '--part-frames', 2) == 1
    run = read_run(tmp_path / 'out')
    errors = list(run.errors())
    assert [(each['number'], each['topic'], each['stamp_ns'], each['lost']) for each in errors] == [
        (number, '/front/image_raw', START_NS + number * STEP_NS, 1) for number in (1, 4)]
    assert 'expected height x step' in errors[0]['reason'] and "'vinyl'" in errors[1]['reason']
    assert [frame['number'] for frame in run.frames()] == [0, 2, 3, 5]
    assert 'segment: 2 images lost; see ' in capsys.readouterr().err
    assert (run.facts['frames'], run.facts['lost']) == (4, 2)


class _Killed(BaseException):
    pass


def test_an_interrupted_run_resumes(bag, segment, tmp_path, monkeypatch):
    """After errors at any message the result is that of an undisturbed run."""
    words = ('--part-frames', '3', '--originals', '--video')
    assert segment(bag, '--output', tmp_path / 'whole', *words) == 0
    write, count = PartBag.write, 0

    def failing(self, message):
        nonlocal count
        count += 1
        if count in (5, 19, 55):
            raise _Killed if count == 5 else OSError(errno.ENOSPC, 'No space left on device')
        write(self, message)
    monkeypatch.setattr(PartBag, 'write', failing)
    with pytest.raises(_Killed):
        segment(bag, '--output', tmp_path / 'out', *words)
    assert not (tmp_path / 'out').exists()
    for _ in range(2):
        assert segment(bag, '--output', tmp_path / 'out', *words) == 2
    assert sorted(each.name for each in (tmp_path / 'out.partial' / 'parts').iterdir()) == [
        '000000', '000001']
    assert segment(bag, '--output', tmp_path / 'out', *words, '--every', '2') == 2
    assert segment(bag, '--output', tmp_path / 'out', *words) == 0
    assert read(tmp_path / 'out' / 'bag') == read(tmp_path / 'whole' / 'bag')
    videos = [open_drive(str(tmp_path / name / 'overlay.mp4')) for name in ('whole', 'out')]
    frames = [[(frame.stamp_ns, frame.data.tobytes()) for frame in video] for video in videos]
    assert frames[0] == frames[1] and [when for when, _ in frames[0]] == [
        index * STEP_NS for index in range(10)]
    assert not (tmp_path / 'out.partial').exists()


def test_stopping_keeps_whole_parts(bag, segment, tmp_path, monkeypatch, capsys):
    asked = 0

    class Stop:
        status = 130

        def __call__(self) -> bool:
            nonlocal asked
            asked += 1
            return asked > 12
    monkeypatch.setattr(segment_recordings, 'stoppable', lambda: nullcontext(Stop()))
    words = ('--part-frames', '3', '--output', tmp_path / 'out')
    assert segment(bag, *words) == 130
    assert 'interrupted after 9 masks; the same command resumes' in capsys.readouterr().err
    asked = -1000
    assert segment(bag, *words) == 0
    assert 'wrote 10 masks (9 of them before)' in capsys.readouterr().out
    assert segment(bag, *words) == 0  # it is complete
    assert 'wrote 10 masks (10 of them before)' in capsys.readouterr().out
    assert segment(bag, *words, '--threshold', '0.4') == 2
    assert 'expected a run with threshold 0.4' in capsys.readouterr().err


def test_several_topics_and_a_choice_of_images(rendered_frames, segment, tmp_path):
    topics = ('/front/image_raw', '/rear/image_raw', '/rear/image_raw/compressed')
    bag = record(tmp_path / 'drive', rendered_frames, 12, topics=topics)
    out = tmp_path / 'out'
    assert segment(bag, '--output', out, '--topics', 'all', '--every', 3, '--start', 0.15, '--end',
                   1.05, '--png', 'mask') == 0
    frames = list(read_run(out).frames())
    # 2, 5 and 8 of those from 0.15 to 1.05 s.
    assert [(frame['topic'], (frame['stamp_ns'] - START_NS) // STEP_NS) for frame in frames] == [
        (topic, index) for index in (2, 5, 8) for topic in topics]
    assert {topic for topic, _, _, _ in read(out / 'bag')} == {
        f'{name}/road/{output}' for output in ('mask', 'camera_info')
        for name in ('/front', '/rear/image_raw', '/rear/image_raw/compressed')}
    assert len(list((out / 'mask').iterdir())) == 9


def test_humble_reads_the_metadata(bag, segment, tmp_path):
    out = tmp_path / 'out'
    assert segment(bag, '--output', out, '--bag', 'sqlite3', '--humble', '--part-frames', 6) == 0
    info = yaml.safe_load((out / 'bag' / 'metadata.yaml').read_text())[
        'rosbag2_bagfile_information']
    assert (info['version'], info['storage_identifier']) == (5, 'sqlite3')
    assert 'custom_data' not in info and info['message_count'] == 20
    assert info['relative_file_paths'] == ['bag_000000.db3', 'bag_000001.db3']
    for topic in info['topics_with_message_count']:
        assert topic['message_count'] == 10 and sorted(topic['topic_metadata']) == [
            'name', 'offered_qos_profiles', 'serialization_format', 'type']
        assert isinstance(topic['topic_metadata']['offered_qos_profiles'], str)
    with Reader(out / 'bag') as reader:
        assert reader.message_count == 20


def test_drives_that_are_no_bags(segment, tmp_path, kitti_folder, capsys):
    """Of several recordings, those that can be read are segmented."""
    out = tmp_path / 'runs'
    assert segment(kitti_folder, tmp_path / 'none', 'rendered:3', '--frames', 3, '--output', out,
                   '--originals', '--batch', 2) == 2
    assert 'none: expected a folder of images' in capsys.readouterr().err
    for name in (kitti_folder.name, 'rendered:3'):
        counts: dict[str, int] = {}
        for topic, _, _, _ in read(out / name / 'bag'):
            counts[topic] = counts.get(topic, 0) + 1
        assert counts['/camera/image_raw'] == counts['/camera/road/mask'] == 3


@pytest.mark.parametrize(('words', 'text'), [
    (('--mask', 'm'), '--mask: expected --output without it'),
    (('--write', 'maks'), "--write: expected names of mask, probability"),
    (('--write', 'mask,grid'), '--pose: expected the camera\'s pose, which grid needs, found none'),
    (('--no-bag',), '--no-bag: expected --png or --video as well'),
    (('--no-bag', '--png', 'mask', '--originals'), '--originals: expected a bag to write them to'),
    (('--end', '1', '--start', '2'), '--start, --end: expected seconds of which the end is later'),
    (('--start', 'nan'), '--start, --end: expected seconds of which the end is later, found nan'),
    (('--end', 'inf'), '--start, --end: expected seconds of which the end is later'),
    (('--start', '99'), 'drive: expected images from 99 s on (--start), found none'),
    (('--topics', ','), '--topics: expected names, with commas, found none'),
    (('--write', ''), '--write: expected names, with commas, or --no-bag, found none'),
    (('--jpeg-quality', '101'), '--jpeg-quality: expected 1 to 100, found 101'),
    (('--base-frame', ''), '--base-frame: expected the name of a frame, found none'),
    (('--output', '.'), '.: expected a new folder, found one that the command is run in'),
    (('--output', '/'), '/: expected a new folder, found the root of a file system: name one'),
    (('--topics', '/rear'), 'expected an image topic /rear, found /front/image_raw (10)'),
    (('--part-frames', '0'), '--batch, --part-frames: expected 0 or more, and at least 1'),
])
def test_bad_input(bag, segment, tmp_path, capsys, words, text):
    assert segment(bag, '--output', tmp_path / 'out', *words) == 2
    error = capsys.readouterr().err
    assert error.startswith('segment: error: ') and text in error
    assert len(error.strip().splitlines()) == 1
    assert [each.name for each in tmp_path.iterdir()] == ['drive']


def test_a_recording_without_a_readable_image(segment, tmp_path):
    """All losses are listed, and the run is complete: nobody has to try again."""
    bag = write_bag(tmp_path / 'drive', 'mcap', [
        ('/front/image_raw', image(np.zeros((9, 9, 3), np.uint8), 'vinyl', START_NS + index),
         START_NS + index) for index in range(3)])
    assert segment(bag, '--output', tmp_path / 'out', '--video', '--part-frames', 2) == 1
    run = read_run(tmp_path / 'out')
    assert [each['number'] for each in run.errors()] == [0, 1, 2]
    assert (run.facts['frames'], run.facts['lost']) == (0, 3) and not list(run.frames())


def test_names_that_no_file_can_have(bag, segment, tmp_path, capsys):
    name = tmp_path / ('x' * 300)
    assert segment(bag, '--output', name) == segment(name, '--output', tmp_path / 'out') == 2
    output, recording = capsys.readouterr().err.splitlines()
    assert 'found one that cannot be used (File name too long)' in output
    assert 'this recording cannot be read (File name too long)' in recording


def test_without_times_of_recording(segment, tmp_path, capsys):
    bag = write_bag(tmp_path / 'drive', 'mcap', [
        ('/front/image_raw', image(np.zeros((9, 9, 3), np.uint8), 'rgb8', START_NS + index),
         START_NS) for index in range(3)])
    assert segment(bag, '--output', tmp_path / 'out', '--end', '1e-9') == 2
    assert 'expected messages with times of recording for --start' in capsys.readouterr().err
    assert segment(bag, '--output', tmp_path / 'out', '--frames', 2) == 0
    assert 'segment: no image lost, with notes; see ' in capsys.readouterr().err


def test_a_run_inside_its_recording(segment, tmp_path, kitti_folder, rendered_frames):
    """What the run writes there does not make another recording of it."""
    images = tmp_path / 'images'
    shutil.copytree(kitti_folder / 'training' / 'image_2', images)
    for drive in (images, record(tmp_path / 'drive', rendered_frames, 2)):
        for _ in range(2):
            assert segment(drive, '--output', drive / 'out', '--png', 'mask', '--frames', 2) == 0
    assert read_run(images / 'out').settings['input']['files'].keys() == {
        each.name for each in images.iterdir() if each.suffix == '.png'}


def test_recordings_named_by_dots(bag, segment, tmp_path, monkeypatch):
    monkeypatch.chdir(bag)
    other = tmp_path / 'other'
    shutil.copytree(bag, other)
    assert segment('.', other, '--output', tmp_path / 'out', '--frames', 1) == 0
    assert sorted(each.name for each in (tmp_path / 'out').iterdir()) == ['drive', 'other']


def test_a_loss_that_names_a_file_that_is_no_utf8(bag, segment, tmp_path):
    (bag / 'drive.mcap').rename(bag / os.fsdecode(b'other\xff.mcap'))
    assert segment(bag, '--output', tmp_path / 'out', '--frames', 2) == 1
    run = read_run(tmp_path / 'out')
    assert any(b'other\xff.mcap' in os.fsencode(each['reason']) for each in run.errors())
    assert run.facts['frames'] == 2 and 'other' in (tmp_path / 'out' / 'report.html').read_text()
