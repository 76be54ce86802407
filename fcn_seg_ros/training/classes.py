# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The classes that a run learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.class_labels import (
    Coded,
    LabelCodes,
    check_labelled,
    names_in,
)
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.processes import say
from fcn_seg_ros.training.config import TrainingConfig


def with_classes(config: TrainingConfig, datasets: Sequence[RoadDataset]) -> TrainingConfig:
    """
    Return a configuration with the classes instead of the name of their file.

    Raises InputError for a class that no dataset labels, and for class weights of another number.
    """
    classes, weights = config.class_list, config.loss.class_weights
    if len(weights) not in (1, len(classes.names)):
        raise InputError(f'class_weights: expected one number or {len(classes.names)}, one for '
                         f'each class ({", ".join(classes.names)}), found {len(weights)}')
    if not config.classes:
        if config.rarity:
            raise InputError(f'rarity: expected classes, found {config.rarity} without any')
        return config
    unknown = check_labelled(classes, datasets)
    if unknown:
        say(f'classes: not in {", ".join(classes.names)}, so left out of the loss: '
            f'{", ".join(unknown)}')
    return dataclasses.replace(config, classes=classes.text)


def coded(config: TrainingConfig, datasets: Sequence[RoadDataset]) -> list[RoadDataset]:
    """Return datasets labelled with a run's classes, unchanged if the only class is road."""
    if not config.classes:
        return list(datasets)
    codes = LabelCodes(config.class_list)
    return [Coded(part, codes) for part in datasets]


def repeat_factors(config: TrainingConfig, datasets: Sequence[RoadDataset]
                   ) -> list[np.ndarray] | None:
    """
    Return how often the samples of each dataset are used compared with others, None for alike.

    A class in a share f of the images asks for a factor of sqrt(rarity / f), at least 1; an image
    gets the largest factor of the classes that it shows. Repeat factor sampling of Gupta, Dollar,
    Girshick, "LVIS", CVPR 2019. Datasets of road and not road do not count.
    Raises InputError if there are no others.
    """
    if not config.rarity:
        return None
    classes = config.class_list
    codes = LabelCodes(classes)
    shown = [np.zeros((len(dataset), len(classes.names)), bool) for dataset in datasets]
    for dataset, rows in zip(datasets, shown, strict=True):
        if names_in(dataset) is None:
            continue
        for index, row in enumerate(rows):
            found = dataset.classes(index)
            if found is not None:
                present = np.unique(codes.of_names(found.names)[found.ids])
                row[present[present < len(row)]] = True
    if not any(rows.any() for rows in shown):
        raise InputError(f'rarity: expected a dataset with classes, found {config.rarity} with '
                         'only road and not road')
    together = np.concatenate([rows[rows.any(axis=1)] for rows in shown])
    share = np.maximum(together.mean(axis=0), 1 / max(1, len(together)))
    factors = np.sqrt(np.maximum(1, config.rarity / share))
    return [np.where(rows, factors, 1.0).max(axis=1, initial=1.0) for rows in shown]
