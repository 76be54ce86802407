# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the class ids in a mask mean, as vision_msgs/LabelInfo where that is installed."""

from __future__ import annotations

from typing import Any

from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo

# vision_msgs comes with a ROS distribution; PyPI does not have it.
try:
    from vision_msgs.msg import LabelInfo, VisionClass
except ImportError:
    LabelInfo = VisionClass = None


def label_info(info: CheckpointInfo, threshold: float, stamp: Any) -> Any:
    """Return the LabelInfo of a checkpoint's masks; ``stamp`` is a builtin_interfaces/Time."""
    message = LabelInfo()
    message.header.stamp = stamp
    message.class_map = [VisionClass(class_id=number, class_name=name)
                         for number, name in label_map_of(info).meanings.items()]
    message.threshold = float(threshold)
    return message
