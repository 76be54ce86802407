# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Scores of several classes: by hand, and through the command."""

import json

import cv2
import numpy as np
import pytest
import torch
from conftest import make_random_network, network_info

from fcn_seg_ros.cli.evaluate import main
from fcn_seg_ros.datasets.base import Classes
from fcn_seg_ros.datasets.camvid import NAMES, CamVid
from fcn_seg_ros.datasets.class_file import classes_of, parse_classes
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation import export_checks
from fcn_seg_ros.evaluation.class_scores import ClassCounts
from fcn_seg_ros.evaluation.report import class_table
from fcn_seg_ros.inference.export import export
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import load_checkpoint, save_checkpoint

FOUR = parse_classes("""\
classes:
- {name: rest, colour: [1, 1, 1], from: [sky]}
- {name: road, colour: [2, 2, 2], road: true}
- {name: car, colour: [3, 3, 3], from: [vehicle]}
- {name: bus, colour: [4, 4, 4], from: [vehicle]}
ignore: {from: [void]}
""", 'four')


def test_scores_by_hand():
    names = {0: 'sky', 1: 'road', 2: 'car', 3: 'void', 4: 'vehicle', 5: 'tree'}
    truth = np.array([[0, 0, 0, 0, 1, 1, 2, 2, 3, 4, 5]], np.uint8)
    mask = np.array([[0, 0, 1, 3, 1, 1, 2, 255, 1, 2, 0]], np.uint8)
    counts = ClassCounts(FOUR)
    for part in (slice(0, 5), slice(5, 11)):
        counts.update(mask[:, part], Classes(truth[:, part], names))
    scores = counts.compute()
    assert scores.confusion.tolist() == [[2, 1, 0, 1, 0], [0, 2, 0, 0, 0], [0, 0, 1, 0, 1],
                                         [0, 0, 0, 0, 0]]
    iou = [2 / 4, 2 / 3, 1 / 2]
    np.testing.assert_allclose(scores.iou[:3], iou)
    assert np.isnan(scores.iou[3]) and scores.absent == ('bus',)
    assert scores.mean_iou == pytest.approx(np.mean(iou))
    weighted = (4 * iou[0] + 2 * iou[1] + 2 * iou[2]) / 8
    assert scores.frequency_weighted_iou == pytest.approx(weighted)
    assert scores.pixel_accuracy == 5 / 8
    assert scores.left_out == ('vehicle', 'tree')
    table = class_table(scores)
    assert table.rows[0] == ('rest', '50.00', '50.00', '50.00', '100.00', 'road 25.00')
    assert table.rows[2][-1] == 'unknown 50.00' and table.rows[3][2] == '-'
    assert 'not in the mean: bus' in table.notes[1]
    both = ClassCounts(FOUR) + counts
    assert both.compute().as_dict() == scores.as_dict()
    assert ClassCounts(FOUR).compute() is None


@pytest.fixture(scope='module')
def four(tmp_path_factory):
    """Return a checkpoint of four classes, two of them road, that has learned nothing."""
    path = tmp_path_factory.mktemp('four') / 'four.safetensors'
    network = make_random_network(1, classes=4)
    torch.nn.init.normal_(network.decoder.score_fr.weight, std=0.05)
    save_checkpoint(path, network, network_info(
        classes=('rest', 'street', 'car', 'pavement'), road_ids=(1, 3), threshold=0.9,
        palette=((9, 9, 9), (90, 20, 90), (0, 0, 200), (200, 0, 0)),
        class_sources=(('sky', 'pedestrian', 'cyclist'), ('road',), (), ())))
    return path


def test_a_checkpoint_keeps_the_names_that_datasets_have(four):
    classes = classes_of(load_checkpoint(four).info)
    assert classes.members('road') == (1,) and classes.road_ids == (1, 3)
    assert classes.sources[0] == ('sky', 'pedestrian', 'cyclist')


def test_evaluate_scores_the_masks_of_the_likeliest_class(four, camvid_folder, tmp_path, capsys):
    assert main([f'camvid:{camvid_folder}?split=val', '--checkpoint', str(four), '--device', 'cpu',
                 '--precision', 'fp32', '--json', '--plots', str(tmp_path / 'plots')]) == 0
    found = json.loads(capsys.readouterr().out)
    segmenter = RoadSegmenter(four, 'cpu', 'fp32')
    to_class = {'sky': 0, 'pedestrian': 0, 'cyclist': 0, 'road': 1, 'car': 2, 'pavement': 3}
    hits, union, road = np.zeros(4), np.zeros(4), np.zeros(2)
    as_road, cars = 0, 0
    for file in sorted((camvid_folder / 'val').iterdir()):
        mask = segmenter.segment(cv2.imread(str(file))[..., ::-1].copy()).mask
        ids = cv2.imread(str(camvid_folder / 'valannot' / file.name), cv2.IMREAD_UNCHANGED)
        truth = np.vectorize(lambda i: to_class.get(NAMES[i], 255))(ids)
        for number in range(4):
            a, b = (mask == number) & (truth < 4), truth == number
            hits[number] += (a & b).sum()
            union[number] += (a | b).sum()
        drivable, real = np.isin(mask, (1, 3)) & (ids != 11), ids == 3
        road += (drivable & real).sum(), (drivable | real).sum()
        as_road, cars = as_road + (drivable & (ids == 8)).sum(), cars + (ids == 8).sum()
    classes = found['classes']
    assert len(set(map(tuple, classes['confusion']['pixels']))) > 2  # not all pixels are alike
    np.testing.assert_allclose(list(classes['iou'].values()), 100 * hits / union, atol=1e-3)
    assert classes['mean_iou'] == pytest.approx(100 * np.mean(hits / union), abs=1e-3)
    assert classes['absent'] == [] and classes['left_out'] == ['unlabelled']
    # The node's masks have no threshold (the checkpoint's is 0.9), so neither have their scores.
    assert found['mask']['iou'] == pytest.approx(100 * road[0] / road[1], abs=1e-3)
    assert found['summary']['as_road']['vehicles'] == pytest.approx(100 * as_road / cars, abs=1e-3)
    assert cv2.imread(str(tmp_path / 'plots' / 'confusion.png')).std() > 10


def test_an_exported_model_must_keep_the_mean_iou(four, camvid_folder, tmp_path, monkeypatch):
    checkpoint, exported = load_checkpoint(four), tmp_path / 'four.xml'
    export(checkpoint, 'openvino', exported, frames=[np.zeros((1, 32, 64, 3), np.uint8)])
    dataset = CamVid(camvid_folder, 'val')
    loss = export_checks.accuracy_loss(checkpoint, exported, dataset, lambda: None)
    first, second = loss.classes
    assert 0 < first < 1 and abs(first - second) < 0.01
    assert loss.as_dict()['mean_iou_exported'] == round(100 * second, 3)
    monkeypatch.setattr(export_checks, 'ALLOWED_CLASS_LOSS', first - second)
    with pytest.raises(InputError, match=r'the mean IoU must fall by less than .* found \d+\.\d+'):
        export_checks.accuracy_loss(checkpoint, exported, dataset, lambda: None)
