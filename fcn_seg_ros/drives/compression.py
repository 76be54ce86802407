# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Decompress recorded data, even if the end is missing."""

from __future__ import annotations

import bz2
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lz4.frame

from fcn_seg_ros.errors import InputError, one_line

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ZSTD_MAGIC = b'\x28\xb5\x2f\xfd'
# Chunks have a few MB; one that claims more than this is damaged or hostile.
MAX_BYTES = 2**30
_PIECE = 2**18

_DECOMPRESSORS: dict[str, Callable[[], Any]] = {
    'zstd': zstd.ZstdDecompressor, 'lz4': lz4.frame.LZ4FrameDecompressor,
    'bz2': bz2.BZ2Decompressor}


def decompress(content: bytes, kind: str, size: int | None = None) -> tuple[bytes, str]:
    """
    Return the decompressed content, and why it is incomplete or ''.

    ``kind`` is zstd, lz4, bz2, or '' (or none) for uncompressed content; ``size`` is the expected
    number of bytes. Content that is cut off or damaged is returned up to the fault.
    """
    if kind in ('', 'none'):
        whole = size is None or len(content) >= size
        return content, '' if whole else f'it has only {len(content)} of {size} bytes'
    if kind not in _DECOMPRESSORS:
        return b'', f'its compression {kind[:20]!r} is none of zstd, lz4 and bz2'
    if size is not None and size > MAX_BYTES:
        return b'', f'it claims {size} bytes, more than {MAX_BYTES}'
    limit = MAX_BYTES if size is None else size
    decompressor = _DECOMPRESSORS[kind]()
    pieces: list[bytes] = []
    total = 0
    # In pieces, so that only what follows the damage is lost.
    for start in range(0, len(content), _PIECE):
        try:
            piece = decompressor.decompress(content[start:start + _PIECE],
                                            max_length=limit - total + 1)
        # The libraries raise different errors: OSError, RuntimeError, ZstdError, EOFError.
        except Exception as error:
            return b''.join(pieces), f'it cannot be decompressed ({one_line(error)})'
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            return b''.join(pieces)[:limit], f'it has more than {limit} bytes'
        if decompressor.eof:
            break
    whole = decompressor.eof and (size is None or total == size)
    return b''.join(pieces), '' if whole else 'its end is missing'


def decompress_message(content: bytes) -> bytes:
    """
    Return a message, decompressed if it was compressed individually.

    A serialised message (CDR) never starts like zstd data, so this works without metadata, which a
    killed recorder does not write. Raises ValueError if the data is damaged.
    """
    if content[:4] != ZSTD_MAGIC:
        return content
    message, fault = decompress(content, 'zstd')
    if fault:
        raise ValueError(f'its compression is damaged: {fault}')
    return message


def unpack_file(source: Path, target: Path) -> str:
    """
    Decompress a zstd file; return why the result is incomplete, or ''.

    Raises InputError if the disk is full.
    """
    try:
        with zstd.ZstdFile(source) as compressed, target.open('wb') as whole:
            while piece := compressed.read1(_PIECE):
                whole.write(piece)
    except EOFError:
        return 'its end is missing'
    except zstd.ZstdError as error:
        return f'it cannot be decompressed ({one_line(error)})'
    except OSError as error:
        raise InputError(
            f'{source}: cannot be decompressed into {target.parent} ({error.strerror}); set TMPDIR '
            'to a folder on a disk with enough room') from None
    return ''
