# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Check that a run's settings fit its data and its machine."""

from __future__ import annotations

import errno
import fcntl
import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.datasets.registry import DatasetSpec
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.training.config import TrainingConfig

WORKERS_PER_CPU = 4
LOCK_FILE = '.lock'


def local_processes(config: TrainingConfig) -> int:
    """Return the number of processes on this machine: that of torchrun, or ``devices``."""
    return int(os.environ.get('LOCAL_WORLD_SIZE', config.devices))


def nodes() -> int:
    """Return the number of machines: that of torchrun, or 1."""
    return int(os.environ.get('GROUP_WORLD_SIZE', 1))


def check_out(out: Path) -> None:
    """Raise InputError unless a run can write to ``out``, which need not exist."""
    try:
        str(out.absolute()).encode()
    except UnicodeEncodeError:  # TensorBoard takes no other
        raise InputError(f'out: expected a name in UTF-8, found {out}') from None
    # Path.exists fails below a folder that may not be read.
    place = next(path for path in (out, *out.absolute().parents) if os.path.exists(path))
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        found = 'one that may not be written to' if place.is_dir() else 'a file'
        raise InputError(f'out: expected a folder to write to, found {place}, {found}')


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Keep other processes from training in a folder; raises InputError if one is at it."""
    with (out / LOCK_FILE).open('ab') as file:
        try:
            # A record lock: the loader's workers do not inherit it, and may outlive a killed run.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise InputError(f'{out}: cannot be locked ({error.strerror})') from None
            raise InputError(f'{out}: another process is training there; wait for its end, or '
                             'choose another folder') from None
        yield


def check_labels(config: TrainingConfig, specs: Sequence[DatasetSpec],
                 parts: Sequence[RoadDataset], scored: Sequence[RoadDataset]) -> None:
    """
    Raise InputError for images that nobody labels: neither a ground truth nor a teacher.

    ``parts`` are the opened ``specs`` to train on, ``scored`` those of ``config.val``.
    """
    for spec, part in zip(specs, parts, strict=True):
        if part.labelled or (config.teacher and config.teacher_weight and spec.taught):
            continue
        found = ('none' if not config.teacher else
                 '--teacher-weight 0' if spec.taught else 'teacher=0')
        raise InputError(f'train: {spec} has no labels: expected a --teacher to label it, found '
                         f'{found}')
    for text, part in zip(config.val, scored, strict=True):
        if not part.labelled:
            raise InputError(f'val: expected a dataset with labels, found {text}')


def check_run(config: TrainingConfig, images: int, network: nn.Module) -> None:
    """
    Raise InputError unless an epoch of ``images`` makes batches, and the machine can load it.

    Raises ModuleNotFoundError, as an import does, where a tracker is not installed.
    """
    processes = local_processes(config) * nodes()
    _check_machine(config)
    if processes > 1 and config.decoder_first:
        raise InputError('decoder_first: not available on several processes')
    if config.batch_size % processes:
        raise InputError(f'batch_size: expected a multiple of the {processes} processes, found '
                         f'{config.batch_size}')
    if images < processes:
        raise InputError(f'train: expected at least one image for each of the {processes} '
                         f'processes, found {images}')
    share = min(config.batch_size, images) // processes
    norms = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in network.modules())
    if share == 1 and norms and not config.freeze_norm:
        raise InputError('freeze_norm: expected at least two images for each process and batch, or '
                         'frozen norms (--freeze-norm), as one image has no statistics; found one')


def _check_machine(config: TrainingConfig) -> None:
    for tracker in config.trackers:
        if importlib.util.find_spec(tracker) is None:
            raise ModuleNotFoundError(f'No module named {tracker!r}', name=tracker)
    cpus = os.cpu_count() or 1
    if config.workers > WORKERS_PER_CPU * cpus:
        raise InputError(f'workers: expected at most {WORKERS_PER_CPU * cpus}, '
                         f'{WORKERS_PER_CPU} for each CPU of this machine, found {config.workers}')
    memory = os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 10**6
    if config.image_memory > memory:
        raise InputError(f'image_memory: expected at most {memory} (MB), the memory of this '
                         f'machine, found {config.image_memory}')
    most = torch.cuda.device_count() or cpus
    if 'LOCAL_WORLD_SIZE' not in os.environ and config.devices > most:
        raise InputError(f'devices: expected at most {most}, as this machine has no more '
                         f'{"GPUs" if torch.cuda.is_available() else "CPUs"}, found '
                         f'{config.devices}')
