# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where a network is converted for a library other than PyTorch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from fcn_seg_ros.inference.subprocess_call import call_in_subprocess
from fcn_seg_ros.models.checkpoint_file import NetworkSource, StoredCheckpoint

_logger = logging.getLogger(__name__)


def convert_apart(convert: Callable[..., bytes], checkpoint: NetworkSource, *arguments: Any
                  ) -> bytes | None:
    """
    Return ``convert(checkpoint, *arguments)`` of a process of its own, which imports PyTorch.

    None where it is to be done in this one: PyTorch is loaded here already, or the system does not
    let another process do it, which is logged.
    """
    if 'torch' in sys.modules or not isinstance(checkpoint, StoredCheckpoint):
        return None
    try:
        return call_in_subprocess(convert, checkpoint, *arguments)
    except OSError as error:
        _logger.warning('conversion: not possible in a process of its own (%s); this one loads '
                        'PyTorch', error)
        return None
