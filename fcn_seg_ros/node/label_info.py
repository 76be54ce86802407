# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the class ids in a mask mean, as vision_msgs/LabelInfo where that is installed."""

from __future__ import annotations

from typing import Any

from fcn_seg_ros.inference.postprocess import UNKNOWN
from fcn_seg_ros.models.checkpoint import CheckpointInfo

# vision_msgs comes with a ROS distribution; PyPI does not have it.
try:
    from vision_msgs.msg import LabelInfo, VisionClass
except ImportError:
    LabelInfo = VisionClass = None


def class_names(info: CheckpointInfo) -> dict[int, str]:
    """
    Return the name of every value that a mask may hold.

    Those are the checkpoint's class ids, for a binary one 0 for what is not road and 1 for road,
    and 255 for unknown.
    """
    names = dict(enumerate(info.classes))
    if len(names) == 2 and len(info.road_ids) == 1:
        road, = info.road_ids
        names = {0: names[1 - road], 1: names[road]}
    return names | {UNKNOWN: 'unknown'}


def label_info(info: CheckpointInfo, threshold: float, stamp: Any) -> Any:
    """Return the LabelInfo of a checkpoint's masks; ``stamp`` is a builtin_interfaces/Time."""
    message = LabelInfo()
    message.header.stamp = stamp
    message.class_map = [VisionClass(class_id=number, class_name=name)
                         for number, name in class_names(info).items()]
    message.threshold = float(threshold)
    return message
