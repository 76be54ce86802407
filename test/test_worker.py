# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The worker with a stand-in for the network: batches, failures, replacing it between frames."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rclpy
from node_client import image_message
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import BackendError, open_network
from fcn_seg_ros.inference.segmenter import Region, SegmentOptions
from fcn_seg_ros.node.camera_channel import Frame
from fcn_seg_ros.node.depth_watch import DepthWatch
from fcn_seg_ros.node.failure_policy import GIVE_UP_AFTER, Recovery
from fcn_seg_ros.node.frame_slot import Drop, FrameSlots
from fcn_seg_ros.node.load_job import LoadJob, load_network
from fcn_seg_ros.node.model_manager import ModelManager
from fcn_seg_ros.node.model_slot import ModelSlot
from fcn_seg_ros.node.settings import CameraSettings, settings_of
from fcn_seg_ros.node.statistics import RecentTimes
from fcn_seg_ros.node.worker import Worker

CAMERAS = ('a', 'b', 'c')


class StandIn:
    """A segmenter whose backend fails, or takes its time, as it is told."""

    def __init__(self, device: str = 'cuda:0') -> None:
        self.backend = SimpleNamespace(device=device)
        self.info = SimpleNamespace(statistics={'road': (0.0, 0.5, 1.0)})
        self.calls: list[list[int]] = []
        self.options: list[SegmentOptions] = []
        self.failures: list[BaseException] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.closed = False

    def network_shape(self, shape: tuple[int, ...], region: Region | None,
                      focal_length: float = 0.0) -> tuple[int, int]:
        if region is not None and region.width > shape[1]:
            raise InputError('region_of_interest: expected it within the image')
        return 32 * (shape[0] // 32), 32

    def segment_batch(self, images: list[np.ndarray], options: list[SegmentOptions]) -> list[str]:
        assert not self.closed
        self.entered.set()
        assert self.gate.wait(10.0)
        if self.failures:
            raise self.failures.pop(0)
        self.calls.append([int(image[0, 0, 0]) for image in images])
        self.options += options
        return [Result('result')] * len(images)

    def close(self) -> None:
        self.closed = True


class Result(str):
    """A segmentation."""

    mask = 'mask'
    label_map = SimpleNamespace(road_ids=(1,))


class Outputs:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.published: list[int] = []
        self.tables: SimpleNamespace | None = None
        self.is_watched = True

    def watched(self) -> bool:
        return self.is_watched

    def publish(self, header, image, result, camera_info, settings) -> None:
        assert result == 'result'
        self.published.append(header.stamp.nanosec)


class Monitor:
    """Keeps what it is shown; every picture is news to it."""

    def __init__(self) -> None:
        self.looks: list[tuple] = []

    def look(self, image, result, stamp_ns, now, options, ranges) -> bool:
        self.looks.append((int(image[0, 0, 0]), result, stamp_ns, options, ranges))
        return True


class Horizon:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.looks: list[tuple] = []

    def look(self, level, mask, road_ids, now, options) -> None:
        self.looks.append((level, mask, road_ids, options))


class Bench:
    """A worker with three cameras and what it needs."""

    def __init__(self, segmenter: StandIn, node: rclpy.node.Node) -> None:
        self.segmenter = segmenter
        self.slots = FrameSlots(CAMERAS)
        self.slot = ModelSlot(SimpleNamespace(segmenter=segmenter, facts={}))
        self.channels = {name: SimpleNamespace(
            times=RecentTimes(), image_shape=None, network_shape=None, camera_info=None,
            depth=DepthWatch(), outputs=Outputs(), monitor=Monitor(),
            horizon=Horizon()) for name in CAMERAS}
        cameras = {name: CameraSettings('', 'raw', 0, SegmentOptions(threshold=number / 10))
                   for number, name in enumerate(CAMERAS)}
        self.settings = SimpleNamespace(max_age_ms=0.0, monitor='options', horizon='limits',
                                        cameras=cameras)
        self.recoveries: list[tuple[Recovery, str]] = []
        self.news = 0
        self.worker = Worker(self.slots, self.slot, self.channels, lambda: self.settings, node,
                             lambda *recovery: self.recoveries.append(recovery), self.on_news)
        self.worker.start()

    def on_news(self) -> None:
        self.news += 1

    def put(self, camera: str, number: int, rows: int = 32) -> None:
        message = image_message(np.full((rows, 32, 3), number, np.uint8), number)
        self.slots.put(camera, Frame(serialize_message(message), Image, time.monotonic()))

    def drained(self) -> dict:
        """Return the counts once nothing is in flight."""
        deadline = time.monotonic() + 10.0
        while any(counts.in_flight for counts in self.slots.counts().values()):
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self.slots.counts()


@pytest.fixture(scope='module')
def node():
    """Return a node that gives the worker its clock and logger."""
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node('worker_test', context=context)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.fixture
def make_bench(node):
    """Return a function that makes a bench, which is stopped afterwards."""
    benches = []

    def make(device: str = 'cuda:0') -> Bench:
        benches.append(Bench(StandIn(device), node))
        return benches[-1]
    yield make
    for bench in benches:
        bench.segmenter.gate.set()
        assert bench.worker.stop(10.0)


def wait_together(bench: Bench, frames: list[tuple[str, int, int]]) -> None:
    """Let frames wait while another one is in work, then go on."""
    bench.segmenter.gate.clear()
    bench.segmenter.entered.clear()
    bench.put('a', 99)
    assert bench.segmenter.entered.wait(10.0)
    for frame in frames:
        bench.put(*frame)
    bench.segmenter.gate.set()
    bench.drained()


@pytest.mark.parametrize(('device', 'calls'), [('cuda:0', [[2, 3, 1]]),
                                               ('cpu', [[2], [3], [1]])])
def test_frames_that_wait_together_share_a_batch_on_a_gpu(make_bench, device, calls):
    bench = make_bench(device)
    for number, camera in enumerate(CAMERAS):  # their shapes become known
        bench.put(camera, number)
        bench.drained()
    del bench.segmenter.calls[:], bench.segmenter.options[:]
    wait_together(bench, [('b', 2, 32), ('c', 3, 32), ('a', 1, 32)])
    assert bench.segmenter.calls == [[99], *calls]
    assert [option.threshold for option in bench.segmenter.options] == [0.0, 0.1, 0.2, 0.0]
    assert bench.channels['c'].outputs.published == [2, 3]


def test_the_pose_of_a_camera_is_checked_while_its_outputs_in_metres_are_used(make_bench):
    bench = make_bench()
    bench.channels['b'].outputs.tables = SimpleNamespace(level='level')
    for number, camera in enumerate(CAMERAS):
        bench.put(camera, 10 + number)
    bench.drained()
    looks = [channel.horizon.looks for channel in bench.channels.values()]
    assert looks == [[], [('level', 'mask', (1,), 'limits')], []]


def test_each_cameras_monitor_sees_its_published_frames(make_bench):
    bench = make_bench()
    for number, camera in enumerate(CAMERAS):
        bench.put(camera, 10 + number)
    bench.channels['b'].outputs.is_watched = False
    bench.put('b', 20)
    bench.drained()
    ranges = bench.segmenter.info.statistics
    assert bench.channels['c'].monitor.looks == [(12, 'result', 12, 'options', ranges)]
    looks = [look for channel in bench.channels.values() for look in channel.monitor.looks]
    assert bench.news == len(looks) == sum(
        counts.published for counts in bench.slots.counts().values())


def test_a_camera_of_another_shape_goes_alone(make_bench):
    bench = make_bench()
    for number, camera in enumerate(CAMERAS):
        bench.put(camera, number, 64 if camera == 'b' else 32)
        bench.drained()
    del bench.segmenter.calls[:]
    # C changes its size unseen: it is found after the frame was taken, and still gets a mask.
    wait_together(bench, [('a', 1, 32), ('b', 2, 64), ('c', 3, 96)])
    assert bench.segmenter.calls == [[99], [2], [3], [1]]


def test_max_age_limits_the_batch_and_drops_what_is_older(make_bench):
    bench = make_bench()
    bench.settings.max_age_ms = 1e15
    bench.put('a', 1)
    assert bench.drained()['a'].published == 1
    bench.settings.max_age_ms = 1.0
    bench.put('a', 1)
    assert bench.drained()['a'].dropped[Drop.TOO_OLD] == 1


def test_every_frame_has_one_outcome_whatever_happens(make_bench):
    bench = make_bench()
    bench.channels['b'].outputs.is_watched = False
    bench.settings.cameras['c'] = CameraSettings('', 'raw', 0, SegmentOptions(
        region=Region(0, 0, 1000, 10)))
    for camera in CAMERAS:
        bench.put(camera, 1)
    counts = bench.drained()
    assert counts['a'].published == 1
    assert counts['b'].dropped[Drop.INACTIVE] == 1
    assert counts['c'].dropped[Drop.MALFORMED] == 1


def test_a_device_that_fails_is_tried_again_and_then_left(make_bench):
    bench = make_bench()
    bench.segmenter.failures = [BackendError('out of memory', out_of_memory=True), MemoryError(),
                                BackendError('out of memory')]
    for number in range(3):
        bench.put('a', number)
        bench.drained()
    assert [recovery for recovery, _ in bench.recoveries] == [Recovery.FALL_BACK]
    assert bench.worker.failures.reason.startswith('BackendError')
    bench.put('a', 7)
    counts = bench.drained()['a']
    assert counts.dropped[Drop.ERROR] == 3 and counts.published == 1
    assert bench.worker.failures.reason == ''


def test_unexplained_errors_are_counted_and_end_it_only_in_a_row(make_bench):
    bench = make_bench()
    bench.segmenter.failures = [KeyError('x') for _ in range(GIVE_UP_AFTER)]
    for number in range(GIVE_UP_AFTER):
        assert not bench.recoveries
        bench.put('a', number)
        bench.drained()
    assert bench.drained()['a'].dropped[Drop.ERROR] == GIVE_UP_AFTER
    deadline = time.monotonic() + 5.0
    while not bench.recoveries and time.monotonic() < deadline:
        time.sleep(0.005)
    assert bench.recoveries == [(Recovery.GIVE_UP, "KeyError: 'x'")]


def test_a_stuck_worker_is_seen_and_not_waited_for(make_bench):
    bench = make_bench()
    bench.segmenter.gate.clear()
    bench.put('a', 1)
    assert bench.segmenter.entered.wait(10.0)
    time.sleep(0.05)
    assert bench.worker.busy_s() > 0.04
    assert not bench.worker.stop(0.1)


def test_the_network_is_replaced_between_two_frames_under_load(make_bench):
    bench = make_bench('cpu')
    stop = threading.Event()

    def feed() -> None:
        number = 0
        while not stop.is_set():
            bench.put(CAMERAS[number % 3], number % 250)
            number += 1
            time.sleep(0.0005)
    feeder = threading.Thread(target=feed)
    feeder.start()
    made = [bench.segmenter]
    for _ in range(50):
        deadline = time.monotonic() + 10.0
        while not made[-1].calls and time.monotonic() < deadline:
            time.sleep(0.001)
        made.append(StandIn('cpu'))
        bench.slot.replace(SimpleNamespace(segmenter=made[-1], facts={}))
        assert made[-2].closed and not made[-1].closed
    stop.set()
    feeder.join()
    bench.drained()
    assert all(segmenter.calls for segmenter in made[:-1])
    assert not any(counts.dropped[Drop.ERROR] for counts in bench.slots.counts().values())
    bench.slot.close()
    with pytest.raises(InputError):
        bench.slot.replace(SimpleNamespace(segmenter=StandIn(), facts={}))


def test_a_gpu_that_fails_is_left_for_the_cpu_where_that_is_allowed(node, monkeypatch):
    asked = []

    class Loaded:
        def __init__(self, settings, shapes, logger, done, network):
            asked.append(settings)
            # Not what is in the file by now.
            assert network == 'as it was read'
            self.failure = None
            self.loaded = SimpleNamespace(segmenter=StandIn('cpu'), facts={})
            done(self)

        def is_alive(self) -> bool:
            return False
    monkeypatch.setattr('fcn_seg_ros.node.model_manager.LoadJob', Loaded)
    monkeypatch.setattr(ModelManager, '_report', lambda self, loaded: None)
    manager = ModelManager(node.get_logger())
    gpu = StandIn('cuda:0')
    manager.slot = ModelSlot(SimpleNamespace(segmenter=gpu, facts={}, checkpoint='net',
                             network='as it was read'))
    settings = _settings(device='cuda:0')
    manager.fall_back(settings, {}, 'lost')
    assert not asked and manager.slot.loaded.segmenter is gpu
    manager.fall_back(_settings(device='auto'), {}, 'lost')
    assert (asked[0].device, asked[0].checkpoint, asked[0].precision) == ('cpu', 'net', 'auto')
    assert gpu.closed and manager.slot.loaded.segmenter.backend.device == 'cpu'
    assert manager.warning == 'cuda:0 failed (lost): running on the CPU instead'
    manager.fall_back(_settings(device='auto'), {}, 'again')  # it is on the CPU
    assert len(asked) == 1


def test_a_network_that_was_read_needs_no_file(random_checkpoint, tmp_path):
    path = Path(shutil.copy(random_checkpoint, tmp_path))
    network = open_network(path)
    path.write_bytes(b'another')
    settings = _settings(device='cpu', backend='torch', precision='fp32', checkpoint=str(path))
    loaded = load_network(settings, [((96, 320), SegmentOptions())], lambda: None, network)
    assert loaded.facts['checkpoint_sha256'] == hashlib.sha256(
        random_checkpoint.read_bytes()).hexdigest()[:12]
    assert loaded.network is None  # on a CPU nothing falls back to the CPU
    with pytest.raises(InputError, match='expected a whole safetensors file'):
        load_network(settings, [((96, 320), SegmentOptions())], lambda: None)


def test_a_load_that_is_cancelled_leaves_nothing(node, random_checkpoint):
    done = threading.Event()
    settings = _settings(device='cpu', backend='torch', precision='fp32',
                         checkpoint=str(random_checkpoint))
    loading = LoadJob(settings, [], node.get_logger(), lambda loading: done.set())
    loading.cancel()
    assert loading.wait(60.0) and done.is_set()
    assert loading.loaded is None and loading.failure is None


def _settings(**values):
    defaults = settings_of(lambda row: row.default, lambda topic: topic)
    return dataclasses.replace(defaults, **{'cameras': {}, 'precision': 'fp16', **values})


def test_whatever_a_message_does_to_a_decoder_it_is_malformed(make_bench, monkeypatch):
    """Neither bytes that are no message nor an error nobody expected count towards giving up."""
    bench = make_bench()
    for _ in range(GIVE_UP_AFTER):
        bench.slots.put('a', Frame(b'\x00\x01\x00\x00\xff', Image, time.monotonic()))
        bench.drained()

    def fail(*args: object) -> None:
        raise IndexError('index out of range')
    monkeypatch.setattr('fcn_seg_ros.node.decode.to_rgb', fail)
    for number in range(GIVE_UP_AFTER):
        bench.put('a', number)
        bench.drained()
    monkeypatch.undo()
    bench.put('a', 7)
    counts = bench.drained()['a']
    assert counts.dropped[Drop.MALFORMED] == 2 * GIVE_UP_AFTER and counts.published == 1
    assert not bench.recoveries and bench.worker.failures.reason == ''


def test_bits_that_are_never_used_are_noticed(make_bench):
    bench = make_bench()
    watch = bench.channels['a'].depth

    def put(value: int) -> None:
        message = Image(height=32, width=32, step=64, encoding='mono16',
                        data=np.full(1024, value, np.uint16).tobytes())
        bench.slots.put('a', Frame(serialize_message(message), Image, time.monotonic()))
        bench.drained()
    for _ in range(9):
        put(1023)
    assert watch.hint == ''
    put(1000)
    assert watch.hint == ('the upper 6 of 16 bits of the images are never used: for a 10-bit '
                          'camera set bit_depth to 10')
    assert bench.segmenter.calls[-1] == [3]
    bench.settings.cameras['a'] = CameraSettings('', 'raw', 10, SegmentOptions())
    put(1000)
    assert watch.hint == '' and bench.segmenter.calls[-1] == [250]
    put(1024)  # more than ten bits can hold: as bright as can be
    assert bench.segmenter.calls[-1] == [255]
