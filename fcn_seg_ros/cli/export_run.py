# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``export``."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.datasets.base import Joined
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.export_checks import (
    accuracy_loss,
    calibration_batches,
    parity_batches,
)
from fcn_seg_ros.inference.export import check_request, export
from fcn_seg_ros.inference.formats import CALIBRATION_IMAGES, MIN_SIDE, OPSET
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint
from fcn_seg_ros.resources import find_checkpoint


def run(options: argparse.Namespace) -> None:
    """Convert, check and write."""
    check_request(options.format, options.out, options.precision)
    int8 = options.precision == 'int8'
    if {bool(options.calibrate), bool(options.val)} != {int8}:
        raise InputError('--calibrate and --val go together with --precision int8: give all three '
                         'or none')
    if options.opset and options.format != 'onnx':
        raise InputError(f'--opset: expected --format onnx with it, found {options.format}')
    checkpoint = _with_height(load_checkpoint(find_checkpoint(options.checkpoint)),
                              options.height)
    calibration = calibration_batches(
        Joined([open_dataset(parse_spec(text)) for text in options.calibrate]),
        checkpoint.info, CALIBRATION_IMAGES) if int8 else []
    found: dict[str, Any] = {}
    parity = export(checkpoint, options.format, options.out, options.precision,
                    frames=parity_batches(checkpoint.info), calibration=calibration,
                    opset=options.opset or OPSET,
                    accept=_guard(checkpoint, options.val, found) if int8 else lambda path: None)
    found |= {'parity_iou': round(parity.iou, 6), 'parity_largest_difference': parity.largest}
    if options.json:
        print(json.dumps({'file': str(options.out)} | found, indent=1))
        return
    print(f'wrote {options.out}: masks of rendered frames agree with eager fp32 to an IoU of '
          f'{parity.iou:.4f}, probabilities to {parity.largest}/255')
    if int8:
        print(f'MaxF {found["max_f_exported"]:.2f} on {options.val}, of the checkpoint '
              f'{found["max_f_checkpoint"]:.2f}')


def _with_height(checkpoint: Checkpoint, height: int) -> Checkpoint:
    if height == 0:
        return checkpoint
    if height < MIN_SIDE:
        raise InputError(f'--height: expected 0 (the checkpoint\'s) or at least {MIN_SIDE}, '
                         f'found {height}')
    info = dataclasses.replace(checkpoint.info, network_height=height, network_pixels=0)
    # The stored self-test holds the answer at the original height.
    return dataclasses.replace(checkpoint, info=info, self_test=None)


def _guard(checkpoint: Checkpoint, spec: str, found: dict[str, Any]) -> Callable[[Path], None]:
    """Return a function that scores a written model into ``found``, and may refuse it."""
    validation = open_dataset(parse_spec(spec))

    def score(path: Path) -> None:
        with progress_bar('score', len(validation)) as done:
            found.update(accuracy_loss(checkpoint, path, validation, done).as_dict())
    return score
