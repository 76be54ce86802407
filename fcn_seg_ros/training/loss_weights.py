# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The settings of the loss."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from fcn_seg_ros.errors import InputError


@dataclass(frozen=True)
class LossWeights:
    """
    The weight of each term of the loss; ``class_weights`` weighs the pixels of each class.

    Raises InputError for numbers out of range.
    """

    cross_entropy: float = field(default=1.0, metadata={'help': 'weight of the cross entropy'})
    dice: float = field(default=0.0, metadata={
        'help': 'weight of the Dice term, the mean over the batches of each process'})
    lovasz: float = field(default=0.0, metadata={
        'help': 'weight of the Lovasz-softmax term, the mean over the batches of each process'})
    class_weights: tuple[float, ...] = field(default=(1.0,), metadata={
        'help': 'weight of a pixel of each class in the cross entropy, in the order of the '
                'classes, or one number for all'})
    label_smoothing: float = field(default=0.0, metadata={
        'help': 'share of the target of the cross entropy that is spread over all classes'})

    def __post_init__(self) -> None:
        """Check the weights."""
        parts = (self.cross_entropy, self.dice, self.lovasz)
        if not all(0 <= part < math.inf for part in parts) or max(parts) == 0:
            raise InputError('loss: expected weights from 0, cross_entropy, dice or lovasz '
                             f'above 0, found {parts}')
        if not self.class_weights or not 0 < min(self.class_weights) <= max(
                self.class_weights) < math.inf:
            raise InputError('class_weights: expected numbers above 0, found '
                             f'{self.class_weights}')
        if not 0 <= self.label_smoothing < 1:
            raise InputError('label_smoothing: expected at least 0 and less than 1, found '
                             f'{self.label_smoothing}')
