# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which extra of the package (``pip install 'fcn_seg_ros[EXTRA]'``) brings which module."""

from __future__ import annotations

# The first extra that brings a module is the one to name.
MODULES = {
    'cpu': ('numpy', 'cv2', 'simplejpeg', 'PIL', 'safetensors', 'openvino', 'onnxruntime', 'yaml',
            'rich', 'shtab'),
    'drives': ('av', 'rosbags', 'lz4', 'backports'),
    'plots': ('matplotlib',),
    'train': ('lightning', 'torchmetrics', 'tensorboard', 'torch_pruning', 'torchvision', 'torch'),
    'export': ('onnx', 'onnxscript', 'nncf', 'torch'),
}
# Commands for which another extra than the first is the one to name.
_OF_COMMAND = {'export': 'export', 'benchmark': 'export'}
_ROS = ('rclpy', 'rcl_interfaces', 'sensor_msgs', 'std_msgs', 'diagnostic_msgs', 'lifecycle_msgs',
        'std_srvs', 'builtin_interfaces', 'cv_bridge')


def remedy(module: str, command: str) -> str:
    """Return how to install a module that a command lacks; '' for one that nobody brings."""
    if module in _ROS:
        return 'source /opt/ros/DISTRO/setup.bash, or install requirements.lock'
    extras = [extra for extra, modules in MODULES.items() if module in modules]
    if not extras:
        return ''
    own = _OF_COMMAND.get(command)
    return f"pip install 'fcn_seg_ros[{own if own in extras else extras[0]}]'"
