# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Two runs compared: figures known beforehand, limits that decide, and what cannot be compared."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from run_folders import Seen, frame, write_run
from test_doc_commands import check
from test_drive_bag import compressed, image, write_bag

from fcn_seg_ros.cli.compare import main
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.offline.compare import Masks, compare_runs
from fcn_seg_ros.offline.compare_figures import figures
from fcn_seg_ros.offline.compare_report import draw_change
from fcn_seg_ros.offline.gates import GATES, Check, check_all
from fcn_seg_ros.offline.mask_change import mask_change
from fcn_seg_ros.offline.run_images import read_images
from fcn_seg_ros.offline.run_masks import read_masks
from fcn_seg_ros.offline.run_reader import read_run

GUIDE = Path(__file__).resolve().parent.parent / 'docs' / 'how-to' / 'compare.md'
HEIGHT, WIDTH = 20, 50


def road_to(column: int) -> np.ndarray:
    """Return a mask with road left of a column, and some unknown in the right corner."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, :column] = 1
    mask[0, -1] = 255
    return mask


def make(path: Path, columns: dict[int, int], **other: Any) -> Path:
    """Write a run of which frame NUMBER has road left of a column."""
    frames = [frame(number) for number in columns]
    write_run(path, frames, masks={number: road_to(column) for number, column in columns.items()},
              **other)
    return path


def differing(tmp_path: Path) -> tuple[Path, Path]:
    """Return two runs with three frames in common, and one and two of their own."""
    return (make(tmp_path / 'a', {0: 20, 1: 20, 2: 20, 5: 20}, checkpoint={'name': 'one'}),
            make(tmp_path / 'b', {0: 20, 1: 25, 2: 16, 3: 20, 4: 20}, checkpoint={'name': 'two'}))


def test_figures_of_a_known_change(tmp_path: Path) -> None:
    a, b = differing(tmp_path)
    found = figures(compare_runs(read_run(a), read_run(b)))
    assert [found[name] for name in ('frames', 'only_a', 'only_b', 'one_edge')] == [3, 1, 2, 0]
    assert found['iou_lowest'] == 20 / 25 == 16 / 20
    assert found['iou_mean'] == pytest.approx((1 + 0.8 + 0.8) / 3)
    assert found['area_change_mean'] == pytest.approx((0 + 0.1 - 0.08) / 3)
    assert found['area_change_size'] == pytest.approx((0 + 0.1 + 0.08) / 3)
    assert found['area_change_largest'] == pytest.approx(0.1)
    assert found['edge_px_mean'] == pytest.approx((0 + 5 + 4) / 3)
    assert found['edge_px_largest'] == pytest.approx(5)


def test_edges_are_those_inside_the_image() -> None:
    """The image's border is no edge of the road, and a slanted distance is the shortest one."""
    square = np.zeros((40, 40), np.uint8)
    square[10:, 10:] = 1
    moved = np.zeros((40, 40), np.uint8)
    moved[13:, 13:] = 1
    # Along each side 3 pixels; at the corner up to that diagonal's 3 * sqrt(2).
    assert 3.0 < mask_change(square, moved).edge_px < 3.1
    everywhere, nowhere = np.ones_like(square), np.zeros_like(square)
    assert mask_change(nowhere, nowhere) == (1.0, 0.0, 0.0, 0.0)
    assert mask_change(everywhere, nowhere) == (0.0, 1.0, 0.0, 0.0)
    assert np.isnan(mask_change(square, nowhere).edge_px)


