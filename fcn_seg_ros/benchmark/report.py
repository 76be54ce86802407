# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Show a benchmark's results as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.evaluation.report import Table

_LEFT = ('backend', 'precision', 'rows')


def tables(found: dict[str, Any]) -> list[Table]:
    """Return the results of ``benchmark --json`` as tables."""
    parts = [_times(found), _cost(found)]
    if any('parity' in row for row in found['variants']):
        parts.append(_parity(found['variants']))
    if found['peers']:
        parts.append(_peers(found))
    if 'steady' in found:
        parts.append(_steady(found['steady']))
    if 'node' in found:
        parts += _node(found['node'])
    return parts


def machine_lines(found: dict[str, Any]) -> dict[str, object]:
    """Return machine, software and network as pairs of name and text."""
    m, c = found['machine'], found['checkpoint']
    peaks = ', '.join(f'{name} {peak["gflops"]:.0f} ({peak["library"]})'
                      for name, peak in found['peaks'].items())
    return {
        'machine': f'{m["processor"]}, {m["cores"]} cores ({", ".join(m["arithmetic"])}), '
                   f'{m["memory_gib"]:.0f} GiB; GPU: {m["gpu"] or "none"}; load before: '
                   f'{m["load_before"]}',
        'software': f'Python {m["python"]}, '
                    + ', '.join(f'{name} {v}' for name, v in m['libraries'].items()),
        'best matrix product, GFLOP/s': peaks, 'copy, GB/s': round(found['copy_gb_s']),
        'network': f'{c["decoder"]} on {c["encoder"]}, {c["parameters"] / 1e6:.1f} M parameters',
        'threads': found['threads']}


def _times(found: dict[str, Any]) -> Table:
    variants = found['variants']
    batch = next((row['batch'] for row in variants if 'batch' in row), 0)
    columns = [*_LEFT, 'median', '95 %', '99 %', 'in', 'forward', 'out', 'masks/s']
    columns += [f'by {batch}'] if batch else []
    columns += ['x tutorial'] if found['peers'] else []
    rows = []
    for row in variants:
        ms = row['ms']
        words = [*_left(row), *(f'{ms["total"][p]:.1f}' for p in ('p50', 'p95', 'p99')),
                 *(f'{ms[stage]["p50"]:.2f}' for stage in ('preprocess', 'forward',
                                                           'postprocess')),
                 f'{row["masks_a_second"]:.1f}']
        words += [f'{row["batched_masks_a_second"]:.1f}'] if batch else []
        words += [f'{row["times_the_tutorial_path"]:.1f}'] if found['peers'] else []
        rows.append(tuple(words))
    missing = sorted({f'{row["backend"]} {row["precision"]}: {row["reason"]}'
                      for row in found['unavailable']})
    notes = [f'a call takes an image of {found["image"]} and returns mask and probability of that '
             'size; in, out: scaling to the network and back; 95 %: this share of the calls took '
             'no longer']
    notes += [f'by {batch}: masks per second in batches'] if batch else []
    if found['peers']:
        notes.append('x tutorial: how many times as fast as the tutorial path (medians)')
    return Table(f'milliseconds of a segmenter call on {found["device"]}', tuple(columns), rows,
                 (*notes, *(f'not here: {line}' for line in missing)))


def _cost(found: dict[str, Any]) -> Table:
    rows = []
    for row in found['variants']:
        process = row.get('process', {})
        rows.append((*_left(row), row['network'], f'{row["gmac"]:.2f}', f'{row["gflops"]:.0f}',
                     _or_dash(row['share_of_peak'], '{:.0%}'),
                     _or_dash(process.get('peak_rss_mib'), '{}'),
                     _or_dash(process.get('gpu_mib'), '{}'),
                     _or_dash(process.get('first_mask_s'), '{:.1f}')))
    return Table('arithmetic and memory', (
        *_LEFT, 'network', 'GMAC', 'GFLOP/s', 'of the peak', 'RSS MiB', 'GPU MiB',
        'first mask s'), rows, (
            'GFLOP/s: of the forward pass, a multiply-add counts as two; RSS: peak of a process '
            'that does nothing else; first mask: from reading the checkpoint, including the '
            'import of the library included',))


