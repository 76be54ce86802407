# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A training run, from a configuration to a checkpoint file."""

from __future__ import annotations

import dataclasses
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.callbacks import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    RichProgressBar,
)

from fcn_seg_ros.datasets.base import Joined, RoadDataset
from fcn_seg_ros.datasets.mixture import Mixture
from fcn_seg_ros.datasets.registry import (
    DatasetSpec,
    licences,
    open_dataset,
    open_datasets,
    parse_spec,
    training_data,
)
from fcn_seg_ros.datasets.verify import verify
from fcn_seg_ros.errors import InputError, TrainingError
from fcn_seg_ros.evaluation.networks import Setting, open_network
from fcn_seg_ros.files import make_folder
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_file import NetworkSource, read_checkpoint
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.encoders import INPUT_CONVENTIONS, pretrained_state
from fcn_seg_ros.models.fcn import FCN, make_network
from fcn_seg_ros.training.callbacks import EpochLines, MovingAverage, OverlayPictures
from fcn_seg_ros.training.checks import check_out, check_run, local_processes, nodes
from fcn_seg_ros.training.classes import coded, repeat_factors, with_classes
from fcn_seg_ros.training.config import TrainingConfig, write_config
from fcn_seg_ros.training.data import RoadDataModule, WholeSamples
from fcn_seg_ros.training.loggers import make_loggers
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.record import git_commit, note_start
from fcn_seg_ros.training.start import inherit_metadata, open_start, take_weights
from fcn_seg_ros.training.teacher import Taught, Untaught

RESUME_FILE = 'last.ckpt'
CONFIG_FILE = 'config.yaml'
CHECKPOINT_FILE = 'checkpoint.safetensors'
# The file of the network that a run with ``prune`` starts from.
PRUNED_FILE = 'pruned.safetensors'


@dataclasses.dataclass(frozen=True)
class Parts:
    """
    What a run is made of, before its first step.

    ``config`` holds the content of the classes file; ``info`` describes the checkpoint.
    """

    config: TrainingConfig
    module: SegmentationModule
    data: RoadDataModule
    validation: RoadDataset | None
    info: CheckpointInfo


def train(config: TrainingConfig, out: Path, resume: bool = False) -> Path | None:
    """
    Train a network and return the path of its checkpoint, ``out/checkpoint.safetensors``.

    It holds the last weights, or their moving average; the validation score selects nothing. Of
    several processes only the first writes it, the others return None. The state is saved after
    every epoch: a run killed at any moment resumes after its last whole epoch and ends with the
    weights it would have had. Raises InputError for bad input, and for a folder that already holds
    a run (without ``resume``) or holds none (with it), and TrainingError for a loss that is not a
    number.
    """
    last = out / RESUME_FILE
    check_out(out)
    _check_folder(last, resume)
    parts = assemble(config, out, resume)
    config = parts.config
    make_folder(out)
    write_config(out / CONFIG_FILE, config)
    trainer = make_trainer(config, out, parts.validation)
    if trainer.is_global_zero:
        note_start(out, trainer.world_size)
    _fit(trainer, parts.module, parts.data, last if resume else None)
    if not trainer.is_global_zero:
        return None
    if trainer.current_epoch < config.epochs:
        print(f'stopped after epoch {trainer.current_epoch}: no better val_max_f in '
              f'{config.early_stopping} validations; the last weights count', flush=True)
    path = out / CHECKPOINT_FILE
    try:
        save_checkpoint(path, parts.module.network.to('cpu', torch.float32).eval(), parts.info)
    except ValueError as error:
        raise TrainingError(f'{error}; try a smaller --learning-rate (it is '
                            f'{config.learning_rate:g})') from None
    return path


def assemble(config: TrainingConfig, out: Path, resume: bool = False) -> Parts:
    """Open the data and make the network; raises InputError."""
    if not config.train:
        raise InputError('train: expected at least one dataset, found none')
    specs = [parse_spec(text) for text in config.train]
    mixture = open_datasets(specs)
    config = with_classes(config, mixture.parts)
    scored = [open_dataset(parse_spec(text)) for text in config.val]
    # Report a broken file now, not hours later; the same goes for what the metadata are read from.
    for title, dataset in zip((*map(str, specs), *config.val), (*mixture.parts, *scored),
                              strict=True):
        verify(dataset, title)
        for remark in dataset.remarks:
            print(f'{title}: {remark}', flush=True)
    mixture = Mixture(coded(config, mixture.parts), mixture.weights,
                      repeat_factors(config, mixture.parts))
    validation = Joined(coded(config, scored)) if scored else None
    logging.getLogger('lightning.pytorch').setLevel(logging.WARNING)
    start = _start(config, out, mixture, resume)
    info = describe(config, training_data(specs, mixture), config.licence or licences(specs))
    if start is not None:
        info = inherit_metadata(info, start.info)
    if config.teacher:
        mixture = taught(mixture, specs, config.teacher)
    seed_everything(config.seed, verbose=False)
    network = _network(config, start, resume)
    check_run(config, mixture.epoch_length, network)
    # CPUs and tensor cores convolve fastest with channels last.
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Parts(config, SegmentationModule(network, config),
                 RoadDataModule(mixture, validation, config), validation, info)


