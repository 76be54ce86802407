# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.cli.evaluate_sets import (
    OpenSet,
    compare_sets,
    open_set,
    score_sets,
    titles_of,
)
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import print_tables
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import BIRDS_EYE, Evaluation
from fcn_seg_ros.evaluation.networks import Contestant, Setting, open_network
from fcn_seg_ros.evaluation.plots import write_plots
from fcn_seg_ros.evaluation.predictors import Foreign, Predictor, StoredProbabilities
from fcn_seg_ros.evaluation.report import VIEWS, Table, markdown, tables
from fcn_seg_ros.evaluation.robustness import Robustness
from fcn_seg_ros.evaluation.submission import (
    birds_eye_probabilities,
    submission_images,
    write_submission,
)
from fcn_seg_ros.evaluation.variants import corruptions, geometry
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.inference.segmentation import optional_threshold, resolve_threshold
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT, find_checkpoint

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
    return run_main('evaluate', args, lambda given: _evaluate(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
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


def _evaluate(options: argparse.Namespace) -> None:
    variants = ((corruptions() if options.corruptions else [])
                + (geometry() if options.geometry else []))
    if variants and options.probabilities:
        raise InputError('--corruptions, --geometry: expected a network, which can segment other '
                         'pictures, found --probabilities')
    alone = len(options.data) == len(options.checkpoint or [DEFAULT_CHECKPOINT]) == 1
    for name in ('plots', 'submission'):
        if getattr(options, name) and not alone:
            networks = options.checkpoint or [DEFAULT_CHECKPOINT]
            raise InputError(f'--{name}: expected one set and one network, found '
                             f'{len(options.data)} and {len(networks)}')
    # Before the networks, which may take long to load.
    sets = [open_set(data, options.split, options.every, options.limit) for data in options.data]
    networks = _networks(options)
    results, parts = score_sets(sets, networks, not options.json)
    if alone:
        parts += _views(options, sets[0], results[0][0])
    lost: list[list[Robustness]] = []
    if variants:
        lost, more = compare_sets(sets, networks, variants, not options.json)
        parts += more
    found = _found(sets, networks, results, lost)
    if options.json:
        print(json.dumps(found[0] if alone else {'results': found}, indent=1))
    if options.markdown:
        setting = networks[0].facts | {'dataset': str(sets[0].spec)} if alone else {}
        make_folder(options.markdown.parent)
        write_file(options.markdown, markdown(setting, parts).encode())
    if options.plots:
        write_plots(options.plots, results[0][0], networks[0].predictor, sets[0].dataset)
    if options.submission:
        _write_submission(options.submission, sets[0].dataset, networks[0].predictor)


def _views(options: argparse.Namespace, part: OpenSet, result: Evaluation) -> list[Table]:
    """Return, and print, the scores in the views that were asked for."""
    if options.view == BIRDS_EYE and result.birds_eye is None:
        raise InputError(f'--view {BIRDS_EYE}: expected calib files in {part.spec.root}, found '
                         'none for the images scored')
    parts = tables(result, options.view)
    if not options.json:
        print_tables(parts)
    return parts


def _found(sets: Sequence[OpenSet], networks: Sequence[Contestant],
           results: list[list[Evaluation]], lost: list[list[Robustness]]) -> list[dict[str, Any]]:
    """Return everything that is known of each network on each set."""
    found = []
    for number, part in enumerate(sets):
        for position, (network, title) in enumerate(zip(networks, titles_of(networks),
                                                        strict=True)):
            robustness = lost[number][position].as_dict() if lost else None
            found.append({'network': title, **network.facts, 'set': part.title,
                          'dataset': str(part.spec), 'split': part.spec.split,
                          **results[number][position].as_dict(), 'robustness': robustness})
    return found


def _networks(options: argparse.Namespace) -> list[Contestant]:
    given = options.checkpoint or []
    if options.probabilities:
        if len(given) > 1:
            raise InputError('--probabilities: expected at most one --checkpoint, whose threshold '
                             f'is taken, found {len(given)}')
        own = read_checkpoint(find_checkpoint(given[0])).info.threshold if given else 0.5
        threshold = resolve_threshold(optional_threshold(options.threshold), own)
        return [Contestant(options.probabilities.name,
                           StoredProbabilities(options.probabilities, threshold),
                           {'probabilities': str(options.probabilities)})]
    setting = Setting(options.device, options.precision, options.network_height,
                      optional_threshold(options.threshold), options.description)
    networks = [open_network(each, setting) for each in given or [DEFAULT_CHECKPOINT]]
    if options.description and not any(isinstance(n.predictor, Foreign) for n in networks):
        raise InputError('--description: expected a foreign network as --checkpoint, found '
                         f'{", ".join(given) or DEFAULT_CHECKPOINT}')
    return networks


def _write_submission(folder: Path, dataset: RoadDataset, predictor: Predictor) -> None:
    if not isinstance(dataset, KittiRoad):
        raise InputError('--submission: expected a KITTI Road folder as SET, found another')
    images = submission_images(Path(dataset.root), dataset.names)
    with progress_bar('submission', len(images)) as done:
        archive = write_submission(folder, birds_eye_probabilities(images, predictor, done))
    print(f'wrote {archive} ({len(images)} images of {images[0].parent.parent.name})',
          file=sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
