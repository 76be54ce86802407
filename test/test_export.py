# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executable `export`: what other runtimes make of its files, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import resource
import shutil

import numpy as np
import onnx
import pytest
import torch
from conftest import make_random_network, network_info

from fcn_seg_ros.cli.export import main
from fcn_seg_ros.datasets.kitti_road import KittiRoad
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.evaluation import export_checks
from fcn_seg_ros.inference import export as package
from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
from fcn_seg_ros.inference.cache_key import hash_network
from fcn_seg_ros.inference.convert.onnx_model import to_onnx
from fcn_seg_ros.inference.export import export
from fcn_seg_ros.inference.export.parity import Parity, check_parity, compare
from fcn_seg_ros.inference.export.sized import SizedGraph
from fcn_seg_ros.inference.exported import load_exported
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import Checkpoint, load_checkpoint
from fcn_seg_ros.resources import default_checkpoint

# Sizes and batches that no exporter has seen.
SHAPES = [(1, 96, 320, 3), (3, 128, 64, 3), (2, 160, 224, 3)]


def images(shape):
    """Return noise of a shape, smooth enough to have edges."""
    small = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return np.repeat(small[:, ::8], 8, axis=1)[:, :shape[1]]


def run_onnx(path):
    import onnxruntime
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    metadata = session.get_modelmeta().custom_metadata_map['fcn_seg_ros']
    return metadata, lambda batch: session.run(['probability'], {'image': batch})[0]


def run_torch(path):
    extra = {'fcn_seg_ros.json': ''}
    module = torch.export.load(path, extra_files=extra).module()
    return extra['fcn_seg_ros.json'], lambda batch: module(torch.from_numpy(batch)).numpy()


def run_openvino(path):
    import openvino
    core = openvino.Core()
    model = core.read_model(str(path))
    compiled = core.compile_model(model, 'CPU', {'INFERENCE_PRECISION_HINT': 'f32'})
    return (model.get_rt_info(['fcn_seg_ros']).astype(str),
            lambda batch: compiled({'image': batch})['probability'])


RUNTIMES = {'onnx': ('.onnx', run_onnx), 'torch': ('.pt2', run_torch),
            'openvino': ('.xml', run_openvino)}


@pytest.mark.parametrize('kind', list(RUNTIMES))
def test_runtimes_give_what_pytorch_gives(kind, random_checkpoint, tmp_path, capsys):
    suffix, run = RUNTIMES[kind]
    out = tmp_path / f'road{suffix}'
    assert main([str(random_checkpoint), '--format', kind, '--out', str(out), '--height', '64',
                 '--json']) == 0
    assert json.loads(capsys.readouterr().out)['parity_iou'] >= 0.999
    assert {path.suffix for path in tmp_path.iterdir()} == {
        '.xml', '.bin'} if kind == 'openvino' else {suffix}
    metadata, model = run(out)
    checkpoint = load_checkpoint(random_checkpoint)
    expected = dataclasses.replace(checkpoint.info, network_height=64)
    assert json.loads(metadata) == json.loads(json.dumps(dataclasses.asdict(expected)))
    reference = TorchBackend(checkpoint, 'cpu', 'fp32')
    for shape in SHAPES:
        wanted = reference(images(shape))
        found = model(images(shape))
        assert found.shape == wanted.shape == (*shape[:3], 1) and found.dtype == np.uint8
        assert np.abs(found.astype(int) - wanted).max() <= 1
        assert wanted.std() > 5
    refuses_other_sizes(model)


def refuses_other_sizes(model):
    """Check a model; unguarded, OpenVINO answers 97x64 with 96x64, torch.export 127 with 128."""
    for rest in (1, 2, 8, 16, 31):
        for shape in ((1, 96 + rest, 64, 3), (1, 64, 96 + rest, 3), (1, 96 + rest, 96 + rest, 3)):
            with pytest.raises(Exception, match=r'.'):  # each runtime has its own
                model(images(shape))


@pytest.mark.parametrize(('opset', 'version'), [(18, 8), (16, 8), (20, 9)])
def test_old_runtimes_read_onnx(opset, version):
    """ONNX Runtime 1.15 to 1.17 refuse IR 10; these are the numbers that it decides by."""
    program = to_onnx(SizedGraph(torch.nn.Identity()), opset)
    model = program.model_proto
    onnx.checker.check_model(model)
    assert model.opset_import[0].version == opset and model.ir_version == version


