# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The settings of a training run, from a YAML file and the command line."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcn_seg_ros.datasets.augmentation import Augmentation
from fcn_seg_ros.datasets.class_file import (
    ROAD_CLASSES,
    ClassList,
    parse_classes,
    read_class_file,
)
from fcn_seg_ros.errors import InputError, did_you_mean, quote
from fcn_seg_ros.files import read_file, write_file
from fcn_seg_ros.models.encoders import ENCODERS, INPUT_CONVENTIONS, find_encoder
from fcn_seg_ros.training.loss_weights import LossWeights

OPTIMISERS = ('adamw', 'sgd')
SCHEDULES = ('cosine', 'one_cycle', 'poly', 'constant')
# Lightning's names; the weights themselves stay in fp32.
PRECISIONS = ('32-true', 'bf16-mixed', '16-mixed')
# The extra of the package and the module that it brings have the tracker's name.
TRACKERS = ('wandb', 'mlflow')


@dataclass(frozen=True)
class TrainingConfig:
    """
    The settings of a run; ``help`` in a field's metadata is the text of the command line option.

    Raises InputError, one line with the setting's name, for values out of range.
    """

    train: tuple[str, ...] = field(default=(), metadata={
        'help': 'datasets to train on, KIND:PATH?option=value&...'})
    val: tuple[str, ...] = field(default=(), metadata={
        'help': 'datasets to score every few epochs, and to fit temperature and threshold at the '
                'end; the checkpoint keeps the scores of the first'})
    classes: str = field(default='', metadata={
        'help': 'file with the classes to learn (see docs/how-to/classes.md); none: road and not '
                'road'})
    rarity: float = field(default=0.0, metadata={
        'help': 'images that show a class which is in less than this share of all images are used '
                'more often, by the root of the ratio (Gupta et al., CVPR 2019); needs classes'})
    encoder: str = field(default='mobilenet_v2', metadata={'help': ', '.join(ENCODERS)})
    decoder: str = field(default='fcn8s', metadata={'help': 'fcn32s, fcn16s, fcn8s or fcn4s'})
    skip_scales: tuple[float, ...] = field(default=(1.0, 1.0), metadata={
        'help': 'factors of the stride-16 and stride-8 features; 0.01 0.0001 is the paper\'s "at '
                'once" training of VGG'})
    encoder_weights: str = field(default='imagenet', metadata={
        'help': 'imagenet (downloaded from torchvision), none, or a .pth file with the state dict '
                'of a classifier; for road_adas the .xml of Open Model Zoo\'s '
                'road-segmentation-adas-0001'})
    input_convention: str = field(default='encoder', metadata={
        'help': 'input that the encoder weights expect: torch (ImageNet mean and std), tf '
                '(-1 to 1), lite ((RGB - 127) / 128), bgr255 (BGR, 0 to 255), caffe (BGR minus the '
                'mean), or what is usual for the encoder'})
    init_from: str = field(default='', metadata={
        'help': 'checkpoint to start from, a file, open or general: its encoder, decoder, input '
                'convention and size are the defaults, and every layer that fits is taken'})
    prune: float = field(default=1.0, metadata={
        'help': 'prune the encoder of init_from to this share of its cost; the channels that the '
                'loss misses least for their cost go first'})
    teacher: str = field(default='', metadata={
        'help': 'network whose probabilities are learned beside the labels (distillation): a '
                'checkpoint, an exported model, or a foreign IR with a YAML description; a dataset '
                'with teacher=0 is left out'})
    teacher_weight: float = field(default=1.0, metadata={
        'help': 'weight of the teacher\'s loss relative to that of the labels'})
    frozen_layers: int = field(default=0, metadata={
        'help': 'number of encoder layers to freeze, counted from the image (at most those up to '
                'stride 8)'})
    decoder_first: float = field(default=0.0, metadata={
        'help': 'share of the steps, at the beginning, in which only the decoder learns, so that '
                'its random start does not spoil the encoder (Kumar et al., ICLR 2022)'})
    encoder_rate: float = field(default=1.0, metadata={
        'help': 'learning rate of the encoder relative to the decoder\'s; 0: it is frozen'})
    freeze_norm: bool = field(default=True, metadata={
        'help': 'keep the pretrained statistics of batch norm, since small batches give poor ones'})
    epochs: int = field(default=60, metadata={'help': 'passes over the training images'})
    batch_size: int = field(default=8, metadata={
        'help': 'images of a batch, over all processes together'})
    accumulate: int = field(default=1, metadata={
        'help': 'batches of a step: their gradients add up to that of one large batch'})
    optimiser: str = field(default='adamw', metadata={'help': ' or '.join(OPTIMISERS)})
    learning_rate: float = field(default=1e-3, metadata={'help': 'peak learning rate'})
    momentum: float = field(default=0.9, metadata={'help': 'momentum of sgd'})
    weight_decay: float = field(default=1e-2, metadata={
        'help': 'weight decay of the kernels (not of biases and norms): decoupled in adamw, part '
                'of the gradient in sgd, where 5e-4 is usual'})
    schedule: str = field(default='cosine', metadata={'help': ', '.join(SCHEDULES)})
    warmup: float = field(default=0.05, metadata={
        'help': 'share of the steps in which the learning rate rises to its peak'})
    clip: float = field(default=1.0, metadata={
        'help': 'clip the gradient to this norm; 0: off'})
    average_decay: float = field(default=0.99, metadata={
        'help': 'decay of the moving average of the weights, which is what is saved; 0: save the '
                'last weights'})
    loss: LossWeights = field(default_factory=LossWeights)
    augmentation: Augmentation = field(default_factory=Augmentation)
    precision: str = field(default='bf16-mixed', metadata={
        'help': f'{", ".join(PRECISIONS)}; the weights themselves stay in fp32'})
    licence: str = field(default='', metadata={
        'help': 'licence of the weights, stored in the checkpoint; empty: those of the datasets'})
    seed: int = field(default=0, metadata={
        'help': 'random seed of shuffling, augmentation and layers without pretrained weights'})
    validate_every: int = field(default=5, metadata={'help': 'epochs between validations'})
    early_stopping: int = field(default=0, metadata={
        'help': 'end the run after this many validations without a better val_max_f, with the '
                'last weights; 0: off'})
    trackers: tuple[str, ...] = field(default=(), metadata={
        'help': 'where figures go beside TensorBoard and metrics.csv: '
                f'{", ".join(TRACKERS)}, where installed'})
    workers: int = field(default=1, metadata={
        'help': 'processes that decode and augment images'})
    image_memory: int = field(default=2000, metadata={
        'help': 'MB of decoded images that the workers keep together; those that do not fit are '
                'decoded in every epoch'})
    devices: int = field(default=1, metadata={
        'help': 'number of GPUs, or of CPU processes; under torchrun its own number counts'})

    def __post_init__(self) -> None:
        """Check the values."""
        for name, values in (('optimiser', OPTIMISERS), ('schedule', SCHEDULES),
                             ('precision', PRECISIONS),
                             ('input_convention', ('encoder', *INPUT_CONVENTIONS))):
            if getattr(self, name) not in values:
                raise InputError(f'{name}: expected one of {", ".join(values)}, '
                                 f'found {getattr(self, name)!r}')
        if not 0 <= self.seed < 2**32:
            raise InputError(f'seed: expected 0 to {2**32 - 1}, found {self.seed}')
        self._check_counts()
        for name, low, below in (('learning_rate', 0, 10), ('weight_decay', -1e-99, 10),
                                 ('momentum', -1e-99, 1), ('average_decay', -1e-99, 1),
                                 ('warmup', -1e-99, 1), ('clip', -1e-99, 1e9),
                                 ('teacher_weight', -1e-99, 1e9), ('decoder_first', -1e-99, 1),
                                 ('rarity', -1e-99, 1.01), ('encoder_rate', -1e-99, 1e3)):
            value = getattr(self, name)
            if not low < value < below:
                raise InputError(f'{name}: expected {"more than" if low == 0 else "at least"} 0 '
                                 f'and less than {below:g}, found {value}')
        if not 0 < self.prune <= 1:
            raise InputError(f'prune: expected more than 0 and at most 1, found {self.prune}')
        if self.prune < 1 and not self.init_from:
            raise InputError('prune: expected init_from, a trained network to prune, found none')
        if len(self.skip_scales) != 2 or not all(abs(scale) <= 1e6 for scale in self.skip_scales):
            raise InputError('skip_scales: expected two numbers from -1e6 to 1e6, found '
                             f'{self.skip_scales}')
        for name in self.trackers:
            if name not in TRACKERS:
                raise InputError(f'trackers: expected {" or ".join(TRACKERS)}, found {name!r}')

    def _check_counts(self) -> None:
        for names, least in (
                (('epochs', 'batch_size', 'accumulate', 'validate_every', 'devices'), 1),
                (('frozen_layers', 'workers', 'image_memory', 'early_stopping'), 0)):
            for name in names:
                if getattr(self, name) < least:
                    raise InputError(f'{name}: expected at least {least}, found '
                                     f'{getattr(self, name)}')
                if getattr(self, name) > _LARGEST_COUNT:
                    raise InputError(f'{name}: expected at most {_LARGEST_COUNT}, found '
                                     f'{getattr(self, name)}')
        if self.early_stopping and not self.val:
            raise InputError('early_stopping: expected a dataset to score, val, found none')

    @property
    def class_list(self) -> ClassList:
        """Return the classes to learn; raises InputError for a fault in their file."""
        if not self.classes:
            return ROAD_CLASSES
        # The configuration of a run holds the content of the file, which may move or change.
        if '\n' in self.classes:
            return parse_classes(self.classes, 'classes')
        return read_class_file(self.classes)

    @property
    def resolved_convention(self) -> str:
        """Return the name of the input convention, the encoder's where none is set."""
        if self.input_convention == 'encoder':
            return find_encoder(self.encoder).input_convention
        return self.input_convention


