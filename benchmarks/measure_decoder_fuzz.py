# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Give the decoder mutated PNG, JPEG and TIFF files, in a process of its own.

    nice -n 5 python benchmarks/measure_decoder_fuzz.py --inputs 500000
    python benchmarks/measure_decoder_fuzz.py --library opencv --inputs 20000

A crash or a hang of that process is a finding: the input is kept in the folder --findings, and the
run goes on with the next. It prints how many inputs gave an image, were refused in one line, or
raised anything else (among these: an image that comes out otherwise when it is decoded again, of
memory that nobody wrote to), the longest time for one (its processor time; the wall clock's beside
it), the resident memory over the run, and what was printed to standard error. With --library, a
library gets the same inputs without the checks before it, to compare how they stand that.

Exit code 1 where there was a crash, a hang, an exception other than InputError, more than 0.5 s for
an input, or memory that grew by more than 5 % over the second half.
"""

from __future__ import annotations

import argparse
import io
import json
import mmap
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import source_tree  # noqa: F401
from hostile_files import hostile_file

from fcn_seg_ros.benchmark.memory import resident_mib
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.decode import decode

LONGEST_S = 0.5
HANG_S = 60.0
MOST_GROWTH_PERCENT = 5.0
_ROW = struct.Struct('<q')


def _opencv(content: bytes) -> object:
    if cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) is None:
        raise InputError('none')
    return None


def _pillow(content: bytes) -> object:
    from PIL import Image
    with Image.open(io.BytesIO(content)) as image:
        return image.convert('RGB')


def _simplejpeg(content: bytes) -> object:
    import simplejpeg
    return simplejpeg.decode_jpeg(content, 'RGB')


def _turbojpeg(content: bytes) -> object:
    from turbojpeg import TurboJPEG
    return TurboJPEG().decode(content)


def _imagecodecs(content: bytes) -> object:
    import imagecodecs
    if content[:2] == b'\xff\xd8':
        return imagecodecs.jpeg8_decode(content)
    return imagecodecs.png_decode(content)


def _faulty(content: bytes) -> object:
    """Crash on one input in a hundred: what the run is to find, tried by its test."""
    if zlib.crc32(content) % 100 == 0:
        os.kill(os.getpid(), signal.SIGSEGV)
    return None


LIBRARIES: dict[str, Callable[[bytes], object]] = {
    'ours': decode, 'opencv': _opencv, 'pillow': _pillow, 'simplejpeg': _simplejpeg,
    'turbojpeg': _turbojpeg, 'imagecodecs': _imagecodecs,
    'faulty': _faulty}


def child(place: Path, seed: int, start: int, end: int, library: str) -> None:
    """Decode inputs; the number of the one in work stands in a file that outlives a crash."""
    with place.open('r+b') as file, mmap.mmap(file.fileno(), _ROW.size) as number:
        function = LIBRARIES[library]
        figures: dict[str, Any] = {'images': 0, 'refused': 0, 'others': {}, 'longest_cpu_s': 0.0,
                                   'longest_s': 0.0, 'longest_input': -1, 'rss_mib': []}
        every = max(1, (end - start) // 20)
        for index in range(start, end):
            content = hostile_file(seed, index)
            _ROW.pack_into(number, 0, index)
            before, clock = time.process_time(), time.monotonic()
            try:
                image = function(content)
                figures['images'] += 1
            except InputError as error:
                assert '\n' not in str(error) and len(str(error)) < 700
                figures['refused'] += 1
                image = None
            except Exception as error:
                kind = type(error).__name__
                figures['others'][kind] = figures['others'].get(kind, 0) + 1
                image = None
            spent = time.process_time() - before
            if spent > figures['longest_cpu_s']:
                figures['longest_cpu_s'], figures['longest_input'] = spent, index
            figures['longest_s'] = max(figures['longest_s'], time.monotonic() - clock)
            if isinstance(image, np.ndarray) and not np.array_equal(image, function(content)):
                figures['others']['unstable'] = figures['others'].get('unstable', 0) + 1
            if (index - start + 1) % every == 0:
                figures['rss_mib'].append(round(psutil.Process().memory_info().rss / 2**20, 1))
        figures['peak_mib'] = round(resident_mib('VmHWM'))
        print(json.dumps(figures))


def measure(inputs: int, seed: int = 0, library: str = 'ours', findings: Path | None = None,
            seconds: float = 1e9) -> dict[str, Any]:
    """Run the inputs in children, a new one after each crash or hang; return the figures."""
    total: dict[str, Any] = {'library': library, 'seed': seed, 'inputs': 0, 'crashes': [],
                             'hangs': [], 'images': 0, 'refused': 0, 'others': {},
                             'longest_cpu_s': 0.0, 'longest_s': 0.0, 'longest_input': -1,
                             'rss_mib': [], 'peak_mib': 0, 'stderr_lines': 0}
    start, deadline = 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / 'place'
        while start < inputs and time.monotonic() < deadline:
            # In pieces only where the time is limited: memory is looked at within one process.
            end = inputs if seconds > 1e8 else min(inputs, start + 5000)
            place.write_bytes(_ROW.pack(start))
            reached, status = _run_child(place, seed, start, end, library, total)
            if status == 0:
                start = total['inputs'] = end
                continue
            total['crashes' if status != 'hang' else 'hangs'].append([reached, status])
            if findings is not None:
                findings.mkdir(parents=True, exist_ok=True)
                (findings / f'{seed}-{reached}').write_bytes(hostile_file(seed, reached))
            start = total['inputs'] = reached + 1
    half = total['rss_mib'][len(total['rss_mib']) // 2:]
    total['rss_growth_percent'] = round(100 * (half[-1] / half[0] - 1), 2) if half else 0.0
    return total


def _run_child(place: Path, seed: int, start: int, end: int, library: str, total: dict[str, Any]
               ) -> tuple[int, int | str]:
    """Run one child to its end; return the input that it reached and how it ended."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [sys.executable, __file__, '--child', str(place), '--seed', str(seed), '--start',
             str(start), '--inputs', str(end), '--library', library], stdout=out, stderr=err)
        last, since, status = -1, time.monotonic(), None
        while status is None:
            try:
                status = process.wait(0.5)
            except subprocess.TimeoutExpired:
                reached, = _ROW.unpack(place.read_bytes())
                if reached != last:
                    last, since = reached, time.monotonic()
                elif time.monotonic() - since > HANG_S:
                    process.kill()
                    process.wait()
                    status = 'hang'
        err.seek(0)
        noise = err.read()
        total['stderr_lines'] += noise.count(b'\n')
        total.setdefault('stderr', noise[:300].decode(errors='replace'))
        out.seek(0)
        text = out.read()
    reached, = _ROW.unpack(place.read_bytes())
    if status == 0:
        _add(total, json.loads(text))
    elif status == 1:
        raise RuntimeError(noise.decode(errors='replace')[-3000:])
    return reached, status