def test_an_opset_that_the_exporter_does_not_reach_is_refused():
    class Absent(torch.nn.Module):
        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return torch.nn.functional.layer_norm(image.float(), [3])  # an operator of opset 17
    with pytest.raises(InputError, match=r'--opset: .* found 11 \(the exporter stays at 18\)'):
        to_onnx(Absent(), 11)


def test_more_classes_have_a_channel_each(tmp_path):
    network = make_random_network(1, classes=3)
    info = network_info(classes=('a', 'b', 'c'), road_ids=(1, 2), palette=((0, 0, 0),) * 3)
    checkpoint = Checkpoint(network, info)
    export(checkpoint, 'openvino', tmp_path / 'three.xml', frames=[images((1, 32, 64, 3))])
    exported = RoadSegmenter(tmp_path / 'three.xml', precision='fp32')
    own = RoadSegmenter(checkpoint, 'cpu', 'fp32', backend='torch')
    image = images((1, 96, 160, 3))[0]
    found, wanted = exported.segment(image), own.segment(image)
    assert (found.mask == wanted.mask).mean() > 0.999
    assert np.abs(found.probability.astype(int) - wanted.probability).max() <= 2


PACKAGED = default_checkpoint()


@pytest.fixture(scope='module')
def int8(kitti_folder, tmp_path_factory):
    """Return an int8 export of the packaged network, calibrated on rendered images."""
    out = tmp_path_factory.mktemp('int8') / 'road_int8.xml'
    with pytest.MonkeyPatch.context() as patch:
        # Two small images are not what it was trained on, and no measure of a loss of 0.2.
        patch.setattr(export_checks, 'ALLOWED_LOSS', 0.2)
        assert main([str(PACKAGED), '--format', 'openvino', '--precision', 'int8', '--height', '96',
                     '--out', str(out), '--calibrate', f'kitti:{kitti_folder}?split=train.txt',
                     '--val', f'kitti:{kitti_folder}?split=val.txt']) == 0
    return out


def test_int8_runs_in_place_of_a_checkpoint(int8, rendered_frames):
    segmenter = RoadSegmenter(int8)
    assert (segmenter.backend.name, segmenter.backend.precision) == ('openvino', 'int8')
    info = load_checkpoint(PACKAGED).info
    assert segmenter.info == dataclasses.replace(info, network_height=96, network_pixels=0)
    assert segmenter.network_height == 96
    own = RoadSegmenter(PACKAGED, 'cpu', 'fp32', 96)
    for frame in rendered_frames[:2]:
        found = segmenter.segment(frame.image).probability.astype(int)
        wanted = own.segment(frame.image).probability
        assert 0 < np.abs(found - wanted).mean() < 8
    # It knows what it was made of, whatever its height.
    assert load_exported(int8).network_hash == hash_network(load_checkpoint(PACKAGED))
    # Most of its weights are a byte each.
    assert int8.read_text().count('element_type="i8"') > 30


@pytest.mark.parametrize(('options', 'text'), [
    ({'device': 'cuda:99'}, "found 'cuda:99'"),
    ({'backend': 'torch'}, 'backend: expected auto or openvino on cpu'),
    ({'precision': 'bf16'}, 'precision: expected auto or int8')])
def test_an_exported_model_has_few_choices(int8, options, text):
    with pytest.raises(InputError) as caught:
        RoadSegmenter(int8, **options)
    assert text in str(caught.value)


