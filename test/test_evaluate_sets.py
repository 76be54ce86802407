# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executable `evaluate` on several sets and networks, road users, and blocks of frames."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from fcn_seg_ros.cli.evaluate import main as evaluate
from fcn_seg_ros.cli.evaluate_sets import open_set
from fcn_seg_ros.datasets.base import Classes
from fcn_seg_ros.datasets.camvid import NAMES, CamVid
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts, bootstrap_iou
from fcn_seg_ros.evaluation.road_users import RoadUsers
from fcn_seg_ros.evaluation.summary import blocks_of, f1_and_iou, summarise

SHAPE = (96, 320)
ROAD, CAR, CYCLIST = 3, 8, 10


@pytest.fixture(scope='module')
def camvid(rendered_frames, tmp_path_factory):
    """Return CamVid's layout: the road true, a large car in each image, a cyclist in the first."""
    root = tmp_path_factory.mktemp('camvid')
    for folder in ('val', 'valannot'):
        (root / folder).mkdir()
    for number, frame in enumerate(rendered_frames[:3]):
        classes = np.where(frame.road > 0, ROAD, 1).astype(np.uint8)
        classes[60:90, 20:60] = CAR
        if number == 0:
            classes[40:50, 200:210] = CYCLIST
        cv2.imwrite(str(root / 'val' / f'0016_{number}.png'), frame.image[..., ::-1])
        cv2.imwrite(str(root / 'valannot' / f'0016_{number}.png'), classes)
    return root


@pytest.fixture(scope='module')
def stored(camvid, kitti_folder, tmp_path_factory):
    """Return probability images of CamVid's: the truth, and half of each car."""
    out = tmp_path_factory.mktemp('stored')
    dataset = CamVid(camvid, 'val')
    for index in range(len(dataset)):
        sample = dataset[index]
        probability = 255 * (sample.labels == 1).astype(np.uint8)
        probability[60:90, 20:40] = 200
        cv2.imwrite(str(out / f'{sample.name}.png'), probability)
    return out


def run_json(capsys, *arguments):
    assert evaluate([*map(str, arguments), '--json']) == 0
    return json.loads(capsys.readouterr().out)


NETWORK = ('--precision', 'fp32', '--device', 'cpu')


def test_what_is_taken_for_road(camvid, stored, capsys):
    result = run_json(capsys, f'camvid:{camvid}?split=val', '--probabilities', stored)
    assert result['summary']['as_road'] == {
        'vehicles': 50.0, 'people': None, 'cyclists': 0.0, 'pavement': None}
    large = result['road_users']['large']
    assert large['vehicles'] == {'number': 3, 'as_road_percent': 50.0, 'worst': {
        'image': '0016_0', 'pixels': 1200, 'as_road_percent': 50.0}}
    assert large['cyclists'] == {'number': 0} and large['dark vehicles']['number'] <= 3
    summary = result['summary']
    assert summary['recall'] == 100.0 and summary['threshold'] == 0.5
    # 600 pixels of each image beside the road.
    road = sum((CamVid(camvid, 'val')[index].labels == 1).sum() for index in range(3))
    assert summary['iou'] == pytest.approx(100 * road / (road + 1800), abs=0.001)
    assert summary['best_iou'] == 100.0 and summary['best_threshold'] > 200 / 255
    # A fifth of what is said of those pixels is wrong by 200 / 255.
    assert summary['ece'] == pytest.approx(100 * (200 / 255) * 1800 / (3 * 96 * 320), abs=0.001)
    # The table of one set and one network is there too, in front of the others.
    assert evaluate([f'camvid:{camvid}?split=val', '--probabilities', str(stored)]) == 0
    printed = capsys.readouterr().out
    assert printed.index('road in perspective') < printed.index('perspective view')
    assert 'road users of at least 1000 connected pixels' in printed and '50.00' in printed


