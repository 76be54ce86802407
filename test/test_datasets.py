# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""CamVid, plain folders, and datasets by name: their pixels, and what is wrong with a folder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from fcn_seg_ros.datasets.camvid import CamVid
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.pairs import SizeMismatch
from fcn_seg_ros.datasets.plain_folder import FolderOptions, PlainFolder
from fcn_seg_ros.datasets.registry import (
    DatasetSpec,
    licences,
    open_dataset,
    open_datasets,
    parse_spec,
    training_data,
)
from fcn_seg_ros.datasets.rendered_road import RenderedOptions
from fcn_seg_ros.errors import InputError

RNG = np.random.default_rng(0)


def picture(height=30, width=40):
    return RNG.integers(0, 256, (height, width, 3), np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def camvid(tmp_path):
    """Return a folder in CamVid's layout: three training pairs and one to validate on."""
    for split, names in (('train', ('0001TP_006690', '0001TP_006720', '0006R0_f00930')),
                         ('val', ('0016E5_07959',))):
        for name in names:
            write(tmp_path / split / f'{name}.png', picture())
            classes = np.tile(np.arange(12, dtype=np.uint8), 100).reshape(30, 40)
            write(tmp_path / f'{split}annot' / f'{name}.png', classes)
    return tmp_path


@pytest.fixture
def folder(tmp_path):
    """Return a folder of two images and masks of 0, 1 and 255."""
    root = tmp_path / 'own'
    for name in ('a1', 'b2'):
        write(root / 'images' / f'{name}.png', picture())
        mask = np.zeros((30, 40), np.uint8)
        mask[10:], mask[:, :5] = 1, 255
        write(root / 'masks' / f'{name}.png', mask)
    return root


def refuse(text, call, *args, **options):
    with pytest.raises(InputError) as caught:
        call(*args, **options)
    assert text in str(caught.value) and '\n' not in str(caught.value), str(caught.value)


def test_camvid_classes_become_road_labels(camvid):
    dataset = CamVid(camvid, 'train')
    assert dataset.names == ['0001TP_006690', '0001TP_006720', '0006R0_f00930']
    sample = dataset[1]
    assert sample.labels.ravel()[:12].tolist() == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 255]
    file = cv2.imread(str(camvid / 'train' / '0001TP_006720.png'))[..., ::-1]
    assert np.array_equal(sample.image, file) and sample.labels.dtype == np.uint8
    assert len(CamVid(camvid)) == 4 and CamVid(camvid, 'val').names == ['0016E5_07959']


def test_bad_camvid_folders(camvid, tmp_path_factory):
    refuse('expected a CamVid folder with test, found none', CamVid, camvid, 'test')
    refuse('expected a CamVid folder with train', CamVid, tmp_path_factory.mktemp('empty'))
    truth = camvid / 'trainannot' / '0001TP_006690.png'
    write(truth, np.full((30, 40), 30, np.uint8))
    with pytest.raises(InputError, match=r'006690\.png: expected the classes 0 to 11, found 30'):
        CamVid(camvid, 'train')[0]
    write(truth, np.zeros((31, 40), np.uint8))
    refuse('expected the size of 0001TP_006690.png, 40x30, found 40x31', CamVid, camvid, 'train')
    truth.unlink()
    refuse('expected the label image of 0001TP_006690.png, found none', CamVid, camvid, 'train')
    (camvid / 'train' / '0001TP_006720.png').unlink()
    lenient = CamVid(camvid, 'train', strict=False)
    assert len(lenient) == 1 and 'expected the image of sample 0001TP_006720' in str(
        lenient.faults[1])


def test_plain_folder(folder):
    dataset = PlainFolder(folder)
    assert dataset.names == ['a1', 'b2']
    labels = dataset[0].labels
    assert (labels[:, :5] == 255).all() and (labels[10:, 5:] == 1).all()
    assert (labels[:10, 5:] == 0).all()
    (folder / 'one.txt').write_text('b2\n')
    assert PlainFolder(folder, 'one.txt').names == ['b2']


