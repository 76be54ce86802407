# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The report of a run: one HTML file that opens anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros import __version__
from fcn_seg_ros.files import write_file
from fcn_seg_ros.offline import charts
from fcn_seg_ros.offline.lowest_frames import kept_pictures
from fcn_seg_ros.offline.page import code, document, escaped, pictures, section, table, tiles
from fcn_seg_ros.offline.report_losses import Losses, losses_section, read_losses
from fcn_seg_ros.offline.report_numbers import (
    high,
    low,
    mean,
    percent,
    seconds_of,
    time_axis,
    total_ms,
)
from fcn_seg_ros.offline.run_folder import Part
from fcn_seg_ros.offline.run_numbers import STAGES, RunNumbers, read_numbers
from fcn_seg_ros.offline.run_reader import Run, read_run

REPORT = 'report.html'
# Charts of more topics would make a page that nobody reads.
_MOST_TOPICS = 8
_MOST_ROWS = 200
_BINS = 50


def report_step(result: Path, parts: Sequence[Part]) -> None:
    """Write ``report.html`` into a run's result; a step of ``RunFolder.finish``."""
    run = read_run(result)
    numbers = read_numbers(run)
    confidence = dict(zip(numbers.number.tolist(),
                          np.nan_to_num(numbers.values['confidence'], nan=-1.0).tolist(),
                          strict=True))
    shown = kept_pictures([part.path for part in parts], confidence)
    write_file(result / REPORT, make_report(run, numbers, shown))


def make_report(run: Run, numbers: RunNumbers, shown: Mapping[int, bytes]) -> bytes:
    """Return the page; ``shown`` are JPEG pictures of frames by number, the worst first."""
    losses = read_losses(run)
    facts, name = run.facts, recording_name(run)
    parts = [_tiles(run, numbers, losses)]
    if len(numbers.number):
        parts += [_over_time('Road', 'road_share', 'Share of the image that is road', numbers),
                  _over_time('Confidence', 'confidence', 'Mean confidence of the mask', numbers),
                  _unknown(numbers), _latency(run, numbers), _pictures(numbers, shown)]
    parts += [losses_section(losses, numbers), settings_section('Settings', run.settings),
              settings_section('Run', {key: value for key, value in facts.items()
                                       if key != 'settings'})]
    return document(f'Road masks of {Path(name).name or name}',
                    f'Recording {code(name)}, run finished {escaped(facts.get("finished", "?"))}.',
                    parts, f'Written by fcn_seg_ros {escaped(__version__)}.')


def recording_name(run: Run) -> str:
    """Return the recording that a run was made from, as it was given."""
    given = run.settings.get('input', '')
    return str(given.get('path', given) if isinstance(given, dict) else given)


def settings_section(title: str, facts: Mapping[str, Any]) -> str:
    """Return a section with every fact of a JSON object, one a line."""
    rows = list(flat(facts))
    return section(title, table(('name', 'value'), rows[:_MOST_ROWS], title, (0, 1)),
                   f'<p class="note">{len(rows) - _MOST_ROWS} more in run.json</p>'
                   if len(rows) > _MOST_ROWS else '')


def _tiles(run: Run, numbers: RunNumbers, losses: Losses) -> str:
    count, seconds = len(numbers.number), float(run.facts.get('seconds') or 0)
    lost = f'{losses.lost}{" or more" if losses.more else ""}'
    facts = [('Masks', f'{count}', f'of {len(numbers.topics)} topic'
              f'{"" if len(numbers.topics) == 1 else "s"}'), ('Images lost', lost, losses.remark)]
    if count:
        road, confidence = (numbers.values[name] for name in ('road_share', 'confidence'))
        total, rate = total_ms(numbers), numbers.rate_hz(losses.lost)
        facts += [
            ('Rate of images', f'{rate:.1f} Hz' if rate else 'unknown',
             f'over {numbers.span[1] - numbers.span[0]:.0f} s' if rate else 'no clock'),
            ('Segmented', f'{count / seconds:.1f} /s' if seconds else 'unknown',
             f'in {seconds:.0f} s'),
            ('Road', percent(mean(road)), f'{percent(low(road))} to {percent(high(road))}'),
            ('Confidence', percent(mean(confidence)), f'lowest {percent(low(confidence))}')]
        if np.isfinite(total).any():
            facts.append(('Time an image', f'{np.nanmedian(total):.1f} ms',
                          f'95 % within {np.nanpercentile(total, 95):.1f} ms'))
    return tiles(facts)


