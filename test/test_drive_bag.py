# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 as a drive: real sqlite3 and mcap bags, written by the rosbags library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError

STORE = get_typestore(Stores.ROS2_JAZZY)
STORAGES = {'sqlite3': StoragePlugin.SQLITE3, 'mcap': StoragePlugin.MCAP}
START_NS = 1_700_000_000 * 10**9


def header(stamp_ns: int, frame_id: str) -> Any:
    """Return a std_msgs Header."""
    time = STORE.types['builtin_interfaces/msg/Time'](stamp_ns // 10**9, stamp_ns % 10**9)
    return STORE.types['std_msgs/msg/Header'](time, frame_id)


def image(pixels: np.ndarray, encoding: str, stamp_ns: int, padding: int = 0) -> Any:
    """Return an Image message, its rows padded by so many bytes."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)))
    return STORE.types['sensor_msgs/msg/Image'](
        header(stamp_ns, 'front'), height, width, encoding, 0, rows.shape[1], rows.ravel())


def compressed(rgb: np.ndarray, stamp_ns: int) -> Any:
    """Return a CompressedImage message holding a PNG."""
    content = cv2.imencode('.png', cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].ravel()
    return STORE.types['sensor_msgs/msg/CompressedImage'](
        header(stamp_ns, 'front'), 'rgb8; png compressed bgr8', content)


def camera_info(width: int, height: int, focal: float, stamp_ns: int) -> Any:
    """Return a CameraInfo message."""
    roi = STORE.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    k = np.array([focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1])
    p = np.hstack([k.reshape(3, 3), [[-40.0], [0.0], [0.0]]]).ravel()
    return STORE.types['sensor_msgs/msg/CameraInfo'](
        header(stamp_ns, 'front'), height, width, 'plumb_bob', np.full(5, 0.01), k,
        np.eye(3).ravel(), p, 0, 0, roi)


def write_bag(path: Path, storage: str, messages: list[tuple[str, Any, int]],
              empty_topics: tuple[str, ...] = ()) -> Path:
    """Write (topic, message, time) triples; return the bag's folder."""
    with Writer(path, version=9, storage_plugin=STORAGES[storage]) as writer:
        connections: dict[str, Any] = {}
        for topic, message, stamp_ns in messages:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], stamp_ns, STORE.serialize_cdr(message, kind))
        for topic in empty_topics:
            writer.add_connection(topic, 'sensor_msgs/msg/Image', typestore=STORE)
    return path


def noise(index: int, shape: tuple[int, ...] = (30, 40, 3)) -> np.ndarray:
    """Return random bytes that depend on ``index``."""
    return np.random.default_rng(index).integers(0, 256, shape, dtype=np.uint8)


def drive_messages(make: Callable[[np.ndarray, int], Any], topic: str,
                   count: int = 5) -> list[tuple[str, Any, int]]:
    """Return images at 20 Hz on ``topic``, recorded 3 ms late, and one late CameraInfo."""
    messages = []
    for index in range(count):
        stamp = START_NS + index * 50_000_000
        messages.append((topic, make(noise(index), stamp), stamp + 3_000_000))
    messages.insert(2, ('/front/camera_info', camera_info(40, 30, 55.5, START_NS),
                        START_NS + 55_000_000))
    return messages


@pytest.mark.parametrize('storage', STORAGES)
def test_raw_images_keep_bytes_stamps_frame_and_calibration(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage, drive_messages(
        lambda pixels, stamp: image(pixels, 'bgr8', stamp, padding=8), '/front/image_raw'))
    single = next(p for p in bag.iterdir() if p.suffix in ('.db3', '.mcap'))
    for spec in (bag, single):
        drive = open_drive(str(spec))
        assert drive.length == 5
        assert drive.rate_hz == pytest.approx(20.0)
        for _ in range(2):
            frames = list(drive)
            assert [f.stamp_ns - START_NS for f in frames] == [k * 50_000_000 for k in range(5)]
            for index, frame in enumerate(frames):
                assert (frame.encoding, frame.width, frame.height) == ('bgr8', 40, 30)
                assert (frame.step, frame.frame_id) == (128, 'front')
                rows = frame.data.reshape(30, 128)
                np.testing.assert_array_equal(rows[:, :120], noise(index).reshape(30, 120))
                # The one CameraInfo came with the second image; the first has it all the same.
                assert frame.calibration is not None
                assert frame.calibration.k[0] == 55.5
                assert frame.calibration.p[3] == -40.0


