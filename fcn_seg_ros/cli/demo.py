# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``demo``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT, find_checkpoint
from fcn_seg_ros.stop_signal import StopSignal

DESCRIPTION = """\
Run the whole pipeline: start seg_node and play as two processes in a separate ROS domain, record
the masks, print a table, and write to --out

  overlay.mp4         the drive, for any browser: the camera's image, the road tinted with rings
                      every 10 m, and, where calibration and pose are known, the road from above
  contact_sheet.png   a dozen of its images, with their IoU if the truth is known; the worst one
                      is always among them
  report.json         all figures

Ctrl-C ends it at any time and leaves neither processes nor partial results."""

EPILOG = """\
examples:
  demo
  demo --input ~/kitti/2011_09_26_drive_0009_sync
  demo --input highway.mp4 --rate 10 --frames 100 --out out/highway
  demo --input my_bag --topic /front/image_raw
  demo --seed 7 --device cpu --precision fp32 --checkpoint runs/first/checkpoint.safetensors

Without --input it plays the built-in rendered drive, whose truth and geometry are known. The time
from image to mask starts with the stamp that play gives the image on publishing it and ends when
the recorder has the mask. Exit status: 0 for success; 1 if the node died, no mask came, the node's
counts do not add up or a mask's header is not that of any image; 2 for bad input."""


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of demo."""
    parser = make_parser('demo', DESCRIPTION, EPILOG)
    parser.add_argument('--input', default='rendered:steady',
                        help='folder of images, video file, rosbag2, or rendered[:SEED][:steady]; '
                        'steady: its camera does not nod')
    parser.add_argument('--seed', type=int, help='seed of the rendered drive')
    parser.add_argument('--topic', help='image topic of a bag that has several')
    parser.add_argument('--rate', type=float, metavar='HZ',
                        help="frames a second (default: the drive's own)")
    parser.add_argument('--frames', type=int, metavar='N', help='play at most N frames')
    parser.add_argument('--out', type=Path, default=Path('demo_out'), help='folder to write to')
    parser.add_argument('--checkpoint',
                        help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    parser.add_argument('--device', help='where the network runs: auto, cpu, cuda or cuda:N')
    parser.add_argument('--precision',
                        help='arithmetic of the network: auto, fp32, bf16, fp16 or int8')
    parser.add_argument('--pose', type=float, nargs=6,
                        metavar=('X', 'Y', 'Z', 'ROLL', 'PITCH', 'YAW'),
                        help='pose of the camera over the ground, in metres and rad, for rings and '
                        'the road from above (default: that of rendered:steady); needs a drive '
                        'with CameraInfo')
    parser.add_argument('--start-timeout', type=float, default=180.0, metavar='S',
                        help='give up if seg_node is not active after S seconds')
    parser.add_argument('--verbose', action='store_true',
                        help='show the output of seg_node and play')
    return parser


def run(arguments: Sequence[str]) -> int:
    """Run the demo as the command line says."""
    stopped = StopSignal()
    options = build_parser().parse_args(arguments)
    if options.seed is not None:
        kind, _, rest = options.input.partition(':')
        if kind != 'rendered' or rest not in ('', 'steady'):
            raise InputError(f'--seed is for --input rendered only, found --input {options.input}')
        options.input = f'rendered:{options.seed}' + (f':{rest}' if rest else '')
    checkpoint = str(find_checkpoint(options.checkpoint)) if options.checkpoint else None

    from fcn_seg_ros.drives.demo import Demo, DemoError, DemoOptions, DemoStopped
    from fcn_seg_ros.ground.pose import CameraPose
    demo = Demo(DemoOptions(
        options.input, options.out, options.topic, options.rate, options.frames,
        checkpoint=checkpoint, device=options.device, precision=options.precision,
        pose=CameraPose.from_angles(*options.pose) if options.pose else None,
        start_timeout_s=options.start_timeout, verbose=options.verbose), stopped, say)
    try:
        report = demo.run()
    except DemoError as error:
        print(f'demo: error: {error}', file=sys.stderr)
        return 1
    except DemoStopped:
        print('demo: interrupted', file=sys.stderr)
        return stopped.status
    print_table(report.rows(), str(options.out))
    for problem in report.problems:
        print(f'demo: error: {problem}', file=sys.stderr)
    return 1 if report.problems else 0


def print_table(rows: list[tuple[str, str]], out: str) -> None:
    """Print the table."""
    from rich.console import Console
    from rich.table import Table
    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, value in rows:
        table.add_row(name, value)
    console = Console(highlight=False)
    console.print(table)
    console.print(f'wrote {out}/overlay.mp4, contact_sheet.png and report.json',
                  markup=False, soft_wrap=True)


def say(text: str) -> None:
    """Print a line of progress on stderr."""
    print(f'demo: {text}', file=sys.stderr, flush=True)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command ``demo``; without ``args`` the command line is sys.argv."""
    return run_main('demo', args, run)


if __name__ == '__main__':
    sys.exit(main())
