# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The service ~/load_checkpoint: another network under load, or the old one stays."""

from __future__ import annotations

import dataclasses
import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import network_info
from node_client import FAST, Client, image_message, running
from rclpy.logging import get_logger
from std_srvs.srv import Trigger

from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.messages import from_image
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.node.load_job import LoadJob

THRESHOLDS = (0.3, 0.5, 0.7)


@pytest.fixture(scope='module')
def checkpoints(random_checkpoint, tmp_path_factory):
    """Return three checkpoints of one network whose scores lean to either side."""
    folder = tmp_path_factory.mktemp('checkpoints')
    paths = []
    for number, lean in enumerate((-1.0, 0.0, 1.0)):
        network = load_checkpoint(random_checkpoint).network
        with torch.no_grad():
            network.decoder.score_pool3.bias[1] += lean
        paths.append(folder / f'{number}.safetensors')
        save_checkpoint(paths[-1], network, network_info(threshold=0.4 + 0.1 * number))
    return paths


def load(client: Client, path: object) -> Trigger.Response:
    """Name a checkpoint and call the service."""
    assert client.set('checkpoint', str(path)).successful
    return client.call(Trigger, 'load_checkpoint', Trigger.Request())


def test_swaps_and_settings_under_load(checkpoints, rendered_frames, tmp_path):
    image = rendered_frames[0].image
    message = image_message(image, 1)
    allowed = {}
    for path in checkpoints:
        segmenter = RoadSegmenter(path, 'cpu', 'fp32', threads=1, backend='torch')
        for threshold in (None, *THRESHOLDS):
            result = segmenter.segment(image, SegmentOptions(threshold, 0.55))
            allowed[result.mask.tobytes()] = (path, threshold)
    assert len(allowed) >= 9
    broken = tmp_path / 'broken.safetensors'
    broken.write_bytes(checkpoints[0].read_bytes()[:-100])
    with running('-p', f'checkpoint:={checkpoints[0]}', '-p', 'unknown_below:=0.55', *FAST):
        client = Client(outputs=('mask', 'probability'))
        client.connect()
        # A steady load of its own, whatever else the client waits for.
        client.node.create_timer(0.02, lambda: client.publishers['camera'].publish(message))
        masks = client.got['camera']['mask']
        client.until(lambda: masks)
        seen = set()
        for number in range(6):
            answer = load(client, checkpoints[number % 3])
            assert answer.success and str(checkpoints[number % 3]) in answer.message
            for threshold in THRESHOLDS:
                assert client.set('threshold', threshold).successful
                before = len(masks)
                client.until(lambda: len(masks) > before + 2)  # noqa: B023
            seen |= {from_image(mask).tobytes() for mask in masks}
            del masks[:]
        assert seen <= set(allowed)
        assert {allowed[pixels][0] for pixels in seen} == set(checkpoints)
        # What cannot be loaded changes nothing but the answer.
        running_hash = hashlib.sha256(checkpoints[2].read_bytes()).hexdigest()[:12]
        client.until(lambda: client.status['checkpoint_sha256'] == running_hash)
        for path, reason in ((broken, 'expected a whole safetensors file'),
                             ('/nowhere.safetensors', 'expected a checkpoint file')):
            answer = load(client, path)
            assert not answer.success and reason in answer.message
            assert 'the old network stays in use' in answer.message
        client.spin(1.5)
        assert client.status['checkpoint_sha256'] == running_hash
        del masks[:]
        client.until(lambda: len(masks) > 3)
        assert {from_image(mask).tobytes() for mask in masks} <= set(allowed)
        assert int(client.status['dropped_error']) == 0
        client.close()


def test_only_one_is_loaded_at_a_time_and_only_when_configured(checkpoints, rendered_frames):
    with running('-p', f'checkpoint:={checkpoints[0]}', '-p', 'autostart:=false', *FAST):
        client = Client(outputs=('mask',))
        answer = load(client, checkpoints[1])
        assert not answer.success and 'the node is unconfigured' in answer.message
        assert client.change(1)
        service = client.node.create_client(Trigger, '/seg_node/load_checkpoint')
        client.until(service.service_is_ready)
        futures = [service.call_async(Trigger.Request()) for _ in range(2)]
        client.until(lambda: all(future.done() for future in futures))
        # They share a callback group, so the second begins when the first is done.
        assert all(future.result().success for future in futures)
        assert client.change(3)
        client.connect()
        segmenter = RoadSegmenter(checkpoints[1], 'cpu', 'fp32', threads=1, backend='torch')
        image = rendered_frames[0].image
        mask = from_image(client.exchange(image_message(image, 1))['mask'])
        assert np.array_equal(mask, segmenter.segment(image).mask)
        client.close()


def test_a_region_that_does_not_fit_the_last_image_is_no_fault_of_the_network(checkpoints):
    """The region may have been set since, for images to come."""
    settings = SimpleNamespace(checkpoint=str(checkpoints[0]), device='cpu', precision='fp32',
                               network_height=0, threads=1, backend='torch')
    options = SegmentOptions(region=Region(100, 10, 200, 50))
    fits, does_not = (96, 320), (60, 80)
    for shapes in ([(does_not, options), (fits, options)], [(does_not, options)]):
        loading = LoadJob(settings, shapes, get_logger('test'), lambda loading: None)
        assert loading.wait(120.0)
        assert loading.failure is None
        assert loading.loaded.image_ms > 0.0
        loading.loaded.segmenter.close()


def test_a_network_that_fails_its_self_test_is_not_taken(checkpoints, tmp_path):
    """Weights that are not those the self-test was made for are found out."""
    from fcn_seg_ros.models.checkpoint_file import SelfTest, with_self_test
    path = tmp_path / 'other.safetensors'
    checkpoint = load_checkpoint(checkpoints[0])
    save_checkpoint(path, checkpoint.network, dataclasses.replace(checkpoint.info))
    image = np.random.default_rng(0).integers(0, 256, (96, 320, 3), np.uint8)
    with_self_test(path, SelfTest(image, np.full((96, 320), 255, np.uint8)))
    with running('-p', f'checkpoint:={checkpoints[0]}', *FAST):
        client = Client(outputs=('mask',))
        client.connect()
        answer = load(client, path)
        assert not answer.success and 'self-test' in answer.message
        client.close()
