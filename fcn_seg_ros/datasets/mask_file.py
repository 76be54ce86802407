# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Mask files as annotation tools write them: ids, palettes, colours, alpha, one bit or sixteen."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.datasets.base import IGNORE
from fcn_seg_ros.datasets.images import of_file, read_content
from fcn_seg_ros.datasets.mask_format import WHITE, MaskFormat, describe_strange, pack, shown
from fcn_seg_ros.datasets.orientation import orientation_of, upright
from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.images.decode import check
from fcn_seg_ros.images.png import SIGNATURE as PNG

MASK_SUFFIXES = ('.png', '.tif', '.tiff', '.jpg', '.jpeg', '.bmp', '.gif', '.webp')
# Pixels with less than half of the opacity are transparent.
_OPAQUE = 128
# How much JPEG changes most values of a black-and-white mask.
_NOISE, _MOSTLY = 32, 0.9
_LOSSLESS_WEBP, _HEAD = b'VP8L', 2**16
_ONE_CHANNEL = ('1', 'L', 'I', 'I;16', 'I;16B', 'I;16L')


@dataclass(frozen=True)
class _Stored:
    """
    A decoded mask file: pixels as Pillow gives them, the name of their mode, and the file's format.

    ``colours`` are a palette image's, RGB, uint8 (H, W, 3). ``scale`` is the factor by which Pillow
    multiplies grey values of 1, 2 and 4 bits. ``lossy``: the values are not those that were drawn.
    ``clear``, bool (H, W), is where a value or a colour that the file calls transparent lies.
    """

    pixels: np.ndarray
    mode: str
    kind: str
    colours: np.ndarray | None = None
    scale: int = 1
    lossy: bool = False
    clear: np.ndarray | None = None


def read_mask(path: Path, format: MaskFormat, turn: bool = True) -> np.ndarray:
    """
    Return a mask as labels, uint8 (H, W): 0 not road, 1 road (or classes), 255 not labelled.

    It is turned as its EXIF orientation says, unless ``turn`` is False. Raises InputError, naming
    the option that would help, for a file that is damaged or that the format does not describe.
    """
    values, clear, format = read_values(path, format, turn)
    labels, strange = format.to_labels(values)
    strange &= ~clear
    if strange.any():
        raise InputError(f'{path}: {describe_strange(values, strange, format)}')
    if clear.any():
        if format.transparent == 'refuse':
            raise InputError(f'{path}: expected an opaque mask, found {100 * clear.mean():.0f} % '
                             'of it transparent: say transparent=other (not road) or '
                             'transparent=ignore (not labelled)')
        labels[clear] = IGNORE if format.transparent == 'ignore' else 0
    return labels


def read_values(path: Path, format: MaskFormat, turn: bool = True
                ) -> tuple[np.ndarray, np.ndarray, MaskFormat]:
    """
    Return a mask's values, int32 (H, W), where it is transparent, bool (H, W), and its format.

    The format is that of colours where there are two and the file is of colours.
    """
    try:
        content = read_content(path)
        stored = _decode(content)
    except InputError as error:
        raise of_file(path, error) from None
    if stored.lossy and not format.nearest:
        raise InputError(f'{path}: expected a mask that was saved without loss, found a lossy '
                         f'{stored.kind} file, whose values are not exact: save masks as PNG, or '
                         f'say {_for_lossy(stored.pixels)} to round them')
    if format.colours is not None and _of_colours(stored, format):
        format = format.colours
    values, clear = _to_values(path, stored, format)
    orientation = orientation_of(content) if turn else 1
    return upright(values, orientation), upright(clear, orientation), format


def _decode(content: bytes) -> _Stored:
    """Decode a file; raises InputError without its name."""
    checked = check(content, on_disk=True)
    from PIL import Image
    try:
        with Image.open(io.BytesIO(checked.content)) as image:
            colours = np.asarray(image.convert('RGB')) if image.mode == 'P' else None
            pixels, mode, kind = np.asarray(image), image.mode, image.format or ''
    except Exception as error:  # Pillow raises many types, and the file is always the cause
        raise InputError(f'expected a mask, found a file that cannot be decoded '
                         f'({type_and_words(error)})') from None
    if checked.depth == 16 and mode not in _ONE_CHANNEL:
        raise InputError('expected 8 bits a channel in a mask of colours, found 16')
    lossy = kind == 'JPEG' or (kind == 'WEBP' and _LOSSLESS_WEBP not in content[:_HEAD])
    bits = content[24] if content.startswith(PNG) and mode == 'L' else 8
    scale = WHITE // (2**bits - 1) if bits < 8 else 1
    return _Stored(pixels, mode, kind, colours, scale, lossy,
                   _called_clear(content, pixels, mode, scale))


