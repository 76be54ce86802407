# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The structure of a BMP file, checked before a decoder sees it (Microsoft, BITMAPINFOHEADER).

What programs write today is supported: 8 bits with a palette, 24 or 32 bits, uncompressed.
"""

from __future__ import annotations

import struct

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.structure import CheckedFile, check_amount, check_size, damaged

SIGNATURE = b'BM'
_FILE_HEADER = 14
# BITMAPINFOHEADER and what has been added to it.
_HEADERS = (40, 52, 56, 108, 124)
_PLAIN, _BITFIELDS = 0, 3
# Blue, green and red in the order in which they are anyway.
_MASKS = (0xFF0000, 0xFF00, 0xFF)


def check_bmp(content: bytes) -> CheckedFile:
    """Check the structure of a BMP file; raises InputError if it is not sound."""
    try:
        start, header, width, height, planes, bits, compression = struct.unpack_from(
            '<IIiiHHI', content, 10)
        colours, = struct.unpack_from('<I', content, _FILE_HEADER + 32)
        masks = (struct.unpack_from('<III', content, _FILE_HEADER + 40)
                 if compression == _BITFIELDS else _MASKS)
    except struct.error:
        raise damaged('BMP', content) from None
    if (header not in _HEADERS or planes != 1 or bits not in (8, 24, 32) or masks != _MASKS
            or compression not in (_PLAIN, _BITFIELDS) or (compression and bits != 32)):
        raise InputError('data: expected a BMP image of 8, 24 or 32 bits, not compressed, found '
                         f'{bits} bits, compression {compression}, a header of {header} bytes')
    # A negative height: the upper row comes first.
    height = abs(height)
    check_size(height, width)
    colours = (colours or 256) if bits == 8 else 0
    if colours > 256 or not _FILE_HEADER + header + 4 * colours <= start <= len(content):
        raise damaged('BMP', content, 'have no room for their palette')
    rows = (width * bits // 8 + 3) // 4 * 4
    check_amount(rows * height, len(content) - start, height, width)
    return CheckedFile(content[:start + rows * height], width, height, False,
                       palette=bits == 8)