def leaves(kind: type = TrainingConfig) -> dict[str, dataclasses.Field[Any]]:
    """Return all settings by name, those of the loss and the augmentation without a prefix."""
    found: dict[str, dataclasses.Field[Any]] = {}
    for item in dataclasses.fields(kind):
        nested = _NESTED.get(item.name)
        found |= leaves(nested) if nested else {item.name: item}
    return found


def with_values(config: TrainingConfig, values: Mapping[str, Any]) -> TrainingConfig:
    """
    Return the config with some settings replaced, by their names in ``leaves``.

    An integer is accepted for a float, a list for a tuple. Raises InputError for an unknown name
    and for a value of another type.
    """
    known = leaves()
    unknown = [name for name in values if name not in known]
    if unknown:
        raise InputError(f'unknown setting {quote(unknown[0])}'
                         f'{did_you_mean(str(unknown[0]), known)} (train --help lists them all)')
    fitting = {name: _fit(name, default_of(known[name]), value) for name, value in values.items()}
    top = {item.name for item in dataclasses.fields(config)}
    changes: dict[str, Any] = {name: value for name, value in fitting.items() if name in top}
    for name, kind in _NESTED.items():
        names = {item.name for item in dataclasses.fields(kind)}
        inner = {key: value for key, value in fitting.items() if key in names}
        changes[name] = dataclasses.replace(getattr(config, name), **inner)
    return dataclasses.replace(config, **changes)


