# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""BMP and WebP, which are read from the disk and not from messages."""

from __future__ import annotations

import io
import os
import random
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from fcn_seg_ros.datasets.contact_sheet import _text
from fcn_seg_ros.datasets.images import is_turned, read_indices, read_rgb, read_size
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.decode import decode

RGB = np.random.default_rng(0).integers(0, 256, (20, 31, 3), np.uint8)


def saved(kind: str, image: np.ndarray | Image.Image = RGB, **options: object) -> bytes:
    """Return an image as Pillow saves it."""
    file = io.BytesIO()
    picture = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    picture.save(file, kind, **options)
    return file.getvalue()


RGBA = np.dstack([RGB, RGB[..., 0]])
WHOLE = {
    'bmp': saved('BMP'), 'bmp of 32 bits': saved('BMP', RGBA),
    'grey bmp': saved('BMP', RGB[..., 0]),
    'palette bmp': saved('BMP', Image.fromarray(RGB).quantize(16)),
    'webp': saved('WEBP', lossless=True), 'lossy webp': saved('WEBP', quality=90),
    'webp with alpha': saved('WEBP', RGBA, quality=90),
    'webp with profile': saved('WEBP', lossless=True, icc_profile=bytes(40)),
}


def upside_down(bmp: bytes) -> bytes:
    """Return a BMP file of 24 bits with the upper row first."""
    start, height = struct.unpack_from('<I', bmp, 10)[0], struct.unpack_from('<i', bmp, 22)[0]
    size = (len(bmp) - start) // height
    rows = [bmp[start + row * size:start + (row + 1) * size] for row in range(height)]
    return bmp[:22] + struct.pack('<i', -height) + bmp[26:start] + b''.join(rows[::-1])


@pytest.mark.parametrize('kind', [*WHOLE, 'upside down'])
def test_pixels(kind, tmp_path):
    content = upside_down(WHOLE['bmp']) if kind == 'upside down' else WHOLE[kind]
    path = tmp_path / 'a.image'
    path.write_bytes(content)
    found = read_rgb(path)
    expected = np.array(Image.open(path).convert('RGB'))
    assert np.abs(found.astype(int) - expected).max() <= (3 if 'alpha' in kind else 0)
    assert read_size(path) == (31, 20)
    with pytest.raises(InputError, match='expected a PNG, JPEG or TIFF image'):
        decode(content)


def test_indices_of_a_bmp(tmp_path):
    labels = (RGB[..., 0] > 100).astype(np.uint8)
    (tmp_path / 'a.bmp').write_bytes(saved('BMP', labels))
    assert np.array_equal(read_indices(tmp_path / 'a.bmp'), labels)


ANIMATED = saved('WEBP', save_all=True, append_images=[Image.fromarray(255 - RGB)])
HUGE = bytearray(WHOLE['bmp'])
HUGE[18:26] = struct.pack('<ii', 10000, 10000)


@pytest.mark.parametrize(('content', 'text'), [
    (ANIMATED, 'expected a still WebP image, found an animated one'),
    (bytes(HUGE), 'size: expected at most'),
    (WHOLE['bmp'][:-1], 'expected at least 1920 bytes'),
    (WHOLE['webp'][:-2], 'expected a complete WebP image'),
    (WHOLE['bmp'][:30] + struct.pack('<I', 1) + WHOLE['bmp'][34:], 'compression 1'),
    (b'BM', 'expected a complete BMP image'), (b'RIFF\0\0\0\0WEBP', 'WebP image, found none')])
def test_what_is_refused(content, text):
    with pytest.raises(InputError, match=text):
        decode(content, on_disk=True)


def test_damaged_files_are_one_line_or_pixels():
    """Every cut of every file, and changed bytes."""
    rng = random.Random(0)
    for content in WHOLE.values():
        damaged = [content[:length] for length in range(0, len(content), 7)]
        for _ in range(150):
            changed = bytearray(content)
            for _ in range(rng.choice((1, 1, 3))):
                changed[rng.randrange(min(len(content), rng.choice((64, 10**6))))] = rng.randrange(
                    256)
            damaged.append(bytes(changed))
        for each in damaged:
            try:
                pixels = decode(each, on_disk=True)
            except InputError as error:
                assert '\n' not in str(error)
            else:
                assert pixels.dtype == np.uint8 and pixels.ndim == 3


def test_opencv_writes_what_is_read(tmp_path):
    for suffix, options in (('.bmp', []), ('.webp', [cv2.IMWRITE_WEBP_QUALITY, 101])):
        cv2.imwrite(str(tmp_path / f'a{suffix}'), RGB[..., ::-1], options)
        assert np.array_equal(read_rgb(tmp_path / f'a{suffix}'), RGB)


def test_a_pipe_is_said_at_once(tmp_path):
    os.mkfifo(tmp_path / 'pipe.png')
    for read in (read_rgb, read_indices, read_size):
        with pytest.raises(InputError, match=r'pipe\.png: the image file cannot be read'):
            read(tmp_path / 'pipe.png')
    assert not is_turned(tmp_path / 'pipe.png')


@pytest.mark.parametrize(('content', 'words'), [
    (b'', 'found 0 bytes of something else'),
    (saved('GIF', Image.fromarray(RGB).quantize(16)), 'expected a PNG, JPEG, TIFF, BMP or WebP'),
    (saved('TIFF', Image.fromarray(RGB[..., 0].astype(np.float32))), 'found 1 values of 32 bits'),
])
def test_the_size_of_what_is_no_image_is_refused_as_its_pixels_are(content, words, tmp_path):
    path = tmp_path / 'a.png'
    path.write_bytes(content)
    for read in (read_size, read_rgb):
        if read is read_size and content.startswith((b'II', b'MM')):
            continue  # the header is sound
        with pytest.raises(InputError) as caught:
            read(path)
        assert words in str(caught.value) and str(path) in str(caught.value)


def test_names_of_files_that_are_no_text_are_drawn():
    assert (_text([os.fsdecode(b'\xff')]) == _text(['?'])).all()
