# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The command pick: what it chooses, and that its folder is a dataset with drafts to correct."""

from __future__ import annotations

import csv
import errno
import json
import os
import zipfile
from pathlib import Path
from urllib.parse import unquote

import cv2
import numpy as np
import pytest
from bag_makers import T0
from test_drive_bag import image, noise, write_bag

from fcn_seg_ros.cli.check_dataset import main as check_dataset
from fcn_seg_ros.cli.pick import main
from fcn_seg_ros.datasets.images import read_grey, read_rgb
from fcn_seg_ros.datasets.registry import open_dataset, parse_spec
from fcn_seg_ros.drives.drive import DriveFrame
from fcn_seg_ros.drives.notes import Notes
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.label_tools import CvatArchive, label_studio_task, polygons
from fcn_seg_ros.offline.pick_choice import REASONS, choose, places
from fcn_seg_ros.offline.pick_drives import PickDrives, unique_names
from fcn_seg_ros.offline.pick_folder import open_folder
from fcn_seg_ros.offline.pick_scores import LOOK_PARTS, FrameScores, disagreement, edge_doubt

EDGE, NETWORKS, NEW = REASONS
ALL = (slice(None),)


def frames(levels, doubts=None, differ=None, seconds=None, sources=None):
    """Return the scores of grey frames."""
    count = len(levels)
    scores = FrameScores(doubts or [0.1] * count, differ or [0.0] * count, sources or [0] * count,
                         [int(1e9 * each) for each in seconds or range(count)],
                         list(range(count)))
    scores._looks += np.repeat(np.uint8(levels), 8).tobytes()
    return scores


def chosen(scores, wanted, apart_s=0.0):
    """Return the indices and the least distance in time."""
    picks, apart_s = choose(scores, wanted, apart_s, ALL)
    return [pick.index for pick in picks], apart_s


def test_doubtful_frames_come_first_and_then_those_unlike_them():
    scores = frames([10, 200, 12, 100, 14], doubts=[0.1, 0.1, 0.4, 0.1, 0.4])
    picks, _ = choose(scores, 3, 0.0, ALL)
    assert [pick.index for pick in picks] == [2, 1, 3]
    assert picks[0].reasons == (EDGE,) and picks[1].reasons == (NEW,)
    assert picks[0].distance == np.inf and picks[1].distance > picks[2].distance > 0.0


def test_where_the_networks_disagree_counts_as_much():
    assert chosen(frames([10, 50, 90], differ=[0.0, 0.0, 0.2]), 1)[0] == [2]
    picks, _ = choose(frames([10, 50, 90], [0.1, 0.1, 0.3], [0.0, 0.1, 0.2]), 1, 0.0, ALL)
    assert picks[0].index == 2 and picks[0].reasons == (EDGE, NETWORKS)


def test_frames_that_look_the_same_are_taken_once():
    assert chosen(frames([10, 10, 90, 90, 90]), 5)[0] == [0, 2]
    assert chosen(frames([7]), 5)[0] == [0]
    assert chosen(frames([7, 7, 7]), 5)[0] == [0]


def test_frames_of_a_camera_are_apart_in_time_while_there_are_enough():
    ramp = frames(range(0, 200, 20))
    assert chosen(ramp, 3, 4.0) == ([0, 9, 4], 4.0)
    picked, apart_s = chosen(ramp, 6, 4.0)
    assert apart_s == 1.0 and len(set(picked)) == 6
    assert chosen(frames([0, 99, 250], seconds=[5, 5, 5]), 3, 1.0) == ([0, 2, 1], 0.0)
    # Other cameras see something else at the same time.
    assert chosen(frames([0, 99], seconds=[5, 5], sources=[0, 1]), 2, 1.0) == ([0, 1], 1.0)


def test_each_part_of_a_look_counts_the_same():
    """The first column differs by hundreds, the second by ones: frame 2 has the rarer value."""
    scores = frames([0] * 4)
    scores._looks[:] = np.uint8([[0, 1], [200, 1], [0, 3], [200, 1]]).tobytes()
    picks, _ = choose(scores, 2, 0.0, (slice(0, 1), slice(1, 2)))
    assert [pick.index for pick in picks] == [0, 2]


def test_places_of_equal_values_are_equal():
    assert places(np.array([5.0, 1.0, 5.0, 9.0])).tolist() == [0.5, 0.125, 0.5, 0.875]


