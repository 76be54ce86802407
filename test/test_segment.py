# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executable `segment`: what it writes, and one line for what it cannot."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest

from fcn_seg_ros.cli.segment import main
from fcn_seg_ros.datasets.images import read_grey, read_rgb
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.drives.video_writer import write_video
from fcn_seg_ros.images.encode import encode_jpeg
from fcn_seg_ros.inference.segmenter import RoadSegmenter


@pytest.fixture
def photos(rendered_frames, tmp_path):
    """Return a folder with a PNG, a JPEG of another size and something else."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    cv2.imwrite(str(folder / 'one.png'), rendered_frames[0].image[..., ::-1])
    cv2.imwrite(str(folder / 'two.JPG'), rendered_frames[1].image[:90, :301, ::-1])
    (folder / 'notes.txt').write_text('no image')
    return folder


def test_writes_what_the_segmenter_says(photos, random_checkpoint, tmp_path, capsys):
    outputs = {name: tmp_path / 'out' / name for name in ('probability', 'mask', 'overlay')}
    arguments = [word for name, folder in outputs.items() for word in (f'--{name}', str(folder))]
    assert main([str(photos), '--checkpoint', str(random_checkpoint), '--precision', 'fp32',
                 '--threshold', '0.4', *arguments]) == 0
    assert 'wrote 2 images' in capsys.readouterr().out
    segmenter = RoadSegmenter(random_checkpoint, precision='fp32', threshold=0.4)
    for source in ('one.png', 'two.JPG'):
        image = read_rgb(photos / source)
        result = segmenter.segment(image)
        written = {name: cv2.imread(str(folder / f'{source[:3]}.png'), cv2.IMREAD_UNCHANGED)
                   for name, folder in outputs.items()}
        assert np.array_equal(written['probability'], result.probability)
        assert np.array_equal(written['mask'], result.mask)
        overlay = written['overlay'][..., ::-1]
        assert np.array_equal(overlay[result.mask == 0], image[result.mask == 0])
        tinted = 0.5 * image + 0.5 * np.array([0, 200, 80])  # the palette's road
        assert np.abs(overlay - tinted)[result.mask == 1].max() <= 1
        assert 0 < result.mask.mean() < 1
    for folder in outputs.values():
        assert sorted(p.name for p in folder.iterdir()) == ['one.png', 'two.png']


def test_threads_reach_the_network(photos, tmp_path, capsys):
    assert main([str(photos), '--mask', str(tmp_path / 'm'), '--threads', '-1']) == 2
    assert 'threads: expected 0 (the backend decides) or more, found -1' in capsys.readouterr().err


@pytest.mark.parametrize(('arguments', 'text'), [
    (['{photos}'],
     'expected at least one of --probability, --mask, --overlay, --image, or --output for a'),
    (['{tmp}/none', '--mask', '{tmp}/m'],
     'none: expected an image, a folder of images, a video or a camera, found nothing'),
    (['{photos}/notes.txt', '--mask', '{tmp}/m'], 'expected a video file (mp4, avi, mkv, ...)'),
    (['{tmp}', '--mask', '{tmp}/m'],
     'expected images (.png, .jpg, .jpeg, .tif, .tiff, .bmp, .webp), found none'),
    (['{photos}', '--mask', '{tmp}/m', '--originals'], '--originals: expected --output as well'),
    (['{photos}', '--mask', '{photos}'], '--mask: expected a place of its own'),
    (['{photos}/one.png', '--mask', '{photos}'], 'which is the folder of INPUT'),
    (['{photos}', '--mask', '{tmp}/m', '--overlay', '{tmp}/x/../m'],
     '--overlay: expected a place of its own'),
    (['{photos}', '--mask', '{tmp}/m.mp4'], '--mask: expected a folder, since a video changes'),
    (['{photos}', '--mask', '{tmp}/m.jpg'], 'm.jpg; each image becomes NAME.png in the folder'),
    (['{photos}', '--overlay', '{tmp}/m.MOV'], '--overlay: expected a folder or a .mp4 file'),
    (['{photos}', '--mask', '{tmp}/m', '--every', '0'], '--every, --frames: expected at least 1'),
    (['{tmp}/bags/bag.mcap', '--mask', '{tmp}/m'], 'found a bag: give --output'),
    (['/dev/video999', '--mask', '{tmp}/m'], '/dev/video999: expected a camera'),
    (['/dev/null', '--mask', '{tmp}/m'], 'found one that gives no image'),
    (['{photos}', '--mask', '{tmp}/m', '--backend', 'torhc'], "invalid choice: 'torhc'"),
    (['{photos}', '--mask', '{photos}/one.png/m'], 'm: this folder cannot be created'),
    (['{photos}', '--mask', '{tmp}/m', '--threshold', '3'], 'threshold: expected -1'),
    (['{photos}', '--mask', '{tmp}/m', '--checkpoint', '{photos}/one.png'],
     'expected a whole safetensors file'),
])
def test_bad_input(photos, random_checkpoint, tmp_path, capsys, arguments, text):
    given = [word.format(photos=photos, tmp=tmp_path) for word in arguments]
    (tmp_path / 'bags').mkdir()
    (tmp_path / 'bags' / 'bag.mcap').touch()
    if '--checkpoint' not in given:
        given += ['--checkpoint', str(random_checkpoint)]
    assert main(given) == 2
    error = capsys.readouterr().err
    assert error.startswith('segment: error: ') and text in error
    assert len(error.strip().splitlines()) == 1 and not (tmp_path / 'm').exists()


def test_same_name(photos, random_checkpoint, tmp_path, capsys):
    (photos / 'one.jpeg').write_bytes((photos / 'one.png').read_bytes())
    assert main([str(photos), '--mask', str(tmp_path / 'm'), '--checkpoint',
                 str(random_checkpoint)]) == 2
    assert f'expected one image of each name, found {photos}/one.jpeg as well' in (
        capsys.readouterr().err)
    assert not (tmp_path / 'm').exists()


def test_what_cannot_be_read_is_left_out(photos, random_checkpoint, tmp_path, capsys):
    whole = (photos / 'one.png').read_bytes()
    (photos / 'half.png').write_bytes(whole[:len(whole) // 2])
    cv2.imwrite(str(photos / 'line.bmp'), np.zeros((2, 900, 3), np.uint8))
    (photos / 'empty.webp').touch()
    # Files that shells expand, a folder among them.
    given = [str(photos / 'two.JPG'), str(photos / 'notes.txt'), str(photos)]
    assert main([*given[1:], '--mask', str(tmp_path / 'm'), '--checkpoint',
                 str(random_checkpoint)]) == 1
    output, errors = capsys.readouterr()
    assert f'wrote 2 images to {tmp_path / "m"}' in output
    lines = errors.strip().splitlines()
    assert [line.partition(':')[0] for line in lines] == ['segment'] * 5
    for number, text in enumerate((
            'notes.txt: expected a PNG, JPEG, TIFF, BMP or WebP image', 'empty.webp: expected a',
            'half.png: expected a complete PNG image', 'line.bmp: image of 900x2: expected a shape',
            'segment: left out 4 of 6 images')):
        assert text in lines[number]
    assert sorted(path.name for path in (tmp_path / 'm').iterdir()) == ['one.png', 'two.png']


def test_files_of_other_kinds(rendered_frames, random_checkpoint, tmp_path):
    """BMP and WebP say what the PNG of the same pixels does."""
    image = rendered_frames[0].image
    for name, options in (('a.png', []), ('b.bmp', []), ('c.webp', [cv2.IMWRITE_WEBP_QUALITY, 101]),
                          ('d.tiff', [])):
        cv2.imwrite(str(tmp_path / name), image[..., ::-1], options)
    out = tmp_path / 'out'
    assert main([*map(str, sorted(tmp_path.glob('*.*'))), '--probability', str(out), '--image',
                 str(tmp_path / 'same'), '--checkpoint', str(random_checkpoint), '--backend',
                 'torch', '--precision', 'fp32']) == 0
    written = [read_rgb(out / f'{name}.png') for name in 'abcd']
    assert all(np.array_equal(written[0], other) for other in written[1:])
    assert all(np.array_equal(read_rgb(tmp_path / 'same' / f'{name}.png'), image)
               for name in 'abcd')


@pytest.fixture
def video(rendered_frames, tmp_path):
    """Return a video of seven frames."""
    path = tmp_path / 'street.mp4'
    write_video(path, ((index / 10, frame.image) for index, frame in
                       enumerate(rendered_frames[:7])), 10.0)
    return path


def test_a_video_becomes_frames_and_a_video(video, random_checkpoint, tmp_path):
    """What is written is a folder to train on, and a video of the overlay at the right times."""
    out = tmp_path / 'street'
    assert main([str(video), '--every', '3', '--frames', '2', '--image', str(out / 'images'),
                 '--mask', str(out / 'masks'), '--overlay', str(tmp_path / 'o.mp4'),
                 '--checkpoint', str(random_checkpoint)]) == 0
    names = ['street_000000.png', 'street_000003.png']
    for folder in ('images', 'masks'):
        assert sorted(path.name for path in (out / folder).iterdir()) == names
    dataset = open_dataset(parse_spec(f'folder:{out}'))
    frames = [frame.data.reshape(96, 320, 3) for frame in open_drive(str(video))]
    segmenter = RoadSegmenter(random_checkpoint)
    for index, frame in enumerate(frames[::3][:2]):
        assert np.array_equal(dataset[index].image, frame)
        assert np.array_equal(dataset[index].labels, segmenter.segment(frame).mask)
    overlay = list(open_drive(str(tmp_path / 'o.mp4')))
    assert [frame.stamp_ns for frame in overlay] == [0, 300_000_000]
    expected = segmenter.segment(frames[3]).overlay(frames[3])
    assert np.abs(overlay[1].data.reshape(96, 320, 3).astype(int) - expected).mean() < 8


def test_a_pipe_stands_for_a_camera(rendered_frames, random_checkpoint, tmp_path, capsys):
    """A pipe of MJPEG is opened as a camera is; it ends when its writer does."""
    pipe = tmp_path / 'camera'
    os.mkfifo(pipe)
    frames = b''.join(encode_jpeg(frame.image, 90) for frame in rendered_frames * 4)

    def feed() -> None:
        with contextlib.suppress(BrokenPipeError), pipe.open('wb') as writer:
            writer.write(frames)
    writer = threading.Thread(target=feed)
    writer.start()
    assert main([str(pipe), '--frames', '5', '--mask', str(tmp_path / 'm'), '--checkpoint',
                 str(random_checkpoint)]) == 0
    writer.join()
    assert 'wrote 5 images' in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / 'm').iterdir()) == [
        f'camera_{number:06d}.png' for number in range(5)]


def test_ctrl_c_leaves_whole_files(rendered_frames, random_checkpoint, tmp_path):
    """A camera ends by Ctrl-C, and what it gave until then is whole, the video too."""
    pipe, out = tmp_path / 'camera', tmp_path / 'o.mp4'
    os.mkfifo(pipe)
    process = subprocess.Popen([sys.executable, '-m', 'fcn_seg_ros', 'segment', str(pipe),
                                '--overlay', str(out), '--mask', str(tmp_path / 'm'),
                                '--checkpoint', str(random_checkpoint)], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with contextlib.suppress(BrokenPipeError), pipe.open('wb') as writer:
        sent = False
        for number in itertools.count():
            writer.write(encode_jpeg(rendered_frames[number % 8].image, 90))
            writer.flush()
            if not sent and (tmp_path / 'm' / 'camera_000003.png').exists():
                process.send_signal(signal.SIGINT)
                sent = True
            if process.poll() is not None:
                break
            time.sleep(0.005)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1] == 'segment: interrupted'
    masks = sorted((tmp_path / 'm').iterdir())
    assert f'wrote {len(masks)} images' in output and len(masks) >= 4
    assert len(list(open_drive(str(out)))) == len(masks)
    assert all(read_grey(path).shape == (96, 320) for path in masks)
    assert not list(tmp_path.glob('.*'))
