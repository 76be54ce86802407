# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executable `benchmark`: that it measures what it says; no figure of speed is asserted."""

from __future__ import annotations

import json
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fcn_seg_ros.benchmark import over_dds, peaks, timing
from fcn_seg_ros.benchmark.arithmetic import count_gmac, count_parameters
from fcn_seg_ros.benchmark.memory import footprint, resident_mib
from fcn_seg_ros.benchmark.over_dds import measure_nodes
from fcn_seg_ros.benchmark.peers import TutorialPath
from fcn_seg_ros.benchmark.plot import latency_against_accuracy
from fcn_seg_ros.benchmark.report import machine_lines, tables
from fcn_seg_ros.benchmark.steady import Alone, frames_in_a_row, steady_state
from fcn_seg_ros.benchmark.timing import interleave, summary
from fcn_seg_ros.benchmark.variants import Variant
from fcn_seg_ros.cli.benchmark import main
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.node.cpu_latency import CPU_LATENCY_DEVICE

IMAGE = np.random.default_rng(0).integers(0, 256, (96, 320, 3), np.uint8)


def test_calls_take_turns_and_the_first_of_a_turn_does_not_count():
    order = []

    def call(name):
        order.append(name)
        return {'total': float(len(order))}
    times = interleave({name: lambda name=name: call(name) for name in 'ab'}, 10)
    assert ''.join(order) == ('a' * 6 + 'b' * 6) * 2
    assert times['a']['total'].tolist() == [2, 3, 4, 5, 6, 14, 15, 16, 17, 18]


def test_slow_calls_get_fewer_turns(monkeypatch):
    monkeypatch.setattr(timing, '_SLOW_S', -1.0)
    assert len(interleave({'slow': lambda: {'total': 1.0}}, 20)['slow']['total']) == 4
    monkeypatch.setattr(timing, '_ENOUGH_S', 0.0)
    assert len(interleave({'slow': lambda: {'total': 1.0}}, 20)['slow']['total']) == 1


def test_percentiles():
    found = summary(np.arange(1.0, 101.0))
    assert found == {'calls': 100, 'p50': 50.5, 'p95': 95.05, 'p99': 99.01}


def test_arithmetic_is_counted():
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(),
                            nn.Conv2d(4, 2, 1, bias=False))
    assert count_parameters(network) == 3 * 4 * 9 + 4 + 8
    assert count_gmac(network, (10, 20)) == pytest.approx(200 * (3 * 4 * 9 + 8) / 1e9)
    assert all(p.device.type == 'cpu' for p in network.parameters())


@pytest.mark.parametrize('precision', ['fp32', 'bf16', 'int8'])
def test_the_peak_is_the_best_librarys(precision, monkeypatch):
    monkeypatch.setitem(peaks._SIDE, 'cpu', 128)
    monkeypatch.setattr(peaks, '_MIN_SECONDS', 0.02)
    found = peaks.matrix_peak(precision, 'cpu')
    assert found.rate > 0 and found.library in ('torch', 'openvino', 'onnxruntime')
    assert peaks.matrix_peak('fp16', 'cpu') is None


def test_copy_counts_reads_and_writes(monkeypatch):
    monkeypatch.setattr(peaks, '_shortest', lambda run: 0.5)
    assert peaks.copy_peak('cpu').rate == pytest.approx(2 * 2**28 / 0.5 / 1e9)


def test_tutorial_path_gives_the_networks_mask(random_checkpoint):
    checkpoint = load_checkpoint(random_checkpoint)
    mask = TutorialPath(checkpoint, 96, 'cpu')(IMAGE)
    own = RoadSegmenter(random_checkpoint, 'cpu', 'fp32', threshold=0.5).segment(IMAGE).mask
    assert mask.shape == own.shape and mask.dtype == np.uint8
    assert (mask == own).mean() > 0.99 and 0 < own.mean() < 1


def test_memory_is_that_of_the_variant_alone(random_checkpoint):
    """This process holds half a gigabyte that must not show in its child's figure."""
    ballast = np.ones(2**29, np.uint8)
    found = footprint(Variant(random_checkpoint, 'torch', 'fp32', 96, 'cpu'), IMAGE)
    assert ballast[-1] and resident_mib() > 2**9
    assert 50 < found['peak_rss_mib'] < resident_mib() - 256
    assert found['first_mask_s'] > 0 and found['gpu_mib'] is None