def _parity(variants: Sequence[dict[str, Any]]) -> Table:
    rows = [(*_left(row), f'{p["iou"]:.2f}', f'{p["worst_iou"]:.2f}', str(p['largest']),
             f'{p["max_f"]:.2f}', str(p['images']))
            for row in variants if (p := row.get('parity'))]
    return Table('masks compared with eager fp32 at the same height', (
        *_LEFT, 'IoU %', 'worst image', 'largest /255', 'MaxF', 'images'), rows)


def _peers(found: dict[str, Any]) -> Table:
    rows = []
    for row in found['peers']:
        stage, = row['ms']
        ms = row['ms'][stage]
        rows.append((row['name'], str(row['height']), stage, f'{row["gmac"]:.1f}',
                     *(f'{ms[p]:.1f}' for p in ('p50', 'p95', 'p99'))))
    return Table('peers in the same run, milliseconds', (
        'peer', 'rows', 'stage', 'GMAC', 'median', '95 %', '99 %'), rows)


def _steady(steady: dict[str, Any]) -> Table:
    ms = steady['ms']
    return Table(f'{steady["frames"]} images in a row ({steady["variant"]})', (
        'median ms', '99 % ms', '99 % / median', 'resident MiB', 'growth MiB',
        'page faults per image'), [(
            f'{ms["p50"]:.1f}', f'{ms["p99"]:.1f}', f'{steady["p99_over_p50"]:.2f}',
            f'{steady["resident_mib"]:.0f}', f'{steady["growth_mib"]:.2f}',
            f'{steady["page_faults_a_frame"]:.2f}')])


def _node(node: dict[str, Any]) -> list[Table]:
    rates = node['masks_a_second']
    rows = [('masks per second of the tutorial node', _list(rates['tutorial_node'])),
            ('masks per second of seg_node', _list(rates['seg_node'])),
            ('ratio', f'{node["throughput_ratio"]:.1f}'),
            ('seg_node, seconds from start to first mask', _list(node['first_mask_s'])),
            ('seg_node, the same with an empty cache', f'{node["first_mask_cold_s"]:.1f}'),
            *_camera_rate(node)]
    found = [Table(f'nodes over the middleware, images at {node["saturating_hz"]:.0f} Hz',
                   ('figure', 'value'), rows)]
    if 'awake' in node:
        found.append(Table('seg_node with cpu_latency_us 0: CPUs are kept awake',
                           ('figure', 'value'), _camera_rate(node['awake'])))
    return found


def _camera_rate(node: dict[str, Any]) -> list[tuple[str, str]]:
    ms, said = node['image_to_mask_ms'], node['node_reports']
    rows = [(f'time from image to mask at 10 Hz ({node["masks"]} of {node["frames"]} images), ms',
             f'median {ms["p50"]:.1f}, 95 % within {ms["p95"]:.1f}, 99 % within {ms["p99"]:.1f}')]
    rows += [(f'of that, as the node reports it: {stage}, ms',
              f'median {said[keys.stage_time(stage, "p50")]}, '
              f'95 % within {said[keys.stage_time(stage, "p95")]}')
             for stage in ('wait', 'convert', 'segment', 'publish')]
    for name, text in (('in_a_row_ms', 'in a row'), ('paced_ms', 'at 10 Hz')):
        call = node['segmenter'][name]
        rows += [(f'one call of the segmenter alone, {text}, ms',
                  f'median {call["p50"]:.1f}, 95 % within {call["p95"]:.1f}')]
    return rows


def _left(row: dict[str, Any]) -> tuple[str, str, str]:
    backend = f'{row["backend"]} ({row["exported"]})' if row['exported'] else row['backend']
    return backend, row['precision'], str(row['height'])


def _list(values: Sequence[float]) -> str:
    return ', '.join(f'{value:.1f}' for value in values)


def _or_dash(value: Any, form: str) -> str:
    return '-' if value is None else form.format(value)
