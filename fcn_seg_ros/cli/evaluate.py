# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``evaluate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.evaluation.views import VIEWS
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Score networks, or the probability images of any program, on sets of road images.

SET is a folder in KITTI Road's layout; kitti:PATH?split=FILE, camvid:PATH?split=val or folder:PATH
(see train --help); or `rendered`: frames of drives that the project renders itself with seeds never
trained on (a regression test, no claim about real roads). The images go through the same segmenter
as in the node. One table compares all networks on all sets, a row for each pair, shown as soon as
it is known.

With one network and one set, scores as KITTI Road's follow. MaxF is the best F1 over 256
thresholds, counts summed over all images; their intervals are a bootstrap over images. The
bird's-eye view (the benchmark's: x -10 to 10 m, z 6 to 46 m) and the scores in metres cover the
images whose road plane is known (a calib file with Tr_cam_to_road). Scores of the two views do not
compare with each other."""

EPILOG = """\
examples:
  evaluate ~/kitti_road --split val.txt
  evaluate rendered
  evaluate 'kitti:kitti_road?split=val.txt' 'camvid:camvid?split=val' folder:mine --every 5
  evaluate ~/kitti_road --split val.txt --checkpoint runs/first/checkpoint.safetensors --json
  evaluate folder:mine --checkpoint packaged --checkpoint road-segmentation-adas-0001-fp16.xml
  evaluate ~/kitti_road --split val.txt --markdown report.md --plots plots
  segment ~/kitti_road/training/image_2 --probability out
  evaluate ~/kitti_road --split val.txt --probabilities out
  evaluate ~/kitti_road --split val.txt --submission to_upload"""


def main(args: Sequence[str] | None = None) -> int:
    """Print the scores of networks on sets."""
    return run_command('evaluate', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of evaluate."""
    parser = make_parser('evaluate', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('data', metavar='SET', nargs='+',
        help='KITTI Road folder, rendered, kitti:PATH, camvid:PATH or folder:PATH')
    add('--split', default=None, help='file with the names to score on, e.g. val.txt in SET')
    add('--checkpoint', action='append', metavar='FILE',
        help=f'{CHECKPOINT_WORDS}; an exported model (.xml); or a foreign OpenVINO IR (.xml) whose '
             'description lies beside it, is shipped, or is given; may be repeated (default: '
             f'{DEFAULT_CHECKPOINT})')
    add('--description', type=Path, metavar='FILE',
        help='YAML file that says what goes in and comes out of a foreign network '
             '(config/road-segmentation-adas-0001.yaml is one)')
    add('--probabilities', type=Path, metavar='DIR',
        help='score the files DIR/NAME.png (8-bit grey, round(255 P(road)), the image\'s size) '
             'instead of running a network')
    add('--threshold', type=float, default=-1.0,
        help='of the masks that "mask" and the scores in metres are about, on P(road); -1: the '
             'checkpoint\'s (0.5 for --probabilities without --checkpoint)')
    add('--every', type=int, default=1, metavar='N', help='score every Nth image of each set')
    add('--limit', type=int, default=0, metavar='N',
        help='score at most N images of each set, evenly spread; 0: all')
    add('--corruptions', action='store_true',
        help='also print what the networks lose under noise, blur, night, fog, rain, glare, a '
             'dirty lens and others, at medium strength')
    add('--geometry', action='store_true',
        help='also print what they lose at 0.5 to 2 times the size and on crops to 4:3, 16:9, 21:9 '
             'and portrait')
    _add_running(parser)
    _add_reports(parser)
    return parser


def _add_running(parser: argparse.ArgumentParser) -> None:
    """Add how networks run."""
    add = parser.add_argument
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network; '
        'int8: that of the file CHECKPOINT_int8.xml beside it, as the packaged one has it')
    add('--network-height', type=int, default=0,
        help='rows of its input, 0: the checkpoint\'s; a foreign network has its own')


def _add_reports(parser: argparse.ArgumentParser) -> None:
    """Add what is printed and written."""
    add = parser.add_argument
    add('--view', default='both', choices=list(VIEWS),
        help='tables to print of one network on one set')
    add('--json', action='store_true', help='print JSON with everything instead of tables')
    add('--markdown', type=Path, metavar='FILE', help='write the tables to a Markdown file')
    add('--plots', type=Path, metavar='DIR',
        help='write precision_recall.png, reliability.png and worst.png (the ten worst images: '
             'true positives green, false positives red, false negatives blue)')
    add('--submission', type=Path, metavar='DIR',
        help='write the benchmark\'s archive of bird\'s-eye probability images: of SET/testing '
             'where that is there, else of the scored images')


if __name__ == '__main__':
    sys.exit(main())
