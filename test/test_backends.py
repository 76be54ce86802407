# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backends: each gives the masks of eager float32, says why it was chosen and fails in words."""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import weakref

import numpy as np
import pytest
import torch
from conftest import network_info

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import (
    BackendError,
    BackendRow,
    ScalingBackend,
    available_backends,
    hardware,
    list_backends,
    make_backend,
    register_backend,
    registry,
    resolve_device,
    row,
    torch_graph,
)
from fcn_seg_ros.inference.backends.base import MAX_SHAPES, library_errors
from fcn_seg_ros.inference.backends.cuda_graph import CudaGraphBackend
from fcn_seg_ros.inference.backends.onnxruntime import choose_providers
from fcn_seg_ros.inference.backends.scaling import Scale, ScaledGraph
from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
from fcn_seg_ros.inference.backends.torch_graph import fold_batch_norm
from fcn_seg_ros.inference.cache_key import graph_key
from fcn_seg_ros.inference.postprocess import (
    mask_table,
    most_likely,
    probability_to_mask,
    sum_classes,
    unknown_table,
)
from fcn_seg_ros.inference.preprocess import resize_image
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint
from fcn_seg_ros.models.fcn import make_network
from fcn_seg_ros.resources import default_checkpoint
from fcn_seg_ros.synthetic.suburb import RenderedDrive

# Least IoU of the road masks with those of eager float32.
LEAST_IOU = {'fp32': 0.999, 'bf16': 0.995}
# On a CPU cuda_graph does all but the capture, so it is checked as well.
HERE = [(name, precision) for name, precisions in available_backends('cpu').items()
        for precision in precisions]
BOTH = [*HERE, *(('cuda_graph', precision) for precision in ('fp32', 'bf16')
                 if precision == 'fp32' or hardware.cpu_has_bf16())]
QUICK = [pair for pair in BOTH if pair[0] != 'torch_compile']


def make(checkpoint, name, precision):
    if name == 'cuda_graph':
        return CudaGraphBackend(checkpoint, 'cpu', precision)
    return make_backend(checkpoint, 'cpu', precision, name=name)


@pytest.fixture(scope='module')
def packaged():
    return load_checkpoint(default_checkpoint())


@pytest.fixture(scope='module')
def frames():
    """Return rendered KITTI-like frames at two network sizes."""
    images = [RenderedDrive(seed, length=20)[10].image for seed in range(2)]
    small = np.stack([resize_image(image, (192, 640)) for image in images])
    return [small, resize_image(images[0], (384, 1280))[None]]


@pytest.fixture(scope='module')
def expected(packaged, frames):
    backend = TorchBackend(packaged, 'cpu', 'fp32')
    return [backend(batch) for batch in frames]


def assert_same_masks(found, reference, precision, threshold, largest=2):
    assert found.shape == reference.shape and found.dtype == np.uint8
    ours, theirs = (np.stack([probability_to_mask(levels[..., 0], threshold)
                              for levels in batch]) > 0 for batch in (found, reference))
    assert 0.05 < theirs.mean() < 0.95
    assert (ours & theirs).sum() / (ours | theirs).sum() >= LEAST_IOU[precision]
    difference = np.abs(found.astype(int) - reference)
    if precision == 'fp32':
        assert difference.max() <= largest
    else:
        assert difference.max() <= 64 and difference.mean() < 0.5


@pytest.mark.parametrize(('name', 'precision'), QUICK)
def test_masks_are_those_of_eager_float32(packaged, frames, expected, name, precision):
    backend = make(packaged, name, precision)
    assert (backend.name, backend.device, backend.precision) == (name, 'cpu', precision)
    for batch, reference in zip(frames, expected, strict=True):
        assert_same_masks(backend(batch), reference, precision, packaged.info.threshold)


@pytest.mark.skipif(shutil.which('g++') is None, reason='compiling needs g++')
def test_compiled_masks_are_those_of_eager_float32(packaged, frames, expected, monkeypatch):
    """Compiled once; the second backend takes the network from the cache."""
    precision = 'bf16' if hardware.cpu_has_bf16() else 'fp32'
    first = make(packaged, 'torch_compile', precision)
    result = first(frames[0])
    assert_same_masks(result, expected[0], precision, packaged.info.threshold)
    monkeypatch.setattr(torch._inductor, 'aoti_compile_and_package', None)
    assert np.array_equal(make(packaged, 'torch_compile', precision)(frames[0]), result)


