# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The structure of a PNG file, checked before a decoder sees it (ISO/IEC 15948, "PNG").

Every chunk must be complete and match its checksum. Animated files are refused: no camera sends
them, and OpenCV's decoder dereferences uninitialised memory for some of them. The decoder gets only
the chunks that the pixels need: no text, colour profile or EXIF.
"""

from __future__ import annotations

import struct
import zlib

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.structure import CheckedFile, check_amount, check_size, damaged

SIGNATURE = b'\x89PNG\r\n\x1a\n'
_END = b'\x00\x00\x00\x00IEND\xaeB`\x82'
# Writers put several kB into a chunk: 64 megapixels in chunks of 8 kB need half this number.
_MOST_CHUNKS = 2**16
# For each colour type, the number of channels and the bits allowed per channel.
_COLOUR_TYPES = {0: (1, (1, 2, 4, 8, 16)), 2: (3, (8, 16)), 3: (1, (1, 2, 4, 8)),
                 4: (2, (8, 16)), 6: (4, (8, 16))}
_PALETTE = 3
_ANIMATION = (b'acTL', b'fcTL', b'fdAT')
# Deflate expands a byte to at most 1,032 bytes.
_INFLATION = 1032


def check_png(content: bytes) -> CheckedFile:
    """Check the structure of a PNG file; raises InputError if it is not sound."""
    kinds, spans = _chunks(content)
    animation = next((kind for kind in kinds if kind in _ANIMATION), None)
    if animation:
        raise InputError('data: animated PNG images are not supported (chunk '
                         f'{animation.decode()})')
    unknown = next((kind for kind in kinds if not kind[0] & 0x20
                    and kind not in (b'IHDR', b'PLTE', b'IDAT', b'IEND')), None)
    if unknown:
        raise InputError(f'data: the PNG image has the unknown critical chunk {unknown.decode()}')
    first, pieces = _image_data(kinds)
    width, height, bits, colour = _header(content, kinds, spans)
    palette = _palette(content, kinds, spans, colour, first)
    start, end = spans[first][0], spans[first + pieces - 1][1]
    channels = _COLOUR_TYPES[colour][0]
    # A row is a filter number followed by its pixels, rounded up to bytes.
    raw = height * (1 + (width * channels * bits + 7) // 8)
    check_amount(raw // _INFLATION, end - start - 12 * pieces, height, width)
    needed = content[:33] + palette + content[start:end] + _END
    return CheckedFile(content if len(needed) == len(content) else needed, width, height,
                       colour in (0, 4), 16 if bits == 16 else 8, colour == _PALETTE)


def _chunks(content: bytes) -> tuple[list[bytes], list[tuple[int, int]]]:
    """Return the types of the chunks up to IEND, and where each starts and ends."""
    kinds: list[bytes] = []
    spans: list[tuple[int, int]] = []
    view = memoryview(content)
    position = len(SIGNATURE)
    while not kinds or kinds[-1] != b'IEND':
        kind = content[position + 4:position + 8]
        end = position + 12 + int.from_bytes(view[position:position + 4], 'big')
        if len(kind) < 4 or end > len(content):
            raise damaged('PNG', content)
        if not (kind.isalpha() and kind.isascii()
                and zlib.crc32(view[position + 4:end - 4])
                == int.from_bytes(view[end - 4:end], 'big')):
            raise damaged('PNG', content, f'are damaged near byte {position}')
        kinds.append(kind)
        spans.append((position, end))
        if len(kinds) > _MOST_CHUNKS:
            raise InputError(f'data: expected a PNG image of at most {_MOST_CHUNKS} chunks, '
                             'found more')
        position = end
    return kinds, spans


def _image_data(kinds: list[bytes]) -> tuple[int, int]:
    """Return the index of the first image data chunk and the number of them, all consecutive."""
    pieces = kinds.count(b'IDAT')
    if not pieces:
        raise InputError('data: the PNG image has no image data')
    first = kinds.index(b'IDAT')
    if any(kind != b'IDAT' for kind in kinds[first:first + pieces]):
        raise InputError('data: the image data chunks of the PNG image are not consecutive')
    return first, pieces


def _header(content: bytes, kinds: list[bytes], spans: list[tuple[int, int]]
            ) -> tuple[int, int, int, int]:
    """Return width, height, bits of a channel and colour type."""
    if kinds.count(b'IHDR') != 1 or kinds[0] != b'IHDR' or spans[0] != (8, 33):
        raise InputError('data: expected a PNG image that begins with its one header of 13 bytes, '
                         'found another')
    width, height, bits, colour, compression, filtering, interlace = struct.unpack_from(
        '>IIBBBBB', content, 16)
    check_size(height, width)
    if (colour not in _COLOUR_TYPES or bits not in _COLOUR_TYPES[colour][1]
            or compression or filtering or interlace > 1):
        raise InputError(f'data: expected a valid kind of PNG image, found {bits} bits '
                         f'of colour type {colour}, methods {compression}, {filtering}, '
                         f'{interlace}')
    return width, height, bits, colour


def _palette(content: bytes, kinds: list[bytes], spans: list[tuple[int, int]], colour: int,
             image_data: int) -> bytes:
    """Return the palette chunk of a palette image; a true-colour image has one only as a hint."""
    if colour != _PALETTE:
        return b''
    if kinds.count(b'PLTE') != 1 or kinds.index(b'PLTE') > image_data:
        raise InputError('data: expected one palette before the image data, found '
                         f'{kinds.count(b"PLTE")} in all')
    start, end = spans[kinds.index(b'PLTE')]
    length = end - start - 12
    if length % 3 or not 3 <= length <= 768:
        raise InputError(f'data: expected a palette of 1 to 256 colours, found {length} bytes')
    return content[start:end]