@pytest.mark.parametrize('mode', ['L', 'P', '1', 'RGB'])
def test_masks_in_every_form(folder, mode):
    road = np.zeros((30, 40), np.uint8)
    road[12:20] = 1
    white = mode in ('L', 'RGB')
    form = Image.fromarray(255 * road if white or mode == '1' else road)
    if mode == 'P':
        form.putpalette([0, 0, 0, 200, 30, 90])
    form.convert(mode).save(folder / 'masks' / 'a1.png')
    options = FolderOptions(road='255' if white else '')
    assert np.array_equal(PlainFolder(folder, options=options)[0].labels, road)


def test_bad_masks(folder):
    mask = folder / 'masks' / 'a1.png'
    write(mask, np.full((30, 40), 7, np.uint8))
    refuse('a1.png: expected a mask of 0,1,255, found 7: say which are road, such as road=7',
           PlainFolder(folder).__getitem__, 0)
    write(mask, np.ones((30, 40), np.uint8))
    refuse('expected a mask of 0,255, found 1',
           PlainFolder(folder, options=FolderOptions(road='255')).__getitem__, 0)
    write(mask, picture())
    refuse('expected ids, found the colours #', PlainFolder(folder).__getitem__, 0)
    write(mask, np.full((30, 40), 700, np.uint16))
    refuse('expected a mask of 0,1,255, found 700', PlainFolder(folder).__getitem__, 0)
    mask.write_bytes((folder / 'masks' / 'b2.png').read_bytes()[:70])
    refuse('a1.png: expected a complete PNG image, found',
           PlainFolder(folder).__getitem__, 0)


def test_a_classes_file_names_what_masks_hold(folder):
    (folder / 'classes.yaml').write_text(
        'classes:\n- {name: car, colour: [1, 2, 3], ids: [0]}\n'
        '- {name: lane, colour: [4, 5, 6], road: true, ids: [1, 9]}\nignore: {ids: [3]}\n')
    mask = np.zeros((30, 40), np.uint8)
    mask[10:], mask[20:], mask[:, :5] = 1, 9, 3
    write(folder / 'masks' / 'a1.png', mask)
    dataset = PlainFolder(folder, options=FolderOptions(classes='classes.yaml'))
    found = dataset.classes(0)
    assert found.names == {0: 'car', 1: 'lane'}
    assert (found.ids[:, :5] == 255).all() and (found.ids[10:, 5:] == 1).all()
    assert np.array_equal(dataset[0].labels, found.ids)
    assert '0 = car' in dataset.explain_labels() and '9 = lane' in dataset.explain_labels()
    assert PlainFolder(folder).classes(0) is None
    mask[0, 20] = 8
    write(folder / 'masks' / 'a1.png', mask)
    refuse('expected a mask of 0,1,3,9,255, found 8: name them in the classes file',
           dataset.__getitem__, 0)
    refuse('classes: expected no road, which the file says, found road=7', PlainFolder, folder,
           options=FolderOptions(classes='classes.yaml', road='7'))
    refuse('none.yaml: expected a classes file, found nothing', PlainFolder, folder,
           options=FolderOptions(classes='none.yaml'))


def test_bad_plain_folders(folder, tmp_path):
    refuse('found no images', PlainFolder, tmp_path)
    refuse('found no such folder', PlainFolder, tmp_path / 'none')
    write(folder / 'masks' / 'a1.png', np.zeros((20, 40), np.uint8))
    refuse('expected the size of a1.png, 40x30, found 40x20', PlainFolder, folder)
    assert isinstance(PlainFolder(folder, strict=False).faults[0], SizeMismatch)
    (folder / 'masks' / 'a1.png').unlink()
    refuse('a1.png: expected the mask of a1.png, found none', PlainFolder, folder)
    (folder / 'images' / 'a1.png').unlink()
    write(folder / 'masks' / 'c3.png', np.zeros((30, 40), np.uint8))
    refuse('c3.png: expected the image of sample c3 (.png, .jpg), found none', PlainFolder, folder)
    (folder / 'names.txt').write_bytes(b'\xff\xfe\x00')
    refuse('found a file that is not text', PlainFolder, folder, 'names.txt')
    (folder / 'names.txt').write_text('c3')
    refuse('expected the image of sample c3', PlainFolder, folder, 'names.txt')


