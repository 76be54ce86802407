# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``pick``."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from fcn_seg_ros.cli.common import topic_names
from fcn_seg_ros.cli.notes import NotePrinter
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.drives.drive import Drive
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.pick_choice import choose
from fcn_seg_ros.offline.pick_drives import PickDrives
from fcn_seg_ros.offline.pick_folder import open_folder
from fcn_seg_ros.offline.pick_scores import LOOK_PARTS
from fcn_seg_ros.resources import find_checkpoint

_ALONE = 'none'


def run(options: argparse.Namespace) -> None:
    """Pick the frames."""
    _check(options)
    say = NotePrinter('pick')
    topics = topic_names(options.topics)
    drives = [open_drive(each, topics=topics, rate_hz=options.rate, on_note=say)
              for each in options.inputs]
    with open_folder(options.out, find_checkpoint(options.checkpoint).stem) as folder:
        say.start()
        work = PickDrives(drives, _networks(options), say)
        with progress_bar('pick: scored', _length(drives, options.every)) as done:
            work.score(options.every, done)
        picks, apart_s = choose(work.scores, options.frames, options.apart, LOOK_PARTS)
        with progress_bar('pick: wrote', len(picks)) as done:
            work.take(picks, folder, done)
    print(f'picked {len(picks)} of {len(work.scores)} frames: {options.out}')
    if len(picks) < min(options.frames, len(work.scores)):
        print('pick: the others look exactly like these', file=sys.stderr)
    elif apart_s < options.apart:
        print(f'pick: too few frames are {options.apart:g} s apart; some of these are '
              f'{apart_s:.3g} s apart', file=sys.stderr)


def _networks(options: argparse.Namespace) -> list[RoadSegmenter]:
    names = [options.checkpoint]
    if options.second != _ALONE:
        names.append(options.second)
    paths = [find_checkpoint(name) for name in names]
    if len(set(paths)) < len(paths):
        raise InputError(f'--second: expected another network than --checkpoint, or {_ALONE}, '
                         f'found {options.second} for both')
    return [RoadSegmenter(path, options.device) for path in paths]


def _length(drives: Sequence[Drive], every: int) -> int | None:
    lengths = [drive.length for drive in drives]
    known = [-(-length // every) for length in lengths if length is not None]
    return sum(known) if len(known) == len(lengths) else None


def _check(options: argparse.Namespace) -> None:
    """Raise InputError for options out of range."""
    for name in ('frames', 'every'):
        if getattr(options, name) < 1:
            raise InputError(f'--{name}: expected at least 1, found {getattr(options, name)}')
    if not 0.0 <= options.apart < math.inf:
        raise InputError(f'--apart: expected 0 or more seconds, found {options.apart:g}')
