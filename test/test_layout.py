# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The layout: imports run one way, ROS stays in its rooms, files stay small."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / 'fcn_seg_ros'
# A room may import its own and what stands in a row above; the top-level modules (errors,
# resources, dds) are everybody's.
ROWS = (('images',), ('models', 'ground'), ('inference', 'datasets'), ('evaluation',),
        ('training', 'bags'), ('node',), ('examples', 'launching'), ('benchmark',), ('cli',),
        ('data',))
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}
ROS = ('rclpy', 'sensor_msgs', 'std_msgs', 'diagnostic_msgs', 'rcl_interfaces',
       'builtin_interfaces', 'lifecycle_msgs', 'std_srvs', 'vision_msgs')
ROS_ROOMS = ('node', 'examples', 'launching')
# Executables join ROS, so does what measures a node; bags/messages.py only turns arrays into
# messages.
ROS_FILES = ('bags/messages.py', 'bags/player.py', 'bags/recorder.py', 'bags/demo.py',
             'cli/common.py', 'cli/seg_node.py', 'cli/play.py', 'cli/demo.py',
             'benchmark/camera.py', 'benchmark/over_dds.py', 'benchmark/tutorial_node.py')
FILES = sorted(p.relative_to(PACKAGE) for p in PACKAGE.rglob('*.py'))


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_every_room_is_known():
    assert {p.parts[0] for p in FILES if len(p.parts) > 1} <= set(RANK)


@pytest.mark.parametrize('path', [p for p in FILES if len(p.parts) > 1], ids=str)
def test_imports_run_one_way(path):
    room = path.parts[0]
    for name in imports(path):
        parts = name.split('.')
        if parts[0] != 'fcn_seg_ros' or len(parts) < 2 or parts[1] not in RANK:
            continue
        other = parts[1]
        # Inference and datasets share a row; transforms and loaders scale as the segmenter does.
        assert other == room or RANK[other] < RANK[room], f'{path} imports {name}'


@pytest.mark.parametrize('path', [p for p in FILES if len(p.parts) == 1], ids=str)
def test_top_level_modules_import_no_room(path):
    if path.name != '__main__.py':
        rooms = {name.split('.')[1] for name in imports(path) if name.startswith('fcn_seg_ros.')}
        assert not rooms & set(RANK)


@pytest.mark.parametrize('path', FILES, ids=str)
def test_ros_is_imported_in_its_rooms_only(path):
    allowed = path.parts[0] in ROS_ROOMS or path.as_posix() in ROS_FILES
    used = {name.split('.')[0] for name in imports(path)} & set(ROS)
    assert allowed or not used, f'{path} imports {used}'


@pytest.mark.parametrize('path', FILES, ids=str)
def test_ground_and_models_stay_light(path):
    forbidden = {'ground': {'torch', 'cv2'}, 'models': {'cv2', 'lightning', 'openvino'},
                 'inference': {'lightning'}, 'images': {'torch', 'PIL'},
                 'node': {'lightning'}}
    used = {name.split('.')[0] for name in imports(path)}
    assert not used & forbidden.get(path.parts[0], set())


@pytest.mark.parametrize('path', FILES, ids=str)
def test_files_stay_small_and_say_whose_they_are(path):
    lines = (PACKAGE / path).read_text().splitlines()
    assert len(lines) <= 330, f'{path} has {len(lines)} lines'
    assert lines[1] == '# SPDX-License-Identifier: Apache-2.0'
