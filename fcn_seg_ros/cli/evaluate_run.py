# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fcn_seg_ros.cli.evaluate_sets import (
    OpenSet,
    compare_sets,
    open_set,
    score_sets,
    titles_of,
)
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.tables import print_tables
from fcn_seg_ros.datasets.registry import only_test_images, parse_spec
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import Evaluation
from fcn_seg_ros.evaluation.networks import Contestant, Setting, open_network
from fcn_seg_ros.evaluation.plots import write_plots
from fcn_seg_ros.evaluation.predictors import Foreign, Predictor, StoredProbabilities
from fcn_seg_ros.evaluation.report import Table, markdown, tables
from fcn_seg_ros.evaluation.robustness import Robustness
from fcn_seg_ros.evaluation.submission import (
    birds_eye_probabilities,
    write_submission,
)
from fcn_seg_ros.evaluation.variants import corruptions, geometry
from fcn_seg_ros.evaluation.views import BIRDS_EYE
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.inference.segmentation import optional_threshold, resolve_threshold
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.resources import DEFAULT_CHECKPOINT, find_checkpoint


def run(options: argparse.Namespace) -> None:
    """Score, print and write the reports."""
    variants = ((corruptions() if options.corruptions else [])
                + (geometry() if options.geometry else []))
    if variants and options.probabilities:
        raise InputError('--corruptions and --geometry need a network to segment changed images, '
                         'found --probabilities')
    alone = len(options.data) == len(options.checkpoint or [DEFAULT_CHECKPOINT]) == 1
    for name in ('plots', 'submission'):
        if getattr(options, name) and not alone:
            networks = options.checkpoint or [DEFAULT_CHECKPOINT]
            raise InputError(f'--{name}: expected one set and one network, found '
                             f'{len(options.data)} and {len(networks)}')
    if options.submission and _submitted_alone(options):
        return
    # Before the networks, which may take long to load, so that a wrong set shows at once.
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
        _write_submission(options.submission, sets[0].dataset.submission_images(),
                          networks[0].predictor)


def _submitted_alone(options: argparse.Namespace) -> bool:
    """Write the submission of a set that has nothing to score; returns whether that is so."""
    images = only_test_images(parse_spec(options.data[0]))
    if images:
        for name in ('split', 'json', 'markdown', 'plots', 'corruptions', 'geometry'):
            if getattr(options, name):
                raise InputError(f'--{name}: expected images with a ground truth, found the test '
                                 f'set of {options.data[0]} alone')
        _write_submission(options.submission, images, _networks(options)[0].predictor)
    return bool(images)


def _views(options: argparse.Namespace, part: OpenSet, result: Evaluation) -> list[Table]:
    """Print and return the scores in the requested views."""
    if options.view == BIRDS_EYE and result.birds_eye is None:
        raise InputError(f'--view {BIRDS_EYE}: expected calib files in {part.spec.root}, found '
                         'none for the images scored')
    parts = tables(result, options.view)
    if not options.json:
        print_tables(parts)
    return parts


def _found(sets: Sequence[OpenSet], networks: Sequence[Contestant],
           results: list[list[Evaluation]], lost: list[list[Robustness]]) -> list[dict[str, Any]]:
    """Return all results of each network on each set."""
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
            raise InputError('--probabilities: expected at most one --checkpoint, to take its '
                             f'threshold, found {len(given)}')
        own = read_checkpoint(find_checkpoint(given[0])).info.threshold if given else 0.5
        threshold = resolve_threshold(optional_threshold(options.threshold), own)
        return [Contestant(options.probabilities.name,
                           StoredProbabilities(options.probabilities, threshold),
                           {'probabilities': str(options.probabilities)})]
    setting = Setting(options.device, options.precision, options.network_height,
                      optional_threshold(options.threshold), options.description)
    networks = [open_network(each, setting) for each in given or [DEFAULT_CHECKPOINT]]
    if options.description and not any(isinstance(n.predictor, Foreign) for n in networks):
        raise InputError('--description is for another project\'s network (.xml) as --checkpoint, '
                         f'found {", ".join(given) or DEFAULT_CHECKPOINT}')
    return networks


def _write_submission(folder: Path, images: Sequence[Path], predictor: Predictor) -> None:
    with progress_bar('submission', len(images)) as done:
        archive = write_submission(folder, birds_eye_probabilities(images, predictor, done))
    print(f'wrote {archive} ({len(images)} images of {images[0].parent.parent.name})',
          file=sys.stderr)
