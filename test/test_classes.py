# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Networks of several classes: labels, loss and a whole small run."""

import sys

import numpy as np
import pytest
import torch

from fcn_seg_ros.cli.train import main
from fcn_seg_ros.datasets.base import Classes, RoadDataset, Sample
from fcn_seg_ros.datasets.camvid import NAMES
from fcn_seg_ros.datasets.class_file import parse_classes
from fcn_seg_ros.datasets.class_labels import Coded, LabelCodes, check_labelled
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.training.config import read_config
from fcn_seg_ros.training.losses import cross_entropy, distillation

FOUR = """\
classes:
- {name: rest, colour: [90, 90, 90], from: [sky, building, pole, tree, sign, fence, pavement]}
- {name: street, colour: [128, 64, 128], road: true, from: [road]}
- {name: car, colour: [0, 0, 142], from: [vehicle]}
- {name: person, colour: [220, 20, 60], from: [pedestrian, vehicle]}
ignore: {from: [unlabelled]}
"""


class Named(RoadDataset):
    """One sample with the given ids and names, or only road labels."""

    def __init__(self, ids, names=None):
        self.ids, self.names = np.array(ids, np.uint8), names

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return Sample('one', np.zeros((*self.ids.shape, 3), np.uint8), self.ids)

    def classes(self, index):
        return None if self.names is None else Classes(self.ids, self.names)


def test_codes_of_named_and_of_road_labels():
    codes = LabelCodes(parse_classes(FOUR, 'four'))
    assert codes.groups == ((0, 2, 3), (2, 3))
    named = Named([[0, 1, 2, 3, 4]], {0: 'road', 1: 'vehicle', 2: 'cyclist', 3: 'car', 4: 'sky'})
    assert Coded(named, codes)[0].codes.tolist() == [[1, 5, 255, 2, 0]]
    road = Coded(Named([[0, 1, 255]]), codes)[0]
    assert road.codes.tolist() == [[4, 1, 255]] and road.labels.tolist() == [[0, 1, 255]]
    assert codes.members[4:].tolist() == [[True, False, True, True], [False, False, True, True]]


def test_a_class_that_nobody_labels_is_refused_and_one_of_no_use_is_said():
    four = parse_classes(FOUR, 'four')
    names = {0: 'sky', 1: 'road', 2: 'car', 3: 'pedestrian', 4: 'cyclist', 5: 'unlabelled'}
    assert check_labelled(four, [Named([[0]], names), Named([[0]], names)]) == ['cyclist']
    del names[3]
    # "vehicle" may be a car or a person, so it teaches nobody which.
    for datasets in ([Named([[0]], names)], [Named([[0]], names | {3: 'vehicle'})]):
        with pytest.raises(InputError, match="expected datasets that label 'person', found none"):
            check_labelled(four, [*datasets, Named([[0]])])


def test_the_loss_of_a_pixel_of_several_classes_is_that_of_their_sum():
    torch.manual_seed(0)
    logits = torch.randn(2, 4, 5, 6, requires_grad=True)
    members = torch.from_numpy(LabelCodes(parse_classes(FOUR, 'four')).members)
    labels = torch.randint(0, 6, (2, 5, 6))
    labels[0, 0] = 255
    weights = torch.tensor([1.0, 0.5, 2.0, 4.0])
    p = logits.softmax(dim=1).permute(0, 2, 3, 1)
    total, count = 0.0, 0.0
    for pixel in np.argwhere(labels.numpy() != 255):
        which = members[labels[tuple(pixel)]]
        weight = weights[which].mean()
        total, count = total - weight * p[tuple(pixel)][which].sum().log(), count + weight
    loss = cross_entropy(logits, labels, tuple(weights.tolist()), members=members)
    torch.testing.assert_close(loss, total / count)
    loss.backward()
    assert logits.grad.isfinite().all() and (logits.grad[0, :, 0] == 0).all()


def test_smoothing_spreads_the_target():
    logits, labels = torch.randn(2, 4, 5, 6), torch.randint(0, 4, (2, 5, 6))
    target = 0.8 * torch.nn.functional.one_hot(labels, 4).permute(0, 3, 1, 2) + 0.2 / 4
    expected = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(cross_entropy(logits, labels, smoothing=0.2), expected)


def test_a_teacher_of_road_teaches_the_sum_of_the_road_classes():
    logits = torch.randn(1, 4, 3, 3)
    taught = torch.randint(1, 254, (1, 3, 3), dtype=torch.uint8)
    road, own = taught / 254, logits.softmax(dim=1)[:, [1, 3]].sum(dim=1)
    expected = (road * (road / own).log() + (1 - road) * ((1 - road) / (1 - own)).log()).mean()
    torch.testing.assert_close(distillation(logits, taught, road_ids=(1, 3)), expected)


SMALL = ['--encoder-weights', 'none', '--height', '96', '--crop', '96', '160', '--batch-size', '3',
         '--precision', '32-true', '--workers', '0', '--scale', '0.8', '1.2',
         '--average-decay', '0.5', '--no-freeze-norm', '--learning-rate', '0.003']


