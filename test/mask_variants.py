# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One small set of images and masks, written in the many ways in which people have them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

NAMES = ('a', 'b', 'c')
HEIGHT, WIDTH = 64, 96
VIOLET, GREEN = (128, 64, 128), (0, 200, 0)

Writer = Callable[[Path, str, np.ndarray, np.ndarray], None]


@dataclass(frozen=True)
class Variant:
    """
    A way of writing the set, the options that open it, and the line that says so without them.

    ``says`` is what the one line contains if the set is opened without options, '' if it opens.
    """

    name: str
    write: Writer
    options: str = ''
    says: str = ''
    after: Callable[[Path], None] | None = None


def road_of(number: int) -> np.ndarray:
    """Return where the road is, bool (64, 96): a polygon unlike its mirror images."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    corners = [[10 + 8 * number, 63], [88, 63], [60, 20], [40 + 3 * number, 24]]
    cv2.fillPoly(mask, [np.array(corners)], 1)
    return mask > 0


def image_of(number: int) -> np.ndarray:
    """Return the image, uint8 RGB (64, 96, 3): grey road in a green land under noise."""
    rng = np.random.default_rng(number)
    image = rng.integers(0, 60, (HEIGHT, WIDTH, 3), np.uint8)
    image[..., 1] += np.uint8(100)
    image[road_of(number)] = 120 + rng.integers(0, 20, (road_of(number).sum(), 1), np.uint8)
    return image


def write(variant: Variant, root: Path) -> Path:
    """Write the set in a folder and return it."""
    for number, name in enumerate(NAMES):
        variant.write(root, name, image_of(number), road_of(number))
    if variant.after is not None:
        variant.after(root)
    return root


def save(path: Path, pixels: np.ndarray | Image.Image, kind: str = 'PNG', **options) -> Path:
    """Write a picture, whatever its extension."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    picture.save(path, kind, **options)
    return path


def masks(make: Callable[[np.ndarray], np.ndarray | Image.Image], mask: str = 'masks/{}.png',
          image: str = 'images/{}.png', kind: str = 'PNG', **options) -> Writer:
    """Return what writes images, and masks made of where the road is."""
    def writer(root: Path, name: str, pixels: np.ndarray, road: np.ndarray) -> None:
        save(root / image.format(name), pixels)
        save(root / mask.format(name), make(road), kind, **options)
    return writer


def ids(road: int, other: int = 0, kind: type = np.uint8) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes a mask of two ids."""
    return lambda where: np.where(where, road, other).astype(kind)


def colours(road: tuple[int, ...], other: tuple[int, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """Return what makes a mask of two colours, or of two grey values with alpha."""
    return lambda where: np.where(where[..., None], np.uint8(road), np.uint8(other))


def palette(road: int, first: tuple[int, ...] = (0, 0, 0)) -> Callable[[np.ndarray], Image.Image]:
    """Return what makes a palette image with violet at the road's index."""
    def make(where: np.ndarray) -> Image.Image:
        picture = Image.fromarray(np.where(where, road, 0).astype(np.uint8))
        table = np.zeros((256, 3), np.uint8)
        table[0], table[road] = first, VIOLET
        picture.putpalette(table.ravel().tolist())
        return picture
    return make


def soft(where: np.ndarray) -> np.ndarray:
    """Return a mask with soft edges whose halves are exactly those of the road."""
    hard = np.where(where, 255, 0).astype(np.uint8)
    blurred = cv2.GaussianBlur(hard, (3, 3), 0)
    return np.where(where, np.maximum(blurred, 140), np.minimum(blurred, 110)).astype(np.uint8)


def with_void(where: np.ndarray) -> np.ndarray:
    """Return ids of many classes, of which 7 is road."""
    rows = np.arange(HEIGHT, dtype=np.uint8)[:, None] // 20 + 20
    return np.where(where, 7, np.broadcast_to(rows, where.shape)).astype(np.uint8)


