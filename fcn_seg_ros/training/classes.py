# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The classes that a run learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.class_labels import Coded, LabelCodes, check_labelled
from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.training.config import TrainingConfig


def with_classes(config: TrainingConfig, datasets: Sequence[RoadDataset]) -> TrainingConfig:
    """
    Return a configuration that holds its classes, and no longer the name of their file.

    Raises InputError for a class that no dataset labels, and for class weights of another number.
    """
    classes, weights = config.class_list, config.loss.class_weights
    if len(weights) not in (1, len(classes.names)):
        raise InputError(f'class_weights: expected one number or {len(classes.names)}, one for '
                         f'each class ({", ".join(classes.names)}), found {len(weights)}')
    if not config.classes:
        return config
    unknown = check_labelled(classes, datasets)
    if unknown:
        print(f'classes: not in {", ".join(classes.names)}, so left out of the loss: '
              f'{", ".join(unknown)}', flush=True)
    return dataclasses.replace(config, classes=classes.text)


def coded(config: TrainingConfig, mixture: Mixture) -> Mixture:
    """Return the datasets labelled with the classes of a run; as they are for road alone."""
    if not config.classes:
        return mixture
    codes = LabelCodes(config.class_list)
    return Mixture([Coded(part, codes) for part in mixture.parts], mixture.weights)
