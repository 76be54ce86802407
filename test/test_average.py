# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The mean of checkpoints."""

from __future__ import annotations

import pytest
import torch
from conftest import make_random_network, network_info

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.training.average import average_checkpoints


def test_weights_are_averaged_and_the_last_one_describes_them(tmp_path):
    paths = [tmp_path / f'{seed}.safetensors' for seed in range(2)]
    for seed, path in enumerate(paths):
        save_checkpoint(path, make_random_network(seed), network_info(threshold=0.2 + 0.1 * seed))
    average_checkpoints(paths, tmp_path / 'mean.safetensors')
    first, second, mean = map(load_checkpoint, (*paths, tmp_path / 'mean.safetensors'))
    assert mean.info.threshold == second.info.threshold
    ours, a, b = (each.network.state_dict() for each in (mean, first, second))
    for name, value in ours.items():
        torch.testing.assert_close(value.float(), (a[name].float() + b[name].float()) / 2,
                                   rtol=2e-3, atol=1e-3)


def test_other_networks_are_refused(tmp_path):
    save_checkpoint(tmp_path / 'a.safetensors', make_random_network(), network_info())
    other = make_network('resnet18', 'fcn8s', 2)
    save_checkpoint(tmp_path / 'b.safetensors', other, network_info(encoder='resnet18'))
    with pytest.raises(InputError, match='holds another network than'):
        average_checkpoints([tmp_path / 'a.safetensors', tmp_path / 'b.safetensors'],
                            tmp_path / 'out.safetensors')