def turned(orientation: int, mask_too: bool = False) -> Writer:
    """Return what writes images that are seen upright only by their EXIF orientation."""
    back = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_COUNTERCLOCKWISE, 8: cv2.ROTATE_90_CLOCKWISE}
    exif = Image.Exif()
    exif[0x0112] = orientation

    def writer(root: Path, name: str, pixels: np.ndarray, road: np.ndarray) -> None:
        save(root / 'images' / f'{name}.png', cv2.rotate(pixels, back[orientation]), exif=exif)
        mask = road.astype(np.uint8)
        if mask_too:
            save(root / 'masks' / f'{name}.png', cv2.rotate(mask, back[orientation]), exif=exif)
        else:
            save(root / 'masks' / f'{name}.png', mask)
    return writer


def split(content: bytes) -> Callable[[Path], None]:
    """Return what writes a split file."""
    return lambda root: (root / 'all.txt').write_bytes(content) and None


def litter(root: Path) -> None:
    """Leave behind what operating systems do."""
    for folder in ('images', 'masks'):
        (root / folder / '._a.png').write_bytes(b'\0\5\x16\7 Mac OS X')
        (root / folder / '.DS_Store').write_bytes(b'\0\0\0\1Bud1')
        (root / folder / 'Thumbs.db').write_bytes(b'\xd0\xcf\x11\xe0')


def links(root: Path) -> None:
    """Move everything elsewhere and leave links: of files, and of a folder."""
    (root / 'masks').rename(root / 'elsewhere')
    os.symlink(root / 'elsewhere', root / 'masks')
    for path in (root / 'images').iterdir():
        path.rename(root / f'moved_{path.name}')
        os.symlink(root / f'moved_{path.name}', path)


def classes_file(source: str) -> Callable[[Path], None]:
    """Return what writes a classes file of land and road, with this for ids or colours."""
    land, road = source.split('|')
    return lambda root: (root / 'classes.yaml').write_text(
        f'classes:\n- {{name: land, colour: [0, 99, 0], {land}}}\n'
        f'- {{name: road, colour: [99, 0, 99], road: true, {road}}}\n') and None


