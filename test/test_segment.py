# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executable `segment`: what it writes, and one line for what it cannot."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from fcn_seg_ros.cli.segment import main
from fcn_seg_ros.datasets.images import read_rgb
from fcn_seg_ros.inference.segmenter import RoadSegmenter


@pytest.fixture
def photos(rendered_frames, tmp_path):
    """Return a folder with a PNG, a JPEG of another size and something else."""
    folder = tmp_path / 'photos'
    folder.mkdir()
    cv2.imwrite(str(folder / 'one.png'), rendered_frames[0].image[..., ::-1])
    cv2.imwrite(str(folder / 'two.JPG'), rendered_frames[1].image[:90, :301, ::-1])
    (folder / 'notes.txt').write_text('no image')
    return folder


def test_writes_what_the_segmenter_says(photos, random_checkpoint, tmp_path, capsys):
    outputs = {name: tmp_path / 'out' / name for name in ('probability', 'mask', 'overlay')}
    arguments = [word for name, folder in outputs.items() for word in (f'--{name}', str(folder))]
    assert main([str(photos), '--checkpoint', str(random_checkpoint), '--precision', 'fp32',
                 '--threshold', '0.4', *arguments]) == 0
    assert 'wrote 2 images' in capsys.readouterr().out
    segmenter = RoadSegmenter(random_checkpoint, precision='fp32', threshold=0.4)
    for source in ('one.png', 'two.JPG'):
        image = read_rgb(photos / source)
        result = segmenter.segment(image)
        written = {name: cv2.imread(str(folder / f'{source[:3]}.png'), cv2.IMREAD_UNCHANGED)
                   for name, folder in outputs.items()}
        assert np.array_equal(written['probability'], result.probability)
        assert np.array_equal(written['mask'], result.mask)
        overlay = written['overlay'][..., ::-1]
        assert np.array_equal(overlay[result.mask == 0], image[result.mask == 0])
        tinted = 0.5 * image + 0.5 * np.array([0, 200, 80])  # the palette's road
        assert np.abs(overlay - tinted)[result.mask == 1].max() <= 1
        assert 0 < result.mask.mean() < 1
    for folder in outputs.values():
        assert sorted(p.name for p in folder.iterdir()) == ['one.png', 'two.png']


@pytest.mark.parametrize(('arguments', 'text'), [
    (['{photos}'], 'expected at least one of --probability, --mask and --overlay'),
    (['{tmp}/none', '--mask', '{tmp}/m'], 'none: expected a folder of images, found nothing'),
    (['{photos}/one.png', '--mask', '{tmp}/m'], 'expected a folder of images, found a file'),
    (['{tmp}', '--mask', '{tmp}/m'],
     'expected images (.png, .jpg, .jpeg, .tif, .tiff), found none'),
    (['{photos}', '--mask', '{photos}'], '--mask: expected a folder of its own'),
    (['{photos}', '--mask', '{tmp}/m', '--overlay', '{tmp}/x/../m'],
     '--overlay: expected a folder of its own'),
    (['{photos}', '--mask', '{photos}/one.png/m'], 'm: this folder cannot be created'),
    (['{photos}', '--mask', '{tmp}/m', '--threshold', '3'], 'threshold: expected -1'),
    (['{photos}', '--mask', '{tmp}/m', '--checkpoint', '{photos}/one.png'],
     'expected a whole safetensors file'),
])
def test_bad_input(photos, random_checkpoint, tmp_path, capsys, arguments, text):
    given = [word.format(photos=photos, tmp=tmp_path) for word in arguments]
    if '--checkpoint' not in given:
        given += ['--checkpoint', str(random_checkpoint)]
    assert main(given) == 2
    error = capsys.readouterr().err
    assert error.startswith('segment: error: ') and text in error
    assert len(error.strip().splitlines()) == 1 and not (tmp_path / 'm').exists()


def test_same_name_and_damaged_images(photos, random_checkpoint, tmp_path, capsys):
    arguments = [str(photos), '--mask', str(tmp_path / 'm'), '--checkpoint',
                 str(random_checkpoint)]
    (photos / 'one.jpeg').write_bytes((photos / 'one.png').read_bytes())
    assert main(arguments) == 2
    assert 'one.png: expected one image of each name, found one.jpeg' in capsys.readouterr().err
    (photos / 'one.jpeg').unlink()
    whole = (photos / 'one.png').read_bytes()
    (photos / 'one.png').write_bytes(whole[:len(whole) // 2])
    assert main(arguments) == 2
    assert 'one.png: expected a complete PNG image' in capsys.readouterr().err
    assert list((tmp_path / 'm').iterdir()) == []
