# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of ``segment --output``: recordings, each into the folder of a run."""

from __future__ import annotations

import argparse
import os
import sys
from functools import cache, partial
from pathlib import Path

from fcn_seg_ros.allocator import limit_arenas
from fcn_seg_ros.cli.common import comma_separated, topic_names
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.stopping import stoppable
from fcn_seg_ros.drives.folder import is_image
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmentation import SegmentOptions, optional_threshold
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.network_choice import NetworkChoice
from fcn_seg_ros.offline.outputs import Wanted
from fcn_seg_ros.offline.recording import Recording
from fcn_seg_ros.offline.run import Outcome, segment_recording
from fcn_seg_ros.offline.run_folder import ERRORS
from fcn_seg_ros.offline.source import Selection
from fcn_seg_ros.outputs.frame import OutputOptions
from fcn_seg_ros.resources import find_checkpoint


def run(options: argparse.Namespace) -> int:
    """
    Segment recordings; returns 0 if every image has a mask, 1 if some were lost.

    2 if a recording could not be read or written: the others are segmented all the same; 128 +
    signal number if interrupted.
    """
    limit_arenas()
    job, places = _job(options), _places(options.inputs, options.output)
    find_checkpoint(options.checkpoint)  # a wrong name is told first
    choice = NetworkChoice(options.checkpoint, options.device, options.precision,
                           options.network_height, optional_threshold(options.threshold),
                           options.threads, options.backend)
    if options.ray is not None:
        from fcn_seg_ros.cli import segment_archive
        return segment_archive.run(options.ray, places, job, choice)
    # Loaded once a recording is open: a wrong path is told before.
    load = cache(choice.load)
    status = 0
    with stoppable() as stopped:
        for given, output in places.items():
            try:
                recording = Recording(given, job)
                outcome = segment_recording(recording, output, *load(),
                                            partial(progress_bar, Path(given).name), stopped)
            except InputError as error:
                if len(places) == 1:
                    raise
                status = max(status, tell(output, error))
                continue
            status = max(status, tell(output, outcome))
            if not outcome.complete:
                return stopped.status
    return status


def tell(output: Path, outcome: Outcome | InputError) -> int:
    """Print how a run ended; returns 1 if images were lost, 2 if it failed."""
    if isinstance(outcome, InputError):
        print(f'segment: error: {outcome}', file=sys.stderr, flush=True)
        return 2
    if not outcome.complete:
        print(f'segment: interrupted after {outcome.frames} masks; the same command resumes there',
              file=sys.stderr)
        return 0
    resumed = f' ({outcome.resumed} of them before)' if outcome.resumed else ''
    masks = 'mask' if outcome.frames == 1 else 'masks'
    print(f'wrote {outcome.frames} {masks}{resumed} to {output}')
    if outcome.errors:
        more = ' or more' if outcome.more_lost else ''
        images = 'image' if outcome.lost == 1 and not more else 'images'
        lost = (f'{outcome.lost}{more} {images} lost' if outcome.lost or more
                else 'no image lost, with notes')
        print(f'segment: {lost}; see {output / ERRORS}', file=sys.stderr)
    return int(outcome.lost > 0 or outcome.more_lost)


def _job(options: argparse.Namespace) -> Job:
    if not 1 <= options.jpeg_quality <= 100:
        raise InputError(f'--jpeg-quality: expected 1 to 100, found {options.jpeg_quality}')
    for name in ('topics', 'png'):
        given = getattr(options, name)
        if given is not None and not comma_separated(given):
            raise InputError(f'--{name}: expected names, with commas, found none')
    return Job(
        Selection(topic_names(options.topics), options.every, options.frames, options.start,
                  options.end),
        Wanted(comma_separated(options.write), comma_separated(options.png), options.video),
        SegmentOptions(unknown_below=options.unknown_below),
        OutputOptions(base_frame=options.base_frame, jpeg_quality=options.jpeg_quality),
        None if options.no_bag else options.bag, options.humble, options.originals,
        tuple(options.pose) if options.pose else None, options.batch, options.part_frames)


def _places(inputs: list[str], output: Path) -> dict[str, Path]:
    """Return the folder of each recording's run: ``output``, or below it if there are several."""
    if len(inputs) == 1:
        return {inputs[0]: output}
    places: dict[str, Path] = {}
    for given in inputs:
        if is_image(Path(given)):
            raise InputError(f'--output: expected recordings, found the image {given}: put images '
                             'into a folder, or give --mask instead')
        # The name of `.` and `..` is that of the folder.
        name = Path(os.path.abspath(Path(given).expanduser())).name
        if not name:
            raise InputError(f'{given}: expected recordings with names, found none')
        place = output / name
        if place in places.values():
            raise InputError(f'{given}: expected recordings of different names, found another of '
                             'this name')
        places[given] = place
    return places
