# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The network: sizes, skips, encoders."""

import numpy as np
import pytest
import torch
import torchvision
from conftest import network_info
from hypothesis import given, settings
from hypothesis import strategies as st

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import save_checkpoint
from fcn_seg_ros.models.decoders import DECODERS, Decoder, FCNDecoder
from fcn_seg_ros.models.encoders import ENCODERS, make_encoder, pretrained_state
from fcn_seg_ros.models.encoders.base import freeze_batch_norm
from fcn_seg_ros.models.fcn import make_network, start_from
from fcn_seg_ros.models.layers import Upsample, convolutionalize, score_layer, subsample_conv


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
def test_encoders_give_strides_4_8_16_32(encoder):
    network = make_encoder(encoder).eval()
    with torch.inference_mode():
        features = network(torch.zeros(1, 3, 64, 96))
    assert [f.shape[1] for f in features] == list(network.channels)
    assert [tuple(f.shape[-2:]) for f in features] == [(16, 24), (8, 12), (4, 6), (2, 3)]


def test_skips_are_summed_at_strides_16_and_8(random_network):
    """The whole network equals the paper's sum, written out with the layers one by one."""
    image = torch.randn(1, 3, 64, 96)
    n, d = random_network, random_network.decoder
    with torch.inference_mode():
        _, pool3, pool4, top = n.encoder(image)
        stride16 = d.upscore2(d.score_fr(top)) + d.score_pool4(pool4)
        stride8 = d.upscore_pool4(stride16) + d.score_pool3(pool3)
        torch.testing.assert_close(n(image), d.upscore8(stride8))
        assert stride16.shape[-2:] == (4, 6) and stride8.shape[-2:] == (8, 12)


@pytest.mark.parametrize(('decoder', 'layers'), [
    ('fcn32s', {'score_fr', 'upscore32'}),
    ('fcn16s', {'score_fr', 'upscore2', 'score_pool4', 'upscore16'}),
    ('fcn8s', {'score_fr', 'upscore2', 'score_pool4', 'upscore_pool4', 'score_pool3',
               'upscore8'}),
    ('fcn4s', {'score_fr', 'upscore2', 'score_pool4', 'upscore_pool4', 'score_pool3',
               'upscore_pool3', 'score_pool2', 'upscore4'})])
def test_the_family(decoder, layers):
    network = make_network('mobilenet_v2', decoder, 3).eval()
    assert {name.split('.')[0] for name in network.decoder.state_dict()} == layers
    with torch.inference_mode():
        assert network(torch.randn(1, 3, 70, 90)).shape == (1, 3, 70, 90)


def test_at_once_scales_the_skipped_features():
    torch.manual_seed(0)
    plain = FCNDecoder((3, 4, 5, 6), 2, 2)
    for layer in (plain.score_fr, plain.score_pool4, plain.score_pool3):
        torch.nn.init.normal_(layer.weight)
    scaled = FCNDecoder((3, 4, 5, 6), 2, 2, (1e-2, 1e-4))
    scaled.load_state_dict(plain.state_dict())
    pool2, pool3, pool4, top = (torch.randn(1, c, n, n)
                                for c, n in ((3, 16), (4, 8), (5, 4), (6, 2)))
    torch.testing.assert_close(scaled((pool2, pool3, pool4, top)),
                               plain((pool2, 1e-4 * pool3, 1e-2 * pool4, top)))


def test_staged_training_starts_from_the_coarser_network():
    """A 16s that starts from a 32s scores alike but for the finer upsampling; 8s likewise."""
    torch.manual_seed(0)
    coarse = make_network('mobilenet_v2', 'fcn32s', 2).eval()
    torch.nn.init.normal_(coarse.decoder.score_fr.weight)
    image = torch.randn(1, 3, 256, 256)
    for decoder in ('fcn16s', 'fcn8s'):
        finer = make_network('mobilenet_v2', decoder, 2).eval()
        fresh = start_from(finer, coarse.state_dict())
        assert all(name.startswith('decoder.') for name in fresh)
        assert not any(name.startswith('decoder.score_fr') for name in fresh)
        with torch.inference_mode():
            inner = (slice(None), slice(None), slice(64, -64), slice(64, -64))
            difference = (finer(image) - coarse(image))[inner].abs().mean()
            assert difference < 0.15 * coarse(image)[inner].std()
        coarse = finer
    with pytest.raises(InputError, match='same encoder'):
        start_from(make_network('resnet18', 'fcn8s', 2), coarse.state_dict())