@pytest.mark.parametrize(('name', 'precision'), QUICK)
def test_a_batch_is_its_images(packaged, frames, name, precision):
    backend = make(packaged, name, precision)
    together = backend(frames[0])
    for image, levels in zip(frames[0], together, strict=True):
        difference = np.abs(backend(image[None])[0].astype(int) - levels)
        # Other shapes may be computed by other kernels, which round elsewhere.
        assert difference.max() <= (1 if precision == 'fp32' else 40), name
        assert difference.mean() < 0.1


@pytest.mark.parametrize(('name', 'precision'), QUICK)
def test_results_are_the_callers_to_keep(packaged, frames, name, precision):
    backend = make(packaged, name, precision)
    first = backend(frames[0][:1])
    copy = first.copy()
    assert not np.array_equal(backend(frames[0][1:]), copy) and np.array_equal(first, copy)


@pytest.mark.parametrize(('name', 'precision'), [pair for pair in QUICK if pair[1] == 'fp32'])
def test_shapes_come_and_go(packaged, name, precision):
    backend, reference = make(packaged, name, precision), TorchBackend(packaged, 'cpu', 'fp32')
    widths = [32 * number for number in range(1, MAX_SHAPES + 3)]
    for width in (*widths, widths[0]):
        image = np.random.default_rng(width).integers(0, 256, (1, 64, width, 3), np.uint8)
        found = backend(image)
        assert np.abs(found.astype(int) - reference(image)).max() <= 1
    info = getattr(getattr(backend, '_request', getattr(backend, '_call', None)), 'cache_info',
                   None)
    assert info is None or info().currsize == MAX_SHAPES


@pytest.mark.parametrize('name', ['openvino', 'torch', 'cuda_graph'])
def test_several_classes(name):
    torch.manual_seed(1)
    network = make_network('resnet18', 'fcn8s', 3).eval()
    torch.nn.init.normal_(network.decoder.score_pool3.weight)
    checkpoint = Checkpoint(network, network_info(
        encoder='resnet18', classes=('a', 'b', 'c'), road_ids=(1,), palette=((0, 0, 0),) * 3))
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)
    found = make(checkpoint, name, 'fp32')(images)
    reference = TorchBackend(checkpoint, 'cpu', 'fp32')(images)
    assert found.shape == (2, 64, 96, 3) and reference.std() > 10
    assert np.abs(found.astype(int) - reference).max() <= 1


@pytest.mark.parametrize(('name', 'precision'), QUICK)
def test_close_lets_go_of_the_network(packaged, name, precision):
    backend = make(packaged, name, precision)
    backend(np.zeros((1, 64, 96, 3), np.uint8))
    held = [weakref.ref(value) for value in vars(backend).values()
            if type(value).__module__.startswith(('openvino', 'onnxruntime', 'fcn_seg_ros'))
            and type(value).__name__ in ('Model', 'InferenceSession', 'InferenceGraph')]
    assert held, vars(backend)
    backend.close()
    gc.collect()
    assert [reference() for reference in held] == [None] * len(held)


def test_threads_are_obeyed(packaged):
    backend = make_backend(packaged, 'cpu', 'fp32', 1, 'openvino')
    request = backend._request((1, 64, 96, 3))
    assert request.get_compiled_model().get_property('INFERENCE_NUM_THREADS') == 1
    backend = make_backend(packaged, 'cpu', 'fp32', 1, 'onnxruntime')
    assert backend._session.get_session_options().intra_op_num_threads == 1
    before = torch.get_num_threads()
    try:
        make_backend(packaged, 'cpu', 'fp32', before + 1, 'torch')
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


def test_auto_takes_the_first_that_is_installed(packaged, monkeypatch):
    backend = make_backend(packaged, 'cpu')
    assert backend.name == 'openvino' and backend.reason.startswith('the fastest on x86-64 CPUs')
    assert backend.precision == ('bf16' if hardware.cpu_has_bf16() else 'fp32')
    assert make_backend(packaged, 'cpu', name='torch').reason == 'asked for'
    monkeypatch.setattr(row.platform, 'machine', lambda: 'aarch64')
    assert make_backend(packaged, 'cpu', 'fp32').name == 'onnxruntime'
    hide(monkeypatch, 'openvino', 'onnxruntime')
    backend = make_backend(packaged, 'cpu', 'fp32')
    assert backend.name == 'torch' and 'no faster one is installed' in backend.reason


