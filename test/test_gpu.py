# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What only a GPU can show: captured graphs, its memory running out, its loss, the node on it."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
import torch
from node_client import IN_PIXELS, Client, image_message, running

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.cli.train import main as train
from fcn_seg_ros.evaluation.kitti_scores import RoadCounts
from fcn_seg_ros.inference.backends import BackendError
from fcn_seg_ros.inference.region import Region
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.messages import from_image

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')

VARIANTS = [(name, precision) for name in ('cuda_graph', 'torch')
            for precision in ('fp32', 'bf16', 'fp16')]
# Scaling on the GPU rounds otherwise than OpenCV; on an H200 IoU was 99.8 to 99.9.
LOWEST_IOU = 99.5


@pytest.fixture(scope='module')
def reference():
    """Return the packaged network in eager fp32 on the CPU."""
    segmenter = RoadSegmenter('open', 'cpu', 'fp32', backend='torch')
    yield segmenter
    segmenter.close()


@pytest.fixture
def on_gpu():
    """Return a function that opens the packaged network on the GPU."""
    opened = []

    def make(**arguments) -> RoadSegmenter:
        opened.append(RoadSegmenter('open', 'cuda:0', **arguments))
        return opened[-1]
    yield make
    for segmenter in opened:
        segmenter.close()


@pytest.mark.parametrize(('backend', 'precision'), VARIANTS)
def test_masks_are_those_of_the_cpu(backend, precision, on_gpu, reference, rendered_frames):
    segmenter = on_gpu(backend=backend, precision=precision)
    counts = RoadCounts()
    for frame in rendered_frames:
        mask = reference.segment(frame.image).mask
        counts.update((255 * segmenter.segment(frame.image).mask).astype(np.uint8), mask)
    iou = 100 * counts.compute().iou
    assert iou > LOWEST_IOU


def test_auto_takes_the_captured_graph_in_fp16():
    segmenter = RoadSegmenter('open')
    assert (segmenter.backend.name, segmenter.backend.precision, segmenter.backend.device) == (
        'cuda_graph', 'fp16', 'cuda:0')
    segmenter.close()


def test_every_frame_of_a_batch_has_its_own_options(on_gpu, rendered_frames):
    segmenter = on_gpu()
    images = [frame.image for frame in rendered_frames[:3]]
    options = [SegmentOptions(threshold=0.2), SegmentOptions(threshold=0.9),
               SegmentOptions(unknown_below=0.9)]
    for image, option, found in zip(images, options, segmenter.segment_batch(images, options),
                                    strict=True):
        alone = segmenter.segment(image, option)
        # A batch may take another algorithm, whose rounding differs.
        assert np.mean(alone.mask != found.mask) < 1e-3
        levels = found.probability.astype(int) - alone.probability
        assert np.abs(levels).max() <= 8


def test_a_threshold_changes_within_a_captured_graph(on_gpu, rendered_frames):
    segmenter, image = on_gpu(), rendered_frames[0].image
    for threshold in (0.1, 0.5, 0.9, 0.1):
        found = segmenter.segment(image, SegmentOptions(threshold=threshold))
        assert np.array_equal(found.mask, found.probability >= 255 * threshold)


def test_regions_and_many_sizes_keep_memory_bounded(on_gpu, reference):
    segmenter, rng = on_gpu(), np.random.default_rng(0)
    held = []
    for number in range(40):
        image = rng.integers(0, 256, (200 + 7 * number, 400 + 9 * number, 3), np.uint8)
        region = Region(8, 100, image.shape[1] - 16, image.shape[0] - 100)
        for option in (SegmentOptions(), SegmentOptions(region=region)):
            found = segmenter.segment(image, option)
            assert found.mask.shape == image.shape[:2]
        held.append(torch.cuda.memory_reserved())
    wanted = reference.segment(image, SegmentOptions(region=region)).mask
    assert np.mean(found.mask != wanted) < 0.01
    assert held[-1] < 1.5 * held[19], held