def test_everything_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = differing(tmp_path)
    out = tmp_path / 'deep' / 'out'
    assert main([str(a), str(b), '--output', str(out)]) == 0
    line, = capsys.readouterr().out.splitlines()
    assert line == ('3 frames: IoU mean 0.8667, lowest 0.8000 (image 1), road +0.67 points of the '
                    'image, edges 3.00 px, 1 only in A, 2 only in B: no limit given')
    assert sorted(each.name for each in out.iterdir()) == ['compare.csv', 'compare.html',
                                                           'compare.json']
    rows = list(csv.DictReader((out / 'compare.csv').open()))
    assert [(row['image_a'], row['image_b'], row['iou']) for row in rows] == [
        ('0', '0', '1.000000'), ('1', '1', '0.800000'), ('2', '2', '0.800000'), ('5', '', ''),
        ('', '3', ''), ('', '4', '')]
    assert json.loads((out / 'compare.json').read_text())['figures']['frames'] == 3
    seen = Seen((out / 'compare.html').read_text())
    for words in ('Frames only in A', 'Frames only in B', 'checkpoint.name', 'two', '86.67 %',
                  'Of 2 frames the image is not shown', 'IoU 80.0 %, area +10.00 points'):
        assert words in seen.text, words
    assert len([tag for tag, _ in seen.tags if tag == 'img']) == 2
    assert 'script' not in {tag for tag, _ in seen.tags}


def test_names_from_runs_stay_text(tmp_path: Path) -> None:
    topic = '=<img src=x onerror=alert(1)>"\u202e\ud800'
    for name, column in (('a', 10), ('b', 12)):
        write_run(tmp_path / name, [frame(0, topic),
                                    frame(int(name == 'a') + 1, topic)],
                  masks={0: road_to(column)}, odd=f'<b>{name}</b>', input=topic)
    assert main([str(tmp_path / 'a'), str(tmp_path / 'b'), '--output', str(tmp_path / 'o')]) == 0
    page = (tmp_path / 'o' / 'compare.html').read_text()
    seen = Seen(page)
    assert not {'b', 'script'} & {tag for tag, _ in seen.tags} and '\u202e' not in page
    assert all(str(found['src']).startswith('data:image/jpeg;base64,')
               for tag, found in seen.tags if tag == 'img')
    row, *_ = csv.DictReader((tmp_path / 'o' / 'compare.csv').open())
    assert row['topic'].startswith("'=<img")