def hide(monkeypatch, *names):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(row.importlib.util, 'find_spec',
                        lambda name: None if name in names else find_spec(name))


def test_on_a_gpu_auto_is_the_captured_graph(monkeypatch):
    rows = [row for row in registry._TABLE if row.runs == registry.CHECKPOINT]
    first = registry._candidates(rows, None, 'cuda:0', 'auto', 'auto')[0]
    assert first.name == 'cuda_graph' and first.precisions('cuda:0')[0] == 'fp16'
    assert set(available_backends('cuda:0')) == {'cuda_graph', 'onnxruntime', 'torch'}


@pytest.mark.parametrize(('options', 'text'), [
    ({'name': 'tensorrt'}, 'backend: expected one of auto, cuda_graph, openvino, onnxruntime, '
                           "torch, torch_compile, found 'tensorrt'"),
    ({'name': 'cuda_graph'}, 'backend: expected one of openvino, onnxruntime, torch, '
                             "torch_compile on cpu, found 'cuda_graph'"),
    ({'name': 'onnxruntime', 'precision': 'bf16'},
     'precision: expected auto or fp32 for onnxruntime on a CPU'),
    ({'name': 'openvino', 'precision': 'fp16'}, 'for openvino on a CPU'),
    ({'precision': 'int4'}, 'precision: expected one of auto, fp32, bf16, fp16, int8, found'),
    ({'precision': 'fp16'}, 'precision: expected auto or '),
])
def test_what_does_not_fit_is_refused(random_checkpoint, options, text):
    with pytest.raises(InputError) as caught:
        make_backend(load_checkpoint(random_checkpoint), 'cpu', **options)
    assert text in str(caught.value) and '\n' not in str(caught.value)


def test_missing_packages_are_named(random_checkpoint, monkeypatch):
    hide(monkeypatch, 'onnxruntime', 'onnxscript')
    with pytest.raises(InputError, match=re.escape(
            'backend: onnxruntime needs the package onnxruntime and onnxscript (pip install '
            'onnxruntime onnxscript)')):
        make_backend(load_checkpoint(random_checkpoint), 'cpu', name='onnxruntime')
    monkeypatch.setenv('CXX', 'no-such-compiler')
    with pytest.raises(InputError, match="found no 'no-such-compiler'"):
        make_backend(load_checkpoint(random_checkpoint), 'cpu', name='torch_compile')


def test_a_cpu_without_bfloat16(random_checkpoint, monkeypatch):
    for module in (registry, row):
        monkeypatch.setattr(module, 'cpu_has_bf16', lambda: False)
    checkpoint = load_checkpoint(random_checkpoint)
    assert make_backend(checkpoint, 'cpu').precision == 'fp32'
    with pytest.raises(InputError, match='expected auto or fp32 or int8 on a CPU without bfloat16'):
        make_backend(checkpoint, 'cpu', 'bf16')


def test_bf16_is_what_openvino_finds():
    import openvino
    found = openvino.Core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
    assert hardware.cpu_has_bf16() == ('BF16' in found)


def test_without_a_driver_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(hardware, 'has_cuda_driver', lambda: False)
    assert resolve_device('auto') == 'cpu'
    with pytest.raises(InputError, match='one of the 0 CUDA devices'):
        resolve_device('cuda')


def test_providers_of_onnxruntime():
    everything = ['TensorrtExecutionProvider', 'CUDAExecutionProvider', 'CPUExecutionProvider']
    assert choose_providers('cpu', 'fp32', everything) == ['CPUExecutionProvider']
    assert choose_providers('cuda:1', 'fp16', everything) == [
        ('TensorrtExecutionProvider', {'device_id': 1, 'trt_fp16_enable': True}),
        ('CUDAExecutionProvider', {'device_id': 1}), 'CPUExecutionProvider']
    assert choose_providers('cuda:0', 'fp32', everything[1:])[0] == (
        'CUDAExecutionProvider', {'device_id': 0})
    with pytest.raises(InputError, match='pip install onnxruntime-gpu'):
        choose_providers('cuda:0', 'fp32', ['CPUExecutionProvider'])


