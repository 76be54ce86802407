# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Post-training quantisation of an OpenVINO model to int8, with NNCF."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from fcn_seg_ros.errors import InputError


def quantise(model: Any, images: Sequence[np.ndarray]) -> Any:
    """
    Return an int8 version of a model, calibrated on images at the size of the network's input.

    Each image is uint8 RGB (1, H, W, 3), H and W multiples of the stride. Weights and activations
    are quantised symmetrically (NNCF's preset PERFORMANCE: as accurate here as MIXED, and faster,
    see docs/performance.md). Raises InputError without NNCF.
    """
    if importlib.util.find_spec('nncf') is None:
        raise InputError('--precision int8: expected the package nncf, found none (pip install '
                         'nncf)')
    # Silence the warning that PyTorch finds no CUDA compiler.
    logging.getLogger('torch.utils.cpp_extension').setLevel(logging.ERROR)
    import nncf
    nncf.set_log_level(logging.ERROR)
    with contextlib.redirect_stdout(sys.stderr):  # progress bars
        return nncf.quantize(model, nncf.Dataset(list(images)), subset_size=len(images),
                             preset=nncf.QuantizationPreset.PERFORMANCE)
