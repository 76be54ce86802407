# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Convert a network in a subprocess, so that this process need not import PyTorch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from fcn_seg_ros.inference.subprocess_call import call_in_subprocess
from fcn_seg_ros.models.checkpoint_file import NetworkSource, StoredCheckpoint

_logger = logging.getLogger(__name__)


def convert_in_subprocess(convert: Callable[..., bytes], checkpoint: NetworkSource,
                          *arguments: Any) -> bytes | None:
    """
    Return ``convert(checkpoint, *arguments)``, computed in a subprocess.

    Returns None if the caller should convert in this process, because PyTorch is already loaded
    here or no subprocess can be started (which is logged).
    """
    if 'torch' in sys.modules or not isinstance(checkpoint, StoredCheckpoint):
        return None
    try:
        return call_in_subprocess(convert, checkpoint, *arguments)
    except OSError as error:
        _logger.warning('conversion: no subprocess (%s); this process loads PyTorch', error)
        return None
