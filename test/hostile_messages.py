# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image, CompressedImage and CameraInfo messages that no sane camera sends, for hypothesis."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from builtin_interfaces.msg import Time
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, RegionOfInterest
from std_msgs.msg import Header

ENCODINGS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1, 'mono16': 2, '8UC1': 1,
             '8UC3': 3, '8UC4': 4, '16UC1': 2, 'bayer_rggb8': 1, 'bayer_gbrg16': 2, 'uyvy': 2,
             'yuyv': 2, 'yuv422': 2, 'yuv422_yuy2': 2, 'nv12': 1, 'nv21': 1}
UINT32 = 2**32 - 1
# DDS strings end at a NUL, and lone surrogates are no UTF-8.
TEXT = st.text(st.characters(exclude_categories=('Cs',), exclude_characters='\0'), max_size=40)
NUMBERS = st.one_of(st.integers(0, UINT32), st.sampled_from(
    [0, 1, 2, 3, 31, 16384, 16385, 65536, 2**31 - 1, 2**31, UINT32]))
STAMPS = st.builds(
    Time, sec=st.sampled_from([0, 1, -1, -2**31, 2**31 - 1, 1_700_000_000]),
    nanosec=st.sampled_from([0, 1, 999_999_999, 10**9, 2**31, UINT32]))
HEADERS = st.builds(Header, stamp=STAMPS, frame_id=TEXT)
FORMATS = st.sampled_from(['jpeg', 'png', 'rgb8; jpeg compressed bgr8', 'bgr8; png compressed ',
                           '16UC1; compressedDepth png', 'tiff', '']) | TEXT


def noise(length: int, seed: int) -> bytes:
    """Return bytes that look like nothing."""
    return np.random.default_rng(seed).bytes(length)


@st.composite
def images(draw: st.DrawFn) -> Image:
    """Return a message that was right until up to three of its fields were changed."""
    encoding = draw(st.sampled_from(sorted(ENCODINGS)))
    width, height = draw(st.integers(1, 64)), draw(st.integers(1, 64))
    step = width * ENCODINGS[encoding] + draw(st.sampled_from([0, 0, 1, 16]))
    rows = height + height // 2 if encoding.startswith('nv') else height
    message = Image(header=draw(HEADERS), height=height, width=width, encoding=encoding,
                    is_bigendian=draw(st.sampled_from([0, 1, 255])), step=step)
    data = noise(rows * step, draw(st.integers(0, 9)))
    for change in draw(st.lists(st.sampled_from(
            ['height', 'width', 'step', 'encoding', 'shorter', 'longer', 'empty', 'tall', 'wide']),
            max_size=3)):
        if change in ('height', 'width', 'step'):
            setattr(message, change, draw(NUMBERS))
        elif change == 'encoding':
            message.encoding = draw(st.sampled_from(sorted(ENCODINGS)) | TEXT)
        elif change == 'shorter':
            data = data[:draw(st.integers(0, len(data)))]
        elif change == 'longer':
            data += noise(draw(st.integers(1, 5000)), 1)
        elif change == 'empty':
            data = b''
        else:  # a consistent message of an absurd shape
            sides = (16384, 1) if change == 'tall' else (1, 16384)
            message.height, message.width = sides
            message.encoding, message.step = 'mono8', message.width
            data = noise(16384, 2)
    message.data.frombytes(data)
    return message


def _encoded(suffix: str, height: int, width: int, seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def png_promising(width: int, height: int) -> bytes:
    """Return a PNG file whose header promises an image that its few bytes do not hold."""
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (struct.pack('>I', len(content)) + kind + content
                + struct.pack('>I', zlib.crc32(kind + content)))
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header)
            + chunk(b'IDAT', zlib.compress(bytes(100))) + chunk(b'IEND', b''))


@st.composite
def compressed_images(draw: st.DrawFn) -> CompressedImage:
    """Return a JPEG or PNG that may be cut off, damaged, or promise too much."""
    suffix = draw(st.sampled_from(['.jpg', '.png']))
    data = bytearray(_encoded(suffix, draw(st.integers(1, 64)), draw(st.integers(1, 64)),
                              draw(st.integers(0, 9))))
    kind = draw(st.sampled_from(['whole', 'cut', 'damaged', 'header', 'noise', 'empty', 'bomb',
                                 'trailing']))
    if kind == 'cut':
        data = data[:draw(st.integers(0, len(data) - 1))]
    elif kind == 'damaged':
        for _ in range(draw(st.integers(1, 20))):
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    elif kind == 'header':
        data = data[:24]
    elif kind == 'noise':
        data = bytearray(noise(draw(st.integers(1, 3000)), draw(st.integers(0, 99))))
    elif kind == 'empty':
        data = bytearray()
    elif kind == 'bomb':
        data = bytearray(png_promising(draw(NUMBERS), draw(NUMBERS)))
    elif kind == 'trailing':
        data += noise(1000, 3)
    return CompressedImage(header=draw(HEADERS), format=draw(FORMATS), data=bytes(data))


FLOATS = st.sampled_from([0.0, -1.0, float('nan'), float('inf'), float('-inf'), 1e308, 700.0])


@st.composite
def camera_infos(draw: st.DrawFn) -> CameraInfo:
    """Return a calibration of NaN, infinities and sizes that fit no image."""
    def floats(count: int) -> list[float]:
        return [draw(FLOATS)] * count
    return CameraInfo(
        header=draw(HEADERS), height=draw(NUMBERS), width=draw(NUMBERS),
        distortion_model=draw(TEXT), d=floats(draw(st.sampled_from([0, 1, 5, 500]))), k=floats(9),
        r=floats(9), p=floats(12), binning_x=draw(NUMBERS), binning_y=draw(NUMBERS),
        roi=RegionOfInterest(x_offset=draw(NUMBERS), y_offset=draw(NUMBERS),
                             height=draw(NUMBERS), width=draw(NUMBERS), do_rectify=True))


MESSAGES = st.one_of(images(), images(), compressed_images(), camera_infos())
