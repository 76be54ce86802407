# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read image files as arrays."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.orientation import orientation_in, orientation_of, swaps_sides, upright
from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.files import open_regular
from fcn_seg_ros.images.decode import check, decode, decode_pixels

# The suffixes of image files in folders of images, datasets and drives.
IMAGE_SUFFIXES = ('.png', '.jpg', '.jpeg', '.tif', '.tiff', '.bmp', '.webp')
_FORMATS = ('PNG', 'JPEG', 'TIFF', 'BMP', 'WEBP')


def read_rgb(path: Path, turn: bool = True) -> np.ndarray:
    """
    Read a PNG, JPEG, TIFF, BMP or WebP file as RGB, uint8 of shape (H, W, 3).

    It is turned as its EXIF orientation says, unless ``turn`` is False. Raises InputError for other
    files, and for truncated or damaged ones.
    """
    try:
        content = read_content(path)
        pixels = decode(content, on_disk=True)
    except InputError as error:
        raise of_file(path, error) from None
    return upright(pixels, orientation_of(content)) if turn else pixels


def read_grey(path: Path) -> np.ndarray:
    """Read an 8-bit grey image, uint8 (H, W); raises InputError for any other file."""
    try:
        pixels = decode_pixels(read_content(path), on_disk=True)
    except InputError as error:
        raise of_file(path, error) from None
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
        checked = check(read_content(path), on_disk=True)
    except InputError as error:
        raise of_file(path, error) from None
    from PIL import Image
    try:
        with Image.open(io.BytesIO(checked.content)) as image:
            mode, pixels = image.mode, np.array(image)
    except Exception as error:  # Pillow raises many types, and the file is always the cause
        raise InputError(f'{path}: the label image cannot be decoded '
                         f'({type_and_words(error)})') from None
    if mode in ('RGB', 'RGBA'):
        if (pixels[..., :3] == pixels[..., :1]).all():
            return np.ascontiguousarray(pixels[..., 0])
    elif mode in ('L', 'P', '1'):
        return pixels.astype(np.uint8)
    raise InputError(f'{path}: expected a label image of one 8-bit channel, found {mode} with '
                     'different channels' if mode.startswith('RGB') else
                     f'{path}: expected a label image of one 8-bit channel, found {mode}')


def read_size(path: Path, turn: bool = True) -> tuple[int, int]:
    """
    Return (width, height) from an image file's header, without decoding it.

    It is that of ``read_rgb``. Raises InputError if there is none; the rest of the file is not
    checked.
    """
    from PIL import Image
    try:
        with open_regular(path) as file, Image.open(file, formats=_FORMATS) as image:
            width, height = image.size
            orientation = orientation_in(image) if turn else 1
    except Exception as error:  # Pillow raises many types, always because of the file
        try:
            check(read_content(path), on_disk=True)
        except InputError as words:  # which say more
            raise of_file(path, words) from None
        raise InputError(f'{path}: the image cannot be decoded '
                         f'({type_and_words(error)})') from None
    return (height, width) if swaps_sides(orientation) else (width, height)


def is_turned(path: Path) -> bool:
    """Tell whether ``read_rgb`` turns an image; False for a file that cannot be read."""
    from PIL import Image
    try:
        with open_regular(path) as file, Image.open(file, formats=_FORMATS) as image:
            return orientation_in(image) != 1
    except Exception:  # Pillow raises many types; who decodes the file says what is wrong with it
        return False


def of_file(path: Path, error: InputError) -> InputError:
    """Return a decoder's error, which is about a message's fields, as one about a file."""
    return InputError(f'{path}: {str(error).removeprefix("data: ")}')


def read_content(path: Path) -> bytes:
    """Return a file's content; raises InputError, without its name, if it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        raise InputError('the image file cannot be read '
                         f'({error.strerror})') from None
