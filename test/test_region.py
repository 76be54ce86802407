# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The region of interest: what the network sees of it, and what is said of the rest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.preprocess import network_size
from fcn_seg_ros.inference.region import Region, make_plan
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions


def test_whole_image_without_a_region():
    plan = make_plan(375, 1242, 384)
    assert plan.size == network_size(375, 1242, 384) == (384, 1280)
    assert plan.window == plan.region == Region(0, 0, 1242, 375)
    assert make_plan(375, 1242, 384, Region(0, 0, 1242, 375)) == plan


def test_region_has_the_scale_of_the_image():
    """Below the horizon of a KITTI image: 225 of 375 rows need 231 of the network's 384."""
    plan = make_plan(375, 1242, 384, Region(0, 150, 1242, 225))
    assert plan.size == (256, 1280)
    # 256 rows are 250 of the image's; the 25 above the region are context.
    assert plan.window == Region(0, 125, 1242, 250)
    assert plan.region == Region(0, 150, 1242, 225)


@st.composite
def images_with_regions(draw: st.DrawFn, least: int, highest: int, widest: int, ratio: int
                        ) -> tuple[int, int, Region]:
    """Return height and width of an image, one at most ``ratio`` times the other, and a region."""
    height = draw(st.integers(least, highest))
    width = draw(st.integers(max(least, height // ratio), min(widest, ratio * height)))
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return height, width, Region(x, y, draw(st.integers(1, width - x)),
                                 draw(st.integers(1, height - y)))


@given(drawn=images_with_regions(20, 800, 1600, 8), network_height=st.integers(32, 512))
def test_window_holds_the_region_and_lies_in_the_image(drawn, network_height):
    height, width, region = drawn
    whole = network_size(height, width, network_height)
    plan = make_plan(height, width, network_height, region)
    window = plan.window
    assert plan.region == region
    assert 0 <= window.x <= region.x and window.x + window.width <= width
    assert 0 <= window.y <= region.y and window.y + window.height <= height
    assert region.x + region.width <= window.x + window.width
    assert region.y + region.height <= window.y + window.height
    lengths = zip(plan.size, window.shape, whole, (height, width), region.shape, strict=True)
    for network, pixels, network_whole, image, wanted in lengths:
        assert network % 32 == 0 and network <= network_whole
        # No more than a stride beyond what the region needs, and at its scale but for a pixel.
        assert network < wanted * network_whole / image + 32
        assert abs(network * image / network_whole - pixels) <= 0.5 + 1e-6 or pixels == wanted


@pytest.mark.parametrize('values', [(-1, 0, 5, 5), (0, -2, 5, 5), (0, 0, 0, 5), (0, 0, 5, -5)])
def test_impossible_regions(values):
    with pytest.raises(InputError, match='region_of_interest: expected x and y of at least 0'):
        Region(*values)


@pytest.mark.parametrize('values', [(200, 0, 121, 96), (0, 90, 320, 7), (400, 200, 10, 10)])
def test_regions_beyond_the_image(random_checkpoint, values):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    image, region = np.zeros((96, 320, 3), np.uint8), Region(*values)
    text = (f'region_of_interest: expected a region in the image of 320x96, found '
            f'{values[2]}x{values[3]} at x {values[0]}, y {values[1]}')
    for call in (lambda: segmenter.segment(image, SegmentOptions(region=region)),
                 lambda: segmenter.network_shape(image.shape, region)):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == text


def test_outside_of_the_region_is_unknown(random_checkpoint, rendered_frames):
    """What is said inside is what the network says of the window alone."""
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    image = rendered_frames[0].image
    region = Region(40, 50, 200, 40)
    result = segmenter.segment(image, SegmentOptions(region=region))
    inside = np.zeros(image.shape[:2], bool)
    inside[50:90, 40:240] = True
    assert (result.mask[~inside] == 255).all() and (result.mask[inside] < 2).all()
    assert not result.probability[~inside].any() and not result.confidence[~inside].any()
    plan = make_plan(96, 320, 96, region)
    assert plan.size == segmenter.network_shape(image.shape, region) == (64, 224)
    assert plan.window.shape == plan.size  # at this scale, 1, nothing is resized
    window = image[plan.window.slices()]
    expected = segmenter.backend(np.ascontiguousarray(window)[None])[0, ..., 0]
    expected = expected[region.slices(plan.window.x, plan.window.y)]
    assert np.array_equal(result.probability[inside].reshape(40, 200), expected)
    assert expected.std() > 5
    sure = np.where(expected >= 128, expected, 255 - expected)
    assert np.array_equal(result.confidence[inside].reshape(40, 200), sure)


def test_a_region_of_the_whole_image_changes_nothing(random_checkpoint, rendered_frames):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32')
    image = rendered_frames[1].image
    plain = segmenter.segment(image)
    region = segmenter.segment(image, SegmentOptions(region=Region(0, 0, 320, 96)))
    for name in ('mask', 'probability', 'confidence'):
        assert np.array_equal(getattr(plain, name), getattr(region, name)), name


class RedBackend:
    """Stands in for a network: P(road) is how red a pixel is."""

    def __call__(self, images):
        return images[..., :1].copy()


@pytest.fixture
def red_segmenter(random_checkpoint, monkeypatch):
    """Return a segmenter whose probability is the image's red channel, scaled there and back."""
    monkeypatch.setattr('fcn_seg_ros.inference.segmenter.make_backend',
                        lambda *args: RedBackend())
    return RoadSegmenter(random_checkpoint)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(drawn=images_with_regions(1, 200, 300, 10))
def test_every_pixel_is_where_it_was(red_segmenter, drawn):
    """Of any image and region, however small: a slope comes back as it was, shifted nowhere."""
    height, width, region = drawn
    down, right = np.mgrid[:height, :width]
    red = (30 + 200 * (down + right) / (height + width)).astype(np.uint8)
    image = np.dstack([red, 255 - red, red // 2])
    result = red_segmenter.segment(image, SegmentOptions(region=region))
    inside = np.zeros((height, width), bool)
    inside[region.slices()] = True
    # Scaled down and up again, a slope loses a little at its ends.
    slope = 200 / (height + width)
    scale = max(1.0, height / 96)
    lost = np.abs(result.probability.astype(int) - red)[inside].max()
    assert lost <= math.ceil(1 + slope * scale)
    assert not result.probability[~inside].any() and not result.confidence[~inside].any()
    expected = np.where(inside, result.probability >= 128, 255)
    assert np.array_equal(result.mask, expected)
    for array in (result.mask, result.probability, result.confidence, result.road):
        assert array.shape == (height, width) and array.dtype == np.uint8