def test_sets_and_networks_in_one_table(camvid, kitti_folder, random_checkpoint, tmp_path, capsys):
    other = tmp_path / 'mine' / 'checkpoint.safetensors'
    other.parent.mkdir()
    other.write_bytes(random_checkpoint.read_bytes())
    sets = [f'kitti:{kitti_folder}?split=val.txt', f'camvid:{camvid}?split=val']
    networks = ['--checkpoint', str(random_checkpoint), '--checkpoint', str(other), *NETWORK]
    report = tmp_path / 'report.md'
    assert evaluate([*sets, *networks, '--markdown', str(report)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split('  ')[0:1] + line.split()[1:] for line in lines[2:6]]
    assert [row[0] for row in rows] == [f'{kitti_folder.name} val'] * 2 + [f'{camvid.name} val'] * 2
    assert ['random' in line for line in lines[2:6]] == [True, False] * 2
    assert ['mine' in line for line in lines[2:6]] == [False, True] * 2
    text = report.read_text()
    assert text.count('| random | 2 |') == text.count('| random | 3 |') == 1
    found = run_json(capsys, *sets, *networks)['results']
    assert [(each['network'], each['set']) for each in found] == [
        (name, title) for title in (f'{kitti_folder.name} val', f'{camvid.name} val')
        for name in ('random', 'mine')]
    assert found[0]['summary'] == found[1]['summary'] and found[0]['images']['all'] == 2
    assert found[0]['road_users'] is None and found[2]['road_users'] is not None
    # As one by one.
    alone = run_json(capsys, sets[1], '--checkpoint', random_checkpoint, *NETWORK)
    assert alone['summary'] == found[2]['summary'] and alone['robustness'] is None


def test_robustness_in_the_report(camvid, random_checkpoint, capsys):
    arguments = [f'camvid:{camvid}?split=val', '--checkpoint', random_checkpoint, *NETWORK,
                 '--limit', '2', '--geometry']
    found = run_json(capsys, *arguments)['robustness']
    assert found['mean_iou_lost_to_corruptions'] is None
    assert found['variants']['4:3']['images'] == 2
    assert found['variants']['2 x']['group'] == 'size'
    assert evaluate([*map(str, arguments), '--corruptions']) == 0
    printed = capsys.readouterr().out
    for name in ('jpeg', 'dirty_lens', '0.5 x', 'portrait 3:4', 'mean of the corruptions'):
        assert f'\n {name} ' in printed


def test_some_of_the_images(kitti_folder):
    data = f'kitti:{kitti_folder}'
    assert open_set(data, None).indices == list(range(8))
    assert open_set(data, None, every=3).indices == [0, 3, 6]
    assert open_set(data, None, limit=3).indices == [0, 4, 7]
    assert open_set(data, 'val.txt', limit=5).indices == [0, 1]
    assert open_set(data, 'val.txt').title == f'{kitti_folder.name} val'
    assert open_set('rendered', None, limit=1).title == 'rendered'
    with pytest.raises(InputError, match='--every and --limit: expected at least 1'):
        open_set(data, None, every=0)


@pytest.mark.parametrize(('arguments', 'text'), [
    (['{kitti}', '{kitti}', '--plots', 'x'], '--plots: expected one set and one network, found 2'),
    (['{kitti}', '--checkpoint', 'open', '--checkpoint', 'open', '--submission', 'x'],
     '--submission: expected one set and one network, found 1 and 2'),
    (['{kitti}', '--probabilities', '{kitti}', '--geometry'],
     'need a network to segment changed images'),
    (['{kitti}', '--probabilities', '{kitti}', '--checkpoint', 'a', '--checkpoint', 'b'],
     'expected at most one --checkpoint'),
    (['{kitti}', '--checkpoint', 'none.xml'], 'none.xml: expected a file written by'),
    (['{kitti}', '--description', 'x.yaml'],
     'another project\'s network (.xml) as --checkpoint, found open'),
    (['{kitti}', '--limit', '-1'], '--every and --limit: expected'),
])
def test_bad_input(kitti_folder, capsys, arguments, text):
    assert evaluate([word.format(kitti=kitti_folder) for word in arguments]) == 2
    error = capsys.readouterr().err
    assert text in error and len(error.strip().splitlines()) == 1


def test_classes_of_a_dataset(camvid, kitti_folder):
    dataset = CamVid(camvid, 'val')
    assert KittiRoad(kitti_folder).classes(0) is None
    classes = dataset.classes(0)
    assert classes.names[CAR] == 'car' and classes.names[11] == 'unlabelled'
    assert np.array_equal(classes.ids == ROAD, dataset[0].labels == 1)
    assert (classes.ids[60:90, 20:60] == CAR).all()


def test_road_users_add_up():
    ids = np.zeros((60, 80), np.uint8)
    ids[:40, :30], ids[:10, 40:50], ids[50:] = CAR, CAR, 4
    classes = Classes(ids, NAMES)
    probability = np.zeros(ids.shape, np.uint8)
    probability[:10], probability[50:, :20] = 255, 128
    image = np.full((*ids.shape, 3), 40, np.uint8)
    parts = [RoadUsers(), RoadUsers()]
    for name, part in zip('ab', parts, strict=True):
        part.update(name, image, probability, classes, 0.5)
    both = parts[0] + parts[1]
    assert both.shares(0.5)['vehicles'] == 400 / 1300 and both.shares(0.5)['pavement'] == 0.25
    assert both.shares(0.6)['pavement'] == 0 and np.isnan(both.shares(0.5)['people'])
    # The small one is left out, the large ones are dark.
    assert [user.pixels for user in both.objects] == [1200, 1200]
    large = both.as_dict(0.5)['large']
    assert large['dark vehicles'] == large['vehicles'] == {
        'number': 2, 'as_road_percent': 25.0,
        'worst': {'image': 'a', 'pixels': 1200, 'as_road_percent': 25.0}}


def test_blocks_are_consecutive_frames_of_one_category():
    names = [f'um_{number:02d}' for number in range(12)] + ['uu_00', 'uu_01']
    assert [len(block) for block in blocks_of(names)] == [10, 2, 2]
    assert blocks_of(names, 5)[2] == ['um_10', 'um_11'] and blocks_of([]) == []


def histogram(tp, fp, fn, tn):
    found = np.zeros((2, 256), np.int64)
    found[1, 200], found[0, 200], found[1, 50], found[0, 50] = tp, fp, fn, tn
    return found


def test_summary_and_its_interval():
    """Ten good frames and ten bad ones, each a block: an interval from one to the other."""
    good, bad = histogram(90, 0, 10, 100), histogram(50, 0, 50, 100)
    histograms = {f'a_{number:02d}': good if number < 10 else bad for number in range(20)}
    summary = summarise(histograms, histograms, histograms, RoadUsers(), 0.5)
    assert summary.iou == summary.recall == 0.7 and summary.precision == 1.0
    assert summary.f1 == pytest.approx(1.4 / 1.7) and summary.interval == (0.5, 0.9)
    assert summary.blocks == 2 and summary.images == 20 and summary.as_road == {}
    # Every road pixel is found from level 50 down, at the cost of all others.
    assert summary.best_threshold == 51 / 255 and summary.best_iou == 0.7
    by_image = bootstrap_iou(np.stack(list(histograms.values())), 0.5)
    assert 0.5 < by_image[0] < 0.7 < by_image[1] < 0.9
    total = RoadCounts(sum(histograms.values())).histogram
    assert f1_and_iou(total, 0.5) == (summary.f1, summary.iou)