@pytest.mark.parametrize('gate', GATES, ids=lambda gate: gate.option)
def test_each_limit_decides(gate: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = differing(tmp_path)
    found = figures(compare_runs(read_run(a), read_run(b)))[gate.figure]
    step = 0.01 if gate.at_least else -0.01
    for limit, status in ((found, 0), (found + step, 1)):
        assert main([str(a), str(b), gate.option, str(limit)]) == status
        line, = capsys.readouterr().out.splitlines()
        assert line.endswith(': ok') if status == 0 else f'REGRESSION: {gate.name}: ' in line
    assert main([str(a), str(b), gate.option, '-1']) == 2
    assert f'error: {gate.option}: expected 0' in capsys.readouterr().err
    assert not Check(gate, 0.5, float('nan')).passed
    assert check_all({gate.figure: 1.0}, {}) == []


def test_a_run_that_lost_everything_is_a_regression(tmp_path: Path) -> None:
    a, b = make(tmp_path / 'a', {0: 20}), make(tmp_path / 'b', {})
    assert main([str(a), str(b), '--max-missing', '0', '--output', str(tmp_path / 'out')]) == 1
    assert main([str(a), str(b), '--min-iou', '0']) == 1
    assert main([str(a), str(a), '--min-frame-iou', '1', '--output', str(tmp_path / 'same')]) == 0
    same = Seen((tmp_path / 'same' / 'compare.html').read_text()).text
    assert 'The roads are the same in all frames' in same and 'None: checkpoint' in same


def test_frames_are_matched_by_what_they_are(tmp_path: Path) -> None:
    """Not by their numbers, and of several that look the same, by order."""
    stuck = {'stamp_ns': 7, 'received_ns': 9}
    columns = [10, 20, 30]
    for name, numbers in (('a', [0, 1, 2]), ('b', [4, 5, 6])):
        write_run(tmp_path / name, [frame(number, **stuck) for number in numbers],
                  masks={number: road_to(column)
                         for number, column in zip(numbers, columns, strict=True)})
    # Backwards, and converted: its times of recording are others.
    write_run(tmp_path / 'c', [frame(number) for number in (0, 1, 2)],
              masks=dict(enumerate(map(road_to, columns))))
    write_run(tmp_path / 'd', [frame(number, received_ns=None)
                               for number in (2, 1, 0)],
              masks=dict(enumerate(map(road_to, columns))))
    for one, other in (('a', 'b'), ('c', 'd')):
        found = compare_runs(read_run(tmp_path / one), read_run(tmp_path / other))
        assert found.values['iou'].tolist() == [1, 1, 1]
    assert found.rows_b.tolist() == [2, 1, 0]


def test_what_cannot_be_compared_is_one_line(tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    a = make(tmp_path / 'a', {0: 20, 1: 20})
    other = make(tmp_path / 'other', {8: 20})
    write_run(tmp_path / 'wide', [frame(0, width=WIDTH + 1)],
              masks={0: np.zeros((HEIGHT, WIDTH + 1), np.uint8)})
    damaged = make(tmp_path / 'damaged', {0: 20, 1: 20})
    (damaged / 'mask' / '000001.png').write_bytes(b'\x89PNG')
    gone = make(tmp_path / 'gone', {0: 20, 1: 20})
    (gone / 'mask' / '000001.png').unlink()
    without = make(tmp_path / 'without', {0: 20})
    (without / 'mask').rename(without / 'masks')
    odd = make(tmp_path / 'odd', {0: 20}, facts={'road_ids': ['1']})
    topics = make(tmp_path / 'topics', {0: 20}, facts={'mask_topics': []})
    (topics / 'mask').rename(topics / 'bag')
    short = make(tmp_path / 'short', {0: 20})
    (short / 'frames.jsonl').write_text(
        (short / 'frames.jsonl').read_text().replace('"height"', '"high"'))
    untold = make(tmp_path / 'untold', {0: 20})
    (untold / 'frames.jsonl').unlink()
    unset = make(tmp_path / 'unset', {0: 20})
    (unset / 'run.json').write_text('{"format": 1, "settings": []}')
    for run, words in ((tmp_path / 'nothing', 'expected the run.json of a run of segment'),
                       (other, 'found none of its 2 frames'), (tmp_path / 'wide', 'of the size'),
                       (damaged, 'found a damaged file'), (gone, 'expected a mask, found nothing'),
                       (without, 'expected masks in bag/ or mask/, found neither'),
                       (odd, 'expected road_ids of 0 to 254'),
                       (topics, 'expected mask_topics'), (short, 'facts of a frame in line 1'),
                       (untold, 'frames.jsonl: expected a table of a run, found none'),
                       (unset, 'run.json: expected settings of a run of format 1')):
        assert main([str(a), str(run)]) == 2, run
        captured = capsys.readouterr()
        line, = captured.err.splitlines()
        assert words in line and not captured.out


def test_classes_that_are_road_come_from_the_run(tmp_path: Path) -> None:
    a = make(tmp_path / 'a', {0: 20})
    b = make(tmp_path / 'b', {0: 20}, facts={'road_ids': [0, 3]})
    found = compare_runs(read_run(a), read_run(b))
    assert found.values['area_b'][0] == pytest.approx(0.6 - 1 / (HEIGHT * WIDTH))


def test_a_picture_shows_what_was_lost_and_gained() -> None:
    a, b = np.zeros((2, 10, 30), np.uint8)
    a[:, :20] = 1
    b[:, 10:] = 1
    for behind in (None, np.full((20, 60, 3), (200, 0, 0), np.uint8)):
        drawn = draw_change(Masks(a, b), behind)
        assert drawn.shape == (10, 30, 3)
        lost, both, gained = (drawn[5, x].astype(int) for x in (5, 15, 25))
        assert lost[0] > lost[2] and gained[2] > gained[0] and both[1] > max(both[0], both[2])


def test_the_workflow_is_one_that_runs() -> None:
    """Its YAML, and the commands in it."""
    block, = re.findall(r'```yaml\n(.*?)```', GUIDE.read_text(), re.DOTALL)
    flow = yaml.safe_load(block)
    # YAML 1.1 takes the key for a truth.
    assert flow[True]['pull_request']['paths'] and flow['permissions'] == {'contents': 'read'}
    job, = flow['jobs'].values()
    assert job['runs-on'].startswith('ubuntu-') and job['timeout-minutes'] <= 60
    steps = job['steps']
    assert all(('uses' in step) != ('run' in step) for step in steps)
    assert all(re.fullmatch(r'actions/[\w-]+@v\d+', step['uses']) for step in steps
               if 'uses' in step)
    names = []
    for script in (step['run'] for step in steps if 'run' in step):
        for line in script.replace('\\\n', ' ').splitlines():
            words = shlex.split(re.sub(r'[|>].*', '', line))
            check(words)
            names.append(words[0])
    assert names.count('segment') == 2 and names.count('compare') == 1


@pytest.mark.parametrize('make_message', [lambda mask, ns: image(mask, 'mono8', ns, padding=3),
                                          lambda mask, ns: compressed(np.dstack([mask] * 3), ns)])
def test_masks_come_from_the_bag_too(make_message: Any, tmp_path: Path) -> None:
    """Raw with padded rows, or PNG; of two topics, and two of one stamp."""
    topics = {'/a/image_raw': '/a/road/mask', '/b/image_raw': '/b/road/mask'}
    frames, columns = [], [10, 15, 20, 25, 30]
    for number, (topic, ns) in enumerate(zip(
            ['/a/image_raw', '/b/image_raw', '/a/image_raw', '/a/image_raw', '/b/image_raw'],
            [1, 1, 2, 2, 3], strict=True)):
        frames.append(frame(number, topic, stamp_ns=ns, received_ns=5 + number))
    write_run(tmp_path / 'run', frames, facts={'mask_topics': topics})
    write_bag(tmp_path / 'run' / 'bag', 'mcap', [
        (topics[each['topic']], make_message(road_to(column), each['stamp_ns']),
         each['received_ns']) for each, column in zip(frames, columns, strict=True)])
    run = read_run(tmp_path / 'run')
    found = dict(read_masks(run, {0, 2, 3, 4}))
    assert {number: (mask == 1).sum() // HEIGHT for number, mask in found.items()} == {
        0: 10, 2: 20, 3: 25, 4: 30}
    assert all((mask == road_to(columns[number])).all() for number, mask in found.items())
    for name, rest, wanted, words in (
            ('fewer', frames[:-1], {0, 3}, 'stamp 3 ns, which no frame has'),
            ('more', [*frames, frame(9, '/a/image_raw', stamp_ns=4)], {0, 9},
             'expected 2 masks, found 1')):
        write_run(tmp_path / name, rest, facts={'mask_topics': topics})
        (tmp_path / name / 'bag').symlink_to(tmp_path / 'run' / 'bag')
        with pytest.raises(InputError, match=words):
            list(read_masks(read_run(tmp_path / name), wanted))


def test_images_are_read_from_the_recording_while_it_is_the_same(tmp_path: Path) -> None:
    """By number among the chosen ones; damaged images and other recordings give none."""
    pictures = [np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8) for number in range(6)]
    bag = write_bag(tmp_path / 'bag', 'mcap', [
        (topic, image(picture, 'nonsense' if number == 2 else 'rgb8', number + 1), number + 1)
        for number, picture in enumerate(pictures) for topic in ('/a/image_raw', '/b/image_raw')])
    folder = tmp_path / 'folder'
    folder.mkdir()
    for number, picture in enumerate(pictures):
        (folder / f'{number}.png').write_bytes(encode_png(picture))
    chosen: dict[str, Any] = {'every': 2, 'frames': 0, 'start': 0.0, 'end': 0.0}
    for drive, topics, values in ((bag, ['/a/image_raw'], {0: 0, 2: 40}),
                                  (folder, ['/camera/image_raw'], {0: 0, 1: 20, 2: 40})):
        path = str(drive)
        files = {str(file.relative_to(drive)): file.stat().st_size for file in drive.iterdir()}
        write_run(tmp_path / f'{drive.name}_run', [], topics=topics, **chosen,
                  input={'path': path, 'files': files})
        run = read_run(tmp_path / f'{drive.name}_run')
        assert {number: int(found.mean())
                for number, found in read_images(run, {0, 1, 2, 9})} == values
        (drive / 'more.png').touch()
        assert list(read_images(run, {0})) == []
    write_run(tmp_path / 'old', [])
    assert list(read_images(read_run(tmp_path / 'old'), {0})) == []
