# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The checkpoint's metadata inside an exported model."""

from __future__ import annotations

import dataclasses
import json

from fcn_seg_ros.models.checkpoint_info import CheckpointInfo

# What every format calls its input and its output.
INPUT, OUTPUT = 'image', 'probability'


def to_json(info: CheckpointInfo) -> str:
    """Return the metadata as the JSON that a checkpoint holds."""
    return json.dumps(dataclasses.asdict(info), sort_keys=True)
