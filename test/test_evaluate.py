# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executables `evaluate` and `segment`: both views, reports, and probabilities in and out."""

from __future__ import annotations

import json
import pickle
import shutil
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
import pytest
from conftest import SMALL_CAMERA

from fcn_seg_ros.cli.evaluate import main as evaluate
from fcn_seg_ros.cli.segment import main as segment
from fcn_seg_ros.datasets.base import Sample
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.datasets.kitti_calib import read_calib
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.evaluation.categories import categories_of
from fcn_seg_ros.evaluation.evaluate import Tally
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.evaluation.plots import mark_errors
from fcn_seg_ros.evaluation.predictors import Answer
from fcn_seg_ros.ground.birds_eye import BirdsEyeView


def numbers(values) -> str:
    return ' '.join(f'{value:.9e}' for value in np.asarray(values).ravel())


@pytest.fixture(scope='module')
def calibrated(kitti_folder, rendered_frames, tmp_path_factory):
    """Return the rendered KITTI folder with a calib file for all but its first image."""
    root = tmp_path_factory.mktemp('calibrated')
    for part in ('image_2', 'gt_image_2'):
        (root / 'training').mkdir(exist_ok=True)
        (root / 'training' / part).symlink_to(kitti_folder / 'training' / part)
    calib = root / 'training' / 'calib'
    calib.mkdir()
    names = KittiRoad(kitti_folder).names
    for name, frame in list(zip(names, rendered_frames, strict=True))[1:]:
        # A point of the road is at rotation @ (x, height, z) in the camera.
        rotation = frame.plane.rotation
        to_road = np.hstack([rotation.T, [[0.0], [-frame.plane.height], [0.0]]])
        p2 = np.hstack([SMALL_CAMERA.matrix, np.zeros((3, 1))])
        (calib / f'{name}.txt').write_text(
            f'P2: {numbers(p2)}\nR0_rect: {numbers(np.eye(3))}\n'
            f'Tr_cam_to_road: {numbers(to_road)}\n')
    return root


NETWORK = ('--precision', 'fp32', '--device', 'cpu')


@pytest.fixture(scope='module')
def exported(calibrated, random_checkpoint, tmp_path_factory):
    """Return the folder of what `segment` writes for those images."""
    out = tmp_path_factory.mktemp('probability')
    assert segment([str(calibrated / 'training' / 'image_2'), '--probability', str(out),
                    '--checkpoint', str(random_checkpoint), *NETWORK]) == 0
    return out


def run_json(capsys, *arguments):
    assert evaluate([*map(str, arguments), '--json']) == 0
    return json.loads(capsys.readouterr().out)


def without_setting(result):
    keys = ('view', 'scores', 'images', 'max_f_interval_95', 'max_f_intervals_95', 'worst', 'mask',
            'birds_eye', 'calibration', 'planner')
    return {key: result[key] for key in keys}


def test_exported_probabilities_score_exactly_as_the_network(calibrated, exported, capsys,
                                                             random_checkpoint):
    direct = run_json(capsys, calibrated, '--checkpoint', random_checkpoint, *NETWORK)
    stored = run_json(capsys, calibrated, '--probabilities', exported)
    assert without_setting(stored) == without_setting(direct)
    assert stored['segment_ms_p50'] is None and direct['segment_ms_p50'] > 0
    assert direct['images'] == {'um': 3, 'umm': 3, 'uu': 2, 'all': 8}
    assert direct['birds_eye']['images'] == {'um': 2, 'umm': 3, 'uu': 2, 'all': 7}
    assert direct['planner']['images'] == 7 and direct['birds_eye']['view'] == 'birds-eye'


def test_birds_eye_scores_are_those_of_the_resampled_images(calibrated, exported, capsys):
    found = run_json(capsys, calibrated, '--probabilities', exported)['birds_eye']['scores']['all']
    counts = RoadCounts()
    dataset = KittiRoad(calibrated)
    for index in range(1, len(dataset)):
        sample = dataset[index]
        calib = calibrated / 'training' / 'calib' / f'{sample.name}.txt'
        view = BirdsEyeView(read_calib(calib).homography, sample.labels.shape, devkit=True)
        probability = cv2.imread(str(exported / f'{sample.name}.png'), cv2.IMREAD_UNCHANGED)
        counts.update(view.nearest(probability), view.nearest(sample.labels, 255))
    assert found['max_f'] == round(100 * counts.compute().max_f, 3)
    assert found['mean_iou'] == round(100 * counts.compute().mean_iou, 3)


