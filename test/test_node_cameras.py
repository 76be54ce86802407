# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Several cameras, one network, over the real middleware."""

from __future__ import annotations

import cv2
import numpy as np
from node_client import FAST, Client, image_message, running
from sensor_msgs.msg import CompressedImage

from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.messages import from_image, to_header

CAMERAS = ('front', 'left', 'right')


def test_each_camera_has_its_own_settings_and_masks(random_checkpoint, rendered_frames):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threads=1, backend='torch')
    with running('-p', f'cameras:=[{", ".join(CAMERAS)}]',
                 '-p', f'checkpoint:={random_checkpoint}', '-p', 'threshold:=0.45',
                 '-p', 'left.threshold:=0.6', '-p', 'left.topic:=/sensing/left/image',
                 '-p', 'right.transport:=compressed',
                 '-p', 'right.region_of_interest:=[16, 32, 200, 64]', *FAST):
        client = Client(*CAMERAS, outputs=('mask', 'probability', 'confidence'))
        left = client.node.create_publisher(type(image_message(rendered_frames[0].image, 1)),
                                            '/sensing/left/image', 1)
        right = client.node.create_publisher(CompressedImage, 'right/image_raw/compressed', 1)
        client.publishers['left'], client.publishers['right'] = left, right
        client.connect()
        options = {'front': SegmentOptions(0.45), 'left': SegmentOptions(0.6),
                   'right': SegmentOptions(0.45, region=Region(16, 32, 200, 64))}
        for number, frame in enumerate(rendered_frames[:3]):
            images = {camera: np.ascontiguousarray(frame.image[:, 40 * place:])
                      for place, camera in enumerate(CAMERAS)}
            for camera in ('front', 'left'):
                client.publishers[camera].publish(image_message(images[camera], number, camera))
            png = cv2.imencode('.png', images['right'][..., ::-1])[1]
            message = CompressedImage(header=to_header(number, 'right'),
                                      format='rgb8; png compressed bgr8')
            message.data.frombytes(png.tobytes())
            right.publish(message)
            client.until(lambda: all(len(kept) == number + 1  # noqa: B023
                                     for got in client.got.values() for kept in got.values()))
            for camera, image in images.items():
                expected = segmenter.segment(image, options[camera])
                for name, kept in client.got[camera].items():
                    assert kept[-1].header == to_header(number, camera)
                    assert np.array_equal(from_image(kept[-1]), getattr(expected, name)), name
        client.until(lambda: all(client.statuses[camera]['published'] == '3'
                                 for camera in CAMERAS))
        assert all(client.counts_add_up(camera) for camera in CAMERAS)
        client.close()


def test_under_overload_no_camera_starves(random_checkpoint, rendered_frames):
    """A camera that sends ten times as much as the others gets no more of the network."""
    image = cv2.resize(rendered_frames[0].image, (1280, 384))
    with running('-p', f'cameras:=[{", ".join(CAMERAS)}]', '-p', 'network_height:=256',
                 '-p', f'checkpoint:={random_checkpoint}', *FAST):
        client = Client(*CAMERAS, outputs=('mask',))
        client.connect()
        count = dict.fromkeys(CAMERAS, 0)

        def publish(camera: str, every: float) -> None:
            def tick() -> None:
                count[camera] += 1
                client.publishers[camera].publish(image_message(image, count[camera]))
            client.node.create_timer(every, tick)
        publish('front', 0.01)
        publish('left', 0.05)
        publish('right', 0.05)
        got = client.got
        client.until(lambda: min(len(got[camera]['mask']) for camera in CAMERAS) >= 10)
        shares = np.array([len(got[camera]['mask']) for camera in CAMERAS])
        assert shares.max() <= 1.6 * shares.min() + 2, shares
        client.close()
