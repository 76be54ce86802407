# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the structure checks of all file formats share: sizes, and what a check returns."""

from __future__ import annotations

from dataclasses import dataclass

from fcn_seg_ros.errors import InputError

# Far above every camera; below it height * step cannot surprise anybody.
MAX_SIDE = 16384
# A few hundred bytes can promise an image that fills the memory. No camera has more pixels.
MAX_PIXELS = 2**26


@dataclass(frozen=True)
class CheckedFile:
    """
    An image file whose structure is sound, with nothing in it that its pixels do not need.

    ``content`` is what a decoder gets to see; ``grey`` tells whether it has one channel, ``depth``
    is the number of bits (8 or 16) of its values. ``palette`` says that the one channel holds
    indices.
    """

    content: bytes
    width: int
    height: int
    grey: bool
    depth: int = 8
    palette: bool = False


def damaged(kind: str, content: bytes, how: str = 'are cut off or damaged', size: str = ''
            ) -> InputError:
    """Return the error for a file of a ``kind``, such as PNG, that is not complete and sound."""
    return InputError(f'data: expected a complete {kind} image{size}, found {len(content)} bytes '
                      f'that {how}')


def check_side(height: int, width: int) -> None:
    """Raise InputError for an image without pixels or with an absurd number of them."""
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise InputError(f'size: expected 1x1 to {MAX_SIDE}x{MAX_SIDE} pixels, '
                         f'found {width}x{height}')


def check_size(height: int, width: int) -> None:
    """Raise InputError for a size that no image file needs to have."""
    check_side(height, width)
    if width * height > MAX_PIXELS:
        raise InputError(f'size: expected at most {MAX_PIXELS} pixels, found {width}x{height}')


def check_amount(needed: int, given: int, height: int, width: int) -> None:
    """Raise InputError where so many bytes cannot hold the image that they promise."""
    if given < needed:
        raise InputError(f'data: expected at least {needed} bytes for an image of '
                         f'{width}x{height}, found {given}')
