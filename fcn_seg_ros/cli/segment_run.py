# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``segment``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.segment import OUTPUTS, VIDEO
from fcn_seg_ros.cli.stopping import stoppable
from fcn_seg_ros.datasets.frames import VIDEO_SUFFIXES
from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES
from fcn_seg_ros.drives.pictures import Picture, open_pictures
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.inference.segmentation import Segmentation, optional_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import find_checkpoint
from fcn_seg_ros.stop_signal import StopSignal

_DRAW: dict[str, Callable[[np.ndarray, Segmentation], np.ndarray]] = {
    'probability': lambda image, result: result.probability,
    'mask': lambda image, result: result.mask,
    'overlay': lambda image, result: result.overlay(image),
    'image': lambda image, result: image,
}

# Names of files, which are no names for folders.
_FILES = (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES)
_OR_VIDEO = {'overlay': f' or a {VIDEO} file'}


def run(options: argparse.Namespace) -> int:
    """Segment the inputs; returns 1 if some were left out, 128 + signal number if interrupted."""
    if options.output is not None:
        _check_alone(options)
        from fcn_seg_ros.cli import segment_recordings
        return segment_recordings.run(options)
    for name, (option, default) in options.of_recordings.items():
        if getattr(options, name) != default:
            raise InputError(f'{option}: expected --output as well, which it belongs to, found '
                             'none')
    outputs = _outputs(options)
    source = open_pictures(options.inputs, options.every, options.frames)
    segmenter = RoadSegmenter(find_checkpoint(options.checkpoint), options.device,
                              options.precision, options.network_height,
                              optional_threshold(options.threshold), options.threads,
                              options.backend)
    video = outputs.pop('overlay') if _is_video(options.overlay) else None
    for folder in outputs.values():
        make_folder(folder)
    work = _Work(segmenter, outputs)
    with stoppable() as stopped, progress_bar('segment', source.length) as done:
        results = work.results(source.pictures, stopped, done)
        if video is None:
            for _ in results:
                pass
        else:
            _write_video(video, results, source.rate_hz)
    places = [*outputs.values(), *([video] if video else [])]
    print(f'wrote {work.written} {"image" if work.written == 1 else "images"}'
          f'{" each" if len(places) > 1 else ""} to {", ".join(map(str, places))}')
    if work.faults:
        print(f'segment: left out {work.faults} of {work.written + work.faults} images, named '
              'above', file=sys.stderr)
    if stopped():
        print('segment: interrupted', file=sys.stderr)
    return stopped.status or bool(work.faults)


class _Work:
    """Segments pictures and writes files; counts those written and those left out."""

    def __init__(self, segmenter: RoadSegmenter, folders: Mapping[str, Path]) -> None:
        self._segmenter = segmenter
        self._folders = folders
        self.written = self.faults = 0

    def results(self, pictures: Iterator[Picture], stopped: StopSignal, done: Callable[[], None]
                ) -> Iterator[tuple[float, Callable[[], np.ndarray]]]:
        """Yield the seconds of each picture, and what draws its overlay, once it is written."""
        for picture in pictures:
            result = self._segment(picture)
            if result is not None and picture.image is not None:
                for name, folder in self._folders.items():
                    write_file(folder / f'{picture.name}.png',
                               encode_png(_DRAW[name](picture.image, result)))
                self.written += 1
                image = picture.image
                yield picture.seconds, lambda: result.overlay(image)  # noqa: B023
            done()
            if stopped():
                return

    def _segment(self, picture: Picture) -> Segmentation | None:
        """Return the result, or print why there is none."""
        fault = picture.fault
        if picture.image is not None:
            try:
                return self._segmenter.segment(picture.image)
            except InputError as error:
                fault = f'{picture.source}: {error}'
        print(f'segment: left out: {fault}', file=sys.stderr, flush=True)
        self.faults += 1
        return None


def _write_video(path: Path, results: Iterator[tuple[float, Callable[[], np.ndarray]]],
                 rate_hz: float) -> None:
    from fcn_seg_ros.drives.video_writer import write_video
    make_folder(path.parent)
    try:
        write_video(path, ((seconds, draw()) for seconds, draw in results), rate_hz)
    except OSError as error:
        raise InputError(f'{path}: cannot be written ({error.strerror})') from None


def _check_alone(options: argparse.Namespace) -> None:
    for name in OUTPUTS:
        if getattr(options, name) is not None:
            raise InputError(f'--{name}: expected --output without it (--png and --video write '
                             'pictures of recordings), found both')


def _is_video(path: Path | None) -> bool:
    return path is not None and path.suffix.lower() == VIDEO and not path.is_dir()


def _outputs(options: argparse.Namespace) -> dict[str, Path]:
    """Return the requested outputs; raises InputError if files would overwrite one another."""
    outputs = {name: getattr(options, name) for name in OUTPUTS if getattr(options, name)}
    if not outputs:
        raise InputError('expected at least one of '
                         f'{", ".join(f"--{name}" for name in OUTPUTS)}, or --output for a '
                         'recording, found none')
    taken = {Path(given).expanduser().resolve(): 'INPUT' for given in options.inputs}
    taken |= {path.parent: 'the folder of INPUT' for path in list(taken) if path.is_file()}
    for name, path in outputs.items():
        if name != 'overlay' and _is_video(path):
            raise InputError(f'--{name}: expected a folder, since a video changes values, found '
                             f'{path}')
        if path.suffix.lower() in _FILES and not (path.is_dir() or _is_video(path)):
            raise InputError(f'--{name}: expected a folder{_OR_VIDEO.get(name, "")}, found {path}; '
                             'each image becomes NAME.png in the folder')
        if path.resolve() in taken:
            raise InputError(f'--{name}: expected a place of its own, found {path}, which is '
                             f'{taken[path.resolve()]}')
        taken[path.resolve()] = f'--{name}'
    return outputs