def test_a_run_keeps_its_classes_without_their_file(camvid_folder, tmp_path, capsys):
    file = tmp_path / 'four.yaml'
    file.write_text(FOUR)
    out = tmp_path / 'run'
    data = ['--train', f'camvid:{camvid_folder}?split=train', 'rendered?drives=1&frames=2',
            '--val', f'camvid:{camvid_folder}?split=val']
    assert main([*data, *SMALL, '--classes', str(file), '--epochs', '2', '--out', str(out),
                 '--class-weights', '1', '1', '2', '3', '--label-smoothing', '0.1']) == 0
    printed = capsys.readouterr().out
    assert printed.count('classes: not in rest, street, car, person, so left out of the loss: '
                         'cyclist\n') == 1
    info = load_checkpoint(out / 'checkpoint.safetensors').info
    assert info.classes == ('rest', 'street', 'car', 'person') and info.road_ids == (1,)
    assert info.palette[2] == (0, 0, 142)
    file.unlink()
    config = read_config(out / 'config.yaml')
    assert config.class_list.names == info.classes
    assert set(NAMES.values()) > {'cyclist', 'unlabelled'}


@pytest.mark.parametrize(('more', 'words'), [
    (['--class-weights', '1', '2'], 'class_weights: expected one number or 4, one for each class '
     '(rest, street, car, person), found 2'),
    (['--class-weights', '1', '2', '0', '1'], 'class_weights: expected numbers above 0'),
    (['--label-smoothing', '1'], 'label_smoothing: expected at least 0 and less than 1, found 1.0'),
    (['--train', 'rendered?drives=1&frames=2'],
     "classes: expected datasets that label 'rest', 'car', 'person', found none"),
    (['--train', 'rendered?drives=1&frames=2', '--classes', '{two}', '--rarity', '0.5'],
     'rarity: expected a dataset with classes, found 0.5 with only road and not road'),
    (['--classes', 'nowhere.yaml'], 'nowhere.yaml: expected a classes file, found nothing'),
])
def test_what_does_not_fit_the_classes_is_one_line(camvid_folder, tmp_path, capsys, more, words):
    file, two = tmp_path / 'four.yaml', tmp_path / 'two.yaml'
    file.write_text(FOUR)
    two.write_text('classes: [{name: rest, colour: [0, 0, 0]}, {name: road, colour: [1, 1, 1], '
                   'road: true}]')
    assert main(['--train', f'camvid:{camvid_folder}?split=train', *SMALL, '--classes', str(file),
                 '--out', str(tmp_path / 'run'), *(word.format(two=two) for word in more)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count('\n') == 1
    assert not (tmp_path / 'run').exists()


def test_a_run_of_classes_resumes_prunes_and_starts_others(camvid_folder, tmp_path, capsys):
    """Interrupted after its first epoch; the weights are those of the undisturbed run."""
    file, out = tmp_path / 'four.yaml', tmp_path / 'run'
    file.write_text(FOUR)
    data = ['--train', f'camvid:{camvid_folder}?split=train', '--rarity', '0.9', *SMALL]
    assert main([*data, '--classes', str(file), '--epochs', '2', '--out', str(out)]) == 0
    undisturbed = load_checkpoint(out / 'checkpoint.safetensors')
    broken = tmp_path / 'broken'
    with pytest.MonkeyPatch.context() as patch:
        def stop(self):
            if self.current_epoch == 1:
                raise KeyboardInterrupt
        patch.setattr('fcn_seg_ros.training.module.SegmentationModule.on_train_epoch_start', stop)
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            sys.exit(main([*data, '--classes', str(file), '--epochs', '2', '--out', str(broken)]))
    file.unlink()
    assert main(['--out', str(broken), '--resume']) == 0
    resumed = load_checkpoint(broken / 'checkpoint.safetensors')
    assert resumed.info.classes == undisturbed.info.classes
    assert resumed.hash_weights() == undisturbed.hash_weights()

    capsys.readouterr()
    small = tmp_path / 'small'
    start = ['--init-from', str(out / 'checkpoint.safetensors'), '--epochs', '1']
    assert main([*data, *start, '--prune', '0.5', '--out', str(small)]) == 0
    pruned = load_checkpoint(small / 'checkpoint.safetensors')
    assert pruned.info.classes == undisturbed.info.classes
    assert pruned.info.class_sources == undisturbed.info.class_sources
    assert 'init_from' not in capsys.readouterr().out  # every layer fits

    file.write_text(FOUR.replace('rest', 'background'))
    other = tmp_path / 'other'
    assert main([*data, *start, '--classes', str(file), '--out', str(other)]) == 0
    assert 'score_fr' in capsys.readouterr().out  # as many classes, but not the same
    assert load_checkpoint(other / 'checkpoint.safetensors').info.classes[0] == 'background'
    assert main([*data, *start, '--classes', str(file), '--prune', '0.5',
                 '--out', str(tmp_path / 'no')]) == 2
    assert 'prune: expected the classes of init_from' in capsys.readouterr().err
