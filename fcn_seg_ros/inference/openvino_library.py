# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The only module that imports OpenVINO, with its telemetry disabled."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

# openvino.convert_model reports its use to an analytics server if it finds the telemetry package. A
# vehicle's node must not contact anybody.
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
import openvino  # noqa: E402

__all__ = ['core', 'openvino']


@lru_cache(None)
def core() -> Any:
    """Return this process's only openvino.Core, since each Core keeps 4 MB per network."""
    return openvino.Core()
