# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The network: sizes, skips, encoders."""

import pytest
import torch
import torchvision
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.models.encoders import (
    ENCODERS,
    freeze_batch_norm,
    make_encoder,
    read_encoder_file,
)
from fcn_seg_ros.models.fcn import make_network


@settings(max_examples=20, deadline=None)
@given(height=st.integers(32, 200), width=st.integers(32, 200))
def test_logits_have_the_image_size(random_network, height, width):
    with torch.inference_mode():
        assert random_network(torch.zeros(1, 3, height, width)).shape == (1, 2, height, width)


@pytest.mark.parametrize('size', [(32, 32), (375, 1242), (2161, 3841)])
def test_smallest_kitti_and_4k(random_network, size):
    with torch.inference_mode():
        logits = random_network(torch.zeros(1, 3, *size))
    assert logits.shape[-2:] == size
    assert logits.isfinite().all()


def test_padding_changes_nothing_far_from_the_border(random_network):
    image = torch.randn(1, 3, 352, 384)
    with torch.inference_mode():
        whole, odd = random_network(image), random_network(image[..., :351, :383])
    # Cells near the lower right border see repeated pixels instead of the image's own.
    torch.testing.assert_close(odd[..., :64, :64], whole[..., :64, :64], atol=0.05, rtol=0.05)


@pytest.mark.parametrize('encoder', list(ENCODERS))
def test_encoders_give_strides_8_16_32(encoder):
    network = make_encoder(encoder).eval()
    with torch.inference_mode():
        features = network(torch.zeros(1, 3, 64, 96))
    assert [f.shape[1] for f in features] == list(network.channels)
    assert [tuple(f.shape[-2:]) for f in features] == [(8, 12), (4, 6), (2, 3)]


def test_skips_are_summed_at_strides_16_and_8(random_network):
    """The whole network equals the paper's sum, written out with the layers one by one."""
    image = torch.randn(1, 3, 64, 96)
    n = random_network
    with torch.inference_mode():
        pool3, pool4, top = n.encoder(image)
        stride16 = n.upscore2(n.score_fr(top)) + n.score_pool4(pool4)
        stride8 = n.upscore_pool4(stride16) + n.score_pool3(pool3)
        torch.testing.assert_close(n(image), n.upscore8(stride8))
        assert stride16.shape[-2:] == (4, 6) and stride8.shape[-2:] == (8, 12)


def test_every_parameter_learns():
    network = make_network('mobilenet_v2', 'fcn8s', 3)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    before = [p.clone() for p in network.parameters()]
    for _ in range(3):
        optimiser.zero_grad()
        target = torch.randint(0, 3, (2, 64, 64))
        torch.nn.functional.cross_entropy(network(torch.randn(2, 3, 64, 64)), target).backward()
        optimiser.step()
    assert all(not torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def test_encoder_weights_are_taken_over(tmp_path):
    classifier = torchvision.models.mobilenet_v2(weights=None).eval()
    torch.save(classifier.state_dict(), tmp_path / 'weights.pth')
    encoder = make_encoder('mobilenet_v2', read_encoder_file(tmp_path / 'weights.pth')).eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(image)[2], classifier.features(image))


def test_vgg16_as_convolutions_equals_the_classifier():
    """On a 224x224 image the cell whose window is the whole map has the classifier's fc7."""
    classifier = torchvision.models.vgg16(weights=None).eval()
    encoder = make_encoder('vgg16', classifier.state_dict()).eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        fc7 = classifier.classifier[:5](classifier.features(image).flatten(1))
        torch.testing.assert_close(encoder(image)[2][..., 3, 3], fc7, atol=1e-4, rtol=1e-3)


def test_vgg_weights_with_caffe_names():
    state = {'conv1_1.weight': torch.randn(64, 3, 3, 3), 'conv1_1.bias': torch.randn(64),
             'conv3_3.weight': torch.randn(256, 256, 3, 3), 'conv3_3.bias': torch.randn(256),
             'conv3_4.weight': torch.randn(256, 256, 3, 3), 'conv3_4.bias': torch.randn(256)}
    encoder = make_encoder('vgg16', state)
    torch.testing.assert_close(encoder.stride8[0].weight.data, state['conv1_1.weight'])
    torch.testing.assert_close(encoder.stride8[14].weight.data, state['conv3_3.weight'])


def test_frozen_batch_norm_keeps_its_statistics():
    network = make_network('mobilenet_v2', 'fcn8s', 2).train()
    freeze_batch_norm(network)
    before = {k: v.clone() for k, v in network.state_dict().items() if 'running' in k}
    network(5 + torch.randn(2, 3, 64, 64))
    after = network.state_dict()
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def test_bad_encoder_input(tmp_path):
    with pytest.raises(InputError, match="mobilenet_v2, vgg16, found 'alexnet'"):
        make_encoder('alexnet')
    with pytest.raises(InputError, match="decoder: expected one of fcn8s, found 'unet'"):
        make_network('vgg16', 'unet', 2)
    with pytest.raises(InputError, match='torchvision names'):
        make_encoder('mobilenet_v2', {'nothing.weight': torch.zeros(1)})
    with pytest.raises(InputError, match=r'features.0.0.weight should be \(32, 3, 3, 3\)'):
        make_encoder('mobilenet_v2', {'features.0.0.weight': torch.zeros(16, 3, 3, 3)})
    with pytest.raises(InputError, match='found none'):
        read_encoder_file(str(tmp_path / 'missing.pth'))
    (tmp_path / 'broken.pth').write_bytes(b'no weights')
    with pytest.raises(InputError, match=r'broken.pth: expected a PyTorch state dict'):
        read_encoder_file(str(tmp_path / 'broken.pth'))
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(InputError, match='found list'):
        read_encoder_file(str(tmp_path / 'list.pth'))
