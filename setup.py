# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Build fcn_seg_ros as an ament_python package (colcon) or with pip."""

import re
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'fcn_seg_ros'
HERE = Path(__file__).resolve().parent
# Read as text: the package's dependencies need not be installed yet.
VERSION = re.search(r"^__version__ = '(.+)'$", (HERE / NAME / '__init__.py').read_text(),
                    re.MULTILINE).group(1)
TABLE = (HERE / NAME / 'cli' / '__init__.py').read_text()
EXECUTABLES = re.findall(r"^    '(\w+)':", TABLE, re.MULTILINE)

# What inference on a CPU needs, the node included; rclpy, the messages and cv_bridge come with ROS.
CPU = ['numpy', 'opencv-python-headless<5', 'simplejpeg', 'pillow', 'safetensors', 'PyYAML', 'rich',
       'shtab', 'openvino; platform_machine == "x86_64"']
TORCH = ['torch>=2.6', 'torchvision']
DRIVES = ['av', 'rosbags', 'lz4', 'backports.zstd; python_version < "3.14"']
EXTRAS = {
    'cpu': [*CPU, 'onnxruntime'],
    # onnxruntime-gpu in place of onnxruntime, never beside it.
    'gpu': [*CPU, *TORCH, 'onnxruntime-gpu'],
    'export': [*CPU, *TORCH, 'onnxruntime', 'onnx', 'onnxscript', 'nncf'],
    'drives': DRIVES,
    'bags': DRIVES,  # the earlier name
    'plots': ['matplotlib'],
    # Beside another one, for `segment --ray`.
    'cluster': ['ray'],
    'train': [*CPU, *TORCH, 'onnxruntime', 'lightning>=2.6,!=2.6.2,!=2.6.3', 'torchmetrics',
              'tensorboard', 'torch-pruning'],
    # Beside train, for `train --trackers`.
    'wandb': ['wandb'],
    'mlflow': ['mlflow'],
}

setup(
    name=NAME,
    version=VERSION,
    description='Road segmentation for ROS 2 with fully convolutional networks',
    author='fcn_seg_ros maintainers',
    author_email='maintainers@example.com',
    maintainer='fcn_seg_ros maintainers',
    maintainer_email='maintainers@example.com',
    license='Apache-2.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['data/*.safetensors', 'data/*.xml', 'data/*.bin', 'data/*.onnx',
                         'data/kitti_road/*.txt', 'py.typed']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml', 'LICENSE', 'CHANGELOG.rst']),
        (f'share/{NAME}/launch', sorted(glob('launch/*.launch.*'))),
        (f'share/{NAME}/config', sorted(glob('config/*'))),
        (f'share/{NAME}/rviz', sorted(glob('rviz/*'))),
        (f'share/{NAME}/foxglove', sorted(glob('foxglove/*'))),
    ],
    python_requires='>=3.10',
    install_requires=['setuptools'],
    extras_require=EXTRAS,
    zip_safe=False,
    entry_points={
        'console_scripts': [f'{NAME} = {NAME}.__main__:main',
                            *(f'{name} = {NAME}.cli.{name}:main' for name in EXECUTABLES)],
    },
)