class StrideEightDecoder(Decoder):
    """A decoder from outside: the features of stride 8 alone."""

    def __init__(self, channels, outputs, skip_scales):
        super().__init__()
        self.score, self.upsample = score_layer(channels[1], outputs), Upsample(outputs, 8)
        torch.nn.init.normal_(self.score.weight)

    @property
    def last(self):
        return self.upsample

    def scores(self, features):
        return self.score(features[1])


def test_a_foreign_decoder(random_network, rendered_frames, tmp_path, monkeypatch):
    monkeypatch.setitem(DECODERS, 'stride8', StrideEightDecoder)
    network = make_network('mobilenet_v2', 'stride8', 2).eval()
    start_from(network, random_network.state_dict())
    path = tmp_path / 'x.safetensors'
    save_checkpoint(path, network, network_info(decoder='stride8'))
    image = rendered_frames[0].image
    one, other = (RoadSegmenter(path, 'cpu', 'fp32', backend=backend).segment(image).probability
                  for backend in ('torch', 'openvino'))
    assert one.std() > 5 and np.abs(one.astype(int) - other).max() <= 1


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
    state = pretrained_state('mobilenet_v2', str(tmp_path / 'weights.pth'))
    encoder = make_encoder('mobilenet_v2', state).eval()
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(encoder(image)[3], classifier.features(image))


def test_vgg16_as_convolutions_equals_the_classifier():
    """On a 224x224 image the cell whose window is the whole map has the classifier's fc7."""
    classifier = torchvision.models.vgg16(weights=None).eval()
    encoder = make_encoder('vgg16', classifier.state_dict()).eval()
    image = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        fc7 = classifier.classifier[:5](classifier.features(image).flatten(1))
        torch.testing.assert_close(encoder(image)[3][..., 3, 3], fc7, atol=1e-4, rtol=1e-3)
        # The score too as a convolution; on a larger map every cell is the classifier's answer.
        everything = convolutionalize(classifier.classifier, window=7).eval()
        features = classifier.features(torch.randn(1, 3, 256, 288))
        scores = everything(features)
        assert scores.shape == (1, 1000, 2, 3)
        for y in range(2):
            for x in range(3):
                crop = features[..., y:y + 7, x:x + 7]
                torch.testing.assert_close(scores[..., y, x], classifier.classifier(
                    crop.flatten(1)), atol=1e-4, rtol=1e-3)


def test_subsampled_fc_layers_keep_the_window_and_lose_the_weight():
    thin = make_encoder('vgg16_1024')
    parameters = sum(p.numel() for p in thin.parameters())
    assert 19e6 < parameters < 21e6
    conv = torch.nn.Conv2d(8, 12, 7)
    reduced = subsample_conv(conv, kernel_step=3, in_step=2, out_step=4)
    assert reduced.weight.shape == (3, 4, 3, 3) and reduced.dilation == (3, 3)
    torch.testing.assert_close(reduced.weight, conv.weight[::4, ::2, ::3, ::3] * (2 * 49 / 9))
    image = torch.randn(1, 4, 7, 7)
    assert reduced(image).shape == (1, 3, 1, 1)  # one window of 7x7, as before


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
    with pytest.raises(InputError, match="efficientnet_lite2, road_adas, found 'alexnet'"):
        make_encoder('alexnet')
    with pytest.raises(InputError, match="fcn32s, fcn16s, fcn8s, fcn4s, found 'unet'"):
        make_network('vgg16', 'unet', 2)
    with pytest.raises(InputError, match='torchvision names'):
        make_encoder('mobilenet_v2', {'nothing.weight': torch.zeros(1)})
    with pytest.raises(InputError, match=r'features.0.0.weight should be \(32, 3, 3, 3\)'):
        make_encoder('mobilenet_v2', {'features.0.0.weight': torch.zeros(16, 3, 3, 3)})
    with pytest.raises(InputError, match='found none'):
        pretrained_state('resnet18', str(tmp_path / 'missing.pth'))
    (tmp_path / 'broken.pth').write_bytes(b'no weights')
    with pytest.raises(InputError, match=r'broken.pth: expected a PyTorch state dict'):
        pretrained_state('resnet18', str(tmp_path / 'broken.pth'))
    torch.save([1, 2], tmp_path / 'list.pth')
    with pytest.raises(InputError, match='a file or none for road_adas, found imagenet'):
        pretrained_state('road_adas', 'imagenet')
    with pytest.raises(InputError, match='found list'):
        pretrained_state('resnet18', str(tmp_path / 'list.pth'))
