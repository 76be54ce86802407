# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files that took a decoder down, or could: each is one clear line, or the right image."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from hostile_files import PNG as SIGNATURE
from hostile_files import chunk, hostile_file, interlaced_png, jpeg_parts
from measure_decoder_fuzz import LONGEST_S, measure
from PIL import Image

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.decode import decode

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
HEADER = struct.pack('>IIBBBBB', 60, 40, 8, 2, 0, 0, 0)
ROWS = b''.join(b'\0' + row.tobytes() for row in RGB)
DATA = zlib.compress(ROWS)
CONTROL = struct.pack('>IIIIIHHBB', 1, 60, 40, 0, 0, 1, 10, 0, 0)
END = (b'IEND', b'')


def png(*parts: tuple[bytes, bytes]) -> bytes:
    return SIGNATURE + b''.join(chunk(kind, body) for kind, body in parts)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(**options: object) -> bytes:
    return saved(Image.fromarray(RGB), 'JPEG', **options)


def with_marker(content: bytes, old: int, new: int, *changes: tuple[int, bytes]) -> bytes:
    """Return a JPEG whose first segment ``old`` is a ``new`` one, with bytes of it replaced."""
    parts = jpeg_parts(content)
    place = next(n for n, part in enumerate(parts) if part[1] == old)
    segment = bytearray(parts[place])
    segment[1] = new
    for at, what in changes:
        segment[at:at + len(what)] = what
    parts[place] = bytes(segment)
    return b''.join(parts)


def many_scans(times: int) -> bytes:
    parts = jpeg_parts(jpeg(progressive=True))
    last = max(n for n, part in enumerate(parts) if part[1] == 0xDA)
    return b''.join([*parts[:last], *[parts[last]] * times, *parts[last + 1:]])


def tiff(content: bytes, **tags: int) -> bytes:
    """Return a little-endian TIFF with the values of tags replaced, ``tN=value``."""
    data = bytearray(content)
    start, = struct.unpack_from('<I', data, 4)
    count, = struct.unpack_from('<H', data, start)
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag = f't{struct.unpack_from("<H", data, entry)[0]}'
        if tag in tags:
            struct.pack_into('<I', data, entry + 8, tags[tag])
    if 'following' in tags:
        struct.pack_into('<I', data, start + 2 + 12 * count, tags['following'])
    return bytes(data)


PLAIN = saved(Image.fromarray(RGB), 'TIFF')
HEAD = (b'IHDR', HEADER)
WHOLE = png(HEAD, (b'IDAT', DATA), END)
ANIMATED = (HEAD, (b'acTL', struct.pack('>II', 3, 0)), (b'IDAT', DATA), (b'fcTL', CONTROL),
            (b'fdAT', b'\0\0\0\2' + DATA))
PALETTE = (b'IHDR', struct.pack('>IIBBBBB', 60, 40, 8, 3, 0, 0, 0))

