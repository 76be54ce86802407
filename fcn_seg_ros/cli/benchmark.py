# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``benchmark``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.inference.backends import PRECISIONS, backend_names
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Measure the speed of a network on this machine, with every backend and precision available.

One call takes a rendered image of 1242x375 and returns mask and probability of that size. Variants
take turns, a few calls each, so that other load on the machine affects all alike: compare figures
within a run, not between runs. Also printed: the machine's best matrix product in the same type (by
PyTorch, OpenVINO and ONNX Runtime) and the share of it that the forward pass reaches; the memory of
a process that does nothing else; and, unless --no-peers, the same network run as in tutorials (PIL
resize, eager fp32, argmax), and the forward pass of torchvision's fcn_resnet50.

--parity compares the masks of every variant with those of eager fp32 on a dataset. --steady looks
for growing memory. --node starts seg_node and a tutorial's node as processes and measures masks per
second at saturation and the time from image to mask at 10 Hz, also with CPUs kept awake (the node's
parameter cpu_latency_us) if this user may request that."""

EPILOG = """\
examples:
  benchmark
  benchmark runs/first/checkpoint.safetensors --backends openvino --heights 192 256 384
  benchmark --exported road.xml --parity 'kitti:data/kitti_road?split=val' --json
  benchmark --heights 192 256 320 384 --parity 'kitti:data/kitti_road?split=val' \\
            --plot latency.svg
  benchmark --backends openvino --precisions bf16 --steady 1000 --node"""


def main(args: Sequence[str] | None = None) -> int:
    """Measure, and print tables or JSON."""
    return run_command('benchmark', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of benchmark."""
    parser = make_parser('benchmark', DESCRIPTION, EPILOG)
    add = parser.add_argument
    backends, precisions = backend_names(), PRECISIONS[1:]  # without auto
    add('checkpoint', metavar='CHECKPOINT', nargs='?',
        help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--heights', metavar='ROWS', type=int, nargs='+', default=[],
        help='network heights to measure (default: the checkpoint\'s)')
    add('--backends', nargs='+', default=backends, choices=backends, metavar='NAME',
        help=f'backends to measure: {", ".join(backends)} (default: all)')
    add('--precisions', nargs='+', default=precisions, choices=precisions, metavar='NAME',
        help=f'precisions to measure: {", ".join(precisions)} (default: all)')
    add('--exported', metavar='FILE', type=Path, nargs='+', default=[],
        help='exported OpenVINO models to measure as well (default: none)')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--threads', type=int, default=0, help='threads of the CPU backends; 0: one per core')
    add('--frames', type=int, default=100, help='calls of each variant to measure')
    add('--batch', type=int, default=4, metavar='N',
        help='also measure batches of N images; 1: do not')
    add('--no-peers', action='store_true', help='do not measure the peers')
    add('--no-memory', action='store_true',
        help='do not measure memory, which takes a process per variant')
    add('--parity', metavar='DATASET',
        help='compare masks with those of eager fp32 on a dataset, given as for train --val')
    add('--steady', type=int, metavar='N',
        help='also run N images in a row with the variant that the node uses by default')
    add('--node', action='store_true',
        help='also measure the nodes over the middleware (needs ROS)')
    add('--plot', type=Path, metavar='FILE', help='write an SVG of MaxF (from --parity) over '
                                                  'latency')
    add('--markdown', type=Path, metavar='FILE', help='write the tables to a Markdown file')
    add('--json', action='store_true', help='print JSON instead of tables')
    return parser


if __name__ == '__main__':
    sys.exit(main())
