# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every encoding, against cv_bridge where it knows it and against OpenCV where it does not."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encodings import ENCODINGS, to_rgb

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


@pytest.mark.parametrize(('deep', 'flat'), [
    ('rgb16', 'rgb8'), ('bgr16', 'bgr8'), ('rgba16', 'rgba8'), ('bgra16', 'bgra8'),
    ('mono16', 'mono8'), ('16UC1', '8UC1'), ('16UC3', '8UC3'), ('16UC4', '8UC4'),
    *((f'bayer_{pattern}16', f'bayer_{pattern}8') for pattern in BAYER_CELLS)])
@pytest.mark.parametrize('bigendian', [False, True])
def test_16_bits_are_the_upper_byte_of_8(deep, flat, bigendian):
    channels = ENCODINGS[flat].channels
    pixels = np.random.default_rng(2).integers(0, 2**16, (6, 8 * channels), np.uint16)
    expected = to_rgb((pixels >> 8).astype(np.uint8).tobytes(), 6, 8, flat, 8 * channels)
    # An odd step: what is read as numbers of two bytes need not begin at an even address.
    step = 16 * channels + 3
    rows = np.full((6, step), 77, np.uint8)
    rows[:, :-3] = pixels.astype('>u2' if bigendian else '<u2').view(np.uint8)
    image = to_rgb(rows.tobytes(), 6, 8, deep, step, bigendian)
    assert image.dtype == np.uint8 and np.array_equal(image, expected)


@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', BAYER_CELLS)
def test_bayer(pattern, bits):
    """A single-coloured scene seen through the colour filter gives that colour back."""
    colour = {'R': 200, 'G': 90, 'B': 30}
    cell = [[colour[c] for c in BAYER_CELLS[pattern][:2]],
            [colour[c] for c in BAYER_CELLS[pattern][2:]]]
    mosaic = np.tile(np.array(cell, np.uint8), (8, 8))
    if bits == 16:
        mosaic = mosaic.astype(np.uint16) * 256
    image = convert(mosaic, f'bayer_{pattern}{bits}')
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


@pytest.mark.parametrize(('encoding', 'first'), [('nv12', 0), ('nv21', 1)])
@pytest.mark.parametrize('padding', [0, 5])
def test_yuv_420(encoding, first, padding):
    """
    Half as many rows of chroma follow the rows of luma; each of its pairs is for 2x2 pixels.

    The layout of Linux's V4L2_PIX_FMT_NV12 and NV21 in one buffer, as camera drivers publish it:
    the message's height is the image's, its step the bytes of a row of luma.
    """
    blocks = np.array([[[82, 90, 240], [145, 54, 34]], [[41, 240, 110], [235, 128, 128]]])
    expected = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]])
    luma = blocks[..., 0].repeat(2, 0).repeat(2, 1)
    chroma = blocks[..., [1, 2] if first == 0 else [2, 1]].reshape(2, 4)
    rows = np.pad(np.vstack([luma, chroma]).astype(np.uint8), ((0, 0), (0, padding)))
    image = to_rgb(rows.tobytes(), 4, 4, encoding, 4 + padding)
    assert np.abs(image - expected.repeat(2, 0).repeat(2, 1)).max() <= 2
    with pytest.raises(InputError, match=f'data: expected 6 rows of {4 + padding} bytes'):
        to_rgb(rows[:5].tobytes(), 4, 4, encoding, 4 + padding)