def test_foreign_and_broken_models_are_one_line(int8, tmp_path):
    with pytest.raises(InputError, match=r'missing\.xml: expected a file written by'):
        load_exported(tmp_path / 'missing.xml')
    copy = tmp_path / 'copy.xml'
    shutil.copy(int8, copy)
    with pytest.raises(InputError, match=r'copy\.bin: expected a file written by'):
        load_exported(copy)
    shutil.copy(int8.with_suffix('.bin'), copy.with_suffix('.bin'))
    whole = copy.read_text()
    copy.write_text(whole[:len(whole) // 2])
    with pytest.raises(InputError, match='broken, foreign or older') as caught:
        load_exported(copy)
    assert '\n' not in str(caught.value)
    copy.write_text(whole.replace('fcn_seg_ros', 'other'))
    with pytest.raises(InputError, match='found a broken, foreign or older one'):
        load_exported(copy)


def test_a_fall_in_accuracy_is_refused(random_checkpoint, kitti_folder, tmp_path):
    """A network that has learned nothing stands for one that quantising has ruined."""
    ruined = tmp_path / 'ruined.xml'
    export(load_checkpoint(random_checkpoint), 'openvino', ruined,
           frames=[images((1, 32, 64, 3))])
    good = load_checkpoint(default_checkpoint())
    good = dataclasses.replace(good, info=dataclasses.replace(good.info, network_height=96),
                               self_test=None)
    dataset = KittiRoad(kitti_folder)
    with pytest.raises(InputError, match=r'MaxF must fall by less .* found \d+\.\d+ in'):
        export_checks.accuracy_loss(good, ruined, dataset, lambda: None)
    same = export_checks.accuracy_loss(load_checkpoint(random_checkpoint), ruined, dataset,
                                       lambda: None)
    assert abs(same.before - same.after) < export_checks.ALLOWED_LOSS


@pytest.mark.parametrize(('fault', 'text'), [
    (lambda *args: (lambda batch: np.full((*batch.shape[:3], 1), 255, np.uint8)), 'with IoU of'),
    (lambda *args: (lambda batch: np.zeros((1, 2), np.uint8)), 'parity: expected uint8'),
    (lambda *args: {}['two\nlines'], 'in fp32: KeyError'),
    (lambda graph, checkpoint, path, *rest: (path.parent / 'no' / 'where').write_bytes(b''),
     'cannot be written')])
def test_what_is_wrong_is_not_kept(random_checkpoint, tmp_path, monkeypatch, fault, text):
    monkeypatch.setitem(package._WRITERS, 'torch', fault)
    out = tmp_path / 'road.pt2'
    out.write_bytes(b'before')
    with pytest.raises(InputError) as caught:
        export(load_checkpoint(random_checkpoint), 'torch', out, frames=[images(SHAPES[1])])
    assert text in str(caught.value) and '\n' not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ['road.pt2']
    assert out.read_bytes() == b'before'


@pytest.mark.parametrize(('arguments', 'text'), [
    (['--format', 'onnx', '--out', 'a.pt2'], 'the name of a model for onnx must end in .onnx'),
    (['--format', 'onnx', '--out', 'a.onnx', '--precision', 'int8'], 'fp32, fp16 for onnx'),
    (['--format', 'openvino', '--out', 'a.xml', '--precision', 'int8'], '--calibrate and --val'),
    (['--format', 'openvino', '--out', 'a.xml', '--val', 'rendered'], '--calibrate and --val'),
    (['--format', 'torch', '--out', 'a.pt2', '--height', '7'], '--height: expected 0'),
    (['--format', 'torch', '--out', 'a.pt2', '--opset', '17'], '--opset: expected --format onnx'),
    (['--format', 'onnx', '--out', 'a.onnx', '--opset', '13'], '--opset: invalid choice: 13'),
    (['nothing.safetensors', '--format', 'torch', '--out', 'a.pt2'], 'nothing.safetensors')])
def test_bad_requests_are_one_line(arguments, text, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert text in error and error.count('\n') == 1
    assert not list(tmp_path.iterdir())


def test_parity_counts_what_differs():
    one = np.zeros((1, 4, 4, 1), np.uint8)
    other = one.copy()
    one[0, :2], other[0, :1] = 200, 210
    batch = [np.zeros((1, 4, 4, 3), np.uint8)]
    parity = compare(lambda _: one, lambda _: other, batch, 0.5)
    assert (parity.iou, parity.largest) == (0.5, 200)
    assert parity.mean == pytest.approx((4 * 10 + 4 * 200) / 16)
    more = np.zeros((1, 4, 4, 3), np.uint8)
    more[..., 0] = 100
    changed = more.copy()
    changed[0, :1, :, 2] = 200
    parity = compare(lambda _: more, lambda _: changed, batch, 0.5)
    assert parity.iou == pytest.approx((12 / 16 + 0) / 2)


@pytest.mark.parametrize(('precision', 'parity', 'text'), [
    ('fp32', Parity(0.998, 3, 0.1), 'IoU of at least 0.999'),
    ('bf16', Parity(0.994, 30, 0.1), 'IoU of at least 0.995'),
    ('int8', Parity(0.999, 90, 8.1), 'a mean difference in probability of at most 8/255')])
def test_too_little_parity_is_refused(precision, parity, text):
    with pytest.raises(InputError, match=f'a.xml: expected .*{text}.*nothing is written'):
        check_parity('a.xml', precision, parity)
    check_parity('a.xml', precision, Parity(0.9995, 200, 7.9))


def test_a_full_disk_does_not_end_the_process(tmp_path):
    from fcn_seg_ros.inference.export import torch_program
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match='File too large'):
            torch_program.write(torch.nn.Identity(), network_info(), tmp_path / 'a.pt2')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