def test_wrong_colours_of_a_kitti_truth(kitti_folder, tmp_path):
    from shutil import copytree
    data = copytree(kitti_folder, tmp_path / 'data')
    path = data / 'training' / 'gt_image_2' / 'um_road_000000.png'
    truth = cv2.imread(str(path))
    truth[3, 4] = (0, 255, 0)
    cv2.imwrite(str(path), truth)
    refuse('um_road_000000.png: expected red (not road), magenta (road) and black pixels, '
           'found (0, 255, 0) at row 3, column 4', KittiRoad(data).__getitem__, 0)


def test_a_cut_jpeg_is_refused(folder):
    image = folder / 'images' / 'a1.jpg'
    cv2.imwrite(str(image), picture())
    (folder / 'images' / 'a1.png').unlink()
    assert PlainFolder(folder)[0].image.shape == (30, 40, 3)
    image.write_bytes(image.read_bytes()[:-40])
    refuse('a1.jpg: expected a complete JPEG image of 40x30', PlainFolder(folder).__getitem__, 0)


@pytest.mark.parametrize(('text', 'spec'), [
    ('some/where', DatasetSpec('kitti', 'some/where')),
    ('kitti:/a b?split=train.txt', DatasetSpec('kitti', '/a b', 'train.txt')),
    ('camvid:c?split=val&weight=0.5', DatasetSpec('camvid', 'c', 'val', 0.5)),
    ('folder:f?road=255', DatasetSpec('folder', 'f', options=FolderOptions(road='255'))),
    ('rendered', DatasetSpec('rendered')),
    ('rendered?drives=3&frames=2&first_seed=7',
     DatasetSpec('rendered', options=RenderedOptions(3, 2, 7))),
])
def test_specs(text, spec):
    assert parse_spec(text) == spec
    assert parse_spec(str(spec)) == spec


@pytest.mark.parametrize(('text', 'fault'), [
    ('mapillary:x', 'expected one of kitti, camvid, folder, cityscapes, coco, yolo, labelme, cvat, '
     "frames, rendered, found 'mapillary'"),
    ('camvid:', 'expected camvid:PATH, found camvid:'),
    ('camvid', 'expected camvid:PATH, found camvid:'),
    ('nowhere', 'nowhere: expected a KITTI Road folder'),
    ('rendered:x', 'expected rendered without a path'),
    ('rendered?split=a', 'expected no split'),
    ('kitti:x?road=1', "unknown option 'road' (it takes weight, teacher, from, to, split)"),
    ('kitti:x?weight=0', 'expected a weight above 0 and below 1000, found 0'),
    ('kitti:x?weight=nan', "expected a number for weight, found 'nan'"),
    ('rendered?drives=2.5', "expected a number for drives, found '2.5'"),
    ('rendered?drives', "expected KIND:PATH?option=value&option=value, found 'drives'"),
    ('kitti:x?split=a&split=b', "found 'split=b'"),
    ('rendered?drives=0', 'expected 1 to 1000000 frames'),
])
def test_bad_specs(text, fault):
    refuse(fault, lambda: open_dataset(parse_spec(text)))


def test_datasets_are_opened_and_described(kitti_folder, camvid):
    specs = [parse_spec(text) for text in (
        f'{kitti_folder}?split=train.txt', f'camvid:{camvid}?weight=2',
        'rendered?drives=1&frames=1')]
    mixture = open_datasets(specs)
    assert len(mixture) == 6 + 4 + 1 and mixture.epoch_length == 6 + 8 + 1
    assert mixture[5].name == 'umm_000005' and mixture[9].name == '0016E5_07959'
    assert mixture[10].name == 'rendered_00000_0000'
    assert training_data(specs, mixture) == (
        'KITTI Road, 6 images (train.txt); CamVid, 4 images (all), weight 2; '
        '1 frames of 1 rendered drives')
    assert licences(specs) == ('CC BY-NC-SA 3.0 (KITTI Road), non-commercial; '
                               'CC BY-NC 4.0 (CamVid), non-commercial')


def test_real_camvid(real_data):
    train, val = (CamVid(real_data / 'camvid', split) for split in ('train', 'val'))
    assert (len(train), len(val)) == (367, 101)
    road = np.mean([(train[i].labels == 1).mean() for i in range(0, 367, 40)])
    assert 0.2 < road < 0.45
    assert train[0].image.shape == (360, 480, 3)
