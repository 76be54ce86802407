# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The structure of a JPEG file, checked before a decoder sees it (ITU-T T.81).

The check walks from marker to marker to the end of the image. It limits what makes a small file
slow to decode: the number of scans of a progressive image, and the size in relation to the data.
The decoder gets no comments, no EXIF, and nothing after the end of the image (drivers often send
their whole buffer).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.structure import CheckedFile, check_amount, check_size, damaged

SIGNATURE = b'\xff\xd8\xff'
_SOF0, _SOF1, _SOF2 = 0xC0, 0xC1, 0xC2
_DHT, _DAC, _EOI, _SOS, _DQT, _DRI, _COM = 0xC4, 0xCC, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_JFIF, _ADOBE = 0xE0, 0xEE
_TABLES = (_DHT, _DQT, _DRI)
# A photograph has about ten segments; with a long colour profile, about a hundred.
_MOST_SEGMENTS = 1000
# libjpeg's own progression has 10 scans, mozjpeg's up to 20.
_MOST_SCANS = 64
# The most blocks of 8x8 pixels over all scans of a progressive image: ten scans of 16 megapixels. A
# file of 428 kB with 3,000 scans took 19 s to decode.
_MOST_VISITS = 2**22
# A scan ends at a marker that is neither a stuffed byte, a restart nor a fill byte.
_MARKER = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')


@dataclass
class _Walk:
    """What the walk from marker to marker has found so far."""

    parts: list[bytes] = field(default_factory=lambda: [b'\xff\xd8'])
    progressive: bool = False
    size: tuple[int, int] = (0, 0)
    # For each component of the frame, the number of its blocks and of the scans that contain it.
    blocks: dict[int, int] = field(default_factory=dict)
    seen: dict[int, int] = field(default_factory=dict)
    scans: int = 0
    scan_bytes: int = 0
    visits: int = 0


def check_jpeg(content: bytes) -> CheckedFile:
    """Check the structure of a JPEG file; raises InputError if it is not sound."""
    walk, position = _Walk(), 2
    for _ in range(_MOST_SEGMENTS):
        marker, start = _marker_at(content, position, walk)
        if marker == _EOI:
            break
        length = int.from_bytes(content[start:start + 2], 'big')
        position = start + length
        if length < 2 or position > len(content):
            raise _cut_off(content, walk)
        body = content[start + 2:position]
        if marker in (_SOF0, _SOF1, _SOF2):
            _frame(body, marker, walk)
        elif marker == _SOS:
            _scan(body, walk)
            found = _MARKER.search(content, position)
            if found is None:
                raise _cut_off(content, walk)
            walk.scan_bytes += found.start() - position
            position = found.start()
        elif marker not in _TABLES and not _JFIF <= marker <= 0xEF and marker != _COM:
            raise InputError('data: not a baseline or progressive JPEG image, but one with the '
                             f'marker FF{marker:02X}')
        if not (_JFIF < marker <= 0xEF and marker != _ADOBE) and marker != _COM:
            walk.parts += [b'\xff', bytes([marker]), content[start:position]]
    else:
        raise InputError(f'data: expected a JPEG image of at most {_MOST_SEGMENTS} segments, '
                         'found more')
    return _checked(content, walk, start)


def _marker_at(content: bytes, position: int, walk: _Walk) -> tuple[int, int]:
    """Return the marker at a position, and the position after it."""
    if content[position:position + 1] == b'\xff':
        # Any number of fill bytes may precede it.
        while content[position:position + 1] == b'\xff':
            position += 1
        if position < len(content) and content[position]:
            return content[position], position + 1
    if position >= len(content):
        raise _cut_off(content, walk)
    raise damaged('JPEG', content, f'are damaged near byte {position}')


def _frame(body: bytes, marker: int, walk: _Walk) -> None:
    """Record size and components from the frame header."""
    if walk.blocks:
        raise InputError('data: the JPEG image has a second frame')
    if len(body) < 6 or len(body) != 6 + 3 * body[5]:
        raise InputError('data: the JPEG frame header is damaged')
    precision, height, width, count = struct.unpack_from('>BHHB', body)
    if precision != 8 or count not in (1, 3):
        raise InputError(f'data: expected a JPEG image of 8 bits and 1 or 3 components, found '
                         f'{precision} bits and {count} components')
    check_size(height, width)
    factors = {body[at]: (body[at + 1] >> 4, body[at + 1] & 15) for at in range(6, len(body), 3)}
    if len(factors) != count or any(not 1 <= f <= 4 for pair in factors.values() for f in pair):
        raise InputError('data: expected JPEG components with sampling factors from 1 to 4, found '
                         'others')
    most_x = max(x for x, _ in factors.values())
    most_y = max(y for _, y in factors.values())
    for component, (x, y) in factors.items():
        walk.blocks[component] = (-(-width * x // (8 * most_x))) * (-(-height * y // (8 * most_y)))
    walk.size, walk.progressive = (width, height), marker == _SOF2


def _scan(body: bytes, walk: _Walk) -> None:
    """Record a scan from its header."""
    count = body[0] if body else 0
    components = body[1:1 + 2 * count:2]
    if (not 1 <= count <= 4 or len(body) != 4 + 2 * count or len(set(components)) != count
            or not set(components) <= set(walk.blocks)):
        raise InputError('data: a JPEG scan has a component that the frame lacks')
    walk.scans += 1
    for component in components:
        walk.seen[component] = walk.seen.get(component, 0) + 1
        walk.visits += walk.blocks[component]
    most = _MOST_SCANS if walk.progressive else len(walk.blocks)
    if walk.scans > most:
        raise InputError(f'data: expected a JPEG image of at most {most} scans, found more')
    if walk.progressive and walk.visits > _MOST_VISITS:
        width, height = walk.size
        raise InputError(f'data: expected a progressive JPEG image of at most {_MOST_VISITS} '
                         f'blocks over all scans, found more (size {width}x{height})')


def _checked(content: bytes, walk: _Walk, end: int) -> CheckedFile:
    """Return the result of the walk, which reached the end of the image at byte ``end``."""
    if not walk.blocks or set(walk.seen) != set(walk.blocks):
        raise InputError(f'data: the JPEG image has {len(walk.blocks)} components, but scans of '
                         f'only {len(walk.seen)}')
    if not walk.progressive and any(times > 1 for times in walk.seen.values()):
        raise InputError('data: a component of the baseline JPEG image is in several scans')
    width, height = walk.size
    # Every block takes at least one bit.
    check_amount(sum(walk.blocks.values()) // 8, walk.scan_bytes, height, width)
    needed = b''.join([*walk.parts, b'\xff\xd9'])
    return CheckedFile(needed, width, height, len(walk.blocks) == 1)


def _cut_off(content: bytes, walk: _Walk) -> InputError:
    size = f' of {walk.size[0]}x{walk.size[1]}' if walk.blocks else ''
    return damaged('JPEG', content, 'lack its end', size)
