# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Cityscapes, and the same shapes as COCO, YOLO, LabelMe and CVAT keep them."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
from mask_variants import HEIGHT, NAMES, WIDTH, image_of, save
from PIL import Image

from fcn_seg_ros.datasets.coco import decompressed
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.datasets.survey import survey
from fcn_seg_ros.errors import InputError

ROAD = [[8.0, 64.0], [90.0, 64.0], [60.0, 20.0], [40.0, 20.0]]
CAR = (45.0, 30.0, 61.0, 46.0)
CAR_POLYGON = [[CAR[0], CAR[1]], [CAR[2], CAR[1]], [CAR[2], CAR[3]], [CAR[0], CAR[3]]]


def truth():
    """Return the labels, uint8 (64, 96), by the pixels' centres, and where the car is."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    down = (y - 20) / 44
    road = (y > 20) & (x > 40 - 32 * down) & (x < 60 + 30 * down)
    car = (x > CAR[0]) & (x < CAR[2]) & (y > CAR[1]) & (y < CAR[3])
    return (road & ~car).astype(np.uint8), car


def images(folder, suffix='.png'):
    for number, name in enumerate(NAMES):
        save(folder / f'{name}{suffix}', image_of(number))


def coco(root, segmentations=None):
    images(root / 'images')
    road, car = segmentations or ([np.ravel(ROAD).tolist()], [np.ravel(CAR_POLYGON).tolist()])
    parts = [{'id': n, 'file_name': f'{name}.png', 'width': WIDTH, 'height': HEIGHT}
             for n, name in enumerate(NAMES)]
    drawn = [{'id': 10 * n + c, 'image_id': n, 'category_id': c, 'segmentation': part}
             for n in range(len(NAMES)) for c, part in ((1, road), (2, car))]
    save_json(root / 'annotations' / 'instances.json', {
        'images': parts, 'annotations': drawn,
        'categories': [{'id': 1, 'name': 'road'}, {'id': 2, 'name': 'car'}]})


def coco_runs(root):
    labels, car = truth()
    runs = [{'size': [HEIGHT, WIDTH], 'counts': runs_of(part.T.ravel())}
            for part in (labels > 0, car)]
    coco(root, runs)


def runs_of(flat):
    """Return run lengths that start with the zeros."""
    edges = np.flatnonzero(np.diff(flat.astype(int))) + 1
    ends = [0, *edges.tolist(), len(flat)]
    return ([0] if flat[0] else []) + np.diff(ends).tolist()


def save_json(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def yolo(root, folders=('images/{}', 'labels/{}')):
    for part in ('train', 'val'):
        images(root / folders[0].format(part))
        labels = root / folders[1].format(part)
        labels.mkdir(parents=True)
        for name in NAMES:
            lines = [' '.join([str(number), *(f'{x / WIDTH:.6f} {y / HEIGHT:.6f}'
                                              for x, y in polygon)])
                     for number, polygon in ((1, ROAD), (0, CAR_POLYGON))]
            (labels / f'{name}.txt').write_text('\n'.join(lines) + '\n')
    (root / 'data.yaml').write_text('names: [car, road]\n')


def yolo_roboflow(root):
    yolo(root, ('{}/images', '{}/labels'))


def labelme(root):
    images(root, '.jpg')
    for name in NAMES:
        save(root / f'{name}.png', image_of(NAMES.index(name)))
        save_json(root / f'{name}.json', {
            'imagePath': f'{name}.png', 'imageWidth': WIDTH, 'imageHeight': HEIGHT, 'shapes': [
                {'label': 'road', 'shape_type': 'polygon', 'points': ROAD},
                {'label': 'lane', 'shape_type': 'linestrip', 'points': ROAD[:2]},
                {'label': 'car', 'shape_type': 'rectangle',
                 'points': [[CAR[2], CAR[1]], [CAR[0], CAR[3]]]}]})


def labelme_masks(root):
    images(root)
    labels, car = truth()
    for name in NAMES:
        save_json(root / f'{name}.json', {
            'imagePath': f'{name}.png', 'imageWidth': WIDTH, 'imageHeight': HEIGHT, 'shapes': [
                {'label': 'road', 'shape_type': 'mask', 'points': [[0, 20], [WIDTH, HEIGHT]],
                 'mask': encoded(labels[20:] > 0)},
                {'label': 'car', 'shape_type': 'mask', 'points': [[45, 30], [61, 46]],
                 'mask': encoded(car[30:46, 45:61])}]})


def encoded(mask):
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, 'PNG')
    return base64.b64encode(buffer.getvalue()).decode()


def cvat(root, entries=None):
    images(root / 'images' / 'default')
    road = ';'.join(f'{x:.2f},{y:.2f}' for x, y in ROAD)
    entries = entries or (
        '<box label="car" xtl="45.0" ytl="30.0" xbr="61.0" ybr="46.0" z_order="1"/>'
        f'<polygon label="road" points="{road}" z_order="0"/>')
    (root / 'annotations.xml').write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<annotations><version>1.1</version>'
        + ''.join(f'<image id="{n}" name="{name}.png" width="{WIDTH}" height="{HEIGHT}">{entries}'
                  '</image>' for n, name in enumerate(NAMES))
        + '<image id="9" name="a.png" width="96" height="64"></image></annotations>')


def cvat_brush(root):
    labels, _ = truth()
    part = labels[20:, 8:90] > 0
    cvat(root, f'<mask label="road" left="8" top="20" width="82" height="44" '
               f'rle="{", ".join(map(str, runs_of(part.ravel())))}"/>'
               f'<mask label="car" left="45" top="30" width="16" height="16" rle="0, 256"/>')


def cvat_masks(root):
    labels, car = truth()
    coloured = np.where(labels[..., None] > 0, np.uint8((128, 64, 128)), np.uint8(0))
    coloured[car] = 0, 0, 142
    images(root / 'JPEGImages')
    for name in NAMES:
        save(root / 'SegmentationClass' / f'{name}.png', coloured)
    (root / 'labelmap.txt').write_text(
        '# label:color_rgb:parts:actions\nbackground:0,0,0::\nroad:128,64,128::\ncar:0,0,142::\n')


def cityscapes(root):
    labels, car = truth()
    ids = np.where(car, 26, np.where(labels > 0, 7, 23)).astype(np.uint8)
    for number, name in enumerate(NAMES):
        stem = f'train/bonn/bonn_{name}'
        save(root / 'leftImg8bit' / f'{stem}_leftImg8bit.png', image_of(number))
        save(root / 'gtFine' / f'{stem}_gtFine_labelIds.png', ids)
        save(root / 'gtFine' / f'{stem}_gtFine_color.png', image_of(number))


FORMS = {
    'coco': (coco, 'coco:{}'), 'coco, one file': (coco, 'coco:{}/annotations/instances.json'),
    'coco, run lengths': (coco_runs, 'coco:{}'),
    'yolo': (yolo, 'yolo:{}?split=train'), 'yolo, roboflow': (yolo_roboflow, 'yolo:{}?split=val'),
    'labelme': (labelme, 'labelme:{}'), 'labelme, masks': (labelme_masks, 'labelme:{}'),
    'cvat': (cvat, 'cvat:{}'), 'cvat, brush': (cvat_brush, 'cvat:{}'),
    'cvat, masks': (cvat_masks, 'cvat:{}'), 'cityscapes': (cityscapes, 'cityscapes:{}?split=train')}


@pytest.mark.parametrize('form', FORMS)
def test_every_form_gives_the_same_labels_and_classes(form, tmp_path):
    writer, spec = FORMS[form]
    writer(tmp_path)
    dataset = open_dataset(parse_spec(spec.format(tmp_path)))
    labels, _ = truth()
    assert len(dataset) == len(NAMES)
    for number in range(len(NAMES)):
        sample = dataset[number]
        assert np.array_equal(sample.image, image_of(number))
        # OpenCV counts pixels on an outline as inside.
        assert (sample.labels != labels).sum() <= 100 and set(np.unique(sample.labels)) == {0, 1}
        assert sample.labels[40, 50] == 0 and sample.labels[50, 50] == 1
        found = dataset.classes(number)
        assert found.names[found.ids[40, 50]] == 'car' and found.names[found.ids[60, 50]] == 'road'
    assert survey(dataset).problems == [] and 'road' in dataset.explain_labels()


@pytest.mark.parametrize(('form', 'options', 'words'), [
    ('coco', '?road=street', 'expected shapes called street, found car, road: say road= and'),
    ('coco', '?road=road&images=nowhere', 'found none: say images= and its folder'),
    ('coco', '?empty=x', 'empty: expected skip or other'),
    ('yolo', '?images=elsewhere', "images: expected none, since yolo has images beside"),
    ('cvat, masks', '?empty=other', 'empty: expected skip, since an export "Segmentation mask"'),
    ('yolo', '?split=none.txt', 'none.txt: expected a split file'),
    ('cvat, masks', '?road=lane', 'labelmap.txt: expected a class called lane, found background'),
    ('labelme', '/nothing', 'expected JSON files by LabelMe, found none'),
    ('cvat', '/images', 'expected the folder of an unpacked export by CVAT')])
def test_what_is_missing_is_one_line(form, options, words, tmp_path):
    writer, spec = FORMS[form]
    writer(tmp_path)
    kind = spec.partition(':')[0]
    with pytest.raises(InputError) as caught:
        open_dataset(parse_spec(f'{kind}:{tmp_path}{options}'))
    assert words in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize(('form', 'file', 'old', 'new', 'words'), [
    ('coco', 'annotations/instances.json', '"images"', '"image"', 'KeyError'),
    ('coco', 'annotations/instances.json', '{', '', 'JSONDecodeError'),
    ('coco', 'annotations/instances.json', '"segmentation": [[', '"segmentation": [], "x": [[',
     'expected polygons, found a box (annotation '),
    ('coco', 'annotations/instances.json', '8.0', 'NaN', 'coordinates that are no numbers'),
    ('coco, run lengths', 'annotations/instances.json', '"counts": [', '"counts": [9, ',
     'run lengths of 6144 pixels expected, 6153 found'),
    ('yolo', 'labels/train/a.txt', '0 0.468750 0.468750 0.635417 0.468750', '0 0.4 0.5 0.3 0.2\n0',
     'found a box ("0 0.4 0.5 0.3 0.2")'),
    ('yolo', 'labels/train/a.txt', '0.', 'o.', 'ValueError'),
    ('labelme', 'b.json', '"label"', '"labels"', 'KeyError'),
    ('labelme', 'b.json', '96', '97', 'expected the size in its annotation, 97x64, found 96x64'),
    ('cvat', 'annotations.xml', '</image>', '', 'ParseError'),
    ('cvat, masks', 'labelmap.txt', '128,64', '128', 'expected lines such as road:128,64,128::')])
def test_a_broken_file_is_one_line(form, file, old, new, words, tmp_path):
    writer, spec = FORMS[form]
    writer(tmp_path)
    path = tmp_path / file
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputError) as caught:
        open_dataset(parse_spec(spec.format(tmp_path)))
    assert words in str(caught.value) and path.stem in str(caught.value)


def test_images_without_a_shape_are_left_out_and_said_so(tmp_path):
    cvat(tmp_path)
    dataset = open_dataset(parse_spec(f'cvat:{tmp_path}'))
    assert dataset.remarks == ['1 images without a shape are left out (empty=other takes them as '
                               'not road)']
    assert len(open_dataset(parse_spec(f'cvat:{tmp_path}?empty=other'))) == len(NAMES) + 1
    (tmp_path / 'two.txt').write_text('c\nimages/b.png\n')
    assert open_dataset(parse_spec(f'cvat:{tmp_path}?split=two.txt')).names == ['c', 'b']
    ignoring = open_dataset(parse_spec(f'cvat:{tmp_path}?ignore=car'))
    assert ignoring[0].labels[40, 50] == 255 and ignoring.classes(0) is None


def test_compressed_run_lengths_of_coco():
    """As pycocotools 2.0 writes them."""
    assert decompressed('01cl13YUN00000Xk30') == [0, 1, 1939, 4, 60, 4, 60, 4, 60, 4, 4004, 4]


def test_cityscapes_leaves_out_what_the_benchmark_does(tmp_path):
    cityscapes(tmp_path)
    path = tmp_path / 'gtFine/train/bonn/bonn_a_gtFine_labelIds.png'
    save(path, np.tile(np.arange(34, dtype=np.uint8), 1000)[:HEIGHT * WIDTH].reshape(HEIGHT, WIDTH))
    labels = open_dataset(parse_spec(f'cityscapes:{tmp_path}'))[0].labels.ravel()[:34]
    assert labels[7] == 1 and np.flatnonzero(labels == 255).tolist() == [
        0, 1, 2, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 29, 30]
