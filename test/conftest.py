# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Fixtures that several tests share."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from fcn_seg_ros.dds import use_private_domain
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.models.checkpoint import save_checkpoint
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.synthetic.suburb import RenderedDrive

# A shell ignores SIGINT for what it starts in the background, and processes inherit that; tests
# send it.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Every test, and every process it starts, is in one domain apart from all other ROS systems, also
# from that of a vehicle for which the developer's shell is set up.
os.environ.pop('ROS_DOMAIN_ID', None)
use_private_domain()

SMALL_CAMERA = PinholeCamera(320, 96, 186.0, 186.0, 157.0, 44.0)


@pytest.fixture(scope='session', autouse=True)
def compiled_networks(tmp_path_factory) -> Iterator[None]:
    """Give the tests, and the processes they start, a cache of compiled networks of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('FCN_SEG_CACHE', str(tmp_path_factory.mktemp('compiled')))
        yield


@pytest.fixture(autouse=True)
def environment_stays() -> Iterator[None]:
    """Take back what a test changed in the environment: ROS reads it, in the next test too."""
    before = dict(os.environ)
    yield
    if os.environ != before:
        os.environ.clear()
        os.environ.update(before)


def network_info(**changes) -> CheckpointInfo:
    """Return the metadata of a small two-class network."""
    values = {
        'encoder': 'mobilenet_v2', 'decoder': 'fcn8s', 'classes': ('not road', 'road'),
        'road_ids': (1,), 'palette': ((0, 0, 0), (0, 200, 80)), 'mean': (0.5, 0.5, 0.5),
        'std': (0.5, 0.5, 0.5), 'channel_order': 'rgb', 'network_height': 96, 'threshold': 0.5,
    }
    return CheckpointInfo(**(values | changes))


def make_random_network(seed: int = 0, classes: int = 2, encoder: str = 'mobilenet_v2'
                        ) -> torch.nn.Module:
    """Return an FCN-8s whose scores vary over the image, though it has learned nothing."""
    torch.manual_seed(seed)
    network = make_network(encoder, 'fcn8s', classes).eval()
    # At random start MobileNetV2's activations fade from layer to layer; batch norm in training
    # mode would bring them back, so one pass sets its statistics.
    network.train()
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, torch.nn.BatchNorm2d):
                layer.momentum = None
        network(torch.randn(2, 3, 96, 160))
    for name in ('score_fr', 'score_pool4', 'score_pool3'):
        torch.nn.init.normal_(getattr(network.decoder, name).weight, std=0.1)
    return network.eval()


@pytest.fixture(scope='session')
def random_network() -> torch.nn.Module:
    """Return a network of random weights."""
    return make_random_network()


@pytest.fixture(scope='session')
def random_checkpoint(random_network, tmp_path_factory) -> Path:
    """Return the file of that network."""
    path = tmp_path_factory.mktemp('checkpoint') / 'random.safetensors'
    save_checkpoint(path, random_network, network_info())
    return path


def write_unhashed(path: Path, whole: Path, change: dict[str, Any] | None = None,
                   tensors: dict[str, torch.Tensor] | None = None) -> None:
    """Write a checkpoint as version 1 did, without a hash, with other metadata or tensors."""
    with safe_open(str(whole), 'pt') as file:
        own = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        values = json.loads(file.metadata()['fcn_seg_ros'])
    del values['sha256']
    values |= {'format_version': 1} | (change or {})
    save_file(own if tensors is None else tensors, path, {'fcn_seg_ros': json.dumps(values)})


@pytest.fixture(scope='session')
def rendered_frames():
    """Return eight frames of rendered drives of a small camera."""
    return [RenderedDrive(seed, length=20, camera=SMALL_CAMERA)[10] for seed in range(8)]


def write_pair(root: Path, name: str, image: np.ndarray, road: np.ndarray,
               valid: np.ndarray | None = None, suffix: str = '.png') -> None:
    """Write an image and its ground truth in KITTI Road's layout."""
    valid = np.ones(road.shape, bool) if valid is None else valid
    category, _, number = name.partition('_')
    truth = np.zeros((*road.shape, 3), np.uint8)
    truth[..., 0] = 255 * valid
    truth[..., 2] = 255 * ((road > 0) & valid)
    for folder in ('image_2', 'gt_image_2'):
        (root / 'training' / folder).mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(root / 'training' / 'image_2' / f'{name}{suffix}'), image[..., ::-1])
    cv2.imwrite(str(root / 'training' / 'gt_image_2' / f'{category}_road_{number}.png'),
                truth[..., ::-1])


@pytest.fixture(scope='session')
def kitti_folder(rendered_frames, tmp_path_factory) -> Path:
    """Return a folder in KITTI Road's layout with eight rendered pairs and two splits."""
    root = tmp_path_factory.mktemp('kitti_road')
    names = [f'{category}_{number:06d}' for number, category in
             enumerate(['um', 'um', 'um', 'umm', 'umm', 'umm', 'uu', 'uu'])]
    for name, frame in zip(names, rendered_frames, strict=True):
        write_pair(root, name, frame.image, frame.road)
    (root / 'train.txt').write_text('\n'.join(names[:6]) + '\n')
    (root / 'val.txt').write_text('\n'.join(names[6:]) + '\n')
    return root


@pytest.fixture(scope='session')
def real_data() -> Path:
    """Return the folder of real data, or skip where there is none."""
    folder = os.environ.get('FCN_SEG_DATA', '')
    if not folder or not Path(folder).is_dir():
        pytest.skip('FCN_SEG_DATA does not name a folder with real data '
                    f'(found {folder!r}); see CONTRIBUTING.md')
    return Path(folder)


@pytest.fixture(scope='session')
def camvid_folder(tmp_path_factory) -> Path:
    """Return a folder like CamVid's: street, pavement, cars, people and sky as flat colours."""
    root = tmp_path_factory.mktemp('camvid')
    colours = np.random.default_rng(0).integers(0, 256, (12, 3))
    colours[11] = 0
    for split, count in (('train', 6), ('val', 2)):
        for folder in (split, f'{split}annot'):
            (root / folder).mkdir()
        for number in range(count):
            rng = np.random.default_rng(100 * len(split) + number)
            ids = np.full((96, 160), 0, np.uint8)
            ids[40:], ids[60:, 30:] = 4, 3
            for thing in (8, 9, 10, 11):
                x, y = rng.integers(0, 130), rng.integers(30, 60)
                ids[y:y + 28, x:x + 28] = thing
            image = np.clip(colours[ids] + rng.normal(0, 8, (96, 160, 3)), 0, 255).astype(np.uint8)
            name = f'{split}/{number:02d}.png'
            cv2.imwrite(str(root / name), image[..., ::-1])
            cv2.imwrite(str(root / name.replace('/', 'annot/')), ids)
    return root
