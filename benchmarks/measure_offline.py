# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure `segment --output`: throughput, memory, kills, and its masks against the node's.

    python benchmarks/measure_offline.py throughput --frames 400 --rounds 5
    python benchmarks/measure_offline.py memory --frames 5000
    python benchmarks/measure_offline.py kills --frames 300
    python benchmarks/measure_offline.py node --frames 60

The images are those of a rendered drive, 1242x375, raw rgb8 in mcap, which is written first.

throughput: the bare segmenter in a loop on preloaded images, and a run of the bag to a bag of
masks and CameraInfo, in turn in this process with one network; images a second and CPU time per
image, the medians of all rounds. The share of CPU time is the one to look at on a machine that is
busy with other work. memory: of a process of its own, all twice a second: what it holds without the
files that are mapped, after the first tenth of the time. kills: SIGKILL at five random moments,
then the messages against those of an undisturbed run. node: the images of the bag are sent to the
node one by one, and each of its masks compared with that of `segment`, by backend.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401
from rosbags.rosbag2 import Reader, StoragePlugin, Writer
from run_bags import images_of, read
from test_drive_bag import START_NS, STORE, camera_info, image

from fcn_seg_ros.dds import use_private_domain
from fcn_seg_ros.inference.segmentation import SegmentOptions
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.network_choice import NetworkChoice
from fcn_seg_ros.offline.recording import Recording
from fcn_seg_ros.offline.run import segment_recording
from fcn_seg_ros.synthetic.suburb import RenderedDrive

DISTINCT = 40
PERIOD_NS = 100_000_000
TOPIC = '/front/image_raw'
FOCAL = 721.5
NODE = (('torch', 'fp32'), ('openvino', 'fp32'), ('openvino', 'int8'), ('onnxruntime', 'fp32'))


def write_recording(path: Path, frames: int) -> list[np.ndarray]:
    """Write a bag of so many images, and return those that differ."""
    drive = RenderedDrive(7, length=DISTINCT)
    images = [drive[index].image for index in range(min(frames, DISTINCT))]
    height, width = images[0].shape[:2]
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        infos, pictures = (writer.add_connection(topic, kind, typestore=STORE) for topic, kind in (
            ('/front/camera_info', 'sensor_msgs/msg/CameraInfo'),
            (TOPIC, 'sensor_msgs/msg/Image')))
        for index in range(frames):
            stamp = START_NS + index * PERIOD_NS
            for connection, message in (
                    (infos, camera_info(width, height, FOCAL, stamp)),
                    (pictures, image(images[index % len(images)], 'rgb8', stamp))):
                writer.write(connection, stamp, STORE.serialize_cdr(message, connection.msgtype))
    return images


def throughput(folder: Path, args: argparse.Namespace) -> bool:
    """Print images a second and CPU time per image; return whether 85 % are reached."""
    images = write_recording(folder / 'drive', args.frames)
    segmenter, network = NetworkChoice(args.checkpoint, args.device, args.precision,
                                       threads=args.threads, backend=args.backend).load()
    options = SegmentOptions(focal_length=FOCAL)
    batch = args.batch

    def bare() -> None:
        for start in range(0, args.frames, batch):
            segmenter.segment_batch([images[index % len(images)] for index in
                                     range(start, min(start + batch, args.frames))], options)
    print(f'{segmenter.backend.name} {segmenter.backend.precision} on {segmenter.backend.device}, '
          f'batch {batch}, {args.frames} frames')
    results: dict[str, list[tuple[float, float]]] = {'bare': [], 'segment': []}
    for number in range(args.rounds):
        def whole(number: int = number) -> None:
            recording = Recording(str(folder / 'drive'), Job(batch=batch))
            done = segment_recording(recording, folder / f'run{number}', segmenter, network,
                                     lambda length, before: nullcontext(lambda: None))
            assert (done.frames, done.errors) == (args.frames, 0), done
        for name, work in (('bare', bare), ('segment', whole)):
            results[name].append(timed(work))
        print(f'round {number}: ' + ', '.join(
            f'{name} {args.frames / each[-1][0]:.1f}/s {1e3 * each[-1][1] / args.frames:.1f} ms CPU'
            for name, each in results.items()), flush=True)
    ratios = [statistics.median(bare[part] / run[part] for bare, run in
                                zip(results['bare'], results['segment'], strict=True))
              for part in (0, 1)]
    print(f'throughput {ratios[0]:.1%} of the bare segmenter, by CPU time {ratios[1]:.1%} '
          f'(at least 85 %)')
    return ratios[0] >= 0.85


def timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds of work, and those of CPU time."""
    started, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - cpu


def command(bag: Path, output: Path, args: argparse.Namespace, *words: str) -> list[str]:
    """Return the command line of a run."""
    return [sys.executable, '-m', 'fcn_seg_ros', 'segment', str(bag), '--output', str(output),
            '--backend', args.backend, '--precision', args.precision, '--device', args.device,
            '--threads', str(args.threads), *(['--checkpoint', args.checkpoint]
                                              if args.checkpoint else []), *words]


def memory(folder: Path, args: argparse.Namespace) -> bool:
    """Print the memory of a long run; return whether it is flat and nothing is lost."""
    write_recording(folder / 'drive', args.frames)
    output = folder / 'run'
    process = subprocess.Popen(command(folder / 'drive', output, args),
                               stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    samples: list[tuple[float, float]] = []
    started = time.monotonic()
    while process.poll() is None:
        samples.append((time.monotonic() - started, held_mb(process.pid)))
        time.sleep(0.5)
    seconds = time.monotonic() - started
    facts = json.loads((output / 'run.json').read_text())
    masks = images_count(output / 'bag')
    quiet = [each for when, each in samples if when > 0.1 * seconds and each]
    tenths = [statistics.median(quiet[i * len(quiet) // 10:(i + 1) * len(quiet) // 10])
              for i in range(10)]
    print(f'{args.frames} frames in {seconds:.0f} s ({facts["frames"] / facts["seconds"]:.1f}/s): '
          f'{masks} masks, {facts["lost"]} lost')
    # The allocator's heaps fill up first. The least squares' line through the second half.
    later = quiet[len(quiet) // 2:]
    growth = float(np.polyfit(np.linspace(0.0, 1.0, len(later)), later, 1)[0])
    print(f'memory: median of each tenth {", ".join(f"{each:.0f}" for each in tenths)} MB, '
          f'highest {max(quiet):.0f} MB, growth over the second half {growth:+.0f} MB')
    return masks == args.frames and not facts['lost'] and growth < 0.05 * tenths[0]


def held_mb(pid: int) -> float:
    """Return the resident memory of a process without mapped files, in MB; 0 if it has ended."""
    try:
        lines = Path(f'/proc/{pid}/status').read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith('RssAnon')),
                0.0)


def images_count(bag: Path) -> int:
    """Return the number of masks in a bag."""
    with Reader(bag) as reader:
        return sum(each.msgcount for each in reader.connections if each.topic.endswith('/mask'))


def kills(folder: Path, args: argparse.Namespace) -> bool:
    """Kill a run five times; return whether its messages are those of an undisturbed run."""
    write_recording(folder / 'drive', args.frames)
    words = ('--part-frames', '20', '--originals')
    started = time.monotonic()
    subprocess.run(command(folder / 'drive', folder / 'whole', args, *words), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - started
    chance = random.Random(args.seed)
    at = []
    while len(at) < 5:
        process = subprocess.Popen(command(folder / 'drive', folder / 'killed', args, *words),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(chance.uniform(0.1, 0.6) * seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        parts = sorted((folder / 'killed.partial' / 'parts').glob('[0-9]*'))
        whole = [each for each in parts if each.suffix != '.partial']
        at.append(20 * len(whole))
        if process.returncode == 0:
            break
    if not (folder / 'killed').exists():
        subprocess.run(command(folder / 'drive', folder / 'killed', args, *words), check=True,
                       stdout=subprocess.DEVNULL)
    same = read(folder / 'killed' / 'bag') == read(folder / 'whole' / 'bag')
    print(f'killed after {", ".join(map(str, at))} of {args.frames} images; the messages are '
          f'{"the same" if same else "others"}')
    return same


def node(folder: Path, args: argparse.Namespace) -> bool:
    """Compare the masks with the node's; return whether all are equal."""
    from node_client import Client, running
    from rclpy.serialization import deserialize_message
    from sensor_msgs.msg import CameraInfo, Image
    write_recording(folder / 'drive', args.frames)
    recorded = read(folder / 'drive')
    equal = True
    for number, (backend, precision) in enumerate(NODE):
        args.backend, args.precision = backend, precision
        output = folder / f'run{number}'
        subprocess.run(command(folder / 'drive', output, args, '--write', 'mask,probability'),
                       check=True, stdout=subprocess.DEVNULL)
        ours = {name: images_of(output / 'bag', f'/front/road/{name}')
                for name in ('mask', 'probability')}
        same = 0
        with running('-p', 'cameras:=[front]', '-p', f'backend:={backend}', '-p',
                     f'precision:={precision}', '-p', f'device:={args.device}', '-p',
                     f'threads:={args.threads}'):
            client = Client('front', outputs=('mask', 'probability'))
            client.connect()
            client.until(lambda: client.infos['front'].get_subscription_count() > 0)  # noqa: B023
            for topic, _, _, content in recorded:
                if topic == TOPIC:
                    got = client.exchange(deserialize_message(content, Image))
                    same += all(np.array_equal(pixels(got[name]), each[stamp_of(got[name])])
                                for name, each in ours.items())
                else:
                    client.infos['front'].publish(deserialize_message(content, CameraInfo))
            client.close()
        print(f'{backend} {precision}: {same} of {args.frames} masks and probabilities are the '
              'node\'s', flush=True)
        equal &= same == args.frames
    return equal


def pixels(message: Any) -> np.ndarray:
    """Return the pixels of a mono8 message."""
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)


def stamp_of(message: Any) -> int:
    """Return a message's stamp in ns."""
    return int(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec)


WORK = {'throughput': throughput, 'memory': memory, 'kills': kills, 'node': node}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure one of them; returns 1 where a figure is missed."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=WORK)
    parser.add_argument('--frames', type=int, default=300)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--backend', default='auto')
    parser.add_argument('--precision', default='auto')
    parser.add_argument('--device', default='cpu')
    parser.add_argument('--threads', type=int, default=0)
    parser.add_argument('--checkpoint', default='')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--folder', help='where to write the recordings; by default in TMPDIR')
    args = parser.parse_args(argv)
    use_private_domain()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        return int(not WORK[args.what](Path(folder), args))


if __name__ == '__main__':
    sys.exit(main())