@pytest.mark.parametrize('leak', [0, 2**20])
def test_growth_is_seen(leak):
    kept = []

    def segment(image):
        kept.append(np.ones(leak, np.uint8))
        return SimpleNamespace(times=SimpleNamespace(total=10.0))
    found = frames_in_a_row(SimpleNamespace(segment=segment), IMAGE, 100)
    assert found['p99_over_p50'] == 1.0 and found['frames'] == 100
    assert (found['growth_mib'] > 20) == bool(leak)
    # What is kept is new memory every time, in pages of 4 KiB to 2 MiB.
    assert (found['page_faults_a_frame'] >= 0.5) == bool(leak)


def test_frames_in_a_row_have_a_process_of_their_own(random_checkpoint):
    """This process's half gigabyte does not show, and a p99 wants frames."""
    variant = Variant(random_checkpoint, 'torch', 'fp32', 96, 'cpu')
    ballast = np.ones(2**29, np.uint8)
    found = steady_state(variant, IMAGE, 100)
    assert found['variant'] == 'torch fp32 96' and found['frames'] == 100
    assert ballast[-1] and 50 < found['resident_mib'] < resident_mib() - 256
    with pytest.raises(InputError, match='at least 100 frames, found 99'):
        steady_state(variant, IMAGE, 99)


def test_a_camera_leaves_pauses():
    begun = []

    def segment(image):
        begun.append(time.monotonic())
        return SimpleNamespace(times=SimpleNamespace(total=1.0 if len(begun) % 100 else 9.0))
    alone = Alone(SimpleNamespace(segment=segment), IMAGE, 100.0)
    alone.turn(50)
    alone.turn(50)
    found = alone.summary()
    assert len(begun) == 250  # 50 to warm up, then two turns of 50 each
    assert found['in_a_row_ms'] == {'calls': 100, 'p50': 1.0, 'p95': 1.0, 'p99': pytest.approx(
        np.percentile([1.0] * 98 + [9.0] * 2, 99))}
    assert found['paced_ms'] == {'calls': 100, 'p50': 1.0, 'p95': 1.0, 'p99': 1.0}
    assert begun[149] - begun[99] >= 50 / 100 > begun[99] - begun[50]


@pytest.fixture(scope='module')
def small_run(random_checkpoint, kitti_folder, tmp_path_factory):
    """Return what `benchmark --json` prints for a small network, and its plot."""
    import contextlib
    import io
    plot = tmp_path_factory.mktemp('plot') / 'latency.svg'
    tables_file = plot.with_name('tables.md')
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        status = main([
            str(random_checkpoint), '--heights', '64', '96', '--backends', 'torch', 'cuda_graph',
            '--precisions', 'fp32', 'fp16', '--device', 'cpu', '--frames', '3', '--batch', '2',
            '--no-memory', '--parity', f'kitti:{kitti_folder}?split=val.txt', '--plot', str(plot),
            '--markdown', str(tables_file), '--json'])
    assert status == 0
    assert '| torch | fp32 | 96 |' in tables_file.read_text()
    return json.loads(out.getvalue()), plot


def test_json_holds_every_variant_and_why_others_are_missing(small_run):
    found, _ = small_run
    assert [(row['backend'], row['precision'], row['height']) for row in found['variants']] == [
        ('torch', 'fp32', 64), ('torch', 'fp32', 96)]
    missing = {(row['backend'], row['precision']): row['reason'] for row in found['unavailable']}
    assert set(missing) == {('torch', 'fp16'), ('cuda_graph', 'fp32'), ('cuda_graph', 'fp16')}
    assert all('expected' in reason for reason in missing.values())
    for row in found['variants']:
        ms = row['ms']
        assert set(ms) == {'preprocess', 'forward', 'postprocess', 'total'}
        assert ms['total']['p50'] >= ms['forward']['p50'] > 0
        assert row['masks_a_second'] == pytest.approx(1e3 / ms['total']['p50'], rel=0.01)
        assert row['gflops'] == pytest.approx(2e3 * row['gmac'] / ms['forward']['p50'], rel=0.3)
        assert row['batched_masks_a_second'] > 0 and row['times_the_tutorial_path'] > 0
        assert row['parity'] == row['parity'] | {'images': 2, 'iou': 100.0, 'largest': 0}
    assert found['machine']['libraries']['torch'] == torch.__version__.partition('+')[0]
    assert {row['name'] for row in found['peers']} == {'tutorial path', 'torchvision fcn_resnet50'}