def _over_time(title: str, name: str, words: str, numbers: RunNumbers) -> str:
    counts = np.bincount(numbers.topic, minlength=len(numbers.topics))
    most = np.argsort(-counts, kind='stable')[:_MOST_TOPICS]
    parts = [f'<p class="note">{escaped(words)}, over the {numbers.clock}'
             f'{"; the band is from lowest to highest" if counts.max() > charts.BINS else ""}.</p>']
    for topic in sorted(most.tolist()):
        of_topic = numbers.topic == topic
        values = numbers.values[name][of_topic]
        parts += [f'<h3>{code(numbers.topics[topic])}</h3>', charts.series(
            numbers.times[of_topic], values, numbers.span, 1.0,
            (('100 %', '75 %', '50 %', '25 %', '0 %'), time_axis(numbers)),
            f'{words} on {numbers.topics[topic]}: mean {percent(mean(values))}, from '
            f'{percent(low(values))} to {percent(high(values))}, in {len(values)} images')]
    if len(counts) > len(most):
        parts.append(f'<p class="note">{len(counts) - len(most)} more topics in '
                     'frames.jsonl</p>')
    return section(title, *parts)


def _unknown(numbers: RunNumbers) -> str:
    if not np.nanmax(numbers.values['unknown_share'], initial=0.0) > 0.0:
        return ''
    return _over_time('Unknown', 'unknown_share', 'Share of the image that is unknown', numbers)


def _latency(run: Run, numbers: RunNumbers) -> str:
    total = total_ms(numbers)
    total = total[np.isfinite(total)]
    if not len(total):
        return ''
    middle, most = np.percentile(total, [50, 99])
    # A few slow images, the first one say, must not squeeze the rest into one bar.
    top = charts.round_up(1.15 * most)
    beyond = int((total > top).sum())
    words = (f'Distribution of the time an image: half within {middle:.1f} ms, 99 % within '
             f'{most:.1f} ms, the longest {total.max():.1f} ms')
    rows = []
    for name, values in [*((name, numbers.values[name]) for name in STAGES), ('all', total)]:
        known = values[np.isfinite(values)]
        if len(known):
            rows.append((name, *(f'{value:.2f}' for value in (
                known.mean(), *np.percentile(known, [50, 95, 99]), known.max()))))
    batch = run.settings.get('batch')
    return section(
        'Time an image', charts.histogram(
            total, top, _BINS, [f'{top * part:g} ms' for part in (0, 0.25, 0.5, 0.75, 1)], words),
        f'<p class="note">{beyond} beyond the axis are counted in the last bar.</p>'
        if beyond else '',
        f'<p class="note">Images went through the network in batches of up to {escaped(batch)}; '
        'the times are those of the batch.</p>' if batch not in (None, 1) else '',
        table(('stage', 'mean, ms', 'median', '95 %', '99 %', 'longest'), rows,
              'Milliseconds of the stages'))


def _pictures(numbers: RunNumbers, shown: Mapping[int, bytes]) -> str:
    if not shown:
        return ''
    places = {int(number): place for place, number in enumerate(numbers.number)
              if int(number) in shown}
    cards = []
    for number, jpeg in shown.items():
        place = places[number]
        confidence, road = (percent(float(numbers.values[name][place]))
                            for name in ('confidence', 'road_share'))
        topic = numbers.topics[numbers.topic[place]]
        cards.append((jpeg, f'Image {number} of {topic} with its road tinted: confidence '
                      f'{confidence}, road {road}',
                      f'Image {number}, {code(topic)}, stamp '
                      f'{seconds_of(int(numbers.stamps[place]))}: confidence {confidence}, road '
                      f'{road}'))
    return section('Lowest confidence', '<p class="note">The images that the network was least '
                   'sure of, from moments apart; the road is tinted.</p>', pictures(cards))


def flat(value: Mapping[str, Any], prefix: str = '') -> Iterator[tuple[str, str]]:
    """Yield the leaves of a JSON object with their dotted names."""
    for name, each in value.items():
        if isinstance(each, dict) and each:
            yield from flat(each, f'{prefix}{name}.')
        else:
            yield prefix + name, each if isinstance(each, str) else json.dumps(
                each, ensure_ascii=False)