ROAD_1, ROAD_255 = ids(1), ids(255)
VARIANTS = (
    Variant('0 and 1', masks(ROAD_1)),
    Variant('0 and 255', masks(ROAD_255), 'road=255', 'say road=255'),
    Variant('road is black', masks(ids(0, 255)), 'road=0&other=255',
            'road=0&other=255 if 0 is'),
    Variant('road is 0 of 0 and 1', masks(ids(0, 1)), 'road=0&other=1'),
    Variant('many ids', masks(with_void), 'road=7', 'say which are road'),
    Variant('palette by index', masks(palette(1))),
    Variant('palette by other index', masks(palette(9)), 'road=9', 'such as road=9'),
    Variant('palette by colour', masks(palette(9)), 'road=#804080'),
    Variant('RGB of two colours', masks(colours(VIOLET, GREEN)), 'road=#804080',
            'such as road=#804080'),
    Variant('RGB, both colours named', masks(colours(VIOLET, GREEN)),
            'road=#804080&other=#00c800'),
    Variant('RGB black and white', masks(colours((255,) * 3, (0,) * 3)), 'road=255',
            'say road=255'),
    Variant('RGB of ids', masks(colours((1,) * 3, (0,) * 3))),
    Variant('one bit', masks(lambda road: Image.fromarray(road))),
    Variant('one bit, white named', masks(lambda road: Image.fromarray(road)), 'road=255'),
    Variant('two bits', masks(lambda road: Image.fromarray(road.astype(np.uint8)), bits=2)),
    Variant('16 bits', masks(ids(1, kind=np.uint16))),
    Variant('16 bits, large ids', masks(ids(7001, 300, np.uint16)), 'road=7001',
            'such as road=7001'),
    Variant('16 bits, full white', masks(ids(65535, 0, np.uint16)), 'road=65535',
            'such as road=65535'),
    Variant('RGBA, opaque', masks(colours((*VIOLET, 255), (0, 0, 0, 255))), 'road=#804080',
            'such as road=#804080'),
    Variant('RGBA, transparent around', masks(colours((1, 1, 1, 255), (0, 0, 0, 0))),
            'transparent=other', 'say transparent=other'),
    Variant('alpha is the mask', masks(colours((255,) * 4, (255, 255, 255, 0))),
            'road=255&transparent=other', 'say transparent=other'),
    Variant('a palette with a transparent colour', masks(palette(1), transparency=0),
            'road=1&transparent=other', 'say transparent=other'),
    Variant('a transparent colour', masks(colours(VIOLET, GREEN), transparency=GREEN),
            'road=#804080&transparent=other', 'such as road=#804080'),
    Variant('grey and alpha', masks(colours((255, 255), (0, 255))), 'road=255', 'say road=255'),
    Variant('soft edges', masks(soft), 'road=255&nearest=1', 'say road=255&nearest=1'),
    Variant('JPEG', masks(ROAD_255, 'masks/{}.jpg', kind='JPEG', quality=98),
            'road=255&nearest=1', 'say road=255&nearest=1'),
    Variant('JPEG of colours',
            masks(colours((255, 0, 255), (0, 255, 0)), 'masks/{}.jpg', kind='JPEG', quality=98,
                  subsampling=0),
            'road=#ff00ff&other=#00ff00&nearest=1', 'say nearest=1 with all its values'),
    Variant('classes file, ids', masks(ids(7, 21)), 'classes=classes.yaml', 'such as road=21',
            classes_file('ids: [0, 21]|ids: [7]')),
    Variant('classes file, colours', masks(colours(VIOLET, GREEN)), 'classes=classes.yaml',
            'such as road=#804080',
            classes_file('colours: [[0, 200, 0]]|colours: [[128, 64, 128]]')),
    Variant('classes file, colours of a palette', masks(palette(9)), 'classes=classes.yaml', '',
            classes_file('colours: [[0, 0, 0]]|colours: [[128, 64, 128]]')),
    Variant('TIFF', masks(ROAD_1, 'masks/{}.tif', kind='TIFF')),
    Variant('BMP', masks(ROAD_1, 'masks/{}.bmp', 'images/{}.png', 'BMP')),
    Variant('WebP without loss', masks(colours(VIOLET, GREEN), 'masks/{}.webp', kind='WEBP',
                                       lossless=True), 'road=#804080', 'such as road=#804080'),
    Variant('WebP with loss', masks(colours((255,) * 3, (0,) * 3), 'masks/{}.webp', kind='WEBP',
                                    quality=95), 'road=255&nearest=1', 'found a lossy WEBP file'),
    Variant('.PNG', masks(ROAD_1, 'masks/{}.PNG', 'images/{}.PNG')),
    Variant('.Png and .pNG', masks(ROAD_1, 'masks/{}.Png', 'images/{}.pNG')),
    Variant('suffix', masks(ROAD_1, 'masks/{}_mask.png'), 'suffix=_mask', 'say suffix=_mask'),
    Variant('suffix of images', masks(ROAD_1, 'masks/{}.png', 'images/{}_rgb.png'),
            'image_suffix=_rgb', 'say image_suffix=_rgb'),
    Variant('other folders', masks(ROAD_1, 'gt/{}.png', 'img/{}.png'), 'images=img&masks=gt',
            'found no images but gt, img'),
    Variant('one folder', masks(ROAD_1, '{}_mask.png', '{}.png'),
            'images=.&masks=.&suffix=_mask', 'found no images'),
    Variant('one folder, by extension', masks(ROAD_1, '{}.tif', '{}.png', 'TIFF'),
            'images=.&masks=.&image_suffix=.png&suffix=.tif', 'found no images'),
    Variant('subfolders', masks(ROAD_1, 'masks/north/{}.png', 'images/north/{}.png')),
    Variant('links', masks(ROAD_1), after=links),
    Variant('litter of systems', masks(ROAD_1), after=litter),
    Variant('spaces, in a split file', masks(ROAD_1, 'masks/my {}.png', 'images/my {}.png'),
            'split=all.txt', after=split(b'my a\nmy b\nmy c\n')),
    Variant('byte-order mark and CRLF', masks(ROAD_1), 'split=all.txt',
            after=split(b'\xef\xbb\xbfa\r\nb\r\nc\r\n\r\n')),
    Variant('UTF-16 split file', masks(ROAD_1), 'split=all.txt',
            after=split('a\r\nb\r\nc\r\n'.encode('utf-16'))),
    Variant('files in a split file', masks(ROAD_1), 'split=all.txt',
            after=split(b'images/a.png\n./images/b.png\nc.png\n')),
    Variant('upside down by EXIF', turned(3)),
    Variant('on its side by EXIF', turned(6)),
    Variant('masks turned as well', turned(8, mask_too=True)),
)
