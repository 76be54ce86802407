# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The Python API: light to import, documented by examples that run, and usable without ROS."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import fcn_seg_ros
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.synthetic.suburb import RenderedDrive

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = [name for name in fcn_seg_ros.__all__ if name != '__version__']
# Raises ImportError for whatever comes with ROS.
WITHOUT_ROS = '''
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('rclpy', 'std_msgs', 'sensor_msgs', 'builtin_interfaces',
                                  'rcl_interfaces', 'cv_bridge', 'launch', 'ament_index_python'):
            raise ImportError(f'{name} is not installed')
sys.meta_path.insert(0, Blocker())
'''


def run(code: str, folder: Path = ROOT) -> str:
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True,
                            cwd=folder, env=None)
    assert result.returncode == 0, result.stderr
    return result.stdout


def example() -> str:
    """Return the program in the package's docstring."""
    block = fcn_seg_ros.__doc__.partition('::\n')[2].partition('\nThe names below')[0]
    return textwrap.dedent(block).strip()


def test_importing_the_package_imports_nothing_heavy():
    heavy = {'torch', 'cv2', 'rclpy', 'numpy', 'openvino'}
    assert run(f'import sys, fcn_seg_ros; print({heavy!r} & set(sys.modules))') == 'set()\n'


def test_every_public_name_is_there_and_typed():
    """Type checkers see the names of the TYPE_CHECKING block, programs those of __getattr__."""
    tree = ast.parse(Path(fcn_seg_ros.__file__).read_text())
    block, = (node for node in tree.body if isinstance(node, ast.If))
    assert {alias.name for node in block.body for alias in node.names} == set(PUBLIC)
    assert set(PUBLIC) <= set(dir(fcn_seg_ros))
    assert (Path(fcn_seg_ros.__file__).parent / 'py.typed').is_file()
    with pytest.raises(AttributeError, match="has no attribute 'RoadSegmentor'"):
        _ = fcn_seg_ros.RoadSegmentor


@pytest.mark.parametrize('name', [*PUBLIC, 'RoadDataset'])
def test_examples_in_docstrings(name):
    documented = RoadDataset if name == 'RoadDataset' else getattr(fcn_seg_ros, name)
    parsed = doctest.DocTestParser().get_doctest(inspect.getdoc(documented), {}, name, None, 0)
    assert parsed.examples, f'{name} has no example'
    assert doctest.DocTestRunner().run(parsed).failed == 0


def test_the_example_of_the_package_without_ros(tmp_path):
    assert len(example().splitlines()) <= 10
    frame = RenderedDrive(10_000)[0]
    Image.fromarray(frame.image).save(tmp_path / 'road.jpg', quality=95)
    code = f'{WITHOUT_ROS}sys.path.insert(0, {str(ROOT)!r})\n{example()}'
    share = int(re.fullmatch(r'(\d+) % of the image is road\n', run(code, tmp_path))[1])
    assert abs(share - 100 * frame.road.mean()) < 3
    overlay = np.asarray(Image.open(tmp_path / 'overlay.png')).astype(int)
    changed = np.abs(overlay - np.asarray(Image.open(tmp_path / 'road.jpg'))).max(axis=2) > 8
    road = frame.road == 1
    assert (changed & road).sum() / (changed | road).sum() > 0.9


def test_the_version_has_one_home():
    version = ElementTree.parse(ROOT / 'package.xml').getroot().findtext('version')
    assert version == fcn_seg_ros.__version__
    assert version not in (ROOT / 'setup.py').read_text()
    assert f'\n{version} (' in (ROOT / 'CHANGELOG.rst').read_text()
