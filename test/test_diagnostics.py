# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Levels, messages and values on /diagnostics."""

from __future__ import annotations

import threading
import time

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from fcn_seg_ros.ground.horizon_watch import HorizonReport
from fcn_seg_ros.inference.monitor import PictureReport
from fcn_seg_ros.node import diagnostics, statistics
from fcn_seg_ros.node.camera_watch import CameraWatch
from fcn_seg_ros.node.diagnostics import camera_status, node_status
from fcn_seg_ros.node.frame_slot import Counts, Drop
from fcn_seg_ros.node.health import CameraHealth, Health, Verdict
from fcn_seg_ros.node.statistics import RecentTimes

OK, WARN, ERROR, STALE = (DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR,
                          DiagnosticStatus.STALE)
STAGES = {'wait': 1.0, 'convert': 0.5, 'segment': 20.0, 'publish': 1.0, 'processing': 22.5,
          'age': 30.0}


class Clock:
    """Stands for time.monotonic in the statistics."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Camera:
    """A camera with simulated frames and one beat a second."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.watch = CameraWatch()
        self.times = RecentTimes()
        self.received = self.published = self.lost = 0
        self.dropped = dict.fromkeys(Drop, 0)
        self.facts: dict[str, object] = {'subscribed': True, 'transport': 'raw',
                                         'reliability': 'reliable'}
        self.node: dict[str, object] = {
            'state': 'active', 'reason': '', 'warning': '', 'network': {'device': 'cpu'},
            'busy_s': 0.0, 'expected_processing_ms': 100.0}

    def frames(self, count: int, drop: Drop | None = None, age: float = 30.0,
               processing: float = 22.5) -> None:
        self.received += count
        for _ in range(count):
            self.clock.now += 1e-3
            self.times.add_arrival(age)
            if drop is None:
                self.published += 1
                self.times.add(STAGES | {'age': age, 'processing': processing})
            else:
                self.dropped[drop] += 1

    def health(self) -> Health:
        counts = Counts(self.received, self.published, dict(self.dropped), 0)
        camera = CameraHealth(counts, self.times, lost=self.lost, **self.facts)
        return Health(**self.node, cameras={'front': camera})

    def beat(self) -> Verdict:
        verdict = self.watch.judge(self.health(), 'front', self.clock.now)
        self.clock.now += 1.0
        return verdict


