# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A training run, from a configuration to a checkpoint file."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from lightning.pytorch import seed_everything

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
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.networks import Setting, open_network
from fcn_seg_ros.files import make_folder, remove_partial
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.checkpoint_file import NetworkSource, read_checkpoint
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.encoders import INPUT_CONVENTIONS, pretrained_state
from fcn_seg_ros.models.fcn import FCN, make_network
from fcn_seg_ros.processes import is_first, say
from fcn_seg_ros.training.calibrate import finish
from fcn_seg_ros.training.checks import check_labels, check_out, check_run, locked
from fcn_seg_ros.training.classes import coded, repeat_factors, with_classes
from fcn_seg_ros.training.config import TrainingConfig, read_config, write_config
from fcn_seg_ros.training.data import RoadDataModule
from fcn_seg_ros.training.module import SegmentationModule
from fcn_seg_ros.training.record import git_commit, note_start
from fcn_seg_ros.training.start import inherit_metadata, open_start, take_weights
from fcn_seg_ros.training.state import (
    CHECKPOINT_FILE,
    CONFIG_FILE,
    PRUNED_FILE,
    RESUME_FILE,
    RunRecord,
    RunState,
    check_changes,
    check_images,
    described,
    different,
    is_finished,
    is_trained,
    read_notes,
    read_state,
)
from fcn_seg_ros.training.teacher import Taught, Untaught
from fcn_seg_ros.training.trainer import fit, make_trainer


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
    record: RunRecord


def train(config: TrainingConfig, out: Path, resume: bool = False) -> Path | None:
    """
    Train a network and return the path of its checkpoint, ``out/checkpoint.safetensors``.

    It holds the last weights, or their moving average; the validation score selects nothing. Of
    several processes only the first writes it, the others return None. With ``resume`` a run that
    was killed or interrupted at any moment goes on after its last whole epoch, or from the
    beginning, and ends with the weights it would have had; one that is finished stays as it is.
    Raises InputError for bad input, for a folder that already holds a run (without ``resume``), and
    for settings with which a run cannot go on (with it); TrainingError where training fails.
    """
    check_out(out)
    with ExitStack() as held:
        return _train(config, out, resume, held)


def _train(config: TrainingConfig, out: Path, resume: bool, held: ExitStack) -> Path | None:
    """Train; ``held`` keeps the folder's lock from the first file that is written there."""
    state = _read_folder(out, resume)
    if state is not None:
        check_changes(state, config)
        if is_finished(state, config):
            return _leave_finished(state, config)
    parts = assemble(config, out, state, held)
    config = parts.config
    trainer = make_trainer(config, out, parts.validation, parts.record,
                           0 if state is None else state.steps)
    if trainer.is_global_zero:
        note_start(out, trainer.world_size)
    if state is None or not is_trained(state, config):
        fit(trainer, parts.module, parts.data, None if state is None else state.path)
        if trainer.current_epoch < config.epochs and trainer.is_global_zero:
            print(f'stopped after epoch {trainer.current_epoch}: no better val_max_f in '
                  f'{config.early_stopping} validations; the last weights count', flush=True)
    if not trainer.is_global_zero:
        return None
    return _finish(parts.module.network, out, parts.info, config)


def assemble(config: TrainingConfig, out: Path, state: RunState | None = None,
             held: ExitStack | None = None) -> Parts:
    """
    Open the data and make the network; raises InputError.

    With ``held`` a run begins in ``out``, and the folder is locked until it is closed.
    """
    if not config.train:
        raise InputError('train: expected at least one dataset, found none')
    specs = [parse_spec(text) for text in config.train]
    mixture = open_datasets(specs)
    scored = [open_dataset(parse_spec(text)) for text in config.val]
    check_labels(config, specs, mixture.parts, scored)
    if state is not None:
        check_images(state, mixture)
    config = with_classes(config, mixture.parts)
    # Report a broken file now, not hours later; the same goes for what the metadata are read from.
    _verify((*map(str, specs), *config.val), (*mixture.parts, *scored))
    mixture = Mixture(coded(config, mixture.parts), mixture.weights,
                      repeat_factors(config, mixture.parts))
    validation = Joined(coded(config, scored)) if scored else None
    logging.getLogger('lightning.pytorch').setLevel(logging.WARNING)
    start = open_start(config) if state is None else None
    info = _info(config, training_data(specs, mixture), config.licence or licences(specs), start,
                 state)
    if start is not None and config.prune < 1:
        if held is not None:
            _begin(out, config, state, held)
        start = _pruned(config, out, mixture)
    network = _network(config, start, state)
    check_run(config, mixture.epoch_length, network)
    if held is not None:
        _begin(out, config, state, held)
    record = RunRecord(config, info, mixture)
    if config.teacher:
        mixture = taught(mixture, specs, config.teacher)
    # CPUs and tensor cores convolve fastest with channels last.
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Parts(config, SegmentationModule(network, config),
                 RoadDataModule(mixture, validation, config), validation, info, record)


