# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The monitor of a camera's picture: each fault is found and forgotten, a good picture is not."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from picture_faults import FAULTS, FOUND_IN_PART, blurred, faulty, noisy

from fcn_seg_ros.inference.label_map import LabelMap
from fcn_seg_ros.inference.monitor import MonitorOptions, PictureMonitor
from fcn_seg_ros.inference.picture import glance
from fcn_seg_ros.inference.segmentation import Segmentation, StageTimes

RATE = 10.0
STANDARD = MonitorOptions()
LEGEND = LabelMap(('not road', 'road'), ((0, 0, 0), (0, 200, 80)))
DATA = Path(os.environ.get('FCN_SEG_DATA', 'none'))
needs_frames = pytest.mark.skipif(not (DATA / 'kitti_raw_2011_09_26').is_dir(),
                                  reason='FCN_SEG_DATA names no folder with KITTI raw frames')


def answer(road: int = 1, probability: int = 250) -> Segmentation:
    """Return what a network says: the same of every pixel."""
    return Segmentation(np.full((48, 64), road, np.uint8),
                        np.full((48, 64), probability, np.uint8), StageTimes(0, 0, 0), LEGEND,
                        lambda: np.zeros((48, 64), np.uint8))


def passing(count: int, seed: int = 0, sigma: float = 1.0) -> list[np.ndarray]:
    """Return frames of a scene of plain blocks that moves by, with a sensor's noise."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(20, 236, (14, 60 + count, 3), np.uint8)
    scene = cv2.resize(blocks, None, fx=16, fy=16, interpolation=cv2.INTER_NEAREST)
    return [noisy(scene[:, 9 * number:9 * number + 480], sigma, rng) for number in range(count)]


class Camera:
    """A camera at 10 Hz under a monitor."""

    def __init__(self, options: MonitorOptions = STANDARD) -> None:
        self.monitor = PictureMonitor()
        self.options = options
        self.ranges: dict[str, tuple[float, float, float]] = {}
        self.frames = 0
        self.changes = 0

    def show(self, images: Iterable[np.ndarray], result: Segmentation | None = None,
             stamp_ns: int | None = None) -> list[set[str]]:
        """Show frames and return the faults after each."""
        said = []
        for image in images:
            moment = self.frames / RATE
            stamp = round(1e9 * moment) if stamp_ns is None else stamp_ns
            self.changes += self.monitor.look(image, result or answer(), stamp, moment,
                                              self.options, self.ranges)
            self.frames += 1
            said.append(set(self.monitor.report.faults))
        return said


def test_a_good_picture_has_no_fault():
    camera = Camera()
    assert not any(camera.show(passing(150)))
    assert camera.changes == 0
    values = camera.monitor.report.values
    assert values['sharpness'] > 0.6 and values['detail'] > 0.9 and values['covered'] == 0.0


@pytest.mark.parametrize('name', [name for name in FAULTS if not name.startswith(FOUND_IN_PART)])
def test_a_fault_is_found_within_two_seconds_and_forgotten(name):
    frames = passing(120)
    before, during, after = frames[:80], frames[80:100], frames[100:]
    camera = Camera()
    assert not any(camera.show(before))
    said = camera.show(faulty(name, before, during))
    assert said[18] & set(FAULTS[name][1]), camera.monitor.report  # after 1.9 s
    assert not said[3]
    words = '; '.join(camera.monitor.report.faults.values())
    assert any(character.isdigit() for character in words)
    assert camera.show(after)[-1] == set()
    assert camera.changes >= 2


def test_a_standing_car_is_not_a_frozen_camera():
    scene, rng = passing(1, sigma=0.0)[0], np.random.default_rng(1)
    assert not any(Camera().show(noisy(scene, 0.5, rng) for _ in range(60)))


def test_pictures_that_come_again_are_frozen_only_with_new_stamps():
    frames = passing(30)
    again = Camera()
    assert again.show(frames + frames)[-1] == {'frozen'}  # a drive on a loop
    assert again.monitor.report.values['repeated_s'] == pytest.approx(3.0)
    old = Camera()
    assert not any(old.show(frames[:1] * 30, stamp_ns=7))  # one message, sent many times
    now_and_then = Camera()
    doubled = [image for image in frames for _ in range(2)]  # 5 Hz, doubled to 10
    assert not any(now_and_then.show(doubled))


@pytest.mark.parametrize('name, fault, switched_off', [
    ('frozen', 'frozen', {'frozen_after_s': 0.0}), ('black', 'black', {'black_below': 0.0}),
    ('white', 'overexposed', {'overexposed_above': 1.0}),
    ('blurred, 0.4 %', 'blurred', {'sharpness_below': 0.0}),
    ('hand, left 30 %', 'covered', {'covered_above': 1.0}),
    ('hand, all', 'covered', {'covered_above': 1.0}),
    ('frozen', 'frozen', {'fault_after_s': 0.0})])
def test_each_check_can_be_switched_off(name, fault, switched_off):
    frames = passing(100)
    shown = [*frames[:80], *faulty(name, frames[:80], frames[80:])]
    assert fault in Camera().show(shown)[-1]
    assert fault not in Camera(replace(STANDARD, **switched_off)).show(shown)[-1]


def test_switching_off_takes_a_report_back():
    camera = Camera()
    frames = passing(1) * 20
    assert camera.show(frames)[-1] == {'frozen'}
    camera.options = replace(STANDARD, fault_after_s=0.0)
    assert camera.show(frames[:1]) == [set()] and camera.changes == 2
    assert not camera.monitor.report.values


def test_no_road_for_seconds():
    camera = Camera()
    frames = passing(80)
    assert not any(camera.show(frames[:20]))
    said = camera.show(frames[20:60], answer(road=0, probability=5))
    assert [sorted(names) for names in said[28:32]] == [[], ['no_road'], ['no_road'], ['no_road']]
    assert '4.0 s' in camera.monitor.report.faults['no_road']
    assert not any(camera.show(frames[60:]))


def test_an_unfamiliar_picture_is_named_by_its_figure():
    camera = Camera()
    frames = passing(60)
    brightness = glance(frames[0]).brightness
    camera.ranges = {'brightness': (brightness - 50.0, brightness, brightness + 50.0),
                     'confidence': (0.5, 0.9, 1.0), 'of a later version': (1.0, 2.0, 3.0)}
    assert not any(camera.show(frames[:20]))
    bright = [cv2.add(image, (90, 90, 90, 0)) for image in frames[20:40]]
    assert camera.show(bright)[-1] == {'unfamiliar'}
    assert 'brightness' in camera.monitor.report.faults['unfamiliar']
    assert 1.5 < camera.monitor.report.values['unfamiliar'] < 1.9
    assert camera.show(frames[40:])[-1] == set()


def test_after_a_pause_everything_is_judged_anew():
    camera = Camera()
    frames = passing(30)
    camera.show(frames[:1] * 20)
    camera.frames += 60
    assert not any(camera.show(frames[:1] * 9))
    assert 'frozen' in camera.show(frames[:1] * 3)[-1]
    small = [image[:100] for image in frames]
    assert not any(camera.show(small))  # nor does another size go on with the old history


def test_a_slow_camera_is_not_judged_by_one_frame():
    monitor = PictureMonitor()
    good, bad = passing(9), [np.zeros((224, 480, 3), np.uint8)]
    faults = []
    for number, image in enumerate(good + bad + good):
        monitor.look(image, answer(), number * 10**9 + (number > 9), number * 1.0,
                     replace(STANDARD, frozen_after_s=0.0), {})
        faults += monitor.report.faults
    assert not faults


def test_sharpness_is_the_share_of_an_edge_between_two_pixels():
    step = np.zeros((96, 320, 3), np.uint8)
    step[:, 160:] = 200
    assert glance(step).sharpness == pytest.approx(1.0)
    ramp = np.clip(np.arange(320) - 60, 0, 200)[None, :, None].repeat(96, 0).repeat(3, 2)
    assert glance(ramp.astype(np.uint8)).sharpness == pytest.approx(1 / 8)
    scene = passing(1)[0]
    values = [glance(blurred(scene, percent)).sharpness for percent in (0.1, 0.2, 0.4, 0.8)]
    assert values == sorted(values, reverse=True)
    assert np.isnan(glance(np.full((50, 60, 3), 90, np.uint8)).sharpness)


def test_glance_says_what_is_in_the_picture():
    image = np.zeros((60, 200, 3), np.uint8)
    image[:, 50:] = (250, 100, 50)
    look = glance(image)
    assert look.warm == pytest.approx((187.5 + 0.5) / (75 + 0.5), rel=1e-3)
    assert look.cool == pytest.approx((37.5 + 0.5) / (75 + 0.5), rel=1e-3)
    assert look.brightness == pytest.approx(0.75 * 139, abs=1.0)
    assert look.saturated == 0.0 and glance(np.full_like(image, 255)).saturated == 1.0
    assert not look.detailed[:, 5:].any() and look.detailed[:, 3:5].any()
    assert look.levels[:, 0].max() == 0 and look.levels[:, 15].min() == pytest.approx(139)
    assert glance(np.zeros_like(image)).grey == 0.0


def test_one_pixel_of_a_row_that_is_looked_at_makes_another_picture():
    image = passing(1)[0]
    other = image.copy()
    other[2, 100] ^= 16  # of 224 rows the first that is looked at
    assert glance(image).digest == glance(image.copy()).digest != glance(other).digest


@pytest.mark.parametrize('shape', [(1, 1), (8, 8), (33, 17), (500, 40), (40, 3000), (2160, 3840)])
def test_every_size_of_image_is_looked_at(shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    look = glance(image)
    assert 0 <= look.brightness <= 255 and look.detailed.shape == look.levels.shape == (12, 16)


@needs_frames
def test_real_frames_are_good_until_something_is_wrong():
    paths = sorted((DATA / 'kitti_raw_2011_09_26' / 'image_02').iterdir())
    frames = [cv2.imread(str(path))[..., ::-1] for path in paths]
    camera = Camera()
    assert not any(camera.show(frames))
    before, during = frames[:60], frames[58:78]
    for name in ('frozen', 'black', 'overexposed', 'blurred, 0.4 %', 'hand, left 30 %',
                 'dark cloth, all'):
        camera = Camera()
        assert not any(camera.show(before))
        said = camera.show(faulty(name, before, during))
        assert said[18] & set(FAULTS[name][1]), name
