# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""package.xml names what is imported, by rosdep's names, so that `rosdep install` brings it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
# rosdep's name of what is no ROS package; '' where rosdep has none that is recent enough
# (they come from the package index: docs/how-to/deploy.md).
ROSDEP = {
    'PIL': 'python3-pil', 'cv2': 'python3-opencv', 'matplotlib': 'python3-matplotlib',
    'numpy': 'python3-numpy', 'psutil': 'python3-psutil', 'pytest': 'python3-pytest',
    'yaml': 'python3-yaml',
    **dict.fromkeys(('av', 'hypothesis', 'lightning', 'nncf', 'onnx', 'onnxruntime', 'onnxscript',
                     'openvino', 'ray', 'rich', 'rosbags', 'safetensors', 'simplejpeg',
                     'tensorboard', 'torch', 'torch_pruning', 'torchmetrics', 'torchvision',
                     'shtab'), ''),
    # rosbags brings them; and what decoders are compared with.
    **dict.fromkeys(('backports', 'lz4', 'imagecodecs', 'turbojpeg'), '')}
DEPENDENCIES = [(kind.tag, kind.text) for kind in ElementTree.parse(ROOT / 'package.xml').getroot()
                if kind.tag.endswith('depend')]
# Not imported: `ros2 launch` itself, its XML files, and what rclpy's lifecycle nodes speak.
OTHERWISE_NEEDED = {'ros2launch', 'launch_xml', 'lifecycle_msgs', 'ament_flake8', 'ament_pep257'}


def imported(folders: tuple[str, ...]) -> set[str]:
    """Return the packages that the files of folders import, but Python's own and ours."""
    files = [path for folder in folders for path in (ROOT / folder).rglob('*.py')]
    names = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.split('.')[0])
    own = {'fcn_seg_ros', 'make_reference', *(path.stem for path in files)}
    return {ROSDEP.get(name, name) for name in names - sys.stdlib_module_names - own} - {''}


@pytest.mark.parametrize(('folders', 'kinds'), [
    (('fcn_seg_ros', 'launch'), {'depend', 'exec_depend'}),
    (('test', 'benchmarks'), {'depend', 'exec_depend', 'test_depend'})])
def test_what_is_imported_is_named(folders, kinds):
    assert imported(folders) <= {name for kind, name in DEPENDENCIES if kind in kinds}


def test_nothing_else_is_named():
    names = {name for _, name in DEPENDENCIES}
    assert len(names) == len(DEPENDENCIES)
    assert names - OTHERWISE_NEEDED <= imported(('fcn_seg_ros', 'launch', 'test'))
    assert names >= OTHERWISE_NEEDED
