# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The options of the datasets, and the help on them.

This module imports nothing heavy, so that a command line can show them at once.
"""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SYNTAX = 'KIND:PATH?option=value&option=value'
# The options that every kind takes.
COMMON = {
    'split': 'names of the samples to use: a text file, in the folder or elsewhere, a name per '
             'line (camvid, cityscapes, yolo: train, val or test; kitti: train, val or gap)',
    'weight': 'how often an epoch sees the images: 0.5 every second one, 2 all twice',
    'from': 'with to: a block of the samples, in percent (from=85)',
    'to': 'its end (to=85)',
    'teacher': '0: the teacher does not label these images',
}


def _option(default: Any, text: str) -> Any:
    """Return a field of options with its help."""
    return field(default=default, metadata={'help': text})


@dataclass(frozen=True)
class DatasetOptions:
    """
    The options of a kind of dataset, which has none; other kinds have a subclass.

    Every field has a default and is an int or a str, or None where it is not given; ``help`` in its
    metadata is what the command lines say about it.
    """


@dataclass(frozen=True)
class FolderOptions(DatasetOptions):
    """Where images and masks lie, and what the values in the masks mean."""

    images: str = _option('images', 'folder of the images in PATH, subfolders included; . is PATH')
    masks: str = _option('masks', 'folder of the masks')
    suffix: str = _option('', 'what a mask is called beyond its image: suffix=_mask for a_mask.png')
    image_suffix: str = _option('', 'what an image is called beyond its mask: '
                                    'image_suffix=_rgb for a_rgb.jpg')
    road: str = _option('', 'values of road in the masks, ids or colours: road=255, road=7,8, '
                            'road=#804080 (default: 1, where masks may hold 0, 1 and 255 = not '
                            'labelled)')
    ignore: str = _option('', 'values that are not labelled (default: 255, if it is an id and '
                              'nothing else)')
    other: str = _option('', 'values that are not road; any further value is then an error '
                             '(default: all others, with road=1 and road=255 only 0)')
    classes: str = _option('', 'classes file (YAML, in PATH or elsewhere) that says what ids or '
                               'colours are, in place of road, ignore and other')
    transparent: str = _option('refuse', 'what transparent pixels are: other (not road), ignore '
                                         'or refuse')
    nearest: int = _option(0, '1: take each pixel for the nearest of the values in road, ignore '
                              'and other, for JPEG masks and soft edges')
    missing: str = _option('refuse', 'skip: images without a mask are left out; refuse: they are '
                                     'errors')
    exif: str = _option('turn', 'turn: images and masks are turned as EXIF says, as every program '
                                'shows them; ignore: taken as they are stored')


@dataclass(frozen=True)
class ShapeOptions(DatasetOptions):
    """Which shapes are road, for COCO, YOLO, LabelMe and CVAT."""

    road: str = _option('road', 'names of the classes that are road, with commas')
    ignore: str = _option('', 'names of those that are not labelled')
    images: str = _option('', 'folder of the images, if they are elsewhere (not yolo)')
    empty: str = _option('skip', 'what images without any shape are: left out (skip) or not road '
                                 '(other, not for a "Segmentation mask" by CVAT)')


@dataclass(frozen=True)
class FramesOptions(DatasetOptions):
    """Which of the frames to take."""

    every: int = _option(1, 'take every Nth frame')


@dataclass(frozen=True)
class RenderedOptions(DatasetOptions):
    """Which drives to render; the last three only for other worlds than the suburb."""

    drives: int = _option(30, 'number of drives')
    frames: int = _option(2, 'frames of each, 2.5 s apart')
    first_seed: int = _option(0, 'seed of the first drive')
    world: str = _option('suburb', 'suburb (seen by KITTI\'s camera), or with any camera and '
                                   'weather: highway, country, city, bridge, tunnel, car_park, '
                                   'all')
    conditions: str | None = _option(None, 'sun, overcast, low_sun, dusk, night, rain, night_rain '
                                           'or fog')
    aspect: str | None = _option(None, '4:3, 16:9, 21:9 or kitti')
    fov: int | None = _option(None, '40 to 120 degrees across')


@dataclass(frozen=True)
class KindHelp:
    """What the help says about a kind: its syntax, what it is, and its options."""

    syntax: str
    what: str
    options: type[DatasetOptions] = DatasetOptions


KINDS = {
    'kitti': KindHelp('kitti:PATH', 'KITTI Road in its official layout, images PNG or JPEG; a '
                                    'plain PATH is the same'),
    'camvid': KindHelp('camvid:PATH', 'CamVid, folders train and trainannot (val, test)'),
    'folder': KindHelp('folder:PATH', 'images and mask files of the same name', FolderOptions),
    'cityscapes': KindHelp('cityscapes:PATH', 'Cityscapes, folders leftImg8bit and gtFine'),
    'coco': KindHelp('coco:PATH', 'a JSON file of COCO, or a folder with one; options as for cvat'),
    'yolo': KindHelp('yolo:PATH', 'polygons of YOLO: images, labels, data.yaml; options as for '
                                  'cvat'),
    'labelme': KindHelp('labelme:PATH', 'JSON files of LabelMe; options as for cvat'),
    'cvat': KindHelp('cvat:PATH', 'an unpacked export by CVAT: "CVAT for images" or "Segmentation '
                                  'mask"', ShapeOptions),
    'frames': KindHelp('frames:PATH', 'a folder of images or a video, without labels, for a '
                                      'teacher', FramesOptions),
    'rendered': KindHelp('rendered', 'rendered drives', RenderedOptions),
}


def option_rows(options: type[DatasetOptions]) -> Iterator[tuple[str, str]]:
    """Yield the name and the help of each option, with its default."""
    for item in dataclasses.fields(options):
        text = str(item.metadata.get('help', ''))
        if item.default not in ('', None) and 'default' not in text:
            text += f' (default: {item.default})'
        yield item.name, text


def datasets_help() -> str:
    """Return the text on datasets for ``--help``, at most 100 columns wide."""
    lines = [f'datasets are {SYNTAX}, in quotes in a shell:']
    for kind in KINDS.values():
        lines += _entry(f'  {kind.syntax}', kind.what, 18)
        for name, text in option_rows(kind.options):
            lines += _entry(f'    {name}=', text, 20)
    lines.append('  and for all of them')
    for name, text in COMMON.items():
        lines += _entry(f'    {name}=', text, 20)
    return '\n'.join(lines)


def _entry(name: str, text: str, indent: int) -> list[str]:
    start = f'{name} '.ljust(indent)
    return textwrap.wrap(start + text, 100, subsequent_indent=' ' * indent,
                         break_on_hyphens=False, drop_whitespace=True)
