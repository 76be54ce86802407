# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""``check_dataset``: every fault that it promises to find, and none where there is none."""

from __future__ import annotations

import json
import zlib

import cv2
import numpy as np
import pytest
from conftest import write_pair
from hypothesis import given, settings
from hypothesis import strategies as st
from mask_variants import VARIANTS, write

from fcn_seg_ros.cli.check_dataset import main
from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.datasets.leaks import Source, find_leaks
from fcn_seg_ros.datasets.survey import NEAR, Picture, perceptual_hash, survey
from fcn_seg_ros.datasets.verify import verify
from fcn_seg_ros.errors import InputError


def scene(seed):
    """Return a picture with detail of all sizes, another one for another seed."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.normal(0, 40, (n, 3 * n, 3)), (160, 60)) for n in (3, 6, 12)]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


ROAD = np.tile(np.arange(60)[:, None] > 30, (1, 160))


@pytest.fixture
def faulty(tmp_path):
    """Return a KITTI Road folder with one of each fault in its training split."""
    names = ['um_000000', 'um_000001', 'um_000002', 'umm_000010', 'umm_000011', 'uu_000040']
    for seed, name in enumerate(names):
        write_pair(tmp_path, name, scene(seed), ROAD)
    images, truths = (tmp_path / 'training' / part for part in ('image_2', 'gt_image_2'))
    cut = images / 'um_000001.png'
    cut.write_bytes(cut.read_bytes()[:2000])
    cv2.imwrite(str(truths / 'um_road_000002.png'), np.zeros((60, 161, 3), np.uint8))
    write_pair(tmp_path, 'umm_000010', scene(3), np.zeros((60, 160)))
    write_pair(tmp_path, 'umm_000011', scene(0), ROAD)
    write_pair(tmp_path, 'uu_000041', scene(11), ROAD)
    write_pair(tmp_path, 'uu_000090', scene(12), ROAD)
    blurred = cv2.GaussianBlur(cv2.convertScaleAbs(scene(0), alpha=0.9, beta=20), (0, 0), 1)
    write_pair(tmp_path, 'uu_000095', blurred, ROAD, suffix='.jpg')
    (tmp_path / 'train.txt').write_text('\n'.join(names))
    (tmp_path / 'val.txt').write_text('uu_000041\nuu_000090\nuu_000095\num_000000\n')
    return tmp_path


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    output, errors = capsys.readouterr()
    return status, output, errors


def test_every_fault_is_found(faulty, capsys):
    status, output, _ = run(capsys, '--json', '--train', f'{faulty}?split=train.txt',
                            '--val', f'{faulty}?split=val.txt')
    assert status == 1
    train, val = json.loads(output)['datasets']
    assert train['counts'] == {
        'labels': 0, 'unreadable': 1, 'mismatched': 1, 'empty': 1, 'duplicate': 1, 'leak': 0}
    texts = {problem['kind']: problem['text'] for problem in train['problems']}
    assert 'um_000001.png: expected a complete PNG' in texts['unreadable']
    assert 'expected the size of um_000002.png, 160x60, found 161x60' in texts['mismatched']
    assert texts['empty'] == 'umm_000010: no road'
    assert texts['duplicate'] == 'umm_000011: the same image as um_000000'
    leaks = [problem['text'] for problem in val['problems']]
    assert leaks[0] == 'uu_000041: the neighbouring frame uu_000040, 1 apart, is trained on'
    assert leaks[1].startswith('uu_000095: looks like um')
    assert leaks[2].startswith('um_000000: the same image as um') and len(leaks) == 3
    # Of the four training images left, one has no road, the others 29 of 60 rows.
    assert train['images'] == 4
    assert train['pixels']['road'] == pytest.approx(3 * 29 / 60 / 4)
    assert train['pixels']['unlabelled'] == 0


def test_table(faulty, capsys):
    status, output, _ = run(capsys, '--train', f'{faulty}?split=train.txt')
    assert status == 1
    assert 'mismatched' in output and 'duplicate: umm_000011: the same image' in output
    status, output, _ = run(capsys, '--train', f'{faulty}?split=train.txt', '--val',
                            f'{faulty}?split=val.txt', '--gap', '0')
    assert 'uu_000041' not in output.replace('nearest frames uu_000040 and uu_000041', '')


def test_the_picture_shows_what_was_understood(tmp_path, capsys):
    variants = {variant.name: variant for variant in VARIANTS}
    white = write(variants['0 and 255'], tmp_path / 'white')
    upside_down = write(variants['upside down by EXIF'], tmp_path / 'exif')
    sheet = tmp_path / 'out' / 'sheet.png'
    status, output, _ = run(capsys, '--train', f'folder:{white}?road=255', '--val',
                            f'folder:{white}', '--picture', sheet)
    assert status == 1 and f'folder:{white}?road=255: the masks hold 0 (' in output
    pixels = read_rgb(sheet)
    # A pixel of the road in the first image of each set: left as it is, right in its colour.
    first, second = pixels[66 + 200], pixels[len(pixels) // 2 + 66 + 200]
    assert np.ptp(first[250]) < 30 and np.ptp(second[250]) < 30
    assert np.argmax(first[650]) == 1 and np.argmin(second[650]) == 1
    assert np.ptp(first[650]) > 60 and np.ptp(second[650]) > 60
    status, output, errors = run(capsys, '--train', f'folder:{upside_down}', '--picture',
                                 tmp_path / 'sheet.gif')
    assert status == 2 and 'expected a file called .png or .jpg, found sheet.gif' in errors
    status, output, _ = run(capsys, '--train', f'folder:{upside_down}', '--json', '--picture',
                            tmp_path / 'sheet.jpg')
    assert 'images are turned by their EXIF orientation, such as a' in output
    assert read_rgb(tmp_path / 'sheet.jpg').shape[1] == pixels.shape[1]


def test_a_clean_dataset(kitti_folder, capsys):
    status, output, errors = run(capsys, '--train', f'{kitti_folder}?split=train.txt', '--val',
                                 f'{kitti_folder}?split=val.txt')
    assert status == 0 and errors == '' and 'leak' in output
    status, output, _ = run(capsys, '--json', '--train', 'rendered?drives=2&frames=1')
    pixels = json.loads(output)['datasets'][0]['pixels']
    assert status == 0 and 0.1 < pixels['road'] < 0.6
    assert sum(pixels.values()) == pytest.approx(1)


def test_the_same_images_in_two_datasets(kitti_folder, capsys):
    status, output, _ = run(capsys, '--train', f'{kitti_folder}?split=train.txt', kitti_folder)
    assert status == 1 and 'duplicate: um_000000: the same image as um_000000 in kitti:' in output


@pytest.mark.parametrize(('arguments', 'text'), [
    ([], 'give a dataset by --train or --val'),
    (['--train', 'nowhere'], 'nowhere: expected a KITTI Road folder'),
    (['--train', 'city:x'],
     "cvat, frames, rendered, found 'city'"),
    (['--train', '{data}?split=x.txt'], 'x.txt: expected a split file'),
    (['--val', '{data}', '--speed'], '--speed needs a dataset given by --train'),
    (['--gap', 'x'], 'argument --gap: invalid int value'),
])
def test_bad_input(kitti_folder, capsys, arguments, text):
    status, output, errors = run(capsys, *(a.format(data=kitti_folder) for a in arguments))
    assert status == 2 and output == ''
    assert text in errors and errors.count('\n') == 1, errors


def test_speed(kitti_folder, tmp_path, capsys):
    config = tmp_path / 'small.yaml'
    config.write_text('batch_size: 2\nworkers: 0\naugmentation:\n  height: 96\n'
                      '  crop: [96, 160]\n')
    status, output, _ = run(capsys, '--speed', '--train', f'{kitti_folder}?split=train.txt',
                            '--config', config)
    assert status == 0 and output.splitlines()[0] == '0 workers, batches of 2, crops of 160x96'
    assert output.count('images/s (6 in') == 3


def test_looks_survive_what_files_go_through():
    for seed in range(10):
        original = cv2.resize(scene(seed), (640, 240))
        copy = cv2.resize(original, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA)
        copy = cv2.convertScaleAbs(copy, alpha=0.8, beta=15)
        copy = cv2.imdecode(cv2.imencode('.jpg', copy, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 1)
        look = perceptual_hash(original)
        assert (look != perceptual_hash(copy)).sum() <= NEAR
        assert (look != perceptual_hash(scene(seed + 100))).sum() > 3 * NEAR


def source(name, kind='kitti', root='/data'):
    """Return a picture like no other with a name."""
    rng = np.random.default_rng(zlib.crc32(f'{kind}{root}{name}'.encode()))
    return Source(kind, root, Picture(name, f'{kind}{root}{name}', rng.random(255) > 0.5,
                                      (1, 1, 0)))


def leaking(train, val, gap=None):
    return [problem.text.partition(':')[0] for problem in find_leaks(train, val, gap)[0]]


def test_neighbours():
    thirty = [source(f'0016E5_{n:05d}', 'camvid') for n in range(30, 300, 30)]
    assert leaking(thirty, [source('0016E5_00315', 'camvid')]) == []
    dense = [source(f'0016E5_{n:05d}', 'camvid') for n in range(301, 340, 2)]
    problems, remarks = find_leaks(thirty, dense)
    assert problems == []
    assert remarks == ['sequence 0016E5_ is on both sides: nearest frames 0016E5_00270 and '
                       '0016E5_00301, 31 apart']
    assert len(leaking(thirty, dense, gap=35)) == 3
    # A number alone says nothing across folders, and a name nothing across kinds.
    assert leaking([source('0001', 'folder', '/a')], [source('0001', 'folder', '/b')]) == []
    assert leaking([source('0001', 'folder', '/a')], [source('0002', 'folder', '/a')]) == ['0002']
    assert leaking([source('um_000001')], [source('um_000001', 'folder')]) == []
    assert leaking([source('road')], [source('way')]) == []


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(0, 60), min_size=1), st.sets(st.integers(0, 60), min_size=1),
       st.integers(0, 5))
def test_neighbours_against_all_pairs(train, val, gap):
    found = leaking([source(f'um_{n:06d}') for n in train],
                    [source(f'um_{n:06d}') for n in sorted(val)], gap)
    assert found == [f'um_{n:06d}' for n in sorted(val)
                     if any(abs(n - other) <= gap for other in train)]


class Broken(RoadDataset):
    """Two samples: labels of another size, then nothing labelled."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        labels = np.full((60 + (index == 0), 160), 255, np.uint8)
        return Sample(f's{index}', scene(index), labels)