def test_two_segmenters_on_two_threads(on_gpu, rendered_frames):
    images = [frame.image for frame in rendered_frames]
    first = on_gpu()
    wanted = [first.segment(image).mask for image in images]
    wrong: list[str] = []

    def work(number: int) -> None:
        try:
            own = RoadSegmenter('open', 'cuda:0')
            for _ in range(20):
                for image, mask in zip(images, wanted, strict=True):
                    # Each capture chooses algorithms by their times, so rounding may differ.
                    share = np.mean(own.segment(image).mask != mask)
                    if share > 0.01:
                        wrong.append(f'{number}: {share:.2%} of another mask')
            own.close()
        except Exception as error:  # shown by the assertion
            wrong.append(repr(error))
    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(40):
        for image, mask in zip(images, wanted, strict=True):
            assert np.array_equal(first.segment(image).mask, mask)
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize('backend', ['cuda_graph', 'torch'])
def test_full_memory_is_an_error_that_passes(on_gpu, backend):
    segmenter = on_gpu(backend=backend)
    small, large = (np.zeros((rows, 2 * rows, 3), np.uint8) for rows in (192, 1080))
    before = segmenter.segment(small).mask
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info()[0]
    hog = torch.empty(free - 48 * 2**20, dtype=torch.uint8, device='cuda')
    with pytest.raises(BackendError, match='out of memory') as caught:
        segmenter.segment_batch([large] * 16)
    assert caught.value.out_of_memory and not caught.value.lost
    del hog
    torch.cuda.empty_cache()
    assert np.array_equal(segmenter.segment(small).mask, before)
    assert segmenter.segment(large).mask.shape == (1080, 2160)


_LOSE = """
import numpy as np, torch
from fcn_seg_ros.inference.backends import BackendError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
segmenter = RoadSegmenter('open', 'cuda:0')
image = np.zeros((375, 1242, 3), np.uint8)
segmenter.segment(image)
try:
    torch.zeros(1, device='cuda')[torch.tensor([9], device='cuda')].item()
except Exception as error:
    pass
for _ in range(2):
    try:
        segmenter.segment(image)
    except BackendError as error:
        print('lost', error.lost, len(str(error).splitlines()))
try:
    segmenter.close()
except BackendError as error:
    print('closed', error.lost)
own = RoadSegmenter('open', 'cpu')
print('cpu', own.segment(image).mask.shape)
"""


def test_a_lost_device_is_said_to_be_lost_and_the_cpu_goes_on():
    done = subprocess.run([sys.executable, '-c', _LOSE], capture_output=True, text=True,
                          timeout=300)
    assert done.stdout.splitlines().count('lost True 1') == 2, done
    assert "cpu (375, 1242)" in done.stdout, done


def test_the_node_runs_on_the_gpu(on_gpu, rendered_frames):
    segmenter = on_gpu()
    with running('-p', 'checkpoint:=open', '-p', 'device:=auto'):
        client = Client(outputs=[*IN_PIXELS])
        try:
            client.connect()
            for number, frame in enumerate(rendered_frames):
                outputs = client.exchange(image_message(frame.image, 10**18 + number))
                wanted = segmenter.segment(frame.image)
                assert np.mean(from_image(outputs['mask']) != wanted.mask) < 1e-3
            client.until(lambda: client.status.get(keys.DEVICE) == 'cuda:0')
        finally:
            client.close()


_FILL = """
import sys, time, torch
kept = []
for size in (2**30, 2**27, 2**24):
    while True:
        try:
            kept.append(torch.empty(size, dtype=torch.uint8, device='cuda'))
        except torch.OutOfMemoryError:
            break
print('full', flush=True)
sys.stdin.read()
"""


def test_the_node_goes_on_when_another_process_takes_the_gpus_memory(rendered_frames):
    with running('-p', 'checkpoint:=open', '-p', 'device:=auto'):
        client = Client(outputs=['mask'])
        filler = None
        try:
            client.connect()
            client.exchange(image_message(rendered_frames[0].image, 10**18))
            filler = subprocess.Popen([sys.executable, '-c', _FILL], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
            assert filler.stdout.readline() == 'full\n'
            # A size that the node has not seen needs memory that is not there.
            large = np.random.default_rng(0).integers(0, 256, (2000, 3000, 3), np.uint8)
            for number in range(4):
                client.publishers['camera'].publish(image_message(large, 10**18 + 1 + number))
                client.spin(1.0)
            client.until(lambda: client.got['camera']['mask']
                         and client.got['camera']['mask'][-1].height == 2000, 60.0)
        finally:
            if filler is not None:
                filler.communicate('')
            client.close()


def test_a_training_on_the_gpu_and_its_resumption(tmp_path):
    sets = ['--train', 'rendered?drives=12&frames=2', '--val', 'rendered?drives=4&first_seed=10000']
    common = [*sets, '--encoder-weights', 'none', '--batch-size', '4', '--crop', '192', '320',
              '--learning-rate', '1e-3', '--workers', '2', '--precision', 'bf16-mixed']
    for epochs, more in (('2', []), ('3', ['--resume'])):
        assert train(['--out', str(tmp_path), '--epochs', epochs, *common, *more]) == 0
    assert (tmp_path / 'checkpoint.safetensors').is_file()
