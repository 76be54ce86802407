# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
PNG, JPEG and TIFF files that no sane program writes: whole ones, mutated.

``hostile_file(seed, index)`` is a pure function, so that an input that was found can be made again.
Half of the mutations know the format: they change chunks, segments or tags and mend the checksums,
to get past the first check.
"""

from __future__ import annotations

import functools
import io
import random
import re
import struct
import zlib
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

PNG = b'\x89PNG\r\n\x1a\n'
INTERESTING = (0, 1, 2, 3, 7, 8, 16, 63, 64, 127, 128, 254, 255, 256, 4095, 16384, 32767, 65535,
               2**24, 2**31 - 1, 2**31, 2**32 - 1)


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a PNG chunk with its checksum."""
    return (struct.pack('>I', len(body)) + kind + body
            + struct.pack('>I', zlib.crc32(kind + body)))


def chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return (type, body) of a PNG file's chunks, as far as they are whole."""
    found, place = [], len(PNG)
    while place + 12 <= len(content):
        length = int.from_bytes(content[place:place + 4], 'big')
        found.append((content[place + 4:place + 8], content[place + 8:place + 8 + length]))
        place += 12 + length
    return found


def interlaced_png(pixels: np.ndarray) -> bytes:
    """Return RGB pixels as a PNG file in Adam7 order, which none of our libraries writes."""
    height, width = pixels.shape[:2]
    rows = b''
    for x, y, across, down in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
                               (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        part = pixels[y::down, x::across]
        if part.size:
            rows += b''.join(b'\0' + row.tobytes() for row in part)
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 1)
    return (PNG + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows))
            + chunk(b'IEND', b''))


def exif_jpeg(pixels: np.ndarray, orientation: int) -> bytes:
    """Return RGB pixels as a JPEG file with an EXIF orientation."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'JPEG', exif=exif, quality=95, subsampling=0)
    return file.getvalue()


def without_tables(jpeg: bytes) -> bytes:
    """Return a JPEG file without its Huffman tables, as cameras send the frames of MJPEG."""
    parts = jpeg_parts(jpeg)
    return b''.join(part for part in parts if part[1] != 0xC4)


def jpeg_parts(content: bytes) -> list[bytes]:
    """Return a JPEG file cut before each marker but the restarts."""
    places = [m.start() for m in re.finditer(rb'\xff[^\x00\xff\xd0-\xd7]', content)]
    return [content[a:b] for a, b in zip(places, [*places[1:], len(content)], strict=True)]


def _scene(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    noise = np.random.default_rng(height).integers(0, 40, (height, width, 3))
    return (np.dstack([3 * x + y, 2 * y + 20, 200 - x]) % 200 + noise).astype(np.uint8)


@functools.cache
def seeds() -> tuple[bytes, ...]:
    """Return whole files of every kind."""
    rgb = _scene(40, 60)
    deep = rgb.astype(np.uint16) * 257
    rgba = np.dstack([rgb, rgb[..., 0]])
    files = [cv2.imencode('.png', image)[1].tobytes() for image in
             (rgb, rgb[..., 0], rgba, deep, deep[..., 0], rgb[:2, :2], rgb[:1, :1])]

    def pillow(image: Image.Image, kind: str, **options: object) -> None:
        file = io.BytesIO()
        image.save(file, kind, **options)
        files.append(file.getvalue())
    picture = Image.fromarray(rgb)
    for mode in ('P', 'LA', '1'):
        pillow(picture.convert(mode), 'PNG')
    pillow(picture.quantize(4), 'PNG', bits=2)
    pillow(picture.quantize(200), 'PNG', transparency=3)
    pillow(picture, 'PNG', save_all=True, duration=50,
           append_images=[picture.rotate(180), picture.rotate(90)])
    pillow(picture, 'PNG', icc_profile=bytes(500), exif=Image.Exif().tobytes())
    files.append(interlaced_png(rgb))
    for quality, subsampling in ((95, 0), (75, 1), (40, 2)):
        pillow(picture, 'JPEG', quality=quality, subsampling=subsampling)
        pillow(picture, 'JPEG', quality=quality, subsampling=subsampling, progressive=True)
    pillow(picture.convert('L'), 'JPEG')
    pillow(picture.convert('L'), 'JPEG', progressive=True)
    pillow(picture.convert('CMYK'), 'JPEG')
    pillow(picture, 'JPEG', restart_marker_blocks=2)
    files += [exif_jpeg(rgb, 6), without_tables(files[-1])]
    for compression in ('raw', 'tiff_lzw', 'tiff_adobe_deflate', 'packbits', 'tiff_deflate'):
        pillow(picture, 'TIFF', compression=compression)
        pillow(picture.convert('L'), 'TIFF', compression=compression, strip_size=240)
    pillow(picture, 'TIFF', compression='tiff_lzw', tiffinfo={317: 2})
    pillow(picture, 'TIFF', big_tiff=False, save_all=True, append_images=[picture])
    pillow(picture, 'TIFF', compression='jpeg')
    for image in (rgb, deep, deep[..., 0], rgba):
        for compression in (1, 5, 8):
            files.append(cv2.imencode('.tiff', image, [cv2.IMWRITE_TIFF_COMPRESSION, compression]
                                      )[1].tobytes())
    return tuple(files)


def hostile_file(seed: int, index: int) -> bytes:
    """Return input number ``index`` of a run."""
    rng = random.Random(f'{seed}/{index}')
    content = rng.choice(seeds())
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        known: Callable[[random.Random, bytes], bytes] = (
            _png if content[:4] == PNG[:4] else
            _jpeg if content[:2] == b'\xff\xd8' else
            _tiff if content[:2] in (b'II', b'MM') else _bytes)
        content = rng.choice((known, known, _bytes, _numbers, _cuts))(rng, content)
    return content


def _bytes(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 5, 20)) if data else 0):
        place = rng.randrange(len(data))
        data[place] = rng.choice((rng.randrange(256), data[place] ^ 1 << rng.randrange(8), 0, 255))
    return bytes(data)


def _numbers(rng: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    form = rng.choice(('>H', '>I', '<H', '<I'))
    size = struct.calcsize(form)
    if len(data) > size:
        # Headers are where numbers are.
        most = min(len(data) - size, rng.choice((40, 200, 2**30)))
        struct.pack_into(form, data, rng.randint(0, most),
                         rng.choice(INTERESTING) % 2**(8 * size))
    return bytes(data)


def _cuts(rng: random.Random, content: bytes) -> bytes:
    start = rng.randint(0, len(content))
    end = min(len(content), start + rng.choice((1, 4, 12, 100, 5000)))
    kind = rng.randrange(5)
    if kind == 0:
        return content[:start]
    if kind == 1:
        return content[:start] + content[end:]
    if kind == 2:
        return content[:end] + content[start:end] * rng.choice((1, 2, 50)) + content[end:]
    if kind == 3:
        return content[:start] + rng.randbytes(end - start) + content[end:]
    other = rng.choice(seeds())
    return content[:start] + other[rng.randint(0, len(other)):]


def _png(rng: random.Random, content: bytes) -> bytes:
    """Change a PNG file's chunks, or what its image data unpacks to; the checksums are right."""
    parts = chunks(content) or [(b'IEND', b'')]
    place = rng.randrange(len(parts))
    kind, body = parts[place]
    change = rng.randrange(7)
    if change == 0:
        del parts[place]
    elif change == 1:
        parts.insert(rng.randint(0, len(parts)), parts[place])
    elif change == 2:
        parts[place] = (kind, rng.choice((_bytes, _numbers, _cuts))(rng, body))
    elif change == 3:
        name = rng.choice((b'acTL', b'fcTL', b'fdAT', b'ABCD', b'IHDR', b'PLTE', b'IDAT', b'IEND',
                           b'tRNS', b'iCCP', b'zTXt', b'eXIf', b'gAMA', b'sBIT', b'bKGD'))
        parts.insert(place, (name, rng.choice((b'', body, rng.randbytes(rng.randint(0, 60))))))
    elif change == 4:
        header = bytearray(parts[0][1].ljust(13, b'\0'))
        at = rng.randrange(13)
        header[at] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        parts[0] = (parts[0][0], bytes(header))
    elif change == 5 and kind == b'IDAT' and body:
        cut = rng.randint(0, len(body))
        parts[place:place + 1] = [(kind, body[:cut]), (kind, body[cut:])]
    else:
        packed = b''.join(body for kind, body in parts if kind == b'IDAT')
        try:
            rows = zlib.decompress(packed)
        except zlib.error:
            rows = packed
        again = zlib.compress(rng.choice((_bytes, _cuts))(rng, rows), rng.choice((0, 1, 9)))
        parts = [part for part in parts if part[0] != b'IDAT']
        parts.insert(min(1, len(parts)), (b'IDAT', again))
    return PNG + b''.join(chunk(kind, body) for kind, body in parts)


