# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read image files as arrays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.images.decode import check, decode, decode_pixels

# The suffixes of image files in folders of images, datasets and drives.
IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.tif', '.tiff')


def read_rgb(path: Path) -> np.ndarray:
    """
    Read a PNG, JPEG or TIFF file as RGB, uint8 of shape (H, W, 3), EXIF orientation ignored.

    Raises InputError for other files, and for truncated or damaged ones.
    """
    try:
        return decode(_content(path))
    except InputError as error:
        raise _of(path, error) from None


def read_grey(path: Path) -> np.ndarray:
    """Read an 8-bit grey image, uint8 (H, W); raises InputError for any other file."""
    try:
        pixels = decode_pixels(_content(path))
    except InputError as error:
        raise _of(path, error) from None
    if pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise InputError(f'{path}: expected an 8-bit grey image, found {pixels.dtype} of shape '
                         f'{pixels.shape}')
    return pixels


def read_indices(path: Path) -> np.ndarray:
    """
    Read a label image (grey, palette or black-and-white PNG) as indices, uint8 (H, W).

    A colour image with equal channels counts as grey. Raises InputError for other files, and for
    truncated or damaged ones.
    """
    try:
        checked = check(_content(path))
    except InputError as error:
        raise _of(path, error) from None
    from PIL import Image
    try:
        with Image.open(io.BytesIO(checked.content)) as image:
            mode, pixels = image.mode, np.array(image)
    except Exception as error:  # Pillow raises many types, always because of the file
        raise InputError(f'{path}: expected a label image, found a file that cannot be decoded '
                         f'({type_and_words(error)})') from None
    if mode in ('RGB', 'RGBA'):
        if (pixels[..., :3] == pixels[..., :1]).all():
            return np.ascontiguousarray(pixels[..., 0])
    elif mode in ('L', 'P', '1'):
        return pixels.astype(np.uint8)
    raise InputError(f'{path}: expected a label image of one 8-bit channel, found {mode} with '
                     'different channels' if mode.startswith('RGB') else
                     f'{path}: expected a label image of one 8-bit channel, found {mode}')


def read_size(path: Path) -> tuple[int, int]:
    """
    Return (width, height) from an image file's header, without decoding it.

    Raises InputError if there is none; the rest of the file is not checked.
    """
    from PIL import Image
    try:
        with Image.open(path, formats=('PNG', 'JPEG', 'TIFF')) as image:
            return image.size
    except Exception as error:  # Pillow raises many types, always because of the file
        raise InputError(f'{path}: expected an image that can be decoded, found none '
                         f'({type_and_words(error)})') from None


def _of(path: Path, error: InputError) -> InputError:
    """Return a decoder's error, which is about a message's fields, as one about a file."""
    return InputError(f'{path}: {str(error).removeprefix("data: ")}')


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError('expected an image file, found one that cannot be read '
                         f'({error.strerror})') from None
