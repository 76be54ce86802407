# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``segment``."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.segment import OUTPUTS
from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, read_rgb
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.inference.segmentation import optional_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import find_checkpoint

_ALPHA = 0.5


def run(options: argparse.Namespace) -> None:
    """Segment a folder of images."""
    outputs = _outputs(options)
    images = _images(options.folder)
    segmenter = RoadSegmenter(find_checkpoint(options.checkpoint), options.device,
                              options.precision, options.network_height,
                              optional_threshold(options.threshold))
    for folder in outputs.values():
        make_folder(folder)
    info = segmenter.info
    colour = info.palette[info.road_ids[0]]
    with progress_bar('segment', len(images)) as done:
        for path in images:
            image = read_rgb(path)
            result = segmenter.segment(image)
            for name, folder in outputs.items():
                picture = (draw_overlay(image, result.road, colour, _ALPHA) if name == 'overlay'
                           else getattr(result, name))
                write_file(folder / f'{path.stem}.png', encode_png(picture))
            done()
    print(f'wrote {len(images)} images each to {", ".join(map(str, outputs.values()))}')


def _outputs(options: argparse.Namespace) -> dict[str, Path]:
    """Return the requested folders; raises InputError if files would overwrite one another."""
    outputs = {name: getattr(options, name) for name in OUTPUTS if getattr(options, name)}
    if not outputs:
        raise InputError('expected at least one of --probability, --mask and --overlay, '
                         'found none')
    taken = {options.folder.resolve(): 'FOLDER'}
    for name, folder in outputs.items():
        if folder.resolve() in taken:
            raise InputError(f'--{name}: expected a folder of its own, found {folder}, which is '
                             f'{taken[folder.resolve()]}')
        taken[folder.resolve()] = f'--{name}'
    return outputs


def _images(folder: Path) -> list[Path]:
    """Return the images of a folder; raises InputError for none, and for two with the same stem."""
    if not folder.is_dir():
        raise InputError(f'{folder}: expected a folder of images, found '
                         f'{"a file" if folder.exists() else "nothing"}')
    images = sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES
                    and not path.name.startswith('.') and path.is_file())
    if not images:
        raise InputError(f'{folder}: expected images ({", ".join(IMAGE_SUFFIXES)}), found none')
    for first, second in itertools.pairwise(images):
        if first.stem == second.stem:
            raise InputError(f'{second}: expected one image of each name, found {first.name} '
                             'beside it')
    return images
