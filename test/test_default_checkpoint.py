# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The packaged networks: what they say of themselves, and how well they segment roads."""

from __future__ import annotations

import numpy as np
import pytest

from fcn_seg_ros.datasets.camvid import CamVid
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED, RenderedRoad
from fcn_seg_ros.evaluation.evaluate import ALL, evaluate
from fcn_seg_ros.inference.quantised import int8_file
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.resources import CHECKPOINTS, default_checkpoint, find_checkpoint

# What nobody but its licensees may use.
NON_COMMERCIAL = ('KITTI', 'CamVid')
NAMES = tuple(CHECKPOINTS)


@pytest.fixture(scope='module', params=NAMES)
def segmenter(request) -> RoadSegmenter:
    """Return each packaged network as the node runs it."""
    return RoadSegmenter(find_checkpoint(request.param), 'cpu')


@pytest.fixture(scope='module')
def held_out() -> RenderedRoad:
    """Return frames of rendered drives that were never trained on."""
    return RenderedRoad(10, 2, FIRST_HELD_OUT_SEED)


def test_together_they_are_small():
    files = {find_checkpoint(name) for name in NAMES}
    files |= {int8_file(path) for path in files} | {int8_file(path).with_suffix('.bin')
                                                    for path in files}
    assert sum(path.stat().st_size for path in files) <= 20e6


@pytest.mark.parametrize('name', NAMES)
def test_they_know_themselves(name):
    info = load_checkpoint(find_checkpoint(name)).info
    assert (info.encoder, info.decoder, info.classes) == (
        'road_adas', 'fcn4s', ('not road', 'road'))
    assert info.network_pixels == {'open': 260_000, 'general': 340_000}[name]
    assert info.git_commit and info.statistics
    assert info.scores['scores'][ALL]['max_f'] >= 95.0


def test_nothing_non_commercial_is_in_the_open_one():
    info = load_checkpoint(find_checkpoint('open')).info
    assert not any(name in info.training_data for name in NON_COMMERCIAL)
    assert 'non-commercial' not in info.licence and 'CC BY 4.0' in info.licence
    info = load_checkpoint(find_checkpoint('general')).info
    assert all(name in info.training_data for name in NON_COMMERCIAL)
    assert 'non-commercial' in info.licence


def test_rendered_drives_never_trained_on(segmenter, held_out):
    result = evaluate(segmenter, held_out)
    print(f'IoU {100 * result.iou_at_threshold:.2f}, worst {result.worst[:3]}')
    assert result.iou_at_threshold >= 0.90


def test_precision_of_the_node_changes_few_pixels(segmenter, held_out):
    exact = RoadSegmenter(find_checkpoint(segmenter.name), 'cpu', 'fp32')
    inter = union = 0
    for index in range(0, len(held_out), 2):
        image = held_out[index].image
        ours, theirs = (s.segment(image).mask == 1 for s in (segmenter, exact))
        inter += np.logical_and(ours, theirs).sum()
        union += np.logical_or(ours, theirs).sum()
    print(f'{segmenter.backend.precision} against fp32: IoU {100 * inter / union:.2f}')
    assert inter / union >= 0.995


def test_real_roads(real_data):
    """KITTI's validation images were seen by neither, its training images by one."""
    dataset = KittiRoad(real_data / 'kitti_road', 'val.txt')
    for name, least, least_above in (('open', 0.945, 0.93), ('general', 0.96, 0.95)):
        result = evaluate(RoadSegmenter(find_checkpoint(name), 'cpu'), dataset,
                          dataset.geometry)
        above = result.birds_eye
        print(f'{name}: val MaxF {100 * result.scores[ALL].max_f:.2f} (perspective), '
              f'{100 * above.scores[ALL].max_f:.2f} (birds-eye)')
        assert result.scores[ALL].max_f >= least
        assert above.images[ALL] == 44 and above.scores[ALL].max_f >= least_above


def test_a_camera_never_seen(real_data):
    """CamVid's frames were never seen by the open network."""
    result = evaluate(RoadSegmenter(find_checkpoint('open'), 'cpu'),
                      CamVid(real_data / 'camvid', 'val'))
    assert result.iou_at_threshold >= 0.955


def test_the_default_is_packaged():
    assert default_checkpoint() in [find_checkpoint(name) for name in NAMES]
