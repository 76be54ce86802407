# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a network is converted for a library other than PyTorch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from fcn_seg_ros.inference.apart import run_apart
from fcn_seg_ros.models.checkpoint_file import NetworkSource, StoredCheckpoint

_logger = logging.getLogger(__name__)


def convert_where_pytorch_is(convert: Callable[..., bytes], checkpoint: NetworkSource,
                             *arguments: Any) -> bytes:
    """
    Return ``convert(checkpoint, *arguments)``, without importing PyTorch into this process.

    It is computed here where PyTorch is loaded already, or no process can be started.
    """
    if 'torch' not in sys.modules and isinstance(checkpoint, StoredCheckpoint):
        try:
            return run_apart(convert, checkpoint, *arguments)
        except OSError as error:
            _logger.warning('conversion: no process of its own could be started (%s); this one '
                            'loads PyTorch', error)
    return convert(checkpoint, *arguments)
