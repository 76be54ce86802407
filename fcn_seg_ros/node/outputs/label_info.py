# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the class ids in a mask mean."""

from __future__ import annotations

from typing import Any

from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.node.outputs.output import NetworkInUse, Output


class LabelNames(Output):
    """The names of the classes, and the threshold."""

    def compute(self, source: NetworkInUse) -> Any:
        """Return a vision_msgs/LabelInfo."""
        from vision_msgs.msg import LabelInfo, VisionClass  # comes with a ROS distribution only
        message = LabelInfo()
        message.header.stamp = source.stamp
        message.class_map = [VisionClass(class_id=number, class_name=name)
                             for number, name in label_map_of(source.info).meanings.items()]
        message.threshold = float(source.threshold)
        return message