def _add(total: dict[str, Any], part: dict[str, Any]) -> None:
    for key in ('images', 'refused'):
        total[key] += part[key]
    for kind, times in part['others'].items():
        total['others'][kind] = total['others'].get(kind, 0) + times
    if part['longest_cpu_s'] > total['longest_cpu_s']:
        total['longest_cpu_s'] = round(part['longest_cpu_s'], 4)
        total['longest_input'] = part['longest_input']
    total['longest_s'] = round(max(total['longest_s'], part['longest_s']), 4)
    total['rss_mib'] += part['rss_mib']
    total['peak_mib'] = max(total['peak_mib'], part['peak_mib'])


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--inputs', type=int, default=500_000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--library', choices=tuple(LIBRARIES), default='ours')
    parser.add_argument('--findings', type=Path, help='folder for inputs that crash or hang')
    parser.add_argument('--child', type=Path, help=argparse.SUPPRESS)
    parser.add_argument('--start', type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.seed, options.start, options.inputs, options.library)
        return 0
    result = measure(options.inputs, options.seed, options.library, options.findings)
    print(json.dumps(result))
    good = (not (result['crashes'] or result['hangs'] or result['others'])
            and result['longest_cpu_s'] <= LONGEST_S
            and result['rss_growth_percent'] < MOST_GROWTH_PERCENT)
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
