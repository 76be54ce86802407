# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``train``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.training.checks import check_out
from fcn_seg_ros.training.config import (
    TrainingConfig,
    config_with,
    leaves,
    read_config,
    read_settings,
    with_values,
)
from fcn_seg_ros.training.range_test import find_learning_rate, range_config
from fcn_seg_ros.training.run import assemble, train
from fcn_seg_ros.training.start import inherit_settings
from fcn_seg_ros.training.state import CONFIG_FILE


def config_of(options: argparse.Namespace) -> TrainingConfig:
    """Return the configuration of a command line; raises InputError."""
    given = {name: value for name, value in vars(options).items() if name in leaves()}
    settings = {} if options.config is None else read_settings(options.config)
    recorded = options.out / CONFIG_FILE
    if options.resume and recorded.is_file():
        return with_values(read_config(recorded), settings | given)
    if options.resume and not (settings | given).get('train'):
        raise InputError(f'{recorded}: expected the configuration of an interrupted run to resume, '
                         'found none; give its settings again')
    config = TrainingConfig() if options.config is None else config_with(options.config, settings)
    return inherit_settings(with_values(config, given), {*settings, *given})


def run(options: argparse.Namespace) -> int:
    """Train, calibrate, score and write the checkpoint."""
    if options.find_learning_rate and options.resume:
        raise InputError('--find-learning-rate: not together with --resume')
    config = config_of(options)
    if options.find_learning_rate:
        _find_learning_rate(config, options.out)
    else:
        train(config, options.out, options.resume)
    return 0


def _find_learning_rate(config: TrainingConfig, out: Path) -> None:
    check_out(out)
    if int(os.environ.get('WORLD_SIZE', 1)) > 1:
        raise InputError('--find-learning-rate: runs in one process, found several')
    config = range_config(config)
    parts = assemble(config, out)
    rate = find_learning_rate(parts.module, parts.data, config, out)
    print(f'suggestion: --learning-rate {rate:g} (the loss falls fastest there; see '
          f'{out / "learning_rate.csv"})')
