# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The node publishes an output of another package, and every table lists it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from foreign_output import ROW, road_rows
from node_client import FAST, Client, image_message, start_node, wait_for_end
from sensor_msgs.msg import CameraInfo, LaserScan

from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.node.outputs import registry


@pytest.fixture
def registered(monkeypatch):
    """Register the output for one test."""
    monkeypatch.setattr(registry, 'OUTPUTS', registry.OUTPUTS.copy())
    registry.register_output(ROW)


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install the output, as pip does: a module on the path, and its entry point."""
    folder = tmp_path / 'foreign-1.0.dist-info'
    folder.mkdir()
    (folder / 'METADATA').write_text('Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n')
    (folder / 'entry_points.txt').write_text('[fcn_seg_ros.outputs]\nscan = foreign_output:ROW\n')
    paths = [str(tmp_path), str(Path(__file__).parent), os.environ.get('PYTHONPATH', '')]
    monkeypatch.setenv('PYTHONPATH', os.pathsep.join(filter(None, paths)))
    return folder


def test_a_node_publishes_it(installed, random_checkpoint, rendered_frames):
    image = rendered_frames[0].image
    height, width = image.shape[:2]
    node = start_node('-p', f'checkpoint:={random_checkpoint}', '-p', 'scan_frame:=bumper', *FAST)
    client = Client(outputs=())
    try:
        scans: list[LaserScan] = []
        client.node.create_subscription(LaserScan, 'camera/road/scan', scans.append, 10)
        client.until(lambda: client.infos['camera'].get_subscription_count() == 1
                     and client.publishers['camera'].get_subscription_count() == 1)
        info = CameraInfo(height=height, width=width, k=[5.0, 0, 1, 0, 5, 1, 0, 0, 1])

        def answered() -> bool:
            client.infos['camera'].publish(info)
            client.publishers['camera'].publish(image_message(image, 7))
            client.spin(0.1)
            return bool(scans)
        client.until(answered)
        assert scans[0].header.frame_id == 'bumper' and scans[0].header.stamp.nanosec == 7
        segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')
        rows = road_rows(segmenter.segment(image))
        assert rows.max() > 0 and np.allclose(scans[0].ranges, rows / 5.0)
        # Its parameters are the node's.
        assert client.set('scan_range', 2).successful
        refused = client.set('scan_range', -1.0)
        assert not refused.successful and 'scan_range' in refused.reason
        refused = client.set('scan_frame', 'mast')
        assert not refused.successful and 'Cannot change while' in refused.reason
        del scans[:]
        client.until(answered)
        assert np.allclose(scans[-1].ranges, np.minimum(rows / 5.0, 2.0))
    finally:
        client.close()
        node.send_signal(2)
        output = wait_for_end(node, 20.0)
    assert node.returncode == 0 and 'Traceback' not in output, output


def test_one_that_does_not_load_is_an_error_line(installed):
    (installed / 'entry_points.txt').write_text('[fcn_seg_ros.outputs]\nscan = foreign_output:X\n')
    node = start_node()
    output = wait_for_end(node)
    assert node.returncode == 2 and 'Traceback' not in output, output
    assert "error: output: 'scan' of the package 'foreign_output:X' does not load" in output


def test_the_tables_have_it(registered):
    assert 'scan' in registry.remapped_names()
    assert [row.name for row in registry.node_parameters()][-2:] == ['scan_frame', 'scan_range']
    assert '  scan ' in registry.output_help()
    assert registry.topic_table()[-1] == (
        '| `<camera>/road/scan` | sensor_msgs/LaserScan | reliable, volatile, depth 5 | '
        'road, camera_info | Where the road ends |')
    assert registry.topic_table('cam')[2] == (
        '| `cam/road/mask` | sensor_msgs/Image, mono8 | reliable, volatile, depth 5 | mask | '
        'Class ids (two classes: 0 not road, 1 road); 255 unknown |')


@pytest.mark.parametrize(('row', 'text'), [
    (replace(ROW, name='mask'), 'output mask: the name is taken'),
    (replace(ROW, needs=('road', 'depth')), 'output scan: needs depth, which is none of image'),
])
def test_a_wrong_row_is_refused(row, text):
    with pytest.raises(ValueError, match=text):
        registry.register_output(row)
