# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The files for RViz and Foxglove: they show topics that there are, as what they are."""

from __future__ import annotations

import json

import pytest
import yaml
from rclpy.qos import (
    DurabilityPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)

from fcn_seg_ros.node.outputs.registry import OUTPUTS
from fcn_seg_ros.resources import share_file

# The types that a display or panel shows.
DISPLAYS = {'Image': 'sensor_msgs/msg/Image', 'Map': 'nav_msgs/msg/OccupancyGrid',
            'LaserScan': 'sensor_msgs/msg/LaserScan',
            'Polygon': 'geometry_msgs/msg/PolygonStamped',
            'PointCloud2': 'sensor_msgs/msg/PointCloud2'}
IMAGES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
GROUND = ('grid', 'freespace', 'freespace_polygon', 'points', '~/grid')
# The topics of the node's outputs with its defaults.
ROWS = {('/seg_node' + row.name[1:] if row.shared else '/' + row.topic('camera')): row
        for row in OUTPUTS.values()}
RVIZ = yaml.safe_load(share_file('rviz/road.rviz').read_text())['Visualization Manager']
FOXGLOVE = json.loads(share_file('foxglove/road.json').read_text())


@pytest.mark.parametrize('display', RVIZ['Displays'], ids=lambda display: display['Name'])
def test_rviz_displays_what_the_topic_carries(display):
    package, kind = display['Class'].split('/')
    topic = display['Topic']
    assert package == 'rviz_default_plugins'
    if topic['Value'] == '/camera/image_raw':
        # A driver that publishes best effort would not be seen otherwise.
        assert (kind, topic['Reliability Policy']) == ('Image', 'Best Effort')
        return
    row = ROWS[topic['Value']]
    assert row.type_name == DISPLAYS[kind]
    wanted = QoSProfile(
        depth=topic['Depth'],
        reliability=ReliabilityPolicy[topic['Reliability Policy'].upper().replace(' ', '_')],
        durability=DurabilityPolicy[topic['Durability Policy'].upper().replace(' ', '_')])
    compatible, reason = qos_check_compatible(row.qos.profile(0.0), wanted)
    # The liveliness of both is the system's default, which it cannot judge.
    assert compatible != QoSCompatibility.ERROR, reason
    assert 'ERROR' not in reason


def test_rviz_shows_images_and_ground():
    shown = {display['Topic']['Value']: display['Enabled'] for display in RVIZ['Displays']}
    assert len(shown) == len(RVIZ['Displays'])
    names = {row.name: shown[topic] for topic, row in ROWS.items() if topic in shown}
    assert names == dict.fromkeys(('overlay', 'probability', 'mask_colour', *GROUND), True) | {
        '~/grid': False}  # with one camera it is the camera's
    for display in RVIZ['Displays']:
        assert display['Enabled'] == display['Value']


def panels(layout) -> list[str]:
    """Return the panels of a layout."""
    return [layout] if isinstance(layout, str) else panels(layout['first']) + panels(
        layout['second'])


def test_foxglove_shows_what_the_topics_carry():
    configs = FOXGLOVE['configById']
    assert sorted(panels(FOXGLOVE['layout'])) == sorted(configs)
    shown = set()
    for name, config in configs.items():
        kind = name.partition('!')[0]
        if kind == 'Image':
            row = ROWS[config['imageMode']['imageTopic']]
            assert row.type_name in IMAGES
            shown.add(row.name)
        elif kind == '3D':
            assert config['followTf'] == 'base_link'
            for topic, settings in config['topics'].items():
                assert ROWS[topic].type_name in DISPLAYS.values()
                assert ('alpha' in settings) == (ROWS[topic].type_name == DISPLAYS['Map'])
                assert ('pointSize' in settings) == (
                    ROWS[topic].type_name in (DISPLAYS['LaserScan'], DISPLAYS['PointCloud2']))
                assert settings['visible'] == (topic != '/seg_node/grid')
                shown.add(ROWS[topic].name)
        else:
            assert '/diagnostics' in json.dumps(config)  # not of the table: DiagnosticArray
    assert shown == {'overlay/compressed', 'mask_colour/compressed', *GROUND}
