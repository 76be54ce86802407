# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Damage network files at random, and see that none runs with a wrong mask.

    python benchmarks/measure_damaged_checkpoints.py --files 1000

Copies of the packaged checkpoint and of its int8 model (.xml, .bin) are damaged: bits flipped,
stretches set to zero, 0xFF or NaN, cut, swapped, repeated, replaced by noise. A segmenter is opened
on each. It must be refused in one line, or give exactly the masks of the whole file on rendered
images. It prints how many were what; exit code 1 where one gave another mask, or anything but one
line.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import source_tree  # noqa: F401

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.quantised import int8_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import default_checkpoint
from fcn_seg_ros.synthetic.suburb import RenderedDrive

SUFFIXES = ('.safetensors', '.xml', '.bin')
LONGEST_LINE = 2000


def flip_bits(content: bytearray, source: random.Random) -> None:
    """Flip one bit, or up to a thousand."""
    for _ in range(source.choice((1, 1, 2, 10, 1000))):
        content[source.randrange(len(content))] ^= 1 << source.randrange(8)


def _fill(pattern: bytes) -> Callable[[bytearray, random.Random], None]:
    """Return what sets a stretch to a pattern, somewhere where that changes something."""
    def fill(content: bytearray, source: random.Random) -> None:
        before = bytes(content)
        while content == before:
            length = source.choice((2, 16, 256, 4096, len(content) // 4, len(content)))
            start = source.randrange(len(content) - length + 1) & ~1
            content[start:start + length] = (pattern * length)[:len(content[start:start + length])]
    return fill


def cut(content: bytearray, source: random.Random) -> None:
    """Cut the end off."""
    del content[source.randrange(len(content)):]


def cut_inside(content: bytearray, source: random.Random) -> None:
    """Take a stretch out."""
    start = source.randrange(len(content) - 1)
    del content[start:start + source.choice((1, 2, 512, 4096))]


def swap(content: bytearray, source: random.Random) -> None:
    """Swap two blocks of a disk."""
    before = bytes(content)
    while content == before:
        size = source.choice((2, 64, 512, 4096))
        one, two = (source.randrange(len(content) // size) * size for _ in range(2))
        content[one:one + size], content[two:two + size] = (
            content[two:two + size], content[one:one + size])


def repeat(content: bytearray, source: random.Random) -> None:
    """Write a stretch of it twice."""
    start = source.randrange(len(content))
    content[start:start] = content[start:start + source.choice((1, 512, 4096))]


def noise(content: bytearray, source: random.Random) -> None:
    """Write noise over a stretch."""
    length = source.choice((4, 512, 4096, len(content)))
    start = source.randrange(len(content) - length + 1)
    content[start:start + length] = source.randbytes(length)


DAMAGES: dict[str, Callable[[bytearray, random.Random], None]] = {
    'bits': flip_bits, 'zeros': _fill(b'\0'), 'ones': _fill(b'\xff'),
    # NaN in half and in single precision, little-endian.
    'NaN half': _fill(b'\0\x7e'), 'NaN single': _fill(b'\0\0\xc0\x7f'),
    'infinity': _fill(b'\0\x7c'), 'cut': cut, 'cut inside': cut_inside, 'swap': swap,
    'repeat': repeat, 'noise': noise}


def damage(whole: bytes, kind: str, source: random.Random) -> bytes:
    """Return a damaged copy, which differs from the whole."""
    while True:
        content = bytearray(whole)
        DAMAGES[kind](content, source)
        if content != whole:
            return bytes(content)


def open_and_segment(path: Path, images: list) -> list[bytes]:
    """Return the masks of a file on images."""
    # The int8 model has a name of its own, so that the checkpoint is run by itself.
    segmenter = RoadSegmenter(path, 'cpu', 'fp32' if path.suffix == '.safetensors' else 'int8')
    try:
        return [segmenter.segment(image).mask.tobytes() for image in images]
    finally:
        segmenter.close()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--files', type=int, default=1000)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    source = random.Random(options.seed)
    images = [RenderedDrive(seed, length=20)[10].image for seed in (10_000, 10_001)]
    packaged = default_checkpoint()
    originals = {'.safetensors': packaged, '.xml': int8_file(packaged),
                 '.bin': int8_file(packaged).with_suffix('.bin')}
    whole = {suffix: path.read_bytes() for suffix, path in originals.items()}
    right = {suffix: open_and_segment(originals[suffix].with_suffix(
        '.safetensors' if suffix == '.safetensors' else '.xml'), images) for suffix in SUFFIXES}
    found: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    wrong: list[str] = []
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.files):
            suffix = SUFFIXES[number % len(SUFFIXES)]
            kind = list(DAMAGES)[number // len(SUFFIXES) % len(DAMAGES)]
            for other in SUFFIXES:
                (Path(folder) / f'road{other}').write_bytes(whole[other])
            (Path(folder) / f'road{suffix}').write_bytes(damage(whole[suffix], kind, source))
            path = Path(folder) / f'road{suffix if suffix == ".safetensors" else ".xml"}'
            try:
                verdict = 'ran' if open_and_segment(path, images) == right[suffix] else 'wrong mask'
            except InputError as error:
                line = str(error)
                verdict = ('refused' if line.isprintable() and len(line) <= LONGEST_LINE
                           else 'not one line')
                reasons[line.partition(': ')[2].partition(' (')[0][:90]] += 1
            except Exception as error:
                verdict = f'{type(error).__name__}: {error}'[:90]
            found[verdict] += 1
            if verdict not in ('refused', 'ran'):
                wrong.append(f'{suffix} {kind} number {number}: {verdict}')
    print(json.dumps({'files': options.files, 'seed': options.seed, 'verdicts': dict(found),
                      'reasons': dict(reasons.most_common(12)), 'wrong': wrong[:10],
                      'seconds': round(time.monotonic() - start, 1)}, indent=1))
    return int(bool(wrong))


if __name__ == '__main__':
    sys.exit(main())