def test_a_perfect_prediction(calibrated, tmp_path, capsys):
    dataset = KittiRoad(calibrated)
    for index in range(len(dataset)):
        sample = dataset[index]
        cv2.imwrite(str(tmp_path / f'{sample.name}.png'), 255 * (sample.labels == 1).astype('u1'))
    result = run_json(capsys, calibrated, '--probabilities', tmp_path)
    for scores in (result['scores'], result['birds_eye']['scores']):
        assert all(s['max_f'] == s['iou'] == s['mean_iou'] == 100.0 and s['fpr'] == 0.0
                   for s in scores.values())
    assert result['calibration']['ece'] == 0.0 and result['mask'] == {
        'threshold': 0.5, 'iou': 100.0, 'mean_iou': 100.0}
    planner = result['planner']
    # Bilinear probability and nearest labels differ by a fraction of a pixel.
    assert planner['false_free_m2']['mean'] < 0.3 and planner['corridor_lost']['images'] == 0
    for errors in planner['edge_error_m'].values():
        assert errors['missed'] == 0 and (errors['median'] is None or errors['median'] <= 0.15)


def count_part(folder: str, indices: list[int]) -> bytes:
    """Count some images in a process of its own."""
    dataset, tally = KittiRoad(folder), Tally(0.5)
    geometry = dataset.geometry
    for index in indices:
        sample = dataset[index]
        tally.update(sample, Answer(sample.image[..., 0], 1.0), geometry(sample.name))
    return pickle.dumps(tally)


def test_counts_of_two_processes_add_up_to_the_whole(calibrated):
    with ProcessPoolExecutor(2, mp_context=get_context('spawn')) as pool:
        parts = [pickle.loads(part) for part in pool.map(
            count_part, [str(calibrated)] * 2, [[5, 0, 2], [1, 3, 4, 6, 7]])]
    whole = pickle.loads(count_part(str(calibrated), list(range(8))))
    merged = (parts[0] + parts[1]).compute().as_dict()
    assert merged == whole.compute().as_dict() and merged['images']['all'] == 8
    with pytest.raises(ValueError, match='different images'):
        _ = parts[0] + parts[0]


def test_reports(calibrated, exported, tmp_path, capsys):
    options = [str(calibrated), '--probabilities', str(exported)]
    assert evaluate([*options, '--markdown', str(tmp_path / 'new' / 'report.md'), '--plots',
                     str(tmp_path / 'plots')]) == 0
    printed = capsys.readouterr().out
    text = (tmp_path / 'new' / 'report.md').read_text()
    for title in ('perspective view, percent', 'birds-eye view, percent',
                  'calibration within 10 px', 'planner, ego corridor'):
        assert title in printed and f'## {title}' in text
    assert '| umm | 3 |' in text and f'- probabilities: {exported}' in text
    assert sorted(p.name for p in (tmp_path / 'plots').iterdir()) == [
        'precision_recall.png', 'reliability.png', 'worst.png']
    sheet = read_rgb(tmp_path / 'plots' / 'worst.png')
    assert sheet.shape == (4 * 240, 1600, 3)  # eight images of 320x96, 800 wide
    for name in ('precision_recall.png', 'reliability.png'):
        assert read_rgb(tmp_path / 'plots' / name).std() > 5
    assert evaluate([*options, '--view', 'birds-eye']) == 0
    printed = capsys.readouterr().out
    assert 'birds-eye view' in printed and 'perspective view' not in printed


def test_colours_of_errors():
    image = np.full((1, 5, 3), 100, np.uint8)
    mask = np.array([[1, 1, 0, 0, 1]], np.uint8)
    labels = np.array([[1, 0, 1, 0, 255]], np.uint8)
    assert mark_errors(image, mask, labels)[0].tolist() == [
        [50, 150, 50], [177, 50, 50], [50, 50, 177], [100] * 3, [100] * 3]