def _info(config: TrainingConfig, data: str, licence: str, start: NetworkSource | None,
          state: RunState | None) -> CheckpointInfo:
    """Return the metadata of the checkpoint, with those of the start or of the run so far."""
    info = describe(config, data, licence)
    if start is not None:
        info = inherit_metadata(info, start.info)
    return info if state is None else described(state, info, config)


def _verify(titles: Sequence[str], datasets: Sequence[RoadDataset]) -> None:
    """Read every file of the datasets and print what there is to remark; raises InputError."""
    for title, dataset in zip(titles, datasets, strict=True):
        verify(dataset, title)
        for remark in dataset.remarks:
            say(f'{title}: {remark}')


def _finish(network: FCN, out: Path, info: CheckpointInfo, config: TrainingConfig) -> Path:
    """Write the checkpoint, with the weights in the state: the same if this is done again."""
    state = read_state(out / RESUME_FILE)
    assert state is not None
    network.to('cpu', torch.float32).load_state_dict(state.weights)
    finish(out / CHECKPOINT_FILE, network.eval(), info, config)
    return out / CHECKPOINT_FILE


def _read_folder(out: Path, resume: bool) -> RunState | None:
    """Return the state to resume from, None to start from the beginning."""
    if resume:
        state = read_state(out / RESUME_FILE)
        if state is None:
            say(f'{out}: no whole epoch to go on from, so from the beginning')
        return state
    for name in (RESUME_FILE, CHECKPOINT_FILE):
        if (out / name).exists():
            raise InputError(f'{out}: already holds a run ({name}); go on with it (--resume) or '
                             'choose another folder')
    return None


def _leave_finished(state: RunState, config: TrainingConfig) -> Path:
    """Say that a run is finished; raises InputError for settings that would need more epochs."""
    changed = different(state.config, config)
    if changed:
        raise InputError(f'{changed[0].partition(":")[0]}: the run is finished after '
                         f'{state.epochs} epochs; expected more --epochs to train with other '
                         'settings, found none; nothing was changed')
    say(f'{state.path.parent}: the run is finished after {state.epochs} epochs; nothing was '
        'changed')
    return state.path.with_name(CHECKPOINT_FILE)


def _begin(out: Path, config: TrainingConfig, state: RunState | None, held: ExitStack) -> None:
    """Lock the run's folder, record the settings there, and remove what others left."""
    if not is_first():
        return
    make_folder(out)
    held.enter_context(locked(out))
    path = out / CONFIG_FILE
    for name in (RESUME_FILE, CONFIG_FILE, PRUNED_FILE):
        remove_partial(out / name)
    notes = []
    if state is not None:
        notes = read_notes(path)
        notes += [note for change in different(state.config, config)
                  if (note := f'until epoch {state.epochs}: {change}') not in notes]
    elif not path.is_file() or different(read_config(path), config):
        (out / PRUNED_FILE).unlink(missing_ok=True)
    write_config(path, config, notes)


def _pruned(config: TrainingConfig, out: Path, mixture: Mixture) -> NetworkSource:
    """Return the network of init_from, pruned, from the run's folder once it is there."""
    path = out / PRUNED_FILE
    if not path.is_file():
        # torch-pruning is imported here alone.
        from fcn_seg_ros.training.pruning import pruned
        found = pruned(load_checkpoint(config.init_from), mixture, config)
        save_checkpoint(path, found.network, found.info)
    return read_checkpoint(path)


def taught(mixture: Mixture, specs: Sequence[DatasetSpec], teacher: str) -> Mixture:
    """Return a mixture with a teacher's answers for the datasets that want them."""
    predictor = open_network(teacher, Setting()).predictor
    parts: list[RoadDataset] = []
    for part, spec in zip(mixture.parts, specs, strict=True):
        if spec.taught:
            say(f'teacher: labelling {len(part)} images of {spec}')
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


def _network(config: TrainingConfig, start: NetworkSource | None, state: RunState | None) -> FCN:
    """Return the network with its pretrained or staged weights; a resumed run loads its own."""
    seed_everything(config.seed, verbose=False)
    first, second = config.skip_scales
    weights = None if start is None else start.network.state_dict()
    if state is not None:
        weights = dict(state.weights)
    pretrained = None
    if weights is None and config.encoder_weights != 'none':
        if config.encoder_weights == 'imagenet' and config.input_convention not in (
                'encoder', 'torch'):
            raise InputError('input_convention: expected torch for torchvision\'s weights, '
                             f'found {config.input_convention}')
        pretrained = pretrained_state(config.encoder, config.encoder_weights)
    network = make_network(config.encoder, config.decoder, len(config.class_list.names),
                           pretrained, (first, second),
                           {name: value.shape for name, value in (weights or {}).items()})
    if start is not None and state is None:
        take_weights(network, config, start)
    return network
