# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``evaluate``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.datasets.options import datasets_help
from fcn_seg_ros.evaluation.views import VIEWS
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = """\
Score networks, or probability images made by any program, on sets of road images.

SET is a folder in KITTI Road's layout, or a dataset as below; `rendered` are frames of rendered
drives with seeds never trained on (a regression test, no claim about real roads). Images go through
the same segmenter as in the node. One table compares all networks on all sets; each row is printed
as soon as it is ready.

For one network on one set, the scores of KITTI Road follow. MaxF is the best F1 over 256
thresholds, with counts summed over all images; its interval is a bootstrap over images. For a
network of several classes on a set that names its classes, their IoU follows, its mean over those
that occur, its mean weighted by frequency, and with --plots the confusion matrix. The bird's-eye
view (as in the benchmark: x -10 to 10 m, z 6 to 46 m) and the scores in metres cover the images
whose road plane is known (a calib file with Tr_cam_to_road). Scores of the two views are not
comparable."""

EPILOG = """\
examples:
  evaluate ~/kitti_road --split val
  evaluate rendered
  evaluate 'kitti:kitti_road?split=val' 'camvid:camvid?split=val' folder:mine --every 5
  evaluate ~/kitti_road --split val --checkpoint runs/first/checkpoint.safetensors --json
  evaluate folder:mine --checkpoint open --checkpoint road-segmentation-adas-0001-fp16.xml
  evaluate ~/kitti_road --split val --markdown report.md --plots plots
  segment ~/kitti_road/training/image_2 --probability out
  evaluate ~/kitti_road --split val --probabilities out
  evaluate ~/kitti_road --split val --submission to_upload"""


def main(args: Sequence[str] | None = None) -> int:
    """Print the scores of networks on sets."""
    return run_command('evaluate', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of evaluate."""
    parser = make_parser('evaluate', DESCRIPTION, f'{EPILOG}\n\n{datasets_help()}')
    add = parser.add_argument
    add('data', metavar='SET', nargs='+',
        help='KITTI Road folder, rendered, kitti:PATH, camvid:PATH, folder:PATH, ...')
    add('--split', default=None,
        help='names of the images to score: a file in SET, or for KITTI Road train, val or gap')
    add('--checkpoint', action='append', metavar='FILE',
        help=f'{CHECKPOINT_WORDS}; an exported model (.xml); or another project\'s OpenVINO IR '
             '(.xml) with a description (next to it, shipped, or --description); may be repeated '
             f'(default: {DEFAULT_CHECKPOINT})')
    add('--description', type=Path, metavar='FILE',
        help='YAML file that describes input and output of another project\'s network (example: '
             'config/road-segmentation-adas-0001.yaml)')
    add('--probabilities', type=Path, metavar='DIR',
        help='score the files DIR/NAME.png (8-bit grey, round(255 P(road)), the image\'s size) '
             'instead of running a network')
    add('--threshold', type=float, default=-1.0,
        help='threshold on P(road) for the column "mask" and the scores in metres; -1: the '
             'checkpoint\'s (0.5 for --probabilities without --checkpoint)')
    add('--every', type=int, default=1, metavar='N', help='score every Nth image of each set')
    add('--limit', type=int, default=0, metavar='N',
        help='score at most N images of each set, evenly spread; 0: all')
    add('--corruptions', action='store_true',
        help='also score the images with medium noise, blur, night, fog, rain, glare, a dirty '
             'lens and more, and print how much IoU is lost')
    add('--geometry', action='store_true',
        help='the same for images at 0.5 to 2 times the size, and cropped to 4:3, 16:9, 21:9 and '
             'portrait')
    _add_running(parser)
    _add_reports(parser)
    return parser


def _add_running(parser: argparse.ArgumentParser) -> None:
    """Add the options of running networks."""
    add = parser.add_argument
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network; int8 '
        'needs CHECKPOINT_int8.xml next to the checkpoint, which the packaged ones have')
    add('--network-height', type=int, default=0,
        help='rows of the network\'s input; 0: as in the checkpoint; not for another project\'s '
             'network')


def _add_reports(parser: argparse.ArgumentParser) -> None:
    """Add the options of printing and writing."""
    add = parser.add_argument
    add('--view', default='both', choices=list(VIEWS),
        help='the tables to print for one network on one set')
    add('--json', action='store_true', help='print all results as JSON instead of tables')
    add('--markdown', type=Path, metavar='FILE', help='write the tables to a Markdown file')
    add('--plots', type=Path, metavar='DIR',
        help='write precision_recall.png, reliability.png, worst.png (the ten worst images: true '
             'positives green, false positives red, false negatives blue) and, for several '
             'classes, confusion.png')
    add('--submission', type=Path, metavar='DIR',
        help='write the archive of bird\'s-eye probability images for the benchmark\'s server: of '
             'SET/testing if it exists, else of the scored images')


if __name__ == '__main__':
    sys.exit(main())