def _called_clear(content: bytes, pixels: np.ndarray, mode: str, scale: int) -> np.ndarray | None:
    """Return where a PNG's tRNS says transparent, bool (H, W); None without one."""
    # The decoder gets the file without it (see ``images.png``).
    if not content.startswith(PNG) or b'tRNS' not in content[:_HEAD]:
        return None
    from PIL import Image
    try:
        with Image.open(io.BytesIO(content), formats=('PNG',)) as image:
            key = image.info.get('transparency')
    except Exception as error:  # Pillow raises many types, and the file is always the cause
        raise InputError('expected a mask, found a file whose transparency cannot be read '
                         f'({type_and_words(error)})') from None
    if isinstance(key, tuple) and mode == 'RGB':
        found: np.ndarray = (pixels == key).all(-1)
        return found
    if isinstance(key, bytes) and mode == 'P':
        return np.frombuffer(key.ljust(256, b'\xff'), np.uint8)[pixels] < _OPAQUE
    return pixels // scale == key if isinstance(key, int) and mode in ('P', 'L') else None


def _to_values(path: Path, stored: _Stored, format: MaskFormat) -> tuple[np.ndarray, np.ndarray]:
    """Return the values, int32 (H, W), and where the mask is transparent, bool (H, W)."""
    pixels, mode = stored.pixels, stored.mode
    clear = np.zeros(pixels.shape[:2], bool) if stored.clear is None else stored.clear
    if mode in ('RGBA', 'LA'):
        clear = pixels[..., -1] < _OPAQUE
        pixels = pixels[..., :-1]
    if mode in ('RGB', 'RGBA'):
        if format.of_colours:
            return pack(pixels), clear
        # The channels of a lossy grey image differ a little.
        grey = pixels.mean(-1).round() if format.nearest else pixels[..., 0]
        if (abs(pixels - grey[..., None]) > (_NOISE if format.nearest else 0))[~clear].any():
            raise InputError(f'{path}: expected ids, found the colours '
                             f'{shown(pack(pixels)[~clear])}: '
                             'say which are road, such as road=#804080')
        return grey.astype(np.int32), clear
    if stored.colours is not None and format.of_colours:
        return pack(stored.colours), clear
    if mode == 'P':
        return pixels.astype(np.int32), clear
    if mode != 'LA' and mode not in _ONE_CHANNEL:
        raise InputError(f'{path}: expected a mask of ids or colours, found an image of mode '
                         f'{mode}: save it as PNG')
    grey = pixels[..., 0] if mode == 'LA' else pixels
    if mode == '1':
        # A white pixel is 1, as tools count, or 255, as it is seen: the format knows which.
        grey = grey.astype(np.int32) * (WHITE if format.white or format.of_colours else 1)
    elif stored.scale > 1 and not (format.white or format.of_colours):
        grey = grey // stored.scale
    if format.of_colours:
        if grey.max(initial=0) > WHITE:
            raise InputError(f'{path}: expected colours, found ids of 16 bits: give road as an id')
        return pack(np.repeat(grey[..., None], 3, axis=-1)), clear
    return grey.astype(np.int32), clear


def _of_colours(stored: _Stored, format: MaskFormat) -> bool:
    """Tell whether a file is one of colours, where a classes file has ids as well."""
    if stored.mode in format.colour_modes:
        return True
    pixels = stored.pixels[..., :3]
    return stored.mode in ('RGB', 'RGBA') and bool((pixels != pixels[..., :1]).any())


def _for_lossy(pixels: np.ndarray) -> str:
    """Return the options that accept a lossy mask."""
    black_and_white = (np.minimum(pixels, WHITE - pixels) < _NOISE).mean() > _MOSTLY
    if black_and_white and (pixels.ndim == 2 or np.ptp(pixels, axis=-1).max() < _NOISE):
        return 'road=255&nearest=1'
    return 'nearest=1 with all its values in road, ignore and other'
