# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files to pixels: JPEG, PNG and TIFF of all kinds, damaged and hostile ones; the mask's PNG."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
import pytest
from hostile_files import exif_jpeg, without_tables
from hostile_messages import png_promising
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fcn_seg_ros.datasets.images import read_rgb, read_size
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images import libraries
from fcn_seg_ros.images.decode import decode
from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.images.structure import MAX_PIXELS


def smooth_image() -> np.ndarray:
    """Return an RGB image that JPEG hardly changes, uint8 (48, 64, 3)."""
    y, x = np.mgrid[:48, :64]
    return np.dstack([2 * x + 60, 3 * y + 50, 200 - x - y]).astype(np.uint8)


RGB = smooth_image()


def encoded(pixels: np.ndarray, suffix: str, *options: int) -> bytes:
    """Return a file that OpenCV made of grey, RGB or RGBA pixels."""
    if pixels.ndim == 3:
        pixels = pixels[..., [2, 1, 0, 3][:pixels.shape[2]]]
    return cv2.imencode(suffix, np.ascontiguousarray(pixels), options)[1].tobytes()


JPEG, PNG = encoded(RGB, '.jpg'), encoded(RGB, '.png')


@pytest.mark.parametrize('text', [
    '', 'jpeg', 'jpg', 'JPEG', 'mjpeg', 'rgb8; jpeg compressed bgr8', 'bgr8; jpeg compressed bgr8',
    'bayer_rggb8; jpeg compressed bgr8'])
def test_jpeg(text):
    image = decode(JPEG, text)
    assert image.shape == RGB.shape and image.dtype == np.uint8
    assert np.abs(image.astype(int) - RGB).max() <= 6