def test_tables_show_it(small_run):
    found, _ = small_run
    found = found | {
        'steady': {'variant': 'torch fp32 96', 'frames': 100, 'ms': {'p50': 1.0, 'p99': 2.0},
                   'p99_over_p50': 2.0, 'resident_mib': 100.0, 'growth_mib': 0.25,
                   'page_faults_a_frame': 0.75},
        'node': {'saturating_hz': 40.0, 'throughput_ratio': 4.5, 'first_mask_s': [3.0, 2.5],
                 'first_mask_cold_s': 8.25,
                 'masks_a_second': {'tutorial_node': [5.0, 5.5], 'seg_node': [24.0, 23.0]},
                 'frames': 100, 'masks': 99,
                 'node_reports': {f'{stage}_ms_{level}': '1.25' if level == 'p50' else '2.75'
                                  for stage in ('wait', 'convert', 'segment', 'publish')
                                  for level in ('p50', 'p95', 'max')},
                 'segmenter': {'in_a_row_ms': {'p50': 30.0, 'p95': 31.0},
                               'paced_ms': {'p50': 34.25, 'p95': 36.0}},
                 'image_to_mask_ms': {'p50': 33.0, 'p95': 37.5, 'p99': 40.0}}}
    rate = ('frames', 'masks', 'node_reports', 'segmenter')
    found['node']['awake'] = {key: found['node'][key] for key in rate} | {
        'image_to_mask_ms': {'p50': 32.0, 'p95': 33.25, 'p99': 34.0}}
    parts = tables(found)
    assert all(len(row) == len(part.columns) for part in parts for row in part.rows)
    text = ' '.join([word for part in parts for row in part.rows for word in row]
                    + [note for part in parts for note in part.notes]
                    + [str(value) for value in machine_lines(found).values()])
    for words in ('torchvision fcn_resnet50', 'tutorial path', '24.0, 23.0', '0.25', '0.75', '7.5',
                  'median 1.25, 95 % within 2.75',
                  'not here: cuda_graph fp16', 'mobilenet_v2', '100.00'):
        assert words in text, words


def test_plot_shows_the_lines_and_is_the_same_twice(small_run):
    found, plot = small_run
    content = plot.read_bytes()
    assert content.startswith(b'<?xml') and b'torch fp32' in content
    assert latency_against_accuracy(found) == content


def test_nodes_are_compared_over_the_middleware(random_checkpoint, monkeypatch):
    monkeypatch.setattr(over_dds, '_SATURATE_S', 2.0)
    monkeypatch.setattr(over_dds, '_SETTLE_S', 1.0)
    found = measure_nodes(random_checkpoint, 96, 'cpu', IMAGE, 10, 30.0, rounds=1)
    assert all(values[0] > 0 for values in found['masks_a_second'].values())
    assert found['throughput_ratio'] > 0 and 0 < found['masks'] <= 12
    assert found['image_to_mask_ms']['p50'] > 0 and found['first_mask_s'][0] > 0
    assert found['first_mask_cold_s'] > 0
    assert [found['segmenter'][name]['calls'] for name in ('in_a_row_ms', 'paced_ms')] == [10, 10]
    assert any(key.endswith('_ms_p50') for key in found['node_reports'])
    assert ('awake' in found) == os.access(CPU_LATENCY_DEVICE, os.W_OK)
    assert all(found[key]['image_to_mask_ms']['p50'] > 0 for key in ('awake',) if key in found)


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--plot', 'a.svg'], '--plot needs the scores of --parity'),
    (['--frames', '0'], '--frames, --batch and --threads'),
    (['--heights', '8', '--backends', 'torch', '--no-peers'], 'network_height: expected 0'),
    (['--device', 'tpu'], 'device: expected'),
    (['--exported', 'missing.xml', '--no-peers'], 'missing.xml'),
    (['--backends', 'abacus'], "'abacus'")])
def test_bad_options_are_one_line(arguments, text, capsys, monkeypatch):
    monkeypatch.setattr(peaks, '_MIN_SECONDS', 0.0)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert text in error and error.count('\n') == 1
