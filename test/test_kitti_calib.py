# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Calib files of KITTI Road: what is read, and one line for what cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from fcn_seg_ros.datasets.kitti_calib import calib_file, read_calib
from fcn_seg_ros.errors import InputError

GOOD = {
    'P0': '1 0 0 0 0 1 0 0 0 0 1 0',
    'P2': '721.5 0 609.5 44.8 0 721.5 172.8 0.2 0 0 1 0.0027',
    'R0_rect': '1 0 0 0 1 0 0 0 1',
    'Tr_cam_to_road': '1 0 0 0 0 1 0 -1.65 0 0 1 0.3',
}


def write(path, **changes):
    lines = {key: value for key, value in (GOOD | changes).items() if value is not None}
    path.write_text('\n'.join(f'{key}: {value}' for key, value in lines.items()) + '\n\n')
    return path


def test_reads_what_is_needed(tmp_path):
    calib = read_calib(write(tmp_path / 'um_000000.txt'))
    assert calib.p2[0].tolist() == [721.5, 0, 609.5, 44.8] and calib.p2.shape == (3, 4)
    assert calib.cam_to_road[:, 3].tolist() == [0, -1.65, 0.3]
    u, v, w = calib.homography @ [0.0, 10.3, 1.0]  # 10 m before the camera, 1.65 m below it
    assert (u / w, v / w) == pytest.approx(
        ((609.5 * 10 + 44.8) / 10.0027, (721.5 * 1.65 + 172.8 * 10 + 0.2) / 10.0027))
    assert np.array_equal(calib.r0_rect, np.eye(3))
    image = tmp_path / 'testing' / 'image_2' / 'uu_000003.png'
    assert calib_file(image) == tmp_path / 'testing' / 'calib' / 'uu_000003.txt'


def test_the_view_sees_what_the_homography_says(tmp_path):
    angle = 0.02
    turn = f'1 0 0 0 {np.cos(angle)} {-np.sin(angle)} 0 {np.sin(angle)} {np.cos(angle)}'
    tilted = '1 0 0 0.1 0 0.9998 -0.02 -1.65 0 0.02 0.9998 0.3'
    calib = read_calib(write(tmp_path / 'um_000000.txt', R0_rect=turn, Tr_cam_to_road=tilted))
    x, z = np.array([-4.0, 0.0, 3.0]), np.array([6.0, 20.0, 46.0])
    u, v, w = calib.homography @ np.stack([x, z, np.ones(3)])
    view = calib.view(375, 1242)
    # The columns of Tr_cam_to_road are rounded, so its inverse is not its transpose.
    np.testing.assert_allclose(view.ground_to_pixel(z, -x), (u / w, v / w), atol=0.05)
    np.testing.assert_allclose(view.pixel_to_ground(u / w, v / w), (z, -x), rtol=3e-3, atol=1e-3)


@pytest.mark.parametrize(('changes', 'text'), [
    ({'Tr_cam_to_road': None}, 'expected a line Tr_cam_to_road: with 12 numbers, found none'),
    ({'P2': '1 2 3'}, 'expected 12 finite numbers in P2'),
    ({'P2': GOOD['P2'] + ' 4'}, 'expected 12 finite numbers in P2'),
    ({'R0_rect': '1 0 0 0 1 0 0 0 one'}, 'expected numbers in R0_rect'),
    ({'R0_rect': '1 0 0 0 1 0 0 0 nan'}, 'expected 9 finite numbers in R0_rect'),
    ({'Tr_cam_to_road': '0 0 0 0 0 0 0 0 0 0 0 0'}, 'expected a rotation in Tr_cam_to_road'),
])
def test_broken_files(tmp_path, changes, text):
    path = write(tmp_path / 'um_000000.txt', **changes)
    with pytest.raises(InputError, match=r'um_000000\.txt: ') as caught:
        read_calib(path)
    assert text in str(caught.value) and '\n' not in str(caught.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match=r'no\.txt: the calib file cannot be read'):
        read_calib(tmp_path / 'no.txt')
    (tmp_path / 'x.txt').write_bytes(b'\xff\xfe\x00P2')
    with pytest.raises(InputError, match='not text'):
        read_calib(tmp_path / 'x.txt')