def test_jpeg_kinds():
    progressive = encoded(RGB, '.jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    assert np.abs(decode(progressive).astype(int) - RGB).max() <= 6
    grey = decode(encoded(RGB[..., 0], '.jpg'), 'mono8; jpeg compressed mono8')
    assert np.abs(grey.astype(int) - RGB[..., :1]).max() <= 3 and grey.shape == RGB.shape


@pytest.mark.parametrize('text', ['png', 'bgr8; png compressed bgr8', 'rgb8; png compressed '])
def test_png_is_exact(text):
    assert np.array_equal(decode(PNG, text), RGB)


def test_png_kinds():
    """Sixteen bits keep the upper byte, grey becomes RGB, alpha is left out, not blended."""
    noise = np.random.default_rng(0).integers(0, 2**16, (48, 64, 4), np.uint16)
    top = (noise >> 8).astype(np.uint8)
    assert np.array_equal(decode(encoded(noise[..., :3], '.png')), top[..., :3])
    assert np.array_equal(decode(encoded(noise, '.png')), top[..., :3])
    assert np.array_equal(decode(encoded(top, '.png'), 'rgba8; png compressed bgra8'),
                          top[..., :3])
    expected = np.dstack([top[..., 0]] * 3)
    assert np.array_equal(decode(encoded(top[..., 0], '.png')), expected)
    assert np.array_equal(decode(encoded(noise[..., 0], '.png'), 'mono16; png compressed mono16'),
                          expected)
    palette = io.BytesIO()
    Image.fromarray(RGB).quantize(16).save(palette, 'PNG')
    assert np.array_equal(decode(palette.getvalue()),
                          np.asarray(Image.fromarray(RGB).quantize(16).convert('RGB')))


@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_is_that_of_the_sensor(orientation):
    """Masks and calibration are of the pixels as they lie, whatever EXIF says."""
    image = decode(exif_jpeg(RGB, orientation))
    assert np.abs(image.astype(int) - RGB).max() <= 6


@pytest.mark.parametrize('orientation', range(1, 9))
def test_pictures_are_read_as_they_are_seen(tmp_path, orientation):
    """Files of datasets and of `segment`; what a camera sends is not turned."""
    path = tmp_path / 'turned.jpg'
    path.write_bytes(exif_jpeg(RGB, orientation))
    with Image.open(path) as image:
        seen = np.asarray(ImageOps.exif_transpose(image))
    assert read_size(path) == seen.shape[1::-1] and read_size(path, turn=False) == (64, 48)
    assert np.abs(read_rgb(path).astype(int) - seen).max() <= 2
    assert np.abs(read_rgb(path, turn=False).astype(int) - RGB).max() <= 6


CELLS = {'rggb': ((0, 1), (1, 2)), 'bggr': ((2, 1), (1, 0)),
         'gbrg': ((1, 2), (0, 1)), 'grbg': ((1, 0), (2, 1))}


def mosaic(cell: str) -> np.ndarray:
    """Return what a sensor with this colour filter sees of the image, uint8 (48, 64)."""
    seen = np.empty(RGB.shape[:2], np.uint8)
    for y in (0, 1):
        for x in (0, 1):
            seen[y::2, x::2] = RGB[y::2, x::2, CELLS[cell][y][x]]
    return seen


@pytest.mark.parametrize('cell', CELLS)
def test_mosaics_become_colours(cell):
    """As image_transport names them, in every format; the inner pixels are nearly right."""
    seen = mosaic(cell)
    inner = slice(2, -2), slice(2, -2)
    deep = seen.astype(np.uint16) << 8
    for content, text in (
            (encoded(seen, '.png'), f'bayer_{cell}8; png compressed '),
            (encoded(deep, '.png'), f'bayer_{cell}16; png compressed '),
            (encoded(seen, '.jpg', cv2.IMWRITE_JPEG_QUALITY, 100),
             f'bayer_{cell}8; jpeg compressed '),
            (encoded(seen, '.tiff'), f'bayer_{cell}8; tiff compressed ')):
        assert np.abs(decode(content, text)[inner].astype(int) - RGB[inner]).max() <= 8
    twelve = encoded(seen.astype(np.uint16) << 4, '.png')
    assert np.array_equal(decode(twelve, f'bayer_{cell}16; png compressed ', 12),
                          decode(encoded(seen, '.png'), f'bayer_{cell}8; png compressed '))


def test_grey_stays_grey_and_colour_is_not_demosaiced():
    seen = mosaic('rggb')
    for text in ('mono8; png compressed ', 'png', '', '8UC1; png compressed '):
        assert np.array_equal(decode(encoded(seen, '.png'), text), np.dstack([seen] * 3))
    assert np.array_equal(decode(PNG, 'bayer_rggb8; png compressed bgr8'), RGB)
    with pytest.raises(InputError, match='at least 2x2 pixels for bayer_rggb8, found 1x1'):
        decode(encoded(seen[:1, :1], '.png'), 'bayer_rggb8; png compressed ')


def deep_values(bits: int) -> np.ndarray:
    return np.random.default_rng(bits).integers(0, 2**bits, (20, 30, 3), np.uint16)


@pytest.mark.parametrize('suffix', ['.png', '.tiff'])
@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_bit_depth_of_16_bit_files(bits, suffix):
    values = deep_values(bits)
    expected = (values >> (bits - 8)).astype(np.uint8)
    assert np.array_equal(decode(encoded(values, suffix), '', bits), expected)
    grey = decode(encoded(values[..., 0], suffix), f'mono16; {suffix[1:]} compressed ', bits)
    assert np.array_equal(grey, np.dstack([expected[..., 0]] * 3))
    assert np.array_equal(decode(encoded(values, suffix)), (values >> 8).astype(np.uint8))
    assert np.array_equal(decode(PNG, '', bits), RGB)  # eight bits are eight bits


@pytest.mark.parametrize('compression', [1, 5, 8, 32773, 32946])
def test_tiff_kinds(compression):
    for pixels in (RGB, RGB[..., 0]):
        content = encoded(pixels, '.tiff', cv2.IMWRITE_TIFF_COMPRESSION, compression)
        expected = pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)
        for text in ('tiff', 'rgb8; tiff compressed bgr8'):
            assert np.array_equal(decode(content, text), expected)
    rgba = np.dstack([RGB, RGB[..., 1]])
    for pixels in (rgba, rgba.astype(np.uint16) << 8):
        content = encoded(pixels, '.tiff', cv2.IMWRITE_TIFF_COMPRESSION, compression)
        assert np.array_equal(decode(content), RGB)