@pytest.mark.parametrize(('error', 'device', 'out_of_memory', 'lost'), [
    (torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB'), 'cuda:0', True, False),
    (RuntimeError('CUDA error: out of memory'), 'cuda:0', True, False),
    (RuntimeError('CUDA error: an illegal memory access was encountered'), 'cuda:0', False, True),
    (RuntimeError('CUDA failure 719: unspecified launch failure'), 'cuda:0', False, True),
    (RuntimeError('cuDNN error: CUDNN_STATUS_EXECUTION_FAILED'), 'cuda:0', False, True),
    (RuntimeError('DefaultCPUAllocator: can\'t allocate memory: you tried'), 'cpu', True, False),
    (RuntimeError('Exception from src/x.cpp:1:\nstd::bad_alloc'), 'cpu', True, False),
    (MemoryError(), 'cpu', True, False),
    (RuntimeError('The size of tensor a (3) must match'), 'cpu', False, False),
])
def test_errors_of_libraries_become_one_kind(error, device, out_of_memory, lost):
    with pytest.raises(BackendError) as caught, library_errors('some', device, (RuntimeError,)):
        raise error
    assert (caught.value.out_of_memory, caught.value.lost) == (out_of_memory, lost)
    assert str(caught.value).startswith(f'some on {device}: {type(error).__name__}')
    assert '\n' not in str(caught.value) and caught.value.__cause__ is error


def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), library_errors('some', 'cpu', (RuntimeError,)):
        raise ZeroDivisionError
    own = BackendError('inner', lost=True)
    with pytest.raises(BackendError) as caught, library_errors('some', 'cpu', (RuntimeError,)):
        raise own
    assert caught.value is own


@pytest.mark.parametrize('name', ['openvino', 'onnxruntime', 'torch', 'cuda_graph'])
def test_a_call_that_fails_is_a_backend_error(packaged, name):
    """Images of five channels do not go through the first convolution."""
    backend = make(packaged, name, 'fp32')
    with pytest.raises(BackendError, match=f'{name} on cpu: '):
        backend(np.zeros((1, 64, 96, 5), np.uint8))
    assert backend(np.zeros((1, 64, 96, 3), np.uint8)).shape == (1, 64, 96, 1)


def test_nothing_of_a_lost_device_is_freed(monkeypatch):
    def fail(device: str) -> None:
        raise RuntimeError('CUDA error: unspecified launch failure')
    dropped: list[str] = []
    monkeypatch.setattr(torch_graph, '_abandoned', [])
    monkeypatch.setattr(torch.cuda, 'synchronize', fail)
    torch_graph.free_memory('cuda:0', 'network', lambda: dropped.append('cuda'))
    torch_graph.free_memory('cpu', 'other', lambda: dropped.append('cpu'))
    assert dropped == ['cpu'] and torch_graph._abandoned == ['network']


@pytest.mark.parametrize('encoder', ['mobilenet_v2', 'resnet18', 'resnet50'])
def test_folding_changes_nothing_but_the_layers(encoder):
    torch.manual_seed(0)
    network = make_network(encoder, 'fcn8s', 2)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5)
            torch.nn.init.normal_(layer.bias)
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    for name in ('score_fr', 'score_pool4', 'score_pool3'):
        torch.nn.init.normal_(getattr(network.decoder, name).weight, std=0.1)
    image = torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        before = network.eval()(image)
        fold_batch_norm(network)
        after = network(image)
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in network.modules())
    assert before.std() > 0
    assert (after - before).abs().max() < 1e-4 * before.abs().max()


@pytest.mark.parametrize(('start', 'end'), [
    ((375, 1242), (384, 1280)), ((384, 1280), (375, 1242)), ((1080, 1920), (384, 672)),
    ((384, 672), (1080, 1920)), ((480, 640), (384, 512)), ((720, 1280), (384, 672)),
    ((96, 160), (96, 160))])
def test_scaling_is_opencvs(start, end):
    images = np.random.default_rng(0).integers(0, 256, (2, *start, 3), np.uint8)
    found = Scale(start, end)(torch.from_numpy(images)).numpy()
    expected = np.stack([resize_image(image, end) for image in images])
    difference = found.astype(int) - expected
    # OpenCV's linear interpolation cuts off bits where this one rounds.
    assert np.abs(difference).max() <= 1 and abs(difference.mean()) < 0.15


