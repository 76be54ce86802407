# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The categories of a set's images (kinds of road, or drives), according to their names."""

from __future__ import annotations

from collections.abc import Sequence

from fcn_seg_ros.datasets.kitti_road import CATEGORIES


def categories_of(names: Sequence[str]) -> list[str]:
    """
    Return the category of each image, '' where a set has none.

    It is the part before the first ``_``: ``um`` in KITTI Road's ``um_000061``, ``0016E5`` in
    CamVid's ``0016E5_07959``. If most images would have their own category (``0001``, ``12_left``)
    there is none.
    """
    prefixes = [name.partition('_')[0] if '_' in name else '' for name in names]
    found = set(prefixes)
    if found <= set(CATEGORIES) or 2 * len(found) <= len(names):
        return prefixes
    return [''] * len(names)
