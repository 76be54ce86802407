# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The report of a run: complete, self-contained, and unharmed by what recordings are called."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import Seen, frame, loss, write_run

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.offline import charts
from fcn_seg_ros.offline.lowest_frames import MOST_PICTURES, LowestFrames, kept_pictures
from fcn_seg_ros.offline.page import escaped
from fcn_seg_ros.offline.ranking import lowest_spread
from fcn_seg_ros.offline.report import report_step
from fcn_seg_ros.offline.run_folder import ERRORS, FRAMES, open_run
from fcn_seg_ros.offline.run_numbers import NUMBER, RECORDED, STAMP, read_numbers
from fcn_seg_ros.offline.run_reader import read_run

HOSTILE = '/<script src="//x">"\'&\u202e\ud800\x1b[31m'


def test_everything_is_on_the_page(tmp_path: Path) -> None:
    page = write_run(
        tmp_path / 'run', [frame(number) for number in range(40) if number != 7],
        [loss(7, 'expected a JPEG, found <b>'), loss(None, 'the file ends early')],
        checkpoint={'name': 'general', 'sha256': 'ab12'}, batch=4)
    seen = Seen(page)
    for words in ('39', '1 or more', '10.0 Hz', '19.5 /s', '25.0 %', '34.0 ms', 'forward',
                  'checkpoint.sha256', 'ab12', 'the file ends early', 'expected a JPEG, found <b>',
                  'batches of up to 4', 'confidence 86.1 %'):
        assert words in seen.text, words
    pictures = [found for tag, found in seen.tags if tag == 'img']
    assert len(pictures) == MOST_PICTURES
    assert all('confidence' in str(each['alt']) for each in pictures)
    drawn = [found for tag, found in seen.tags if tag == 'svg']
    assert len(drawn) == 5 and all(each['role'] == 'img' and each['aria-label'] for each in drawn)
    assert '1 losses between 0.7 s and 0.7 s of 3.9 s' in str(drawn[-1]['aria-label'])


def test_names_from_recordings_stay_text(tmp_path: Path) -> None:
    page = write_run(tmp_path / 'run', [frame(0, HOSTILE), frame(1, HOSTILE)],
                     [loss(2, HOSTILE)], input=HOSTILE, odd={HOSTILE: [HOSTILE]})
    seen = Seen(page)
    assert {tag for tag, _ in seen.tags} == {
        'html', 'head', 'meta', 'title', 'style', 'body', 'header', 'main', 'footer', 'section',
        'h1', 'h2', 'h3', 'p', 'code', 'dl', 'div', 'dt', 'dd', 'span', 'br', 'svg', 'line',
        'polyline', 'rect', 'table', 'caption', 'thead', 'tbody', 'tr', 'th', 'td', 'details',
        'summary', 'figure', 'figcaption', 'img', 'wbr'}
    for _, found in seen.tags:
        assert not found.keys() & {'onerror', 'onload', 'href', 'srcset'}
        assert str(found.get('src', 'data:image/jpeg;')).startswith('data:image/jpeg;')
    assert '/<script src="//x">"\'&\\u202e\\ud800\\x1b[31m' in seen.text
    assert not set(page) & set('\u202e\x1b')
    assert len(escaped('x' * 10**6)) < 600


def test_runs_with_little_to_tell(tmp_path: Path) -> None:
    assert 'Every image has a mask' in Seen(write_run(tmp_path / 'empty', [])).text
    one = Seen(write_run(tmp_path / 'one', [frame(0, confidence=None, received_ns=None, ms={},
                                                  unknown_share=1.0)])).text
    assert 'unknown' in one and 'nan' not in one and 'inf' not in one


def test_a_frame_without_its_facts_is_refused(tmp_path: Path) -> None:
    run = open_run(tmp_path / 'run', {}, {})
    assert run is not None
    with run.parts.part(0) as part:
        (part.path / FRAMES).write_text('{"number": 0}\n')
        (part.path / ERRORS).touch()
        part.facts['last'] = True
    with pytest.raises(InputError, match=r'frames\.jsonl: expected the facts .* in line 1'):
        run.finish({}, [report_step])


def test_the_first_clock_that_runs_is_taken(tmp_path: Path) -> None:
    stuck: dict[str, Any] = {'received_ns': 5}
    for name, clock, other in (('a', RECORDED, {}), ('b', STAMP, stuck),
                               ('c', NUMBER, stuck | {'stamp_ns': 0})):
        write_run(tmp_path / name, [frame(number, **other) for number in (4, 5, 9)])
        numbers = read_numbers(read_run(tmp_path / name))
        assert numbers.clock == clock
        assert numbers.times == pytest.approx([0, 1, 5] if clock == NUMBER else [0, 0.1, 0.5])
        assert numbers.times_of([7]) == pytest.approx(numbers.times[1:].mean())


def test_pictures_are_the_lowest_of_all_parts(tmp_path: Path) -> None:
    """Kept one after the other, in parts, they are those of a choice among all."""
    random.seed(3)
    values = {number: random.choice((0.2, 0.5, 0.7)) + number / 1e4 for number in range(300)}
    parts = []
    for start in range(0, 300, 60):
        lowest = LowestFrames((0, 255, 0))
        for number in range(start, start + 60):
            lowest.offer(number, values[number], np.zeros((4, 4, 3), np.uint8),
                         lambda: np.zeros((4, 4), np.uint8))
        parts.append(tmp_path / str(start))
        lowest.write(parts[-1])
    wanted = lowest_spread(values.items(), MOST_PICTURES)
    assert list(kept_pictures(parts, values)) == wanted
    assert len({number // 10 for number in wanted}) == MOST_PICTURES
    assert lowest_spread([(0, 0.5), (1, 0.4), (50, 0.9)], 3) == [1, 50, 0]


def test_charts_show_gaps_and_bound_their_size() -> None:
    times = np.concatenate([np.arange(10.0), np.arange(100.0, 110.0)])
    labels = (('1', '0'), ('a', 'b'))
    assert charts.series(times, times / 110, (0, 110), 1, labels, 'w').count('<polyline') == 2
    many = np.arange(10**5) / 10.0
    drawn = charts.series(many, np.sin(many), (0, 10**4), 1.0, labels, 'w')
    assert 'polygon' in drawn and len(drawn) < 40_000
    bars = charts.histogram(np.array([1.0, 1.1, 99.0]), 10.0, 5, ('0', '10'), 'w')
    assert bars.count('<rect') == 2 and '<span>2</span>' in bars
    assert [charts.round_up(value) for value in (0, 0.3, 1, 7, 21)] == [1, 0.5, 1, 10, 50]
    assert charts.time_labels((5, 15))[1] == '2.5 s'
    assert charts.time_labels((0, 7200))[-1] == '2:00 h'