def read_config(path: str | Path) -> TrainingConfig:
    """Read a YAML file, with sections ``loss`` and ``augmentation``. Raises InputError."""
    return config_with(path, read_settings(path))


def config_with(path: str | Path, settings: Mapping[str, Any]) -> TrainingConfig:
    """Return the configuration with the settings in a file; raises InputError, naming it."""
    try:
        return with_values(TrainingConfig(), settings)
    except InputError as error:
        raise InputError(f'{path}: {error}') from None


def read_settings(path: str | Path) -> dict[str, Any]:
    """
    Return the settings in a YAML file, as in ``leaves``.

    ``classes`` may be the content of a classes file instead of its name. Raises InputError.
    """
    import yaml

    from fcn_seg_ros.yaml_text import parse_yaml
    values = parse_yaml(read_file(Path(path), 'a training configuration', _MOST_BYTES), path)
    if not isinstance(values, dict):
        raise InputError(f'{path}: expected settings by name, found {type(values).__name__}')
    if isinstance(values.get('classes'), dict):
        values['classes'] = yaml.safe_dump(values['classes'], sort_keys=False)
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name in _NESTED and not isinstance(value, dict):
            raise InputError(f'{path}: {name}: expected settings by name, found {quote(value)}')
        flat |= value if name in _NESTED else {name: value}
    return flat


def write_config(path: Path, config: TrainingConfig, notes: Sequence[str] = ()) -> None:
    """Write a config as YAML for ``read_config``, at once, with notes as comments."""
    import yaml
    values = json.loads(json.dumps(dataclasses.asdict(config)))  # lists for tuples
    if '\n' in config.classes:
        values['classes'] = yaml.safe_load(config.classes)
    lines = [*(f'# {note}\n' for note in notes), yaml.safe_dump(values, sort_keys=False)]
    write_file(path, ''.join(lines).encode())


# A configuration has some 2 kB.
_MOST_BYTES = 2**20
_LARGEST_COUNT = 10**9
_NESTED: dict[str, type] = {'loss': LossWeights, 'augmentation': Augmentation}


def default_of(item: dataclasses.Field[Any]) -> Any:
    """Return the default of a setting."""
    return item.default_factory() if callable(item.default_factory) else item.default


def _fit(name: str, default: Any, value: Any) -> Any:
    """Return a value converted to the type of the setting's default."""
    if isinstance(default, tuple):
        items = [value] if isinstance(value, str) else value
        if isinstance(items, (list, tuple)):
            return tuple(_fit(name, default[0], item) for item in items) if default else \
                tuple(str(item) for item in items)
    elif isinstance(default, bool) or isinstance(value, bool):
        if isinstance(default, bool) and isinstance(value, bool):
            return value
    elif isinstance(default, float) and isinstance(value, (int, float, str)):
        with suppress(ValueError, OverflowError):  # YAML takes 1e-3 for a text
            return float(value)
    elif isinstance(value, type(default)):
        return value
    like = f'a value like {default!r}' if default != () else 'a list'
    raise InputError(f'{name}: expected {like}, found {quote(value)}')