def test_submission(calibrated, exported, tmp_path, capsys):
    options = [str(calibrated), '--probabilities', str(exported)]
    out = tmp_path / 'sub'
    assert evaluate([*options, '--submission', str(out)]) == 0
    with zipfile.ZipFile(out / 'submission.zip') as archive:
        names = archive.namelist()
        assert names == ['um_road_000001.png', 'um_road_000002.png', 'umm_road_000003.png',
                         'umm_road_000004.png', 'umm_road_000005.png', 'uu_road_000006.png',
                         'uu_road_000007.png']
        assert archive.read(names[0]) == (out / names[0]).read_bytes()
    written = cv2.imread(str(out / 'umm_road_000004.png'), cv2.IMREAD_UNCHANGED)
    assert written.shape == (800, 400) and written.dtype == np.uint8
    image = read_rgb(calibrated / 'training' / 'image_2' / 'umm_000004.png')
    calib = read_calib(calibrated / 'training' / 'calib' / 'umm_000004.txt')
    view = BirdsEyeView(calib.homography, image.shape[:2], devkit=True)
    probability = cv2.imread(str(exported / 'umm_000004.png'), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(written, view.nearest(probability))
    first = (out / 'submission.zip').read_bytes()
    assert evaluate([*options, '--submission', str(out)]) == 0
    assert (out / 'submission.zip').read_bytes() == first
    capsys.readouterr()


def test_submission_of_the_test_set(calibrated, exported, tmp_path, capsys):
    """Where DATA/testing lies beside DATA/training, that is what is handed in, whole or not."""
    root = tmp_path / 'kitti'
    (root / 'testing' / 'image_2').mkdir(parents=True)
    (root / 'testing' / 'calib').mkdir()
    (root / 'training').symlink_to(calibrated / 'training')
    (root / 'one.txt').write_text('um_000001\n')
    image = (calibrated / 'training' / 'image_2' / 'uu_000006.png').read_bytes()
    (root / 'testing' / 'image_2' / 'uu_000099.png').write_bytes(image)
    shutil.copytree(exported, tmp_path / 'stored')
    (tmp_path / 'stored' / 'uu_000006.png').rename(tmp_path / 'stored' / 'uu_000099.png')
    options = [str(root), '--split', 'one.txt', '--probabilities', str(tmp_path / 'stored'),
               '--submission', str(tmp_path / 'out')]
    assert evaluate(options) == 2
    assert 'calib/uu_000099.txt: expected the calib file' in capsys.readouterr().err
    calib = (calibrated / 'training' / 'calib' / 'uu_000006.txt').read_text()
    (root / 'testing' / 'calib' / 'uu_000099.txt').write_text(calib)
    assert evaluate(options) == 0
    with zipfile.ZipFile(tmp_path / 'out' / 'submission.zip') as archive:
        assert archive.namelist() == ['uu_road_000099.png']
    (root / 'training').unlink()
    alone = [str(root), *options[3:5], '--submission', str(tmp_path / 'alone')]
    assert evaluate(options) == 2
    assert '--split: expected images with a ground truth, found the test set' in (
        capsys.readouterr().err)
    assert evaluate(alone) == 0
    assert ((tmp_path / 'alone' / 'submission.zip').read_bytes()
            == (tmp_path / 'out' / 'submission.zip').read_bytes())
    assert evaluate(alone[:3]) == 2
    assert 'evaluate --submission takes it' in capsys.readouterr().err


@pytest.mark.parametrize(('names', 'expected'), [
    (['um_000001', 'umm_000001'], ['um', 'umm']),
    (['0001', '0002', '0003'], [''] * 3),
    (['1_left', '2_left', '3_left'], [''] * 3),
    (['0016E5_1', '0016E5_2', '0006R0_1', '0006R0_2'], ['0016E5'] * 2 + ['0006R0'] * 2),
    (['frame_1', 'frame_2'], ['frame'] * 2)])
def test_categories_are_not_one_for_each_image(names, expected):
    assert categories_of(names) == expected


@pytest.mark.parametrize(('content', 'text'), [
    (None, 'um_000000.png: the image file cannot be read'),
    (b'', 'um_000000.png: expected a PNG, JPEG, TIFF, BMP or WebP image, found 0 bytes'),
    (np.zeros((96, 320, 3), np.uint8), 'expected an 8-bit grey image, found uint8 of shape (96'),
    (np.zeros((96, 320), np.uint16), 'expected an 8-bit grey image, found uint16 of shape (96'),
    (np.zeros((97, 320), np.uint8), 'expected the size of the image, 320x96, found 320x97'),
])
def test_bad_probabilities(kitti_folder, tmp_path, capsys, content, text):
    path = tmp_path / 'um_000000.png'
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        cv2.imwrite(str(path), content)
    assert evaluate([str(kitti_folder), '--probabilities', str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert text in error and len(error.strip().splitlines()) == 1


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--view', 'birds-eye', '--probabilities', '{ok}'],
     '--view birds-eye: expected calib files'),
    (['--probabilities', '{tmp}/none'], 'none: expected a folder of probability images'),
    (['--threshold', '2', '--probabilities', '{ok}'], 'threshold: expected -1'),
    (['--submission', '{tmp}/out', '--probabilities', '{ok}'],
     'expected images of KITTI Road with calib files, found none'),
    (['--markdown', '{tmp}/file/x.md', '--probabilities', '{ok}'], 'this folder cannot be created'),
])
def test_bad_evaluate_input(kitti_folder, tmp_path, capsys, arguments, text):
    good = tmp_path / 'ok'
    good.mkdir()
    (tmp_path / 'file').write_text('')
    for name in KittiRoad(kitti_folder).names:
        cv2.imwrite(str(good / f'{name}.png'), np.full((96, 320), 128, np.uint8))
    given = [word.format(tmp=tmp_path, ok=good) for word in arguments]
    assert evaluate([str(kitti_folder), *given]) == 2
    error = capsys.readouterr().err
    assert text in error and len(error.strip().splitlines()) == 1


def test_an_image_nobody_labelled():
    """Without a valid pixel every score is defined, and nothing divides by zero."""
    tally = Tally(0.5)
    image = np.zeros((20, 30, 3), np.uint8)
    tally.update(Sample('um_0', image, np.full((20, 30), 255, np.uint8)),
                 Answer(image[..., 0]), None)
    result = tally.compute().as_dict()
    assert result['scores']['all']['max_f'] == 0.0 and result['birds_eye'] is None
    assert result['calibration']['pixels'] == 0 and result['calibration']['temperature'] == 1.0
