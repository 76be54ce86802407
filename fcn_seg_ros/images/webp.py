# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The structure of a WebP file, checked before a decoder sees it (RFC 9649).

Animated files are refused. The decoder gets only the chunk of the pixels.
"""

from __future__ import annotations

import struct

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.structure import CheckedFile, check_size, damaged

_RIFF, _WEBP = b'RIFF', b'WEBP'
_LOSSY, _LOSSLESS, _ANIMATION = b'VP8 ', b'VP8L', b'ANIM'
_MOST_CHUNKS = 100


def is_webp(content: bytes) -> bool:
    """Return whether a file begins as a WebP file does."""
    return content[:4] == _RIFF and content[8:12] == _WEBP


def check_webp(content: bytes) -> CheckedFile:
    """Check the structure of a WebP file; raises InputError if it is not sound."""
    length = int.from_bytes(content[4:8], 'little') + 8
    position = 12
    found: dict[bytes, bytes] = {}
    while position < length and len(found) <= _MOST_CHUNKS:
        kind, size = content[position:position + 4], content[position + 4:position + 8]
        end = position + 8 + int.from_bytes(size, 'little')
        if end > min(length, len(content)):
            raise damaged('WebP', content)
        if kind in found:
            break
        found[kind] = content[position + 8:end]
        position = end + end % 2
    kind = next((kind for kind in (_LOSSY, _LOSSLESS) if kind in found), b'')
    if not kind or _ANIMATION in found:
        raise InputError('data: expected a still WebP image, found '
                         + ('an animated one' if _ANIMATION in found else 'none'))
    width, height = _size(content, kind, found[kind])
    check_size(height, width)
    chunk = kind + struct.pack('<I', len(found[kind])) + found[kind] + bytes(len(found[kind]) % 2)
    return CheckedFile(_RIFF + struct.pack('<I', len(chunk) + 4) + _WEBP + chunk, width, height,
                       False)


def _size(content: bytes, kind: bytes, body: bytes) -> tuple[int, int]:
    """Return (width, height) from the header of the pixels."""
    if kind == _LOSSY and len(body) >= 10 and body[3:6] == b'\x9d\x01\x2a':
        return (int.from_bytes(body[6:8], 'little') & 0x3FFF,
                int.from_bytes(body[8:10], 'little') & 0x3FFF)
    if kind == _LOSSLESS and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], 'little')
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise damaged('WebP', content)