def test_the_whole_call_on_the_device(packaged):
    """Scaling inside gives the masks of scaling with OpenCV before and after."""
    images = [RenderedDrive(seed, length=20)[10].image for seed in range(2)]
    backend = CudaGraphBackend(packaged, 'cpu', 'fp32')
    assert isinstance(backend, ScalingBackend)
    assert not isinstance(TorchBackend(packaged, 'cpu', 'fp32'), ScalingBackend)
    windows = [image[100:] for image in images]  # not contiguous with each other
    thresholds = (0.3, 0.7)
    masks, found = backend.run_scaled(windows, (192, 864), np.stack(
        [mask_table(threshold, 0.0) for threshold in thresholds]))
    reference = TorchBackend(packaged, 'cpu', 'fp32')(
        np.stack([resize_image(image, (192, 864)) for image in windows]))
    scaled = np.stack([resize_image(levels[..., 0], windows[0].shape[:2])
                       for levels in reference])
    assert found.shape == masks.shape == (2, 275, 1242)
    assert np.abs(found.astype(int) - scaled).mean() < 0.15
    assert_same_masks(found[..., None], scaled[..., None], 'fp32', packaged.info.threshold,
                      largest=16)
    for mask, levels, threshold in zip(masks, found, thresholds, strict=True):
        assert np.array_equal(mask, probability_to_mask(levels, threshold))
    # The next call has other thresholds and the same buffers; what was returned stays.
    kept = masks.copy()
    again = backend.run_scaled(windows, (192, 864), np.stack([mask_table(0.9, 0.95)] * 2))
    assert np.array_equal(again[1], found) and np.array_equal(masks, kept)
    assert np.array_equal(again[0, 1], probability_to_mask(found[1], 0.9, 0.95))
    assert set(np.unique(again[0])) == {0, 1, 255}


class Fixed(torch.nn.Module):
    """Stands where InferenceGraph does and returns given levels."""

    def __init__(self, levels):
        super().__init__()
        self.levels = torch.from_numpy(levels)

    def forward(self, images):
        return self.levels


@pytest.mark.parametrize('unknown_below', [0.0, 0.4, 0.9])
def test_the_device_decides_among_classes_as_the_cpu_does(unknown_below):
    """Ties, sums above 255 and unknown pixels included."""
    levels = np.random.default_rng(0).integers(0, 12, (2, 30, 40, 4), np.uint8) * 23
    graph = ScaledGraph(Fixed(levels), (30, 40), (30, 40), (1, 3))
    tables = np.stack([unknown_table(unknown_below), unknown_table(0.5)])
    found = graph(torch.zeros((2, 30, 40, 3), dtype=torch.uint8), torch.from_numpy(tables)).numpy()
    assert found.shape == (3, 2, 30, 40) and found.dtype == np.uint8
    for number, below in enumerate((unknown_below, 0.5)):
        planes = [np.ascontiguousarray(levels[number, ..., k]) for k in range(4)]
        mask, best = most_likely(planes, below)
        expected = (mask, sum_classes(planes, (1, 3)), best)
        assert all(np.array_equal(found[k, number], expected[k]) for k in range(3))


def test_key_of_the_cache(random_network):
    """Everything that changes the computation changes the key, and nothing else."""
    info = network_info()
    key = graph_key(Checkpoint(random_network, info), 'openvino', ('torch', 'openvino'))
    assert key['version of torch'] == importlib.metadata.version('torch')

    def same(**changes):
        return key == graph_key(Checkpoint(random_network, network_info(**changes)), 'openvino',
                                ('torch', 'openvino'))
    assert same() and same(threshold=0.1, licence='other', scores={'MaxF': 1.0})
    assert not same(temperature=2.0) and not same(mean=(0.4, 0.5, 0.5))
    assert not same(road_ids=(0,)) and not same(channel_order='bgr')
    weight = random_network.decoder.score_fr.weight
    with torch.no_grad():
        before = weight[0, 0, 0, 0].item()
        weight[0, 0, 0, 0] = before + 1
        assert not same()
        weight[0, 0, 0, 0] = before
    assert same()


