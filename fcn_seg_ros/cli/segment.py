# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``segment``."""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.datasets.images import IMAGE_SUFFIXES, read_rgb
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.inference.backends import PRECISIONS
from fcn_seg_ros.inference.postprocess import draw_overlay
from fcn_seg_ros.inference.segmentation import optional_threshold
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT, find_checkpoint

DESCRIPTION = """\
Segment every image of a folder and write what an outside program can read.

One PNG per image, of the same name (suffix .png) and size, in each folder asked for: the road
probability (8-bit grey, round(255 P(road))), the mask (8-bit grey, class ids: 0 not road, 1 road)
or the image with the road tinted. A file is whole or not there."""

EPILOG = """\
examples:
  segment ~/kitti_road/training/image_2 --probability out
  segment photos --mask masks --overlay overlays --checkpoint runs/first/checkpoint.safetensors"""

OUTPUTS = {'probability': 'road probability', 'mask': 'mask', 'overlay': 'image with the road'}
_ALPHA = 0.5


def main(args: Sequence[str] | None = None) -> int:
    """Segment a folder of images."""
    return run_main('segment', args, lambda given: _segment(_parser().parse_args(given)))


def _parser() -> argparse.ArgumentParser:
    parser = make_parser('segment', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('folder', metavar='FOLDER', type=Path, help='folder of PNG, JPEG or TIFF images '
        '(EXIF orientation is ignored)')
    for name, what in OUTPUTS.items():
        add(f'--{name}', type=Path, metavar='OUT', help=f'folder for the {what} of each image')
    add('--checkpoint', help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--threshold', type=float, default=-1.0,
        help='of mask and overlay, on P(road); -1: the checkpoint\'s')
    add('--device', default='auto', help='auto, cpu, cuda or cuda:N')
    add('--precision', default='auto', choices=PRECISIONS, help='arithmetic of the network; '
        'int8: that of the file CHECKPOINT_int8.xml beside it, as the packaged one has it')
    add('--network-height', type=int, default=0, help='rows of its input, 0: the checkpoint\'s')
    return parser


def _segment(options: argparse.Namespace) -> None:
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
    """Return the folders asked for; raises InputError where files would overwrite one another."""
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
    """Return the images of a folder; raises InputError for none, and for two of one stem."""
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


if __name__ == '__main__':
    sys.exit(main())