@given(data=st.data(), encoding=st.sampled_from(['nv12', 'nv21']))
def test_yuv_420_is_opencvs_two_plane_conversion(data, encoding):
    height, width = (2 * data.draw(st.integers(1, 9)) for _ in range(2))
    pixels = np.random.default_rng(data.draw(st.integers(0, 99))).integers(
        0, 256, (height * 3 // 2, width), np.uint8)
    luma, chroma = pixels[:height], pixels[height:].reshape(height // 2, width // 2, 2)
    expected = cv2.cvtColorTwoPlane(luma, chroma, getattr(
        cv2, f'COLOR_YUV2RGB_{encoding.upper()}'))
    assert np.array_equal(to_rgb(pixels.tobytes(), height, width, encoding, width), expected)


@pytest.mark.parametrize('encoding', [
    'rgb8', 'bgr8', 'rgba8', 'bgra8', 'mono8', '8UC1', '8UC3', '8UC4', 'rgb16', 'bgr16', 'rgba16',
    'bgra16', 'mono16'])
def test_cv_bridge_agrees(encoding):
    # PyPI's cv_bridge takes the depth of the 16UC types for 8 bits, hence without them.
    from cv_bridge import CvBridge
    from sensor_msgs.msg import Image
    channels = ENCODINGS[encoding].channels
    row = 8 * ENCODINGS[encoding].pixel_bytes
    pixels = np.random.default_rng(1).integers(0, 256, (6, row), np.uint8)
    message = Image(height=6, width=8, encoding=encoding, step=row)
    message.data.frombytes(pixels.tobytes())
    ours = to_rgb(message.data, 6, 8, encoding, message.step)
    native = CvBridge().imgmsg_to_cv2(message, 'passthrough')
    native = np.asarray(native).reshape(6, 8, channels)
    if native.dtype == np.uint16:
        native = (native >> 8).astype(np.uint8)
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
    ({'encoding': 'nv12', 'width': 7}, 'an even width for nv12, found 7'),
    ({'encoding': 'nv21', 'height': 5}, 'an even height for nv21, found 5'),
    ({'encoding': 'bayer_rggb8', 'width': 1}, 'at least 2x2'),
    ({'encoding': 'bayer_grbg16', 'height': 1}, 'at least 2x2'),
    ({'encoding': '32FC1'}, "found '32FC1'"),
])
def test_malformed_messages_are_named(fields, text):
    values = {'data': RGB.tobytes(), 'height': 6, 'width': 8, 'encoding': 'rgb8', 'step': 24}
    with pytest.raises(InputError) as caught:
        to_rgb(**(values | fields))
    assert text in str(caught.value) and '\n' not in str(caught.value)


@settings(max_examples=500)
@given(data=st.binary(max_size=400), height=st.integers(0, 40), width=st.integers(0, 40),
       step=st.integers(0, 80) | st.integers(0, 2**32 - 1),
       encoding=st.sampled_from(sorted(ENCODINGS)) | st.text(max_size=12),
       bigendian=st.booleans())
def test_any_message_is_an_image_or_refused(data, height, width, step, encoding, bigendian):
    try:
        image = to_rgb(data, height, width, encoding, step, bigendian)
    except InputError as error:
        assert '\n' not in str(error)
        return
    assert image.shape == (height, width, 3) and image.dtype == np.uint8


@given(height=st.integers(1, 12), width=st.integers(1, 12), padding=st.integers(0, 7),
       encoding=st.sampled_from(sorted(ENCODINGS)), bigendian=st.booleans(),
       extra=st.integers(0, 5))
def test_every_whole_message_is_an_image(height, width, padding, encoding, bigendian, extra):
    """Padding of rows and bytes after the last one change nothing."""
    kind = ENCODINGS[encoding]
    height, width = (max(kind.least, -(-side // block) * block)
                     for side, block in zip((height, width), kind.block, strict=True))
    count, row = height * 3 // 2 if kind.chroma_rows else height, width * kind.pixel_bytes
    rows = np.random.default_rng(0).integers(0, 256, (count, row), np.uint8)
    plain = to_rgb(rows.tobytes(), height, width, encoding, row, bigendian)
    assert plain.shape == (height, width, 3) and plain.dtype == np.uint8
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=9).tobytes() + bytes(extra)
    again = to_rgb(padded, height, width, encoding, row + padding, bigendian)
    assert np.array_equal(plain, again)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
def test_bit_depth_of_16_bit_encodings(bits, bigendian):
    """What a camera of fewer bits sends in 16 is as bright as from one of 8."""
    eight = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
    values = (eight.astype(np.uint16) << (bits - 8)).astype('>u2' if bigendian else '<u2')
    for deep, flat in (('mono16', 'mono8'), ('16UC1', '8UC1'), ('bayer_grbg16', 'bayer_grbg8')):
        image = to_rgb(values.tobytes(), 6, 8, deep, 16, bigendian, bits)
        assert np.array_equal(image, to_rgb(eight.tobytes(), 6, 8, flat, 8))
    if bits < 16:
        white = to_rgb(b'\xff' * 96, 6, 8, 'mono16', 16, bigendian, bits)
        assert (white == 255).all()


def test_a_long_encoding_is_quoted_in_part():
    with pytest.raises(InputError) as caught:
        to_rgb(b'', 1, 1, 'x' * 20_000_000, 1)
    assert len(str(caught.value)) < 800 and '(20000000 characters)' in str(caught.value)