def test_tiff_of_a_big_endian_machine():
    values = deep_values(16)[..., 0]
    tags = [(256, 4, 30), (257, 4, 20), (258, 3, 16 << 16), (259, 3, 1 << 16), (262, 3, 1 << 16),
            (273, 4, 8), (277, 3, 1 << 16), (278, 4, 20), (279, 4, 1200)]
    directory = struct.pack('>H', len(tags)) + b''.join(
        struct.pack('>HHII', tag, kind, 1, value) for tag, kind, value in tags) + bytes(4)
    content = b'MM\0*' + struct.pack('>I', 1208) + values.astype('>u2').tobytes() + directory
    assert np.array_equal(decode(content, '', 12)[..., 0],
                          np.minimum(values >> 4, 255).astype(np.uint8))


@pytest.mark.parametrize('padding', [1, 4096, 65_535, 65_537, 1_000_000])
def test_mjpeg_of_a_padded_buffer(padding):
    """Drivers send the whole buffer; what lies behind the image may be of the one before."""
    stale = (JPEG[300:] * (padding // 100 + 1))[:padding]
    for rest in (bytes(padding), stale):
        assert np.array_equal(decode(JPEG + rest, 'mjpeg'), decode(JPEG))


def test_mjpeg_without_its_tables():
    standard = encoded(RGB, '.jpg', cv2.IMWRITE_JPEG_OPTIMIZE, 0)
    assert np.array_equal(decode(without_tables(standard)), decode(standard))


@pytest.mark.skipif(libraries.decode_jpeg is None, reason='simplejpeg is not installed')
def test_damage_within_a_scan():
    """A lost packet is refused; the few bytes with which webcams end a scan are not."""
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8)
    whole = encoded(noise, '.jpg')
    middle = len(whole) // 2
    with pytest.raises(InputError, match=r'damaged .*Corrupt JPEG data'):
        decode(whole[:middle] + bytes(2000) + whole[middle + 2000:])
    assert np.array_equal(decode(whole[:-2] + bytes(4) + whole[-2:]), decode(whole))
    with pytest.raises(InputError, match=r'damaged .*extraneous bytes before marker'):
        decode(whole[:-2] + bytes(500) + whole[-2:])


@pytest.mark.parametrize('kind', [bytes, bytearray, memoryview,
                                  lambda data: np.frombuffer(data, np.uint8)])
def test_any_buffer(kind):
    assert np.array_equal(decode(kind(PNG)), RGB)


@pytest.mark.parametrize(('data', 'text', 'expected'), [
    (PNG, '16UC1; compressedDepth png', 'format: expected jpeg, png or tiff'),
    (PNG, 'webp', "format: expected jpeg, png or tiff, found 'webp'"),
    (PNG, 'h264', 'format'),
    (b'', 'jpeg', 'found 0 bytes'),
    (b'\x00' * 100, '', 'found 100 bytes'),
    (encoded(RGB, '.bmp'), 'jpeg', 'expected a PNG, JPEG or TIFF image'),
    (encoded(RGB, '.webp'), '', 'expected a PNG, JPEG or TIFF image'),
    (JPEG[:-2], 'jpeg', 'a complete JPEG image of 64x48'),
    (JPEG[:len(JPEG) // 2], 'jpeg', 'expected a complete JPEG'),
    (PNG[:-12], 'png', 'expected a complete PNG'),
    (PNG[:len(PNG) // 2], 'png', 'expected a complete PNG'),
    (PNG[:80] + b'\x00\x01' + PNG[82:], 'png', 'damaged'),
    (png_promising(64, 48), 'png', 'the image of 64x48 in'),
    (png_promising(30000, 1), 'png', 'size: expected 1x1 to 16384x16384 pixels, found 30000x1'),
    (png_promising(16384, 16384), 'png', 'size: expected at most'),
    (png_promising(8193, 8192), 'png', f'size: expected at most {MAX_PIXELS} pixels, found 8193x'),
    (png_promising(0, 48), 'png', 'expected'),
])
def test_refused_in_one_line(data, text, expected):
    with pytest.raises(InputError) as caught:
        decode(data, text)
    assert expected in str(caught.value) and '\n' not in str(caught.value)


def test_a_thumbnail_does_not_stand_for_the_image():
    """A JPEG that is cut off, but whose header holds a small whole one."""
    thumbnail = encoded(RGB[:8, :8], '.jpg')
    segment = b'\xff\xe1' + struct.pack('>H', len(thumbnail) + 2) + thumbnail
    whole = JPEG[:2] + segment + JPEG[2:]
    assert decode(whole).shape == RGB.shape
    with pytest.raises(InputError, match='lack its end'):
        decode(whole[:-40])


def test_bytes_after_the_end_are_no_fault():
    """Some drivers send the whole of the buffer that the camera filled a part of."""
    assert np.array_equal(decode(JPEG + bytes(1000)), decode(JPEG))


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_damage_is_refused_or_gives_an_image(data):
    """Of a PNG no damage passes, since it has checksums; only bytes that mean nothing may."""
    source = data.draw(st.sampled_from([JPEG, PNG, encoded(RGB[..., 0], '.png'),
                                        encoded(RGB, '.jpg', cv2.IMWRITE_JPEG_PROGRESSIVE, 1)]))
    content = bytearray(source)
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    start = data.draw(st.integers(0, len(content)))
    del content[start:data.draw(st.integers(start, len(content)))]
    try:
        image = decode(bytes(content))
    except InputError as error:
        assert '\n' not in str(error)
        return
    assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
    if source[:1] == b'\x89':
        assert np.array_equal(image, decode(source))


@given(data=st.binary(max_size=300), text=st.text(max_size=20))
def test_any_bytes_and_format_are_refused_in_words(data, text):
    with pytest.raises(InputError) as caught:
        decode(data, text)
    assert '\n' not in str(caught.value)


def test_a_picture_comes_back_nearly_as_it_was():
    assert np.abs(decode(encode_jpeg(RGB, 95)).astype(int) - RGB).max() < 16
    assert len(encode_jpeg(RGB, 5)) < len(encode_jpeg(RGB, 95))


@given(seed=st.integers(0, 99), height=st.integers(1, 40), width=st.integers(1, 40))
def test_a_mask_comes_back_as_it_was(seed, height, width):
    mask = np.random.default_rng(seed).choice(np.array([0, 1, 3, 255], np.uint8), (height, width))
    again = np.asarray(Image.open(io.BytesIO(encode_png(mask))))
    assert again.dtype == np.uint8 and np.array_equal(again, mask)


def test_a_tiff_with_the_last_bit_first_is_refused():
    content = bytearray(tiff_of_fill_order(2))
    with pytest.raises(InputError, match='fill order 2'):
        decode(bytes(content))


def tiff_of_fill_order(order: int) -> bytes:
    """Return a grey image of 4x4 in one strip whose bits run from the left (1) or right (2)."""
    entries = [(256, 3, 4), (257, 3, 4), (258, 3, 8), (259, 3, 1), (262, 3, 1), (266, 3, order),
               (273, 4, 200), (277, 3, 1), (278, 3, 4), (279, 4, 16)]
    head = b'II*\x00' + struct.pack('<IH', 8, len(entries))
    for tag, kind, value in entries:
        head += struct.pack('<HHII' if kind == 4 else '<HHIH2x', tag, kind, 1, value)
    return (head + struct.pack('<I', 0)).ljust(200, b'\0') + bytes(range(16))


def test_a_tiff_with_the_first_bit_first_is_decoded():
    assert (decode(tiff_of_fill_order(1))[..., 0].ravel() == np.arange(16)).all()
