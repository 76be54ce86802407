# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Cityscapes in its official layout, with the ids of its masks ``labelIds``.

Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016.
"""

from __future__ import annotations

from pathlib import Path

from fcn_seg_ros.datasets.class_file import ClassList, Colour, NamedClass, Source
from fcn_seg_ros.datasets.options import DatasetOptions, FolderOptions
from fcn_seg_ros.datasets.plain_folder import PlainFolder

# The 19 classes of the benchmark by id; road users have the names that all datasets share.
_CLASSES: dict[int, tuple[str, Colour]] = {
    7: ('road', (128, 64, 128)), 8: ('pavement', (244, 35, 232)), 11: ('building', (70, 70, 70)),
    12: ('wall', (102, 102, 156)), 13: ('fence', (190, 153, 153)), 17: ('pole', (153, 153, 153)),
    19: ('traffic light', (250, 170, 30)), 20: ('sign', (220, 220, 0)),
    21: ('vegetation', (107, 142, 35)), 22: ('terrain', (152, 251, 152)),
    23: ('sky', (70, 130, 180)), 24: ('pedestrian', (220, 20, 60)), 25: ('cyclist', (255, 0, 0)),
    26: ('car', (0, 0, 142)), 27: ('lorry', (0, 0, 70)), 28: ('bus', (0, 60, 100)),
    31: ('train', (0, 80, 100)), 32: ('motorcycle', (0, 0, 230)), 33: ('bicycle', (119, 11, 32))}
_IDS = range(34)
CLASSES = ClassList(
    tuple(NamedClass(name, colour, name == 'road', Source(ids=(number,)))
          for number, (name, colour) in _CLASSES.items()),
    Source(ids=tuple(number for number in _IDS if number not in _CLASSES)))


class Cityscapes(PlainFolder):
    """
    The images in ``leftImg8bit`` with the masks in ``gtFine``; a split is a folder below them.

    Ids that the benchmark leaves out (void, parking, bridges, tunnels, ...) are not labelled.
    """

    kind = 'cityscapes'
    title = 'Cityscapes'
    licence = 'that of Cityscapes, non-commercial'
    Options = DatasetOptions
    named_by_root = False

    def __init__(self, root: str | Path, split: str | None = None,
                 options: DatasetOptions | None = None, strict: bool = True) -> None:
        inner = split is not None and (Path(root) / 'leftImg8bit' / split).is_dir()
        part = f'/{split}' if inner else ''
        super().__init__(root, None if inner else split, FolderOptions(
            images=f'leftImg8bit{part}', masks=f'gtFine{part}', image_suffix='_leftImg8bit',
            suffix='_gtFine_labelIds'), strict, CLASSES)