REFUSED = {
    'animated, unknown critical chunk': (png(*ANIMATED, (b'ABCD', b''), END),
                                         'animated PNG images are not'),
    'animated, second header': (png(*ANIMATED, HEAD, END), 'animated PNG images are not'),
    'animated, garbage': (png(*ANIMATED[:2], (b'IDAT', bytes(40)), *ANIMATED[3:], END),
                          'animated PNG images are not'),
    'no image data': (png(HEAD, END), 'has no image data'),
    'a frame of an animation only': (png(HEAD, (b'fdAT', DATA), END),
                                     'animated PNG images are not'),
    'unknown critical chunk': (png(HEAD, (b'ABCD', b''), (b'IDAT', DATA), END),
                               'unknown critical chunk ABCD'),
    'second header': (png(HEAD, (b'IDAT', DATA), HEAD, END), 'its one header'),
    'header not first': (png((b'gAMA', bytes(4)), HEAD, (b'IDAT', DATA), END), 'its one header'),
    'header too short': (png((b'IHDR', HEADER[:8]), (b'IDAT', DATA), END), 'its one header'),
    'image data interrupted': (png(HEAD, (b'IDAT', DATA[:50]), (b'tEXt', b'a\0b'),
                                   (b'IDAT', DATA[50:]), END), 'not consecutive'),
    'no palette': (png(PALETTE, (b'IDAT', DATA), END), 'expected one palette'),
    'palette too late': (png(PALETTE, (b'IDAT', DATA), (b'PLTE', bytes(9)), END),
                         'expected one palette'),
    'palette of 257': (png(PALETTE, (b'PLTE', bytes(771)), (b'IDAT', DATA), END), '771 bytes'),
    'no colour type 5': (png((b'IHDR', HEADER[:9] + b'\5' + HEADER[10:]), (b'IDAT', DATA), END),
                         'of colour type 5'),
    'length beyond the end': (SIGNATURE + struct.pack('>I', 2**31) + b'IHDR' + HEADER,
                              'cut off'),
    'garbage for data': (png(HEAD, (b'IDAT', bytes(5000)), END), 'damaged'),
    'half of the rows': (png(HEAD, (b'IDAT', zlib.compress(ROWS[:3000])), END), 'damaged'),
    'data cut off': (png(HEAD, (b'IDAT', DATA[:-200]), END), 'damaged'),
    '70000 chunks': (png(HEAD, *[(b'tEXt', b'')] * 70_000, (b'IDAT', DATA), END), '65536 chunks'),
    'a promise of 36 megapixels': (
        png((b'IHDR', struct.pack('>II', 8192, 4352) + HEADER[8:]), (b'IDAT', DATA), END),
        'bytes for an image of 8192x4352'),
    'JPEG of 3000 scans': (many_scans(3000), 'at most 64 scans'),
    'JPEG, a large one of many scans': (
        with_marker(many_scans(50), 0xC2, 0xC2, (5, struct.pack('>HH', 4400, 8000))),
        'blocks over all scans'),
    'JPEG, a promise': (with_marker(jpeg(), 0xC0, 0xC0, (5, struct.pack('>HH', 4400, 8000))),
                        'bytes for an image of 8000x4400'),
    'JPEG, arithmetic code': (with_marker(jpeg(), 0xC0, 0xC9), 'marker FFC9'),
    'JPEG, lossless': (with_marker(jpeg(), 0xC0, 0xC3), 'marker FFC3'),
    'JPEG, 12 bits': (with_marker(jpeg(), 0xC0, 0xC1, (4, b'\x0c')), '12 bits'),
    'JPEG, four inks': (saved(Image.fromarray(RGB).convert('CMYK'), 'JPEG'), '4 components'),
    'JPEG without height': (with_marker(jpeg(), 0xC0, 0xC0, (5, b'\0\0')), 'found 60x0'),
    'JPEG, sampling 0': (with_marker(jpeg(), 0xC0, 0xC0, (11, b'\0')), 'sampling factors'),
    'JPEG, two frames': (jpeg()[:-2] + jpeg()[2:], 'a second frame'),
    'JPEG, a component missing': (with_marker(jpeg(), 0xDA, 0xDA, (5, b'\7')),
                                  'that the frame lacks'),
    'JPEG, 5000 comments': (b'\xff\xd8' + b'\xff\xfe\0\2' * 5000 + jpeg()[2:], '1000 segments'),
    'JPEG, fill bytes only': (b'\xff\xd8' + b'\xff' * 5_000_000, 'lack its end'),
    'JPEG, no scan': (b''.join(part for part in jpeg_parts(jpeg()) if part[1] != 0xDA),
                      'scans of only 0'),
    'TIFF, a chain of images that is a ring': (tiff(PLAIN, following=8), 'and more images'),
    'TIFF, JPEG inside': (saved(Image.fromarray(RGB), 'TIFF', compression='jpeg'), 'found'),
    'TIFF, fax': (tiff(PLAIN, t259=3), 'compression 3'),
    'TIFF, a strip beyond the end': (tiff(PLAIN, t273=2**31), 'do not hold its strips'),
    'TIFF, too little for its size': (tiff(PLAIN, t279=100), 'at least 7200 bytes'),
    'TIFF, rows of strips': (tiff(PLAIN, t278=0), 'strips of 0'),
    'TIFF, absurd width': (tiff(PLAIN, t256=2**32 - 1), 'size: expected'),
    'TIFF, no tags': (PLAIN[:4] + struct.pack('<I', len(PLAIN)) + PLAIN[8:] + bytes(6), '0 tags'),
    'BigTIFF': (b'II+\0\x08\0\0\0' + bytes(100), 'bytes of something else'),
}