@pytest.mark.parametrize('storage', STORAGES)
def test_compressed_images_become_rgb8(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage,
                    drive_messages(compressed, '/front/image_raw/compressed'))
    for index, frame in enumerate(open_drive(str(bag))):
        assert frame.encoding == 'rgb8'
        np.testing.assert_array_equal(frame.data, noise(index))
        assert frame.calibration is not None and frame.calibration.width == 40


@pytest.mark.parametrize(('encoding', 'shape', 'dtype'), [
    ('mono16', (30, 40), np.uint16), ('bayer_rggb8', (30, 40), np.uint8),
    ('yuv422_yuy2', (30, 40, 2), np.uint8), ('rgba8', (30, 40, 4), np.uint8)])
def test_every_encoding_is_kept_as_it_is(
        tmp_path: Path, encoding: str, shape: tuple[int, ...], dtype: type) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(dtype)
    bag = write_bag(tmp_path / 'bag', 'mcap', [('/image', image(pixels, encoding, 7), 9)])
    frame, = open_drive(str(bag))
    assert frame.encoding == encoding and frame.calibration is None
    assert frame.data.tobytes() == pixels.tobytes()
    assert frame.stamp_ns == 7


def test_several_image_topics_need_a_choice(tmp_path: Path) -> None:
    bag = write_bag(tmp_path / 'bag', 'sqlite3', [
        ('/left/image_raw', image(noise(1), 'rgb8', 5), 5),
        ('/right/image_raw', image(noise(2), 'rgb8', 5), 5)])
    with pytest.raises(InputError, match=r'--topic.* /left/image_raw \(1\), /right/image_raw'):
        open_drive(str(bag))
    with pytest.raises(InputError, match=r'expected an image topic /front, found /left'):
        open_drive(str(bag), topics=('front',))
    for named in ('/right/image_raw', 'right/image_raw'):
        frame, = open_drive(str(bag), topics=(named,))
        np.testing.assert_array_equal(frame.data.reshape(30, 40, 3), noise(2))


@pytest.mark.parametrize('storage', STORAGES)
def test_a_recording_that_was_killed_has_no_metadata(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage, [('/image', image(noise(1), 'rgb8', 5), 5)])
    (bag / 'metadata.yaml').unlink()
    frame, = open_drive(str(bag))
    np.testing.assert_array_equal(frame.data.reshape(30, 40, 3), noise(1))


@pytest.mark.parametrize('storage', STORAGES)
def test_bags_without_images_list_what_they_have(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage, [
        ('/front/camera_info', camera_info(40, 30, 50.0, 5), 5)])
    with pytest.raises(InputError, match=r'/front/camera_info \(sensor_msgs/msg/CameraInfo\)'):
        open_drive(str(bag))
    empty = write_bag(tmp_path / 'empty', storage, [
        ('/front/camera_info', camera_info(40, 30, 50.0, 5), 5)], ('/front/image_raw',))
    with pytest.raises(InputError, match='no messages'):
        open_drive(str(empty))


@pytest.mark.parametrize('storage', STORAGES)
def test_damaged_bags_are_one_line(tmp_path: Path, storage: str) -> None:
    bag = write_bag(tmp_path / 'bag', storage, [
        ('/image', image(noise(k), 'rgb8', 5 + k), 5 + k) for k in range(20)])
    single = next(p for p in bag.iterdir() if p.suffix in ('.db3', '.mcap'))
    content = single.read_bytes()
    for damage in (content[:100], b'', b'nonsense' * 50):
        single.write_bytes(damage)
        for spec in (bag, single):
            with pytest.raises(InputError, match=f'{single.name}: expected a|SQLite file|'
                               f'no topic at all; {single.name}: the file is incomplete') as caught:
                list(open_drive(str(spec)))
            assert '\n' not in str(caught.value)


def test_a_compressed_image_that_is_none_is_one_line(tmp_path: Path) -> None:
    message = compressed(noise(1), 5)
    broken = type(message)(message.header, 'jpeg', message.data[:50])
    bag = write_bag(tmp_path / 'bag', 'mcap', [('/image/compressed', broken, 5)])
    with pytest.raises(InputError, match=r'none that can be read; /image/compressed: .* 50 bytes'):
        list(open_drive(str(bag)))