def test_doubt_is_that_around_the_edge():
    road = np.zeros((100, 60), np.uint8)
    road[60:] = 1
    confidence = np.full(road.shape, 255, np.uint8)
    confidence[:10] = 128
    assert edge_doubt(road, confidence) == 0.0
    confidence[55:65] = 191
    assert edge_doubt(road, confidence) == pytest.approx(0.5, abs=0.01)
    # Nothing but doubt, and a threshold that overrules the likelier class.
    assert edge_doubt(np.zeros_like(road), np.full_like(road, 100)) == 1.0
    assert disagreement(road, np.zeros_like(road)) == 0.4


def blob() -> np.ndarray:
    """Return a mask with a hole and a speck."""
    road = np.zeros((180, 320), np.uint8)
    cv2.fillPoly(road, [np.array([[20, 179], [130, 70], [190, 70], [310, 179]])], 1)
    cv2.circle(road, (160, 130), 20, 0, -1)
    road[5, 5] = 1
    return road


def test_polygons_are_the_mask_again():
    road, drawn = blob(), np.zeros((180, 320), np.uint8)
    found = list(polygons(road))
    assert [label for label, _ in found] == ['road', 'not road']
    assert all(len(corners) < 40 for _, corners in found)
    for label, corners in found:
        cv2.fillPoly(drawn, [np.round(16 * (corners - 0.5)).astype(np.int32)],
                     int(label == 'road'), shift=4)
    assert (drawn & road).sum() / (drawn | road).sum() > 0.98
    assert list(polygons(np.zeros_like(road))) == []


def test_a_task_of_label_studio_is_in_percent_of_the_image():
    task = label_studio_task('my drive', 'a_1', blob(), 'open', 0.25)
    assert unquote(task['data']['image']) == '/data/local-files/?d=my drive/images/a_1.png'
    result = task['predictions'][0]['result']
    points = np.array(result[0]['value']['points'])
    assert points.min() >= 0 and points.max() <= 100 and points[:, 1].max() > 99
    assert result[0]['original_width'] == 320 and result[0]['value']['polygonlabels'] == ['road']


def test_the_archive_for_cvat_holds_the_masks(tmp_path):
    for name in ('one.zip', 'two.zip'):
        written = CvatArchive(tmp_path / name)
        written.add('a', blob())
        written.finish()
    assert (tmp_path / 'one.zip').read_bytes() == (tmp_path / 'two.zip').read_bytes()
    with zipfile.ZipFile(tmp_path / 'one.zip') as archive:
        archive.extractall(tmp_path / 'export')
    (tmp_path / 'export/JPEGImages').mkdir()
    (tmp_path / 'export/JPEGImages/a.png').write_bytes(encode_png(np.zeros((180, 320, 3), 'u1')))
    sample = open_dataset(parse_spec(f'cvat:{tmp_path / "export"}'))[0]
    assert (sample.labels == blob()).all()
    assert (tmp_path / 'export/ImageSets/Segmentation/default.txt').read_text() == 'a\n'


def test_names_are_short_and_unique():
    assert unique_names(['/a/b.mp4', 'c/b/', 'rendered:3', 'Straße 1.bag', '/']) == [
        'b_1', 'b_2', 'rendered_3', 'Stra_e_1', 'drive']
    assert unique_names(['day', 'day_1', 'other/day']) == ['day_1', 'day_1_2', 'day_3']


@pytest.fixture(scope='module')
def drive(tmp_path_factory) -> Path:
    """Return a folder of eight frames, of which one is damaged and one is there twice."""
    folder = tmp_path_factory.mktemp('my drive')
    for number, frame in enumerate(open_drive('rendered:3', limit=6, rate_hz=1.0)):
        small = cv2.resize(frame.data.reshape(frame.height, frame.width, 3), (416, 128))
        (folder / f'{number}.png').write_bytes(encode_png(small))
    (folder / '6.png').write_bytes((folder / '5.png').read_bytes())
    (folder / '3.png').write_bytes((folder / '3.png').read_bytes()[:5000])
    return folder


def pick(drive: Path, out: Path, *words: str) -> int:
    """Run the command."""
    return main([str(drive), '--rate', '1', '--device', 'cpu', '--out', str(out), *words])


def test_the_folder_is_a_dataset_to_train_on(drive, tmp_path, capsys):
    out = tmp_path / 'out'
    assert pick(drive, out, '--frames', '4') == 0
    printed = capsys.readouterr()
    assert 'picked 4 of 6 frames' in printed.out and '3.png' in printed.err
    names = sorted(path.stem for path in (out / 'images').iterdir())
    assert sorted(path.stem for path in (out / 'masks').iterdir()) == names and len(names) == 4
    rows = list(csv.DictReader((out / 'frames.csv').open()))
    assert [row['rank'] for row in rows] == ['1', '2', '3', '4']
    assert sorted(row['name'] for row in rows) == names
    assert all(row['reasons'] and 0 < float(row['edge_doubt']) < 1 for row in rows)
    assert any(float(row['disagreement']) > 0 for row in rows)
    first = read_rgb(out / 'images' / f'{names[0]}.png')
    mask = RoadSegmenter(device='cpu').segment(first).mask
    assert (read_grey(out / 'masks' / f'{names[0]}.png') == mask).all() and mask.any()
    assert len(json.loads((out / 'label_studio.json').read_text())) == 4
    assert cv2.imread(str(out / 'sheet_1.jpg')).shape[1] == 1920
    assert check_dataset(['--train', f'folder:{out}']) == 0
    assert [path.name for path in tmp_path.iterdir()] == ['out']


