# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The structure of a TIFF file, checked before a decoder sees it (TIFF 6.0, Adobe 1992).

What image_transport writes is supported, and little more: one image in strips, 8- or 16-bit grey,
RGB or RGBA, uncompressed or with LZW, deflate or PackBits. The decoder gets a new file made of the
known tags and the strips.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.structure import CheckedFile, check_amount, check_size, damaged

SIGNATURES = (b'II*\x00', b'MM\x00*')
_MOST_TAGS = 100
(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _ROWS, _COUNTS, _PLANAR,
 _PREDICTOR, _EXTRA, _FORMAT) = (256, 257, 258, 259, 262, 273, 277, 278, 279, 284, 317, 338, 339)
_TILES = 322
_FILL_ORDER = 266
_READ = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _OFFSETS, _SAMPLES, _ROWS, _COUNTS,
         _PLANAR, _PREDICTOR, _FORMAT, _TILES, _FILL_ORDER}
_SHORT, _LONG = 3, 4
# The largest expansion of a byte, by compression (an LZW string grows by one byte per code).
_INFLATION = {1: 1, 5: 4096, 8: 1032, 32773: 128, 32946: 1032}
_DEFLATE = 8


@dataclass(frozen=True)
class _Image:
    """The checked tags of a TIFF image, and its strips."""

    order: str
    width: int
    height: int
    bits: int
    samples: int
    compression: int
    photometric: int
    predictor: int
    rows: int
    strips: list[bytes]


def check_tiff(content: bytes) -> CheckedFile:
    """Check the structure of a TIFF file; raises InputError if it is not sound."""
    order = '<' if content[:2] == b'II' else '>'
    image = _image(content, order, _tags(content, order))
    row = image.width * image.samples * image.bits // 8
    for number, strip in enumerate(image.strips):
        rows = min(image.rows, image.height - number * image.rows)
        check_amount(rows * row // _INFLATION[image.compression], len(strip), image.height,
                     image.width)
    return CheckedFile(_written(image), image.width, image.height, image.samples == 1, image.bits)


def _tags(content: bytes, order: str) -> dict[int, tuple[int, ...]]:
    """Return the values of the known tags in the file's only directory."""
    try:
        start, = struct.unpack_from(f'{order}I', content, 4)
        count, = struct.unpack_from(f'{order}H', content, start)
        following, = struct.unpack_from(f'{order}I', content, start + 2 + 12 * count)
        if following or not 0 < count <= _MOST_TAGS:
            raise InputError(f'data: expected a TIFF file of one image with at most {_MOST_TAGS} '
                             f'tags, found {count} tags{" and more images" if following else ""}')
        tags = {}
        for entry in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, length = struct.unpack_from(f'{order}HHI', content, entry)
            if tag in _READ:
                tags[tag] = _values(content, order, entry, kind, length)
    except struct.error:
        raise damaged('TIFF', content) from None
    return tags


def _values(content: bytes, order: str, entry: int, kind: int, length: int) -> tuple[int, ...]:
    # No more strips than rows.
    if kind not in (_SHORT, _LONG) or not 1 <= length <= 2**14:
        raise InputError(f'data: expected TIFF tags of 16- or 32-bit numbers, found {length} of '
                         f'type {kind}')
    form = f'{order}{length}{"H" if kind == _SHORT else "I"}'
    place = entry + 8
    if struct.calcsize(form) > 4:
        place, = struct.unpack_from(f'{order}I', content, place)
    return struct.unpack_from(form, content, place)


