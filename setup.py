# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Build fcn_seg_ros as an ament_python package (colcon) or with pip."""

import re
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

NAME = 'fcn_seg_ros'
HERE = Path(__file__).resolve().parent
# The table of executables is read as text: importing the package would need its dependencies.
TABLE = (HERE / NAME / 'cli' / '__init__.py').read_text()
EXECUTABLES = re.findall(r"^    '(\w+)':", TABLE, re.MULTILINE)

setup(
    name=NAME,
    version='0.1.0',
    description='Road segmentation for ROS 2 with fully convolutional networks',
    author='fcn_seg_ros maintainers',
    author_email='maintainers@example.com',
    maintainer='fcn_seg_ros maintainers',
    maintainer_email='maintainers@example.com',
    license='Apache-2.0',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    package_data={NAME: ['data/*.safetensors', 'data/*.xml', 'data/*.bin']},
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
    # rclpy, the messages and cv_bridge come with ROS.
    extras_require={
        'run': ['torch>=2.6', 'torchvision', 'numpy', 'opencv-python-headless<5', 'simplejpeg',
                'safetensors', 'openvino', 'onnxruntime', 'onnx', 'onnxscript', 'pillow',
                'PyYAML', 'rich'],
        # In place of onnxruntime, never beside it.
        'gpu': ['onnxruntime-gpu'],
        'export': ['onnx', 'onnxscript', 'onnxruntime', 'nncf'],
        'bags': ['av', 'rosbags', 'lz4', 'backports.zstd; python_version < "3.14"'],
        'plots': ['matplotlib'],
        'train': ['lightning>=2.6,!=2.6.2,!=2.6.3', 'tensorboard', 'torch-pruning'],
    },
    zip_safe=False,
    entry_points={
        'console_scripts': [f'{name} = {NAME}.cli.{name}:main' for name in EXECUTABLES],
    },
)
