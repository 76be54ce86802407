# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shared by the structure checks of all file formats: sizes, results and errors."""

from __future__ import annotations

from dataclasses import dataclass

from fcn_seg_ros.errors import InputError

# Far larger than any camera's image, and small enough that height * step cannot overflow.
MAX_SIDE = 16384
# 8K, the most that cameras have. Without a limit, a small file could declare an image that takes
# minutes and gigabytes to decode.
MAX_PIXELS = 8192 * 4352


@dataclass(frozen=True)
class CheckedFile:
    """
    An image file with a valid structure, reduced to what its pixels need.

    ``content`` is for the decoder. ``grey`` means one channel, ``palette`` that it holds palette
    indices; ``depth`` is the number of bits per value, 8 or 16.
    """

    content: bytes
    width: int
    height: int
    grey: bool
    depth: int = 8
    palette: bool = False


def damaged(kind: str, content: bytes, how: str = 'are cut off or damaged', size: str = ''
            ) -> InputError:
    """Return the error for an incomplete or damaged file of a ``kind``, such as PNG."""
    return InputError(f'data: expected a complete {kind} image{size}, found {len(content)} bytes '
                      f'that {how}')


def check_side(height: int, width: int) -> None:
    """Raise InputError for an empty image or absurdly long sides."""
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise InputError(f'size: expected 1x1 to {MAX_SIDE}x{MAX_SIDE} pixels, '
                         f'found {width}x{height}')


def check_size(height: int, width: int) -> None:
    """Raise InputError for an image file with more pixels than any camera's."""
    check_side(height, width)
    if width * height > MAX_PIXELS:
        raise InputError(f'size: expected at most {MAX_PIXELS} pixels, found {width}x{height}')


def check_amount(needed: int, given: int, height: int, width: int) -> None:
    """Raise InputError if a file has too few bytes for the size that it declares."""
    if given < needed:
        raise InputError(f'data: expected at least {needed} bytes for an image of '
                         f'{width}x{height}, found {given}')
