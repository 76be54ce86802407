# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Which extra of the package (``pip install '.[EXTRA]'`` in a clone) installs which module."""

from __future__ import annotations

# The first extra that installs a module is the one to name.
MODULES = {
    'cpu': ('numpy', 'cv2', 'simplejpeg', 'PIL', 'safetensors', 'openvino', 'onnxruntime', 'yaml',
            'rich', 'shtab'),
    'drives': ('av', 'rosbags', 'lz4', 'backports'),
    'plots': ('matplotlib',),
    'cluster': ('ray',),
    'train': ('lightning', 'torchmetrics', 'tensorboard', 'torch_pruning', 'torchvision', 'torch'),
    'wandb': ('wandb',),
    'mlflow': ('mlflow',),
    'export': ('onnx', 'onnxscript', 'nncf', 'torch'),
}
# Extras with everything that these commands need, including the modules of `cpu`.
_OF_COMMAND = {'train': 'train', 'export': 'export', 'benchmark': 'export'}
_ROS = ('rclpy', 'rcl_interfaces', 'sensor_msgs', 'std_msgs', 'diagnostic_msgs', 'lifecycle_msgs',
        'std_srvs', 'builtin_interfaces', 'cv_bridge')


def remedy(module: str, command: str) -> str:
    """Return how to install a module that a command lacks; '' if no extra has it."""
    if module in _ROS:
        return 'source /opt/ros/DISTRO/setup.bash, or install requirements.lock'
    own = _OF_COMMAND.get(command)
    if own and module in (*MODULES[own], *MODULES['cpu']):
        return in_clone(own)
    return next((in_clone(extra) for extra, modules in MODULES.items() if module in modules), '')


def in_clone(extra: str) -> str:
    """Return the command that installs an extra."""
    return f"in a clone of fcn_seg_ros: pip install '.[{extra}]'"
