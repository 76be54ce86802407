# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``train``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.evaluate import ALL
from fcn_seg_ros.evaluation.statistics import fit_statistics
from fcn_seg_ros.training.calibrate import add_self_test, calibrate_and_score
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
from fcn_seg_ros.training.run import CONFIG_FILE, assemble, train
from fcn_seg_ros.training.start import inherit_settings


def config_of(options: argparse.Namespace) -> TrainingConfig:
    """Return the configuration of a command line; raises InputError."""
    given = {name: value for name, value in vars(options).items() if name in leaves()}
    if options.resume and options.config is None and (options.out / CONFIG_FILE).is_file():
        return with_values(read_config(options.out / CONFIG_FILE), given)
    settings = {} if options.config is None else read_settings(options.config)
    config = TrainingConfig() if options.config is None else config_with(options.config, settings)
    return inherit_settings(with_values(config, given), {*settings, *given})


def run(options: argparse.Namespace) -> int:
    """Train, calibrate, score and write the checkpoint."""
    config = config_of(options)
    if options.resume and not (options.out / CONFIG_FILE).is_file():
        raise InputError(f'{options.out / CONFIG_FILE}: expected the configuration of an '
                         'interrupted run to resume, found none')
    if options.find_learning_rate:
        if options.resume:
            raise InputError('--find-learning-rate: not together with --resume')
        _find_learning_rate(config, options.out)
        return 0
    path = train(config, options.out, options.resume)
    if path is None:
        return 0
    if config.val:
        specs = [parse_spec(text) for text in config.val]
        spec, found = specs[0], calibrate_and_score(path, specs)
        print(f'{spec.kind} {spec.split or ""}: MaxF {100 * found.scores[ALL].max_f:.2f} '
              '(perspective)')
        if found.classes is not None:
            print(f'mean IoU of {len(found.classes.names) - len(found.classes.absent)} classes '
                  f'{100 * found.classes.mean_iou:.2f}')
    fit_statistics(path, [open_dataset(parse_spec(text)) for text in config.train])
    add_self_test(path)
    print(f'wrote {path}')
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
