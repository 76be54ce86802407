# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the node says at its start: topics, unknown parameters, a camera that nobody publishes."""

from __future__ import annotations

import time

from node_client import FAST, OUTPUTS, Client, running
from sensor_msgs.msg import Image

from fcn_seg_ros.node.startup import topics_in_words


def test_topics_are_grouped():
    plain = {name: f'/camera/road/{name}' for name in ('mask', 'overlay', 'overlay/compressed')}
    assert topics_in_words(plain) == '/camera/road/{mask,overlay,overlay/compressed}'
    assert topics_in_words(plain | {'mask': '/planner/mask', 'overlay': '/seen'}) == (
        '/planner/mask, /seen, /camera/road/overlay/compressed')


def test_the_log_names_topics_and_what_is_wrong_with_them(random_checkpoint):
    client = Client('front', outputs=())
    listener = client.node.create_subscription(Image, 'camera/road/mask', print, 1)
    with running('-p', f'checkpoint:={random_checkpoint}', '-p', 'treshold:=0.5',
                 '-p', 'xyz:=1', '-p', 'left.topic:=/x', '-p', 'left.bit_depth:=9',
                 '-r', 'camera/road/overlay:=/seen', *FAST) as node:
        client.cameras = ('camera',)
        client.until(lambda: any('no publisher' in text for text in client.messages))
        client.node.destroy_subscription(listener)
        lines = []
        deadline = time.monotonic() + 60.0
        while not any('has no publisher' in line for line in lines):
            assert time.monotonic() < deadline, lines
            lines.append(node.stderr.readline())
        log = ''.join(lines)
    client.close()
    assert 'camera: reads /camera/image_raw, /camera/camera_info\n' in log
    assert ('camera: writes /camera/road/{mask,probability,confidence,mask_colour,mask/compressed,'
            'mask_colour/compressed,camera_info,freespace,freespace_polygon,'
            f'{"grid," if "grid" in OUTPUTS else ""}points,points/mask,points/confidence}}, /seen, '
            '/seen/compressed\n') in log
    assert ('unknown parameters have no effect: left.* (not in cameras), treshold (did you mean '
            'threshold?), xyz\n') in log
    assert ('camera: /camera/image_raw has no publisher; images are published on '
            '/front/image_raw\n') in log