def _jpeg(rng: random.Random, content: bytes) -> bytes:
    """Change a JPEG file's segments: repeat scans, swap tables, set fields of headers."""
    parts = jpeg_parts(content)
    if not parts:
        return content
    place = rng.randrange(len(parts))
    scans = [part for part in parts if part[1] == 0xDA]
    change = rng.randrange(6)
    if change == 0:
        del parts[place]
    elif change == 1 and scans:
        end = max(number for number, part in enumerate(parts) if part[1] == 0xDA)
        parts[end:end] = [rng.choice(scans)] * rng.choice((1, 3, 20, 300))
    elif change == 2:
        other = rng.randrange(len(parts))
        parts[place], parts[other] = parts[other], parts[place]
    elif change == 3:
        parts[place] = parts[place][:4] + _bytes(rng, parts[place][4:])
    elif change == 4:
        heads = [n for n, part in enumerate(parts) if part[1] in (0xC0, 0xC2) and len(part) > 9]
        for number in heads:
            head = bytearray(parts[number])
            struct.pack_into('>H', head, rng.choice((5, 7)), rng.choice(INTERESTING) % 65536)
            if rng.random() < 0.3:
                head[1] = 0xC0 + rng.randrange(16)
            parts[number] = bytes(head)
    else:
        donor = jpeg_parts(rng.choice([seed for seed in seeds() if seed[:2] == b'\xff\xd8']))
        parts.insert(place, rng.choice(donor))
    return b''.join(parts)


def _tiff(rng: random.Random, content: bytes) -> bytes:
    """Change an entry of a TIFF file's first directory."""
    order = '<' if content[:2] == b'II' else '>'
    data = bytearray(content)
    try:
        start, = struct.unpack_from(f'{order}I', data, 4)
        count, = struct.unpack_from(f'{order}H', data, start)
        entry = start + 2 + 12 * rng.randrange(max(1, count))
        field = rng.choice((('H', 0), ('H', 2), ('I', 4), ('I', 8), ('I', 8), ('H', 8)))
        value = rng.choice((*INTERESTING, *range(254, 285), 5, 317, 320, 322, 32773, 32946))
        struct.pack_into(order + field[0], data, entry + field[1],
                         value % 2**(8 * struct.calcsize(field[0])))
    except struct.error:
        return _bytes(rng, content)
    return bytes(data)
