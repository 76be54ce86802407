# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``benchmark``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.plot import latency_against_accuracy
from fcn_seg_ros.benchmark.report import machine_lines, tables
from fcn_seg_ros.benchmark.run import Options, run_benchmark
from fcn_seg_ros.benchmark.steady import steady_state
from fcn_seg_ros.benchmark.variants import BACKENDS, PRECISIONS, Variant
from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import print_tables
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.report import markdown
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT, find_checkpoint
from fcn_seg_ros.synthetic.suburb import RenderedDrive

DESCRIPTION = """\
Measure how fast a network is here, with every backend and precision that this machine has.

A call takes a rendered image of 1242x375 and gives mask and probability of that size. Everything
is measured in turns, a few calls each, so that a busy machine hurts all alike; compare within one
run, not between runs. Beside the times: the machine's best matrix product in the same type (of
PyTorch, OpenVINO and ONNX Runtime) and the share of it that the forward pass reaches; memory of a
process that does nothing else; and, unless --no-peers, the path of the usual tutorial (PIL resize,
eager fp32, argmax) with the same network, and the forward pass of torchvision's fcn_resnet50.

--parity compares the masks of every variant with those of eager fp32 on a dataset; --steady looks
for growth of memory; --node starts seg_node and the tutorials' node as processes and measures
masks a second at saturation and the time from image to mask at 10 Hz, also with processors that
do not sleep (the node's parameter cpu_latency_us), where this user may ask for that."""

EPILOG = """\
examples:
  benchmark
  benchmark runs/first/checkpoint.safetensors --backends openvino --heights 192 256 384
  benchmark --exported road.xml --parity 'kitti:data/kitti_road?split=val.txt' --json
  benchmark --heights 192 256 320 384 --parity 'kitti:data/kitti_road?split=val.txt' \\
            --plot latency.svg
  benchmark --backends openvino --precisions bf16 --steady 1000 --node"""

_LEAST_HZ = 20.0


def main(args: Sequence[str] | None = None) -> int:
    """Measure, and print tables or JSON."""
    return run_main('benchmark', args, lambda given: _benchmark(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser('benchmark', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('checkpoint', metavar='CHECKPOINT', nargs='?',
        help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--heights', metavar='ROWS', type=int, nargs='+', default=[],
        help='network heights (default: the checkpoint\'s)')
    add('--backends', nargs='+', default=BACKENDS, choices=BACKENDS, metavar='NAME',
        help=f'of {", ".join(BACKENDS)} (default: all)')
    add('--precisions', nargs='+', default=PRECISIONS, choices=PRECISIONS, metavar='NAME',
        help=f'of {", ".join(PRECISIONS)} (default: all)')
    add('--exported', metavar='FILE', type=Path, nargs='+', default=[],
        help='models that `export --format openvino` wrote, measured as well (default: none)')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--threads', type=int, default=0, help='of the CPU backends, 0: all cores')
    add('--frames', type=int, default=100, help='calls of each variant that count')
    add('--batch', type=int, default=4, metavar='N',
        help='also masks a second of N images at once; 1: not')
    add('--no-peers', action='store_true', help='leave out the peers')
    add('--no-memory', action='store_true',
        help='leave out the memory (a process for every variant)')
    add('--parity', metavar='DATASET',
        help='compare masks with those of eager fp32 on a dataset, as in train --val')
    add('--steady', type=int, metavar='N',
        help='also N frames in a row on the variant that the node takes by itself')
    add('--node', action='store_true', help='also the nodes over the middleware (needs ROS)')
    add('--plot', type=Path, metavar='FILE', help='SVG of latency against MaxF (of --parity)')
    add('--markdown', type=Path, metavar='FILE', help='write the tables to a Markdown file')
    add('--json', action='store_true', help='print JSON instead of tables')
    return parser


def _benchmark(options: argparse.Namespace) -> None:
    if options.plot and not options.parity:
        raise InputError('--plot: expected --parity with it, found none')
    if min(options.frames, options.batch) < 1 or options.threads < 0:
        raise InputError('--frames, --batch and --threads: expected at least 1, 1 and 0, found '
                         f'{options.frames}, {options.batch} and {options.threads}')
    image = RenderedDrive(FIRST_HELD_OUT_SEED)[0].image
    dataset = open_dataset(parse_spec(options.parity)) if options.parity else None
    checkpoint = find_checkpoint(options.checkpoint)
    found = run_benchmark(Options(
        checkpoint, tuple(options.heights), tuple(options.backends), tuple(options.precisions),
        tuple(options.exported), options.device, options.threads, options.frames, options.batch,
        not options.no_peers, not options.no_memory), image, progress_bar, dataset)
    if not found['variants']:
        reasons = '; '.join(row['reason'] for row in found['unavailable'])
        raise InputError('expected a backend and precision that this machine has, found none: '
                         f'{reasons}')
    if options.steady:
        found['steady'] = _steady(checkpoint, found, options, image)
    if options.node:
        found['node'] = _node(checkpoint, found, options, image)
    if options.plot:
        make_folder(options.plot.parent)
        write_file(options.plot, latency_against_accuracy(found))
    if options.markdown:
        make_folder(options.markdown.parent)
        write_file(options.markdown,
                   markdown(machine_lines(found), tables(found), 'Benchmark').encode())
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print_tables(tables(found), [f'{key}: {value}'
                                     for key, value in machine_lines(found).items()])


def _steady(checkpoint: Path, found: dict[str, Any], options: argparse.Namespace,
            image: np.ndarray) -> dict[str, Any]:
    """Run what ``auto`` takes at the checkpoint's own height, or the fastest, for a while."""
    own = RoadSegmenter(checkpoint, options.device, threads=options.threads)
    taken = (found['checkpoint']['network_height'], own.backend.name, own.backend.precision)
    own.close()
    row = min((row for row in found['variants'] if not row['exported']),
              key=lambda row: ((row['height'], row['backend'], row['precision']) != taken,
                               row['height'] != taken[0], row['ms']['total']['p50']))
    _say(f'{options.steady} frames in a row')
    return steady_state(Variant(checkpoint, row['backend'], row['precision'], row['height'],
                                row['device'], options.threads), image, options.steady)


def _node(checkpoint: Path, found: dict[str, Any], options: argparse.Namespace,
          image: np.ndarray) -> dict[str, Any]:
    """Measure the nodes; the camera is twice as fast as the fastest variant at that height."""
    from fcn_seg_ros.benchmark.over_dds import measure_nodes
    height = found['checkpoint']['network_height']
    rows = [row for row in found['variants'] if row['height'] == height] or found['variants']
    fastest = min(row['ms']['total']['p50'] for row in rows)
    return measure_nodes(
        checkpoint, height, options.device, image, options.frames, max(_LEAST_HZ, 2e3 / fastest),
        say=_say)


def _say(text: str) -> None:
    print(f'benchmark: {text}', file=sys.stderr, flush=True)


if __name__ == '__main__':
    sys.exit(main())
