# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``benchmark``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.benchmark.plot import latency_against_accuracy
from fcn_seg_ros.benchmark.report import machine_lines, tables
from fcn_seg_ros.benchmark.run import Options, run_benchmark
from fcn_seg_ros.benchmark.steady import steady_state
from fcn_seg_ros.benchmark.variants import Variant
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import print_tables
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.report import markdown
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import find_checkpoint
from fcn_seg_ros.synthetic.suburb import RenderedDrive

_LEAST_HZ = 20.0


def run(options: argparse.Namespace) -> None:
    """Measure, and print tables or JSON."""
    if options.plot and not options.parity:
        raise InputError('--plot needs the scores of --parity')
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
        raise InputError('this machine has none of the backends and precisions asked for: '
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
    """Run the variant that ``auto`` takes, or else the fastest at that height, for many frames."""
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
    """Measure the nodes with a camera twice as fast as the fastest variant at that height."""
    from fcn_seg_ros.benchmark.over_dds import measure_nodes
    height = found['checkpoint']['network_height']
    rows = [row for row in found['variants'] if row['height'] == height] or found['variants']
    fastest = min(row['ms']['total']['p50'] for row in rows)
    return measure_nodes(
        checkpoint, height, options.device, image, options.frames, max(_LEAST_HZ, 2e3 / fastest),
        say=_say)


def _say(text: str) -> None:
    print(f'benchmark: {text}', file=sys.stderr, flush=True)
