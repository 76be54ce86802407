# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the diagnostics tell about the network and its device."""

from __future__ import annotations

import hashlib

import pytest
import torch

from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint_file import read_checkpoint
from fcn_seg_ros.node.network_facts import memory_facts, network_facts


def test_facts_of_a_segmenter(random_checkpoint):
    segmenter = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', backend='torch')
    facts = network_facts(segmenter, random_checkpoint,
                          read_checkpoint(random_checkpoint).file_hash, (375, 1242, 3))
    assert facts == {
        'backend': segmenter.backend.name, 'device': 'cpu', 'precision': 'fp32',
        'network_size': '320x96', 'checkpoint': 'random.safetensors',
        'checkpoint_sha256': hashlib.sha256(random_checkpoint.read_bytes()).hexdigest()[:12]}


def test_no_gpu_memory_on_a_cpu():
    assert memory_facts('cpu') == {}


def test_a_lost_gpu_is_told_not_raised(monkeypatch):
    def lost(device: str) -> tuple[int, int]:
        raise RuntimeError('CUDA error: device is\nlost')
    monkeypatch.setattr(torch.cuda, 'mem_get_info', lost)
    assert memory_facts('cuda:0') == {'gpu_memory_mib': 'unknown: CUDA error: device is lost'}


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_gpu_memory_counts_this_process_s_tensors():
    kept = torch.zeros(64 * 2**20, dtype=torch.uint8, device='cuda:0')
    facts = memory_facts('cuda:0')
    assert int(facts['gpu_memory_mib']) >= 64
    assert int(facts['gpu_memory_in_use_mib']) <= int(facts['gpu_memory_total_mib'])
    del kept
