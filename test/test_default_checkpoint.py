# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The packaged network: what it must reach on real and rendered roads, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED, RenderedRoad
from fcn_seg_ros.evaluation.evaluate import ALL, evaluate
from fcn_seg_ros.evaluation.geometry import geometry_of
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.models.thin import widths_of
from fcn_seg_ros.resources import default_checkpoint


@pytest.fixture(scope='module')
def segmenter() -> RoadSegmenter:
    """Return the packaged network as the node runs it."""
    return RoadSegmenter(default_checkpoint(), 'cpu')


@pytest.fixture(scope='module')
def held_out() -> RenderedRoad:
    """Return frames of rendered drives that were never trained on."""
    return RenderedRoad(10, 2, FIRST_HELD_OUT_SEED)


def test_it_fits_the_package_and_knows_itself():
    assert default_checkpoint().stat().st_size <= 15e6
    info = load_checkpoint(default_checkpoint()).info
    assert (info.encoder, info.decoder, info.classes) == (
        'mobilenet_v2', 'fcn8s', ('not road', 'road'))
    assert info.scores['split'] == 'val.txt' and info.scores['scores'][ALL]['max_f'] >= 95.0
    assert 'train.txt' in info.training_data and 'rendered' in info.training_data
    assert 'non-commercial' in info.licence and info.git_commit
    assert np.isclose(info.threshold, info.scores['scores'][ALL]['threshold'])


def test_the_network_that_it_was_thinned_from_is_beside_it():
    own = load_checkpoint(default_checkpoint())
    full = load_checkpoint(default_checkpoint().with_name('fcn8s_mobilenet_v2_full.safetensors'))
    assert own.info.widths == widths_of(own.network) and full.info.widths == ()
    own_size, full_size = (sum(p.numel() for p in each.network.parameters())
                           for each in (own, full))
    assert own_size < 0.4 * full_size
    assert self_test(RoadSegmenter(full, 'cpu')) > 0.98


def test_rendered_drives_never_trained_on(segmenter, held_out):
    result = evaluate(segmenter, held_out)
    print(f'IoU {100 * result.iou_at_threshold:.2f}, worst {result.worst[:3]}')
    assert result.iou_at_threshold >= 0.95


def test_precision_of_the_node_changes_few_pixels(segmenter, held_out):
    exact = RoadSegmenter(default_checkpoint(), 'cpu', 'fp32')
    inter = union = 0
    for index in range(0, len(held_out), 2):
        image = held_out[index].image
        ours, theirs = (s.segment(image).mask == 1 for s in (segmenter, exact))
        inter += np.logical_and(ours, theirs).sum()
        union += np.logical_or(ours, theirs).sum()
    print(f'{segmenter.backend.precision} against fp32: IoU {100 * inter / union:.2f}')
    assert inter / union >= 0.995


def test_real_roads(segmenter, real_data):
    dataset = KittiRoad(real_data / 'kitti_road', 'val.txt')
    result = evaluate(segmenter, dataset, geometry_of(dataset))
    above = result.birds_eye
    print(f'val MaxF {100 * result.scores[ALL].max_f:.2f} (perspective), '
          f'{100 * above.scores[ALL].max_f:.2f} (birds-eye)')
    assert result.scores[ALL].max_f >= 0.95
    assert above.images[ALL] == 44 and above.scores[ALL].max_f >= 0.94
    quoted = segmenter.info.scores['scores'][ALL]['max_f']
    assert abs(100 * result.scores[ALL].max_f - quoted) < 0.1
