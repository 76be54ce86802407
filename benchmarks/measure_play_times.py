# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure how far play's times are from the recorded ones, and what the scheduler alone costs.

    python benchmarks/measure_play_times.py

plays bags whose images came in pairs, with swapped, frozen or no stamps, at 30 and then 5 Hz and
with a gap of 5 s, and a video of 30 and then 5 frames a second, each to a subscriber in this
process. A time is compared with the recorded one after the median difference is taken off. Three
figures a drive, p95 of the absolute difference in ms: of publishing (play's wall stamps), of
arrival here, and what the scheduler alone costs, as a process finds it that at the same time sleeps
as the player does and then computes 0.3 ms, as publishing does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import source_tree  # noqa: F401
from measure_play_loss import receive, start_play
from test_drive_bag import START_NS, image, write_bag

from fcn_seg_ros.dds import use_private_domain

FRAMES = 60
SLEEPER = '''
import json, sys, time
due = json.load(sys.stdin)
start, times = time.monotonic() + 0.1, []
for offset in due:
    while (left := start + offset - time.monotonic()) > 0:
        time.sleep(min(left, 0.05))
    times.append(time.monotonic())
    while time.monotonic() < times[-1] + 0.0003:
        pass
print(json.dumps(times))
'''
EVEN = [i / 30 for i in range(FRAMES)]
NIGHT = EVEN[:30] + [1 + i / 5 for i in range(30)]
# Name: when the images are recorded, and their stamps (None: the same), in s.
BAGS: dict[str, tuple[list[float], list[float] | None]] = {
    'pairs 2 ms apart': ([i // 2 / 15 + i % 2 * 0.002 for i in range(FRAMES)], None),
    'swapped stamps': (EVEN, [EVEN[i ^ 1] for i in range(FRAMES)]),
    'one frozen stamp': (EVEN, [0.005] * FRAMES),
    'no stamps': (EVEN, [-START_NS / 1e9] * FRAMES),
    '30, then 5 Hz': (NIGHT, None),
    'a gap of 5 s': (EVEN[:30] + [6 + t for t in EVEN[:30]], None),
}


def write_timed_bag(path: Path, received_s: list[float], stamps_s: list[float] | None = None,
                    shape: tuple[int, int, int] = (120, 160, 3)) -> Path:
    """Write an MCAP bag of grey images with these times of recording and stamps."""
    messages = []
    for index, received in enumerate(received_s):
        stamp = received if stamps_s is None else stamps_s[index]
        messages.append(('/camera/image_raw',
                         image(np.full(shape, index, np.uint8), 'rgb8',
                               START_NS + round(stamp * 1e9)),
                         START_NS + round(received * 1e9)))
    return write_bag(path, 'mcap', messages)


def write_timed_video(path: Path, times_s: list[float]) -> Path:
    """Write a lossless video whose frames have these times, to the millisecond."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('ffv1', rate=30)
        stream.width, stream.height, stream.pix_fmt = 160, 120, 'bgr0'
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, when in enumerate(times_s):
            pixels = np.full((120, 160, 3), index, np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, format='rgb24')
            frame.pts, frame.time_base = round(when * 1000), Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def play_times(drive: Path, domain: int, recorded: list[float]) -> tuple[np.ndarray, ...]:
    """Play a drive; return when each image was published, when it arrived, and a sleeper woke."""
    from sensor_msgs.msg import Image
    published: list[float] = []
    arrived: list[float] = []
    sleeper = subprocess.Popen([sys.executable, '-c', SLEEPER], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def on_image(message: Any) -> None:
        if not arrived and sleeper.stdin is not None:
            # It sleeps beside the player: what holds up one mostly holds up the other.
            sleeper.stdin.write(json.dumps(recorded))
            sleeper.stdin.close()
            sleeper.stdin = None
        arrived.append(time.monotonic())
        published.append(message.header.stamp.sec + message.header.stamp.nanosec / 1e9)

    process = start_play([str(drive)], domain)
    receive(process, domain, {'camera/image_raw': (Image, on_image)}, best_effort=False)
    _, errors = process.communicate()
    if process.returncode:
        raise RuntimeError(f'play ended with {process.returncode}: {errors}')
    woken = json.loads(sleeper.communicate()[0])
    return np.array(published), np.array(arrived), np.array(woken)


def p95_ms(times: np.ndarray, recorded: list[float]) -> float:
    """Return the p95 of the absolute difference to the recorded times, aligned by the median."""
    if len(times) != len(recorded):
        raise RuntimeError(f'{len(times)} of {len(recorded)} images arrived')
    difference = times - np.array(recorded)
    return float(np.percentile(np.abs(difference - np.median(difference)), 95) * 1e3)


def main() -> int:
    """Print a line for each drive; the exit code is 1 where publishing is off by over 5 ms."""
    argparse.ArgumentParser(description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    domain, worst = int(use_private_domain({})), 0.0
    with tempfile.TemporaryDirectory() as folder:
        drives = {name: (write_timed_bag(Path(folder) / name, *times), times[0])
                  for name, times in BAGS.items()}
        drives['video of 30, then 5 fps'] = (
            write_timed_video(Path(folder) / 'night.mkv', NIGHT), NIGHT)
        print(f'{"p95 of |difference|, ms":26}{"published":>10}{"arrived":>10}{"scheduler":>12}')
        for name, (drive, recorded) in drives.items():
            figures = [p95_ms(times, recorded)
                       for times in play_times(drive, domain, recorded)]
            worst = max(worst, figures[0])
            print('{:26}{:10.2f}{:10.2f}{:12.2f}'.format(name, *figures), flush=True)
    return 1 if worst > 5.0 else 0


if __name__ == '__main__':
    sys.exit(main())