def _image(content: bytes, order: str, tags: dict[int, tuple[int, ...]]) -> _Image:
    """Return the image that the tags describe."""
    for tag in (_WIDTH, _HEIGHT, _OFFSETS, _COUNTS, _PHOTOMETRIC):
        if tag not in tags:
            raise InputError(f'data: the TIFF image has no strips (tag {tag} is missing)')

    def one(tag: int, default: int) -> int:
        return tags.get(tag, (default,))[0]
    width, height = one(_WIDTH, 0), one(_HEIGHT, 0)
    check_size(height, width)
    samples, bits = one(_SAMPLES, 1), tags.get(_BITS, (1,))
    image = _Image(order, width, height, bits[0], samples, one(_COMPRESSION, 1),
                   one(_PHOTOMETRIC, 0), one(_PREDICTOR, 1), min(one(_ROWS, height), height),
                   _strips(content, tags))
    # The library inverts 8-bit images where white is zero (0), but not 16-bit ones.
    photometric = (2,) if samples != 1 else (0, 1) if bits[0] == 8 else (1,)
    if one(_FILL_ORDER, 1) != 1:
        raise InputError('data: expected a TIFF image with the first bit on the left, found fill '
                         f'order {one(_FILL_ORDER, 1)}')
    if (_TILES in tags or samples not in (1, 3, 4) or bits[0] not in (8, 16)
            or set(bits) != {bits[0]} or len(bits) not in (1, samples)
            or image.photometric not in photometric or one(_PLANAR, 1) != 1
            or set(tags.get(_FORMAT, (1,))) != {1}):
        raise InputError(f'data: expected a TIFF image in strips of 8- or 16-bit grey, RGB or '
                         f'RGBA, found {samples} values of {bits[0]} bits a pixel, photometric '
                         f'{image.photometric}{", in tiles" if _TILES in tags else ""}')
    if image.compression not in _INFLATION or image.predictor not in (1, 2):
        raise InputError('data: expected a TIFF image that is plain or packed by LZW, deflate or '
                         f'PackBits, found compression {image.compression}, predictor '
                         f'{image.predictor}')
    if image.rows < 1 or len(image.strips) != -(-height // image.rows):
        raise InputError(f'data: expected {height} rows in strips of {image.rows}, found '
                         f'{len(image.strips)} strips')
    return image


def _strips(content: bytes, tags: dict[int, tuple[int, ...]]) -> list[bytes]:
    offsets, counts = tags[_OFFSETS], tags[_COUNTS]
    if (len(offsets) != len(counts) or sum(counts) > len(content)
            or any(offset + count > len(content)
                   for offset, count in zip(offsets, counts, strict=True))):
        raise damaged('TIFF', content, 'do not hold its strips')
    return [content[offset:offset + count]
            for offset, count in zip(offsets, counts, strict=True)]


def _written(image: _Image) -> bytes:
    """Return the image as a new file, in the byte order of its values."""
    compression = _DEFLATE if image.compression == 32946 else image.compression
    tags: list[tuple[int, int, list[int]]] = [
        (_WIDTH, _LONG, [image.width]), (_HEIGHT, _LONG, [image.height]),
        (_BITS, _SHORT, [image.bits] * image.samples), (_COMPRESSION, _SHORT, [compression]),
        (_PHOTOMETRIC, _SHORT, [image.photometric]),
        (_OFFSETS, _LONG, [0] * len(image.strips)), (_SAMPLES, _SHORT, [image.samples]),
        (_ROWS, _LONG, [image.rows]), (_COUNTS, _LONG, [len(strip) for strip in image.strips]),
        (_PLANAR, _SHORT, [1])]
    if compression in (5, _DEFLATE):
        tags.append((_PREDICTOR, _SHORT, [image.predictor]))
    if image.samples == 4:
        # Mark alpha as associated, or libtiff would multiply the colours with it.
        tags.append((_EXTRA, _SHORT, [1]))
    # Values that do not fit into the directory follow it, then come the strips, all at even
    # offsets.
    place = 8 + 2 + 12 * len(tags) + 4
    data = place + sum(4 * len(values) for _, _, values in tags if len(values) > 1)
    starts = []
    for strip in image.strips:
        starts.append(data)
        data += len(strip) + len(strip) % 2
    directory, long_values = struct.pack(f'{image.order}H', len(tags)), b''
    for tag, kind, values in tags:
        form = 'H' if kind == _SHORT else 'I'
        packed = struct.pack(f'{image.order}{len(values)}{form}',
                             *(starts if tag == _OFFSETS else values))
        if len(packed) > 4:
            reference = struct.pack(f'{image.order}I', place + len(long_values))
            long_values += packed.ljust(4 * len(values), b'\0')
        else:
            reference = packed.ljust(4, b'\0')
        directory += struct.pack(f'{image.order}HHI', tag, kind, len(values)) + reference
    head = (b'II' if image.order == '<' else b'MM') + struct.pack(f'{image.order}HI', 42, 8)
    body = b''.join(strip + bytes(len(strip) % 2) for strip in image.strips)
    gap = starts[0] - len(head) - len(directory) - 4 - len(long_values)
    return head + directory + bytes(4) + long_values + bytes(gap) + body