def test_the_same_again_is_the_same_and_labels_are_safe(drive, tmp_path, capsys):
    words = ['--frames', '2', '--second', 'none', '--every', '2']
    for name in ('a/b', 'c/b'):
        assert pick(drive, tmp_path / name, *words) == 0
    assert 'picked 2 of 3 frames' in capsys.readouterr().out
    first, second = ({path.relative_to(tmp_path / name): path.read_bytes()
                      for path in (tmp_path / name).rglob('*') if path.is_file()}
                     for name in ('a/b', 'c/b'))
    assert first == second and len(first) == 9
    assert pick(drive, tmp_path / 'a/b', *words) == 2
    assert 'expected a new or empty folder' in capsys.readouterr().err
    assert {path: (tmp_path / 'a/b' / path).read_bytes() for path in first} == first


def test_frames_that_are_the_same_are_not_padding(drive, tmp_path, capsys):
    assert pick(drive, tmp_path / 'out', '--frames', '9', '--second', 'none', '--apart', '3') == 0
    printed = capsys.readouterr()
    assert 'picked 5 of 6 frames' in printed.out and 'look exactly like these' in printed.err


class Unsteady:
    """A drive whose frames have other times when they are read again."""

    name, length, rate_hz = 'unsteady', 1, 1.0

    def __init__(self) -> None:
        self.notes, self.read = Notes(), 0

    def __iter__(self):
        self.read += 1
        yield DriveFrame.from_rgb(noise(1), self.read)


def test_a_drive_that_changes_is_refused_and_nothing_is_left(tmp_path):
    work = PickDrives([Unsteady()], [RoadSegmenter(device='cpu')], print)
    work.score(1, lambda: None)
    picks, _ = choose(work.scores, 1, 0.0, LOOK_PARTS)
    with (pytest.raises(InputError, match=r'^unsteady: changed while it was read'),
          open_folder(tmp_path / 'out', 'open') as folder):
        work.take(picks, folder, lambda: None)
    assert not any(tmp_path.iterdir())


def test_a_disk_that_is_full_is_one_line(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(CvatArchive, 'finish', full)
    with (pytest.raises(InputError, match=r'out: cannot be written \(No space left'),
          open_folder(tmp_path / 'out', 'open')):
        pass
    assert not any(tmp_path.iterdir())


def test_cameras_of_a_bag_are_thinned_one_by_one(tmp_path, capsys):
    bag = write_bag(tmp_path / 'a bag', 'mcap', [
        (f'/{name}/image_raw', image(noise(2 * i + (name == 'left')), 'rgb8', T0 + i), T0 + i)
        for i in range(4) for name in ('front', 'left')])
    words = ['--frames', '4', '--second', 'none', '--every', '2', '--topics', 'all']
    assert pick(bag, tmp_path / 'out', *words) == 0
    printed = capsys.readouterr()
    assert 'picked 4 of 4' in printed.out and 'are 1 s apart; some of these are 0 s' in printed.err
    rows = csv.DictReader((tmp_path / 'out/frames.csv').open())
    assert sorted((row['name'], row['topic']) for row in rows) == [
        ('a_bag_000000', '/front/image_raw'), ('a_bag_000001', '/left/image_raw'),
        ('a_bag_000004', '/front/image_raw'), ('a_bag_000005', '/left/image_raw')]


@pytest.mark.parametrize(('words', 'expected'), [
    (['--frames', '0'], '--frames: expected at least 1'),
    (['--frames', '1', '--every', '0'], '--every: expected at least 1'),
    (['--frames', '1', '--apart', 'nan'], '--apart: expected 0 or more'),
    (['--frames', '1', '--second', 'open'], '--second: expected another network')])
def test_what_makes_no_sense_is_refused(drive, tmp_path, capsys, words, expected):
    assert pick(drive, tmp_path / 'out', *words) == 2
    error = capsys.readouterr().err
    assert expected in error and len(error.splitlines()) == 1 and not any(tmp_path.iterdir())
