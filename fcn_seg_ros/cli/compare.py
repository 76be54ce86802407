# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``compare``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.offline.gates import GATES

DESCRIPTION = """\
Compare the road masks of two runs of segment over the same recording: two checkpoints, two
versions, two machines.

RUN_A and RUN_B are folders that `segment INPUT --output DIR` has written. Frames are the same if
their topic, stamp and time of recording are. One line says how much they differ; with --output a
page (compare.html) shows where, with the worst frames as pictures, and compare.csv has every frame.

With limits it is a regression test: the exit status is 1 if one is not kept, 0 if all are, and 2
if the runs cannot be compared. Unknown pixels count as not road; shares are 0 to 1."""

EPILOG = """\
examples:
  compare runs/before runs/after
  compare runs/before runs/after --output difference
  compare runs/before runs/after --min-iou 0.98 --max-area-change 0.01 --max-missing 0"""


def main(args: Sequence[str] | None = None) -> int:
    """Compare two runs."""
    return run_command('compare', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of compare."""
    parser = make_parser('compare', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('run_a', metavar='RUN_A', type=Path, help='the run to compare with')
    add('run_b', metavar='RUN_B', type=Path, help='the run in question')
    for gate in GATES:
        add(gate.option, type=float, metavar=gate.metavar, help=gate.help)
    add('--output', type=Path, metavar='DIR',
        help='folder for compare.html, compare.json and compare.csv')
    return parser


if __name__ == '__main__':
    sys.exit(main())