def test_survey_of_any_dataset():
    found = survey(Broken())
    assert [(p.kind, p.text) for p in found.problems] == [
        ('mismatched', 's0: expected labels of 160x60 as the image, found 160x61'),
        ('labels', 'expected labels of both road and not road, found 0 % road, 0 % not road and '
         '100 % not labelled')]


def test_verify_stops_at_the_first_fault(faulty, kitti_folder, tmp_path):
    verify(KittiRoad(kitti_folder), 'set')
    with pytest.raises(InputError, match=r'um_000001\.png: expected a complete PNG'):
        verify(KittiRoad(faulty, strict=False), 'set')
    with pytest.raises(InputError, match='expected labels of 160x60'):
        verify(Broken(), 'set')
    for name in ('um_000000', 'um_000001'):
        write_pair(tmp_path / 'black', name, scene(0), ROAD, np.zeros(ROAD.shape, bool))
    with pytest.raises(InputError, match=r'^black: expected labels of both road and not road, '
                                         r'found 0 % road, 0 % not road and 100 % not labelled$'):
        verify(KittiRoad(tmp_path / 'black'), 'black')


def test_the_real_splits_do_not_leak(real_data, capsys):
    road, camvid = real_data / 'kitti_road', real_data / 'camvid'
    status, output, _ = run(capsys, '--json', '--train', f'{road}?split=train.txt',
                            f'camvid:{camvid}?split=train', '--val', f'{road}?split=val.txt',
                            f'camvid:{camvid}?split=val')
    assert status == 0
    result = json.loads(output)
    assert [item['images'] for item in result['datasets']] == [171, 367, 45, 101]
    assert 0.1 < result['datasets'][0]['pixels']['road'] < 0.25
    status, output, _ = run(capsys, '--json', '--train', f'{road}?split=train.txt',
                            '--val', f'{road}?split=gap.txt')
    assert status == 1 and json.loads(output)['datasets'][1]['counts']['leak'] == 5
