# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""KITTI Road in its official layout, and every way in which a folder can be wrong."""

import cv2
import numpy as np
import pytest
from conftest import write_pair

from fcn_seg_ros.datasets.base import Joined
from fcn_seg_ros.datasets.kitti_road import SPLITS, KittiRoad, decode_truth
from fcn_seg_ros.datasets.names import read_split
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import PACKAGE_DIR


def test_pairs(kitti_folder, rendered_frames):
    dataset = KittiRoad(kitti_folder)
    assert len(dataset) == 8
    for index, frame in enumerate(rendered_frames):
        sample = dataset[index]
        assert np.array_equal(sample.image, frame.image)
        assert np.array_equal(sample.labels, frame.road)


def test_splits(kitti_folder):
    train, val = KittiRoad(kitti_folder, 'train.txt'), KittiRoad(kitti_folder, 'val.txt')
    assert (len(train), len(val)) == (6, 2)
    assert not set(train.names) & set(val.names)
    assert len(KittiRoad(kitti_folder, kitti_folder / 'val.txt')) == 2


def test_truth_colours():
    truth = np.array([[[255, 0, 255], [255, 0, 0], [0, 0, 0], [0, 0, 255]]], np.uint8)
    assert decode_truth(truth).tolist() == [[1, 0, 255, 255]]


def test_jpeg_images(tmp_path):
    image = np.full((40, 60, 3), (200, 40, 90), np.uint8)
    write_pair(tmp_path, 'um_000000', image, np.ones((40, 60)), suffix='.jpg')
    sample = KittiRoad(tmp_path)[0]
    assert np.abs(sample.image.astype(int) - image).max() < 6


def refuse(text, *args):
    with pytest.raises(InputError) as caught:
        KittiRoad(*args)
    assert text in str(caught.value) and '\n' not in str(caught.value), str(caught.value)


def test_bad_folders(tmp_path, kitti_folder):
    refuse('expected a KITTI Road folder with training/image_2', tmp_path)
    (tmp_path / 'training' / 'image_2').mkdir(parents=True)
    refuse('training/gt_image_2', tmp_path)
    (tmp_path / 'training' / 'gt_image_2').mkdir()
    refuse('expected ground truth files', tmp_path)
    refuse('expected a split file', kitti_folder, 'test.txt')
    (tmp_path / 'empty.txt').write_text('')
    refuse('empty file', kitti_folder, tmp_path / 'empty.txt')
    (tmp_path / 'odd.txt').write_text('image7')
    refuse("found 'image7'", kitti_folder, tmp_path / 'odd.txt')
    (tmp_path / 'absent.txt').write_text('um_999999')
    refuse('um_999999.png: expected the image', kitti_folder, tmp_path / 'absent.txt')


def test_packaged_splits(tmp_path):
    """The names are in the package; an own file of that name in the folder wins."""
    frame = np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60))
    parts = {name: set(read_split(PACKAGE_DIR / 'data' / 'kitti_road', f'{name}.txt'))
             for name in SPLITS}
    assert {name: len(part) for name, part in parts.items()} == {'train': 171, 'val': 45, 'gap': 15}
    assert len(set.union(*parts.values())) == 231
    for name in [*parts['val'], 'um_000000']:
        write_pair(tmp_path, name, *frame)
    assert set(KittiRoad(tmp_path, 'val').names) == parts['val']
    (tmp_path / 'val').write_text('um_000000')
    assert KittiRoad(tmp_path, 'val').names == ['um_000000']
    refuse('gap.txt: expected a split file', tmp_path, 'gap.txt')


def test_folders_beside_the_right_one(tmp_path):
    write_pair(tmp_path / 'data_road', 'um_000000', np.zeros((40, 60, 3), np.uint8),
               np.zeros((40, 60)))
    for root in (tmp_path, tmp_path / 'data_road' / 'training'):
        refuse(f'found none (there is one in {tmp_path / "data_road"})', root)
    (tmp_path / 'only' / 'testing' / 'image_2').mkdir(parents=True)
    refuse('evaluate --submission takes it', tmp_path / 'only')


def test_bad_pairs(tmp_path):
    image, road = np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60))
    write_pair(tmp_path, 'um_000000', image, road)
    truth = tmp_path / 'training' / 'gt_image_2' / 'um_road_000000.png'
    cv2.imwrite(str(truth), np.zeros((41, 60, 3), np.uint8))
    refuse('expected the size of um_000000.png, 60x40, found 60x41', tmp_path)
    truth.write_bytes(b'no image')
    refuse('um_road_000000.png: expected a PNG, JPEG, TIFF, BMP or WebP image', tmp_path)
    truth.unlink()
    (tmp_path / 'one.txt').write_text('um_000000')
    refuse('um_road_000000.png: expected the ground truth of um_000000.png', tmp_path, 'one.txt')


def test_truncated_image_is_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    write_pair(tmp_path, 'um_000000', noise, np.zeros((40, 60)))
    path = tmp_path / 'training' / 'image_2' / 'um_000000.png'
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match=r'um_000000\.png: expected a complete PNG .* 60 bytes'):
        KittiRoad(tmp_path)[0]


def test_joined(kitti_folder):
    train, val = KittiRoad(kitti_folder, 'train.txt'), KittiRoad(kitti_folder, 'val.txt')
    joined = Joined([train, val])
    assert [joined[i].name for i in range(len(joined))] == train.names + val.names


def test_official_png_files(real_data):
    dataset = KittiRoad(real_data / 'kitti_road_png')
    assert dataset.names == ['um_000010', 'umm_000010', 'uu_000010']
    for index in range(3):
        labels = dataset[index].labels
        road = (labels == 1).sum() / (labels != 255).sum()
        assert 0.05 < road < 0.6 and labels.shape == dataset[index].image.shape[:2]