@pytest.mark.parametrize('name', REFUSED)
def test_refused_in_one_line_and_at_once(name):
    content, words = REFUSED[name]
    start = time.process_time()
    with pytest.raises(InputError) as caught:
        decode(content)
    assert time.process_time() - start < LONGEST_S
    assert words in str(caught.value), caught.value
    assert '\n' not in str(caught.value) and len(str(caught.value)) < 400


BOMB = b'key\0\0' + zlib.compress(bytes(50_000_000), 9)
DECODED = {
    'as it should be': WHOLE,
    'text that inflates to 50 MB': png(HEAD, (b'zTXt', BOMB), (b'IDAT', DATA), END),
    'profile that is none': png(HEAD, (b'iCCP', b'x\0\0' + bytes(100)), (b'IDAT', DATA), END),
    'orientation': png(HEAD, (b'eXIf', b'II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0\0\0' + bytes(4)),
                       (b'IDAT', DATA), END),
    'gamma, background, bits': png(HEAD, (b'gAMA', struct.pack('>I', 1)), (b'bKGD', bytes(6)),
                                   (b'sBIT', b'\1\1\1'), (b'IDAT', DATA), END),
    'transparent colour': png(HEAD, (b'tRNS', bytes(6)), (b'IDAT', DATA), END),
    'data in single bytes': png(HEAD, *[(b'IDAT', DATA[n:n + 1]) for n in range(len(DATA))], END),
    'interlaced': interlaced_png(RGB),
    'bytes after the end': WHOLE + bytes(100_000),
    'a JPEG behind it': WHOLE + jpeg(),
    'TIFF': PLAIN,
    'TIFF with an orientation': saved(Image.fromarray(RGB), 'TIFF', tiffinfo={274: 6}),
}


@pytest.mark.parametrize('name', DECODED)
def test_decoded_all_the_same(name):
    start = time.process_time()
    assert np.array_equal(decode(DECODED[name]), RGB)
    assert time.process_time() - start < LONGEST_S


def test_a_progressive_image_of_usual_kind_is_decoded():
    whole = Image.open(io.BytesIO(jpeg(progressive=True, quality=90)))
    assert np.abs(decode(jpeg(progressive=True, quality=90)).astype(int)
                  - np.asarray(whole)).max() <= 2


def test_nothing_is_printed_about_damaged_jpeg_and_tiff():
    """Libraries write to standard error past every throttle, a line or more for each image."""
    code = ('import sys; sys.path.insert(0, "test"); from hostile_files import hostile_file\n'
            'from fcn_seg_ros.errors import InputError\n'
            'from fcn_seg_ros.images import decode, libraries\n'
            'refused = 0\n'
            'for index in range(600):\n'
            '    content = hostile_file(5, index)\n'
            '    if content[:4] == b"\\x89PNG" or libraries.decode_jpeg is None and '
            'content[:2] == b"\\xff\\xd8": continue\n'
            '    try: decode.decode(content)\n'
            '    except InputError: refused += 1\n'
            'print(refused)')
    run = subprocess.run([sys.executable, '-c', code], cwd=Path(__file__).parents[1],
                         capture_output=True, text=True, check=True)
    assert run.stderr == '' and int(run.stdout) > 100


def test_fuzz_for_a_minute():
    """In child processes, so that a crash is a finding; measure_decoder_fuzz.py is the long run."""
    figures = measure(100_000, seed=int(time.time()), seconds=60.0)
    print(figures)
    assert not figures['crashes'] and not figures['hangs'] and not figures['others'], figures
    assert figures['longest_cpu_s'] < LONGEST_S, figures
    assert figures['images'] > 100 and figures['refused'] > 100
    assert figures['peak_mib'] < 400


def test_the_fuzz_finds_what_crashes(tmp_path):
    """The input is kept and the run goes on behind it."""
    figures = measure(400, library='faulty', findings=tmp_path)
    found = [index for index in range(400) if zlib.crc32(hostile_file(0, index)) % 100 == 0]
    assert found and figures['inputs'] == 400
    assert figures['crashes'] == [[index, -11] for index in found]
    assert sorted(tmp_path.iterdir()) == sorted(tmp_path / f'0-{index}' for index in found)