@pytest.fixture
def camera(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(statistics, 'time', clock)
    camera = Camera(clock)
    camera.frames(10)
    assert camera.beat().level == OK
    return camera


def test_healthy_camera_has_rates_and_says_active(camera):
    for _ in range(8):
        camera.frames(10)
        verdict = camera.beat()
    assert (verdict.level, verdict.message) == (OK, 'active')
    assert float(verdict.values['input_rate_hz']) == pytest.approx(10, abs=0.2)
    assert verdict.values['output_rate_hz'] == verdict.values['input_rate_hz']
    assert verdict.values['processing_time_ms'] == '22.50'
    assert verdict.values['is_processing_time_ms_in_expected_range'] == 'True'
    assert verdict.values['consecutive_processing_delay_ms'] == '0.00'


def test_rates_tell_input_from_output(camera):
    for _ in range(8):
        camera.frames(10)
        camera.frames(20, Drop.REPLACED)
        verdict = camera.beat()
    assert float(verdict.values['input_rate_hz']) == pytest.approx(30, abs=1)
    assert float(verdict.values['output_rate_hz']) == pytest.approx(10, abs=0.5)
    assert verdict.level == WARN and 'of the last' in verdict.message


def test_silence_warns_then_is_stale_then_over(camera):
    levels = [camera.beat() for _ in range(12)]
    assert [v.level for v in levels[:9]] == [WARN] * 9
    assert levels[0].message == 'no image for 1 s'
    assert levels[-1].level == STALE and levels[-1].message == 'no image for 12 s'
    camera.frames(10)
    assert camera.beat().level == OK


def test_silence_is_fine_where_nobody_listens(camera):
    camera.facts['subscribed'] = False
    for _ in range(12):
        verdict = camera.beat()
    assert (verdict.level, verdict.message) == (OK, 'active, nobody subscribes')
    camera.facts['subscribed'] = True
    assert camera.beat().level == OK  # it has only just begun to listen
    assert camera.beat().level == WARN


def test_a_publisher_that_was_never_heard_gets_a_hint(camera):
    camera.facts['matched'] = '/driver'
    words = '/driver is matched but silent: if it does publish, it runs as another user'
    verdicts = [camera.beat() for _ in range(12)]
    assert [words in verdict.message for verdict in verdicts] == 2 * [False] + 10 * [True]
    assert verdicts[-1].level == STALE and '--ipc=host' in verdicts[-1].hints['silence']
    camera.frames(10)
    assert camera.beat().level == OK
    # An image has come from it, so the transport works.
    assert not any(words in camera.beat().message for _ in range(12))


def test_no_hint_where_nobody_publishes(camera):
    assert camera.beat().hints == {}
    assert not any('silent' in camera.beat().message for _ in range(12))


def test_silence_is_judged_by_simulated_time(camera):
    """At a twentieth of real time a 10 Hz camera sends an image every two seconds."""
    camera.node['simulated_s'] = 50.0
    camera.frames(1)
    camera.beat()
    for number in range(1, 40):
        camera.node['simulated_s'] = 50.0 + 0.05 * number
        camera.frames(number % 2)
        assert camera.beat().level == OK
    for _ in range(20):  # it stands still
        assert camera.beat().level == OK
    camera.node['simulated_s'] += 2.0
    assert camera.beat().message == 'no image for 2 s'
    camera.node['simulated_s'] -= 30.0  # the bag begins anew
    assert camera.beat().level == OK


@pytest.mark.parametrize(('drop', 'level', 'words'), [
    (Drop.ERROR, ERROR, 'images could not be segmented in the last second'),
    (Drop.MALFORMED, WARN, 'malformed images in the last second'),
])
def test_one_bad_image_is_told_for_one_beat(camera, drop, level, words):
    camera.frames(9)
    camera.frames(1, drop)
    verdict = camera.beat()
    assert (verdict.level, verdict.message) == (level, words)
    camera.frames(10)
    assert camera.beat().level == OK


def test_lost_images_are_told_for_one_beat(camera):
    camera.frames(10)
    camera.lost = 4
    verdict = camera.beat()
    assert (verdict.level, verdict.message) == (WARN,
                                                '4 images lost before the node in the last second')
    camera.frames(10)
    assert camera.beat().level == OK


@pytest.mark.parametrize(('age', 'level', 'words'), [
    (9_900.0, OK, 'active'), (-9_900.0, OK, 'active'),
    (25_000.0, WARN, 'images are 25 s old: to replay a bag, set use_sim_time'),
    (-1.6e12, WARN, 'images are 1600000000 s in the future'),
])
def test_age_beyond_ten_seconds(camera, age, level, words):
    camera.frames(10, age=age)
    verdict = camera.beat()
    assert verdict.level == level and words in verdict.message


def test_age_is_told_though_all_images_are_too_old(camera):
    camera.frames(10, Drop.TOO_OLD, age=1e9)
    assert 'images are 1000000 s old' in camera.beat().message


def test_one_image_across_a_loop_of_the_bag_is_not_told(camera):
    camera.frames(9)
    camera.frames(1, age=-60_000.0)
    assert camera.beat().level == OK


def test_slow_processing_has_autoware_s_keys(camera):
    delays = []
    for _ in range(3):
        camera.frames(2, processing=150.0)
        verdict = camera.beat()
        assert verdict.level == WARN
        assert verdict.message == 'processing took 150 ms, expected at most 100 ms'
        assert verdict.values['is_processing_time_ms_in_expected_range'] == 'False'
        delays.append(float(verdict.values['consecutive_processing_delay_ms']))
    assert delays == pytest.approx([1002, 2004, 3006], abs=3)
    camera.frames(1)
    assert camera.beat().values['consecutive_processing_delay_ms'] == '0.00'


def test_a_stuck_worker_and_a_failed_transition_are_errors(camera):
    camera.frames(10)
    camera.node['busy_s'] = 6.0
    verdict = camera.beat()
    assert verdict.level == ERROR
    assert verdict.message == 'the worker has been busy with one batch for 6 s'
    assert node_status('seg_node', camera.health()).level == ERROR
    camera.node |= {'busy_s': 0.0, 'state': 'unconfigured', 'reason': 'x.safetensors: truncated'}
    verdict = camera.beat()
    assert (verdict.level, verdict.message) == (ERROR, 'x.safetensors: truncated')


def test_bits_that_are_never_used_are_a_warning_and_a_hint(camera):
    camera.facts['depth_hint'] = 'the upper 6 of 16 bits of the images are never used'
    camera.frames(10, age=1e9)
    verdict = camera.beat()
    assert verdict.level == WARN and camera.facts['depth_hint'] in verdict.message
    assert verdict.hints['bit_depth'] == camera.facts['depth_hint']
    assert 'images are 1000000 s old' in verdict.hints['age']
    camera.facts['depth_hint'] = ''
    camera.frames(10)
    assert camera.beat().hints == {}


def test_several_problems_are_all_named_the_worst_first(camera):
    camera.frames(8)
    camera.frames(1, Drop.MALFORMED)
    camera.frames(1, Drop.ERROR)
    camera.facts['incompatible'] = '/cheap_camera and this node do not match'
    verdict = camera.beat()
    assert verdict.level == ERROR
    assert verdict.message == (
        'images could not be segmented in the last second; /cheap_camera and this node do not '
        'match; malformed images in the last second')


def test_counts_that_begin_anew_are_no_negative_rate(camera):
    camera.frames(10)
    camera.beat()
    camera.received = camera.published = 0
    camera.dropped = dict.fromkeys(Drop, 0)
    for _ in range(2):
        camera.frames(10)
        verdict = camera.beat()
        assert verdict.level == OK
        assert float(verdict.values.get('input_rate_hz', 0.0)) >= 0


def report(camera: Camera, *names: str) -> PictureReport:
    return PictureReport(camera.clock.now, {name: f'it is {name}: 12' for name in names},
                         {'sharpness': 0.123456})


def test_a_picture_at_fault_is_a_warning_with_its_figures(camera):
    camera.frames(10)
    camera.facts['picture'] = report(camera, 'frozen', 'blurred')
    verdict = camera.beat()
    assert verdict.level == WARN and verdict.message == 'it is frozen: 12; it is blurred: 12'
    assert verdict.values['picture_faults'] == 'frozen, blurred'
    assert verdict.values['picture_sharpness'] == '0.123'
    camera.frames(10)
    camera.facts['picture'] = report(camera)
    verdict = camera.beat()
    assert verdict.level == OK and verdict.values['picture_faults'] == ''


def test_a_doubtful_pose_is_a_warning_with_its_figures(camera):
    fault = 'its pitch looks like 2.0 degrees, not 1.0'
    camera.facts['horizon'] = HorizonReport(camera.clock.now, 2.004, 1.0, 0.0, fault)
    camera.frames(10)
    verdict = camera.beat()
    assert verdict.level == WARN and verdict.message == fault
    assert verdict.values['horizon_pitch_deg'] == '2.00'
    assert verdict.values['horizon_error_deg'] == '1.00'
    camera.clock.now += 2.1
    camera.frames(10)
    verdict = camera.beat()
    assert verdict.level == OK and 'horizon_pitch_deg' not in verdict.values
    camera.facts['horizon'] = HorizonReport(camera.clock.now)  # too little straight road
    camera.frames(10)
    verdict = camera.beat()
    assert verdict.level == OK and 'horizon_pitch_deg' not in verdict.values


@pytest.mark.parametrize('change', [{'subscribed': False}, {'state': 'inactive'}, {}])
def test_a_picture_of_earlier_is_not_reported(camera, change):
    camera.facts['picture'] = report(camera, 'frozen')
    for name, value in change.items():
        (camera.node if name == 'state' else camera.facts)[name] = value
    camera.clock.now += 0.0 if change else 2.1
    camera.frames(10)
    verdict = camera.beat()
    assert 'frozen' not in verdict.message and 'picture_faults' not in verdict.values
    assert verdict.news == ''


def test_the_log_is_told_of_a_picture_at_most_every_ten_seconds(camera):
    news = []
    for second in range(24):  # it comes and goes every second
        camera.frames(10)
        camera.facts['picture'] = report(camera, *(['frozen'] if second % 2 == 0 else []))
        news.append(camera.beat().news)
    told = {second: words for second, words in enumerate(news) if words}
    assert told == {0: 'it is frozen: 12', 11: 'the picture is good again',
                    22: 'it is frozen: 12'}


def test_the_first_beat_has_no_rate(camera):
    verdict = CameraWatch().judge(camera.health(), 'front', camera.clock.now)
    assert verdict.level == OK and 'input_rate_hz' not in verdict.values


def test_statuses_carry_everything(camera):
    camera.frames(10)
    verdict = camera.beat()
    health = camera.health()
    status = camera_status('ns/seg_node', 'front', health, verdict)
    values = {value.key: value.value for value in status.values}
    assert status.name == 'ns/seg_node: front' and status.hardware_id == 'front'
    assert int(values['received']) == 20 == int(values['published'])
    assert all(f'dropped_{drop.value}' in values for drop in Drop)
    assert values['age_ms_p50'] == '30.00' and values['wait_ms_max'] == '1.00'
    assert values['segment_ms_p95'] == '20.00' and values['device'] == 'cpu'
    assert (values['transport'], values['reliability']) == ('raw', 'reliable')
    assert {'in_flight', 'lost_before_node', 'missed_in_sequence', 'input_rate_hz',
            'incompatible_publisher', 'processing_time_ms'} <= set(values)
    camera.node['warning'] = 'on the CPU after three GPU errors'
    status = node_status('ns/seg_node', camera.health())
    assert (status.name, status.level) == ('ns/seg_node', WARN)
    assert status.message == 'on the CPU after three GPU errors'


def test_percentiles_are_of_recent_frames_only(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(statistics, 'time', clock)
    times = RecentTimes()
    assert times.percentiles() == {}
    times.add({'age': 5000.0})
    clock.now += 101.0
    for age in range(101):
        times.add({'age': float(age)})
    assert times.percentiles() == {'age': (50.0, 95.0, 100.0)}
    clock.now += 101.0
    assert times.percentiles() == {}


class Publisher:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.arrays: list[object] = []
        self.published = threading.Event()

    def publish(self, array: object) -> None:
        self.arrays.append(array)
        self.published.set()


class BeatNode:
    """The part of a node that the publisher uses."""

    def __init__(self) -> None:
        self.publisher = Publisher()
        self.context = self

    def ok(self) -> bool:
        return True

    def create_publisher(self, *arguments: object) -> Publisher:
        return self.publisher

    def get_fully_qualified_name(self) -> str:
        return '/seg_node'

    def get_clock(self) -> object:
        import rclpy.clock
        return rclpy.clock.Clock()


def test_the_beat_goes_on_while_the_worker_is_stuck(camera, monkeypatch):
    monkeypatch.setattr(diagnostics, '_PERIOD_S', 0.01)
    camera.node['busy_s'] = 60.0
    node = BeatNode()
    beat = diagnostics.DiagnosticsPublisher(node, camera.health)
    deadline = time.monotonic() + 10
    while len(node.publisher.arrays) < 3:
        assert time.monotonic() < deadline
        node.publisher.published.wait(1.0)
        node.publisher.published.clear()
    beat.stop()
    statuses = node.publisher.arrays[-1].status
    assert [status.name for status in statuses] == ['seg_node', 'seg_node: front']
    assert all(status.level == ERROR for status in statuses)


def test_a_beat_comes_at_once_where_there_is_news(camera, monkeypatch):
    monkeypatch.setattr(diagnostics, '_PERIOD_S', 1000.0)
    node = BeatNode()
    beat = diagnostics.DiagnosticsPublisher(node, camera.health)
    for count in (1, 2, 3):
        deadline = time.monotonic() + 20
        while len(node.publisher.arrays) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        beat.soon()
    beat.stop()
    assert len(node.publisher.arrays) in (3, 4)