def test_a_warm_cache_saves_the_conversion(random_checkpoint, tmp_path):
    """
    A second process converts nothing; a broken entry is made again.

    None of them imports PyTorch, unless it cannot start another process for that.
    """
    code = (
        'import sys\n'
        'sys.executable = sys.argv[1]\n'
        'import numpy as np\n'
        'from fcn_seg_ros.inference.backends import make_backend\n'
        'from fcn_seg_ros.models.checkpoint_file import read_checkpoint\n'
        f'backend = make_backend(read_checkpoint({str(random_checkpoint)!r}), "cpu", "fp32",\n'
        '                       name="openvino")\n'
        'image = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 3), np.uint8)\n'
        'print("torch" in sys.modules, backend(image).sum())\n')

    def run(python=sys.executable):
        result = subprocess.run([sys.executable, '-c', code, python], capture_output=True,
                                text=True, check=True, env={'FCN_SEG_CACHE': str(tmp_path),
                                                            'PYTHONPATH': ':'.join(sys.path)})
        imported, levels = result.stdout.split()
        return imported == 'True', int(levels), result.stderr
    cold, warm = run(), run('/nonexistent')
    assert not cold[0] and not warm[0] and cold[2] == warm[2] == ''
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    broken = run()
    assert not broken[0] and 'is broken and is made again' in broken[2]
    path.unlink()
    alone = run('/nonexistent')
    assert alone[0] and 'no subprocess' in alone[2]
    assert cold[1] == warm[1] == broken[1] == alone[1] > 0


def test_no_place_for_temporary_files_costs_the_cache_alone(random_checkpoint, tmp_path,
                                                            monkeypatch, caplog):
    """As on a read-only disk: the network runs, and is converted again at the next start."""
    def full(model):
        raise OSError(28, 'No space left on device')
    monkeypatch.setenv('FCN_SEG_CACHE', str(tmp_path))
    monkeypatch.setattr('fcn_seg_ros.inference.backends.openvino._dump', full)
    backend = make_backend(load_checkpoint(random_checkpoint), 'cpu', 'fp32', name='openvino')
    assert backend(np.zeros((1, 64, 96, 3), np.uint8)).shape == (1, 64, 96, 1)
    assert list(tmp_path.iterdir()) == [] and 'No space left on device' in caplog.text


class Inverted:
    """A foreign backend: PyTorch's answer, upside down, so that it cannot be mistaken."""

    name, reason, device = 'inverted', '', 'cpu'

    def __init__(self, checkpoint, device, precision, threads):
        self.precision, self._backend = precision, TorchBackend(checkpoint, device, precision)

    def __call__(self, images):
        return 255 - self._backend(images)

    def close(self):
        self._backend.close()


@pytest.fixture
def table(monkeypatch):
    """Return the table of backends, restored afterwards."""
    monkeypatch.setattr(registry, '_TABLE', rows := list(registry._TABLE))
    return rows


def test_a_foreign_backend(table):
    """Registered from outside, it runs the packaged network like any other."""
    register_backend(BackendRow('inverted', Inverted, 'never chosen', cpu=('fp32',)))
    assert list_backends('cpu')[-1] == 'inverted'
    segmenter = RoadSegmenter('open', 'cpu', backend='inverted', test=False)
    assert (segmenter.backend.name, segmenter.backend.reason) == ('inverted', 'asked for')
    image = RenderedDrive(0)[0].image
    plain = RoadSegmenter('open', 'cpu', 'fp32', backend='torch').segment(image)
    assert np.abs(segmenter.segment(image).probability - (255.0 - plain.probability)).max() <= 1
    assert RoadSegmenter('open', 'cpu').backend.name == 'openvino'
    with pytest.raises(InputError, match='self-test on inverted'):
        RoadSegmenter('open', 'cpu', backend='inverted')
    with pytest.raises(InputError, match='expected auto or fp32 for inverted on a CPU, found bf16'):
        RoadSegmenter('open', 'cpu', 'bf16', backend='inverted')
    with pytest.raises(ValueError, match='registered already'):
        register_backend(BackendRow('inverted', Inverted, 'again', cpu=('fp32',)))


def test_a_foreign_file_format(table, tmp_path):
    """A row may also bring a kind of exported file."""
    class Model(Checkpoint):
        kind = 'plain'

    def read(path):
        return Model(**vars(load_checkpoint('open')) | {'path': path})
    register_backend(BackendRow('plain', TorchBackend, 'reads .plain', cpu=('fp32',), runs='plain',
                                suffix='.plain', read=read))
    segmenter = RoadSegmenter(tmp_path / 'road.plain')
    assert segmenter.name.endswith('road.plain') and segmenter.backend.reason == 'reads .plain'
    with pytest.raises(InputError, match=r'road\.plain: backend: expected auto or plain on cpu'):
        RoadSegmenter(tmp_path / 'road.plain', backend='openvino')
