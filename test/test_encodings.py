# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every encoding, against cv_bridge where it knows it and against OpenCV where it does not."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.encodings import ENCODINGS, to_rgb

RGB = np.random.default_rng(0).integers(0, 256, (6, 8, 3), np.uint8)
BAYER_CELLS = {'rggb': 'RGGB', 'bggr': 'BGGR', 'gbrg': 'GBRG', 'grbg': 'GRBG'}


def convert(array, encoding, step=None, data=None, **kwargs):
    height, width = array.shape[:2]
    if step is None:
        step = array.strides[0]
    return to_rgb(array.tobytes() if data is None else data, height, width, encoding, step,
                  **kwargs)


def test_colour_orders():
    alpha = np.full((6, 8, 1), 7, np.uint8)
    assert np.array_equal(convert(RGB, 'rgb8'), RGB)
    assert np.array_equal(convert(RGB[..., ::-1].copy(), 'bgr8'), RGB)
    assert np.array_equal(convert(RGB[..., ::-1].copy(), '8UC3'), RGB)
    assert np.array_equal(convert(np.concatenate([RGB, alpha], 2), 'rgba8'), RGB)
    for encoding in ('bgra8', '8UC4'):
        assert np.array_equal(convert(np.concatenate([RGB[..., ::-1], alpha], 2), encoding), RGB)


def test_grey():
    grey = RGB[..., 0].copy()
    for encoding in ('mono8', '8UC1'):
        assert np.array_equal(convert(grey, encoding), np.dstack([grey] * 3))
    deep = grey.astype(np.uint16) * 256 + 99
    for encoding in ('mono16', '16UC1'):
        little, big = deep.astype('<u2'), deep.astype('>u2')
        assert np.array_equal(convert(little, encoding), np.dstack([grey] * 3))
        assert np.array_equal(convert(big, encoding, is_bigendian=True), np.dstack([grey] * 3))


@pytest.mark.parametrize('pattern', BAYER_CELLS)
def test_bayer(pattern):
    """A single-coloured scene seen through the colour filter gives that colour back."""
    colour = {'R': 200, 'G': 90, 'B': 30}
    cell = [[colour[c] for c in BAYER_CELLS[pattern][:2]],
            [colour[c] for c in BAYER_CELLS[pattern][2:]]]
    mosaic = np.tile(np.array(cell, np.uint8), (8, 8))
    image = convert(mosaic, f'bayer_{pattern}8')
    assert np.abs(image[2:-2, 2:-2].astype(int) - [200, 90, 30]).max() <= 1


@pytest.mark.parametrize(('encoding', 'order'), [
    ('uyvy', [1, 0]), ('yuv422', [1, 0]), ('yuyv', [0, 1]), ('yuv422_yuy2', [0, 1])])
def test_yuv(encoding, order):
    """A grey ramp (no chroma) keeps its order; a coloured scene is that of BT.601."""
    luma = np.arange(20, 228, 13, np.uint8)[None].repeat(4, 0)[:, :16]
    planes = [luma, np.full_like(luma, 128)]
    packed = np.ascontiguousarray(np.dstack([planes[i] for i in order]))
    image = convert(packed, encoding)
    expected = np.clip((luma.astype(float) - 16) * 255 / 219, 0, 255)
    assert np.abs(image - expected[..., None]).max() <= 1.5
    luma[:], chroma = 82, np.tile(np.array([90, 240], np.uint8), (4, 8))
    planes = [luma, chroma]
    red = convert(np.ascontiguousarray(np.dstack([planes[i] for i in order])), encoding)
    assert (red[..., 0] > 240).all() and (red[..., 1:] < 20).all()


@pytest.mark.parametrize('encoding', [
    'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', '8UC1', '8UC3', '8UC4'])
def test_cv_bridge_agrees(encoding):
    from cv_bridge import CvBridge
    from sensor_msgs.msg import Image
    channels = ENCODINGS[encoding].channels
    pixels = np.random.default_rng(1).integers(0, 256, (6, 8 * channels), np.uint8)
    message = Image(height=6, width=8, encoding=encoding, step=8 * channels)
    message.data.frombytes(pixels.tobytes())
    ours = to_rgb(message.data, 6, 8, encoding, message.step)
    native = CvBridge().imgmsg_to_cv2(message, 'passthrough')
    native = np.asarray(native).reshape(6, 8, channels)
    # The OpenCV types carry no colour order; cv_bridge takes them for BGR, as OpenCV does.
    if channels == 1:
        expected = np.repeat(native, 3, 2)
    else:
        expected = native[..., :3] if encoding.startswith('rgb') else native[..., 2::-1]
    assert np.array_equal(ours, expected)


def test_padded_rows_are_cut():
    padded = np.full((6, 40), 99, np.uint8)
    padded[:, :24] = RGB.reshape(6, 24)
    assert np.array_equal(to_rgb(padded.tobytes(), 6, 8, 'rgb8', 40), RGB)


def test_rgb8_is_not_copied():
    data = bytearray(RGB.tobytes())
    image = to_rgb(data, 6, 8, 'rgb8', 24)
    data[0] = 255 - data[0]
    assert image[0, 0, 0] == data[0]


@pytest.mark.parametrize(('fields', 'text'), [
    ({'encoding': 'jpeg'}, "found 'jpeg'"),
    ({'encoding': ''}, "found ''"),
    ({'height': 0}, 'found 8x0'),
    ({'width': 2**31}, 'expected 1x1 to'),
    ({'step': 23}, 'step: expected at least 24 bytes for 8 pixels of rgb8, found 23'),
    ({'data': b'short'}, 'data: expected 6 rows of 24 bytes = 144, found 5'),
    ({'step': 2**31}, 'data: expected'),
    ({'encoding': 'yuyv', 'width': 7}, 'even width'),
    ({'encoding': 'bayer_rggb8', 'width': 1}, 'at least 2x2'),
])
def test_malformed_messages_are_named(fields, text):
    values = {'data': RGB.tobytes(), 'height': 6, 'width': 8, 'encoding': 'rgb8', 'step': 24}
    with pytest.raises(InputError) as caught:
        to_rgb(**(values | fields))
    assert text in str(caught.value) and '\n' not in str(caught.value)


@given(length=st.integers(0, 400), height=st.integers(0, 40), width=st.integers(0, 40),
       step=st.integers(0, 80), encoding=st.sampled_from(sorted(ENCODINGS)),
       bigendian=st.booleans())
def test_any_message_is_an_image_or_refused(length, height, width, step, encoding, bigendian):
    cv2.setNumThreads(1)
    try:
        image = to_rgb(bytes(length), height, width, encoding, step, bigendian)
    except InputError:
        return
    assert image.shape == (height, width, 3) and image.dtype == np.uint8
