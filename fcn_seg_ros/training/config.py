# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What a training run is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from fcn_seg_ros.datasets.transforms import Augmentation
from fcn_seg_ros.errors import InputError

# Lightning's names; the weights themselves stay in fp32.
PRECISIONS = ('32-true', 'bf16-mixed', '16-mixed')

CLASSES = ('not road', 'road')
ROAD_IDS = (1,)
PALETTE = ((0, 0, 0), (0, 200, 80))

# How each family of pretrained weights wants its input, as (mean, std, channel order) in units of
# pixel value / 255; the names are those of Keras' preprocess_input.
INPUT_CONVENTIONS = {
    'torch': ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), 'rgb'),
    'tf': ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 'rgb'),
    'caffe': ((103.939 / 255, 116.779 / 255, 123.68 / 255), (1 / 255,) * 3, 'bgr'),
}


@dataclass(frozen=True)
class TrainingConfig:
    """
    Every setting of a run.

    ``weight_decay`` is decoupled (AdamW: each step shrinks the weights by learning rate times
    weight decay, which is the L2 regularisation); biases and norms are left out of it.
    ``freeze_norm`` keeps the statistics of pretrained batch norms, for which batches of a few
    images are too small. ``average_decay`` is that of the moving average of the weights, 0 for
    none.
    """

    encoder: str = 'mobilenet_v2'
    decoder: str = 'fcn8s'
    epochs: int = 60
    batch_size: int = 8
    learning_rate: float = 1e-3
    weight_decay: float = 1e-2
    warmup: float = 0.05
    average_decay: float = 0.99
    freeze_norm: bool = True
    precision: str = 'bf16-mixed'
    seed: int = 0
    validate_every: int = 5
    workers: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        """Refuse numbers that no run can have."""
        for name in ('epochs', 'batch_size', 'validate_every'):
            if getattr(self, name) < 1:
                raise InputError(f'{name}: expected at least 1, found {getattr(self, name)}')
        if self.learning_rate <= 0 or self.weight_decay < 0:
            raise InputError('learning_rate and weight_decay: expected above 0 and not below 0, '
                             f'found {self.learning_rate} and {self.weight_decay}')
        if self.precision not in PRECISIONS:
            raise InputError(f'precision: expected one of {", ".join(PRECISIONS)}, '
                             f'found {self.precision!r}')
        if not 0 <= self.average_decay < 1:
            raise InputError(f'average_decay: expected 0 to below 1, found {self.average_decay}')