def _check_folder(last: Path, resume: bool) -> None:
    if resume and not last.is_file():
        raise InputError(f'{last}: there is no interrupted run to resume')
    if not resume and last.exists():
        raise InputError(f'{last.parent}: already holds a run ({last.name}); resume it or choose '
                         'another folder')


def taught(mixture: Mixture, specs: Sequence[DatasetSpec], teacher: str) -> Mixture:
    """Return a mixture with a teacher's answers for the datasets that want them."""
    predictor = open_network(teacher, Setting()).predictor
    parts: list[RoadDataset] = []
    for part, spec in zip(mixture.parts, specs, strict=True):
        if spec.taught:
            print(f'teacher: labelling {len(part)} images of {spec}', flush=True)
            parts.append(Taught(part, predictor))
        else:
            parts.append(Untaught(part))
    return Mixture(parts, mixture.weights, mixture.repeats)


def describe(config: TrainingConfig, data: str, licence: str) -> CheckpointInfo:
    """Return the metadata of a run's checkpoint, before it is scored."""
    mean, std, order = INPUT_CONVENTIONS[config.resolved_convention]
    first, second = config.skip_scales
    classes = config.class_list
    return CheckpointInfo(
        config.encoder, config.decoder, classes.names, classes.road_ids, classes.palette, mean,
        std, order, config.augmentation.height, (first, second), training_data=data,
        licence=licence, network_pixels=config.augmentation.pixels,
        git_commit=git_commit(), class_sources=classes.sources)


def make_trainer(config: TrainingConfig, out: Path, validation: RoadDataset | None) -> Trainer:
    """Return the Lightning trainer of a run; under torchrun its environment sets the processes."""
    show = sys.stdout.isatty()
    callbacks: list[Callback] = [
        ModelCheckpoint(out, filename=Path(RESUME_FILE).stem, every_n_epochs=1, save_top_k=1,
                        monitor=None, enable_version_counter=False, save_on_train_epoch_end=True),
        RichProgressBar() if show else EpochLines(),
    ]
    if validation is not None:
        callbacks.append(OverlayPictures(WholeSamples(validation, config.augmentation)))
    if config.early_stopping:
        callbacks.append(EarlyStopping('val_max_f', patience=config.early_stopping, mode='max',
                                       check_on_train_epoch_end=False))
    if config.average_decay:
        # Last, as it swaps the averaged weights out again at the end of a validation.
        callbacks.append(MovingAverage(config.average_decay))
    processes = local_processes(config)
    options: dict[str, Any] = {} if validation is not None else {'limit_val_batches': 0}
    if processes * nodes() > 1:
        options['strategy'] = 'ddp'
    return Trainer(
        max_epochs=config.epochs, precision=cast(Any, config.precision), accelerator='auto',
        devices=processes, num_nodes=nodes(),
        callbacks=callbacks, logger=make_loggers(config, out),
        check_val_every_n_epoch=config.validate_every, num_sanity_val_steps=0,
        log_every_n_steps=10,
        accumulate_grad_batches=config.accumulate, use_distributed_sampler=False,
        enable_model_summary=False, enable_progress_bar=show, **options)


def _start(config: TrainingConfig, out: Path, mixture: Mixture, resume: bool
           ) -> NetworkSource | None:
    """Return the network a run starts from: that of init_from, pruned on request."""
    if not config.init_from:
        return None
    if resume and config.prune < 1:
        return read_checkpoint(out / PRUNED_FILE)
    start = open_start(config)
    if config.prune == 1:
        return start
    # torch-pruning is imported only here.
    from fcn_seg_ros.training.pruning import pruned
    network = pruned(load_checkpoint(config.init_from), mixture, config)
    save_checkpoint(out / PRUNED_FILE, network.network, network.info)
    return read_checkpoint(out / PRUNED_FILE)


def _network(config: TrainingConfig, start: NetworkSource | None, resume: bool) -> FCN:
    """Return the network with its pretrained or staged weights; a resumed run loads its own."""
    first, second = config.skip_scales
    weights = None if start is None else start.network.state_dict()
    state = None
    if not resume and weights is None and config.encoder_weights != 'none':
        if config.encoder_weights == 'imagenet' and config.input_convention not in (
                'encoder', 'torch'):
            raise InputError('input_convention: expected torch for torchvision\'s weights, '
                             f'found {config.input_convention}')
        state = pretrained_state(config.encoder, config.encoder_weights)
    network = make_network(config.encoder, config.decoder, len(config.class_list.names), state,
                           (first, second),
                           {name: value.shape for name, value in (weights or {}).items()})
    if start is not None and not resume:
        take_weights(network, config, start)
    return network


def _fit(trainer: Trainer, module: SegmentationModule, data: RoadDataModule, state: Path | None
         ) -> None:
    with warnings.catch_warnings():
        # Lightning warns of few workers, of few batches, and of its own log in the run's folder.
        warnings.filterwarnings('ignore', message='.*exists and is not empty.*')
        warnings.filterwarnings('ignore', message='.*does not have many workers.*')
        warnings.filterwarnings('ignore', message='.*smaller than the logging interval.*')
        # It calls a function of PyTorch that has a new name.
        warnings.filterwarnings('ignore', message='.*LeafSpec.*')
        trainer.fit(module, datamodule=data, ckpt_path=str(state) if state else None,
                    weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
