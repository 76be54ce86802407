# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A network of several classes on the node, over the real middleware."""

import cv2
import numpy as np
import torch
from conftest import make_random_network, network_info
from node_client import FAST, Client, image_message, running

from fcn_seg_ros.images.encode import encode_jpeg
from fcn_seg_ros.inference.backends import make_backend
from fcn_seg_ros.messages import from_image
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint

PALETTE = ((128, 128, 128), (128, 64, 128), (0, 0, 192), (250, 250, 0))


def test_ids_colours_and_the_sum_of_the_road_classes(tmp_path, rendered_frames):
    """Compared with the network's own levels: argmax, and the road's classes added up."""
    path = tmp_path / 'four.safetensors'
    network = make_random_network(2, classes=4)
    torch.nn.init.normal_(network.decoder.score_pool3.weight, std=0.3)
    save_checkpoint(path, network, network_info(
        classes=('sky', 'road', 'pavement', 'lane marking'), road_ids=(1, 3), palette=PALETTE,
        threshold=0.9))
    image = np.ascontiguousarray(rendered_frames[0].image)
    assert image.shape == (96, 320, 3)  # the size of the network's input: nothing is scaled
    levels = make_backend(load_checkpoint(path), 'cpu', 'fp32', 1, 'torch')(image[None])[0]
    expected = levels.argmax(axis=2)
    assert len(np.unique(expected)) >= 3
    client = Client(outputs=['mask', 'probability', 'mask_colour/compressed'])
    with running('-p', f'checkpoint:={path}', *FAST):
        client.connect()
        found = client.exchange(image_message(image, 7))
    client.close()
    assert np.array_equal(from_image(found['mask']), expected)
    road = levels[..., 1].astype(int) + levels[..., 3]
    assert np.array_equal(from_image(found['probability']), np.minimum(road, 255))
    colours = np.array(PALETTE, np.uint8)[expected]
    assert bytes(found['mask_colour/compressed'].data) == encode_jpeg(colours, 80)
    picture = cv2.imdecode(np.frombuffer(found['mask_colour/compressed'].data, np.uint8), 1)
    assert np.abs(picture[..., ::-1].astype(int) - colours).mean() < 12
