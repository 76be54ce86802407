# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Fully convolutional networks for semantic segmentation.

Long, Shelhamer, Darrell, "Fully Convolutional Networks for Semantic Segmentation", CVPR 2015;
layer names as in the reference implementation and pytorch-fcn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import torch.nn.functional as F
from torch import Tensor, nn

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.models.checkpoint_info import STRIDE
from fcn_seg_ros.models.decoders import DECODERS, Decoder
from fcn_seg_ros.models.encoders import make_encoder
from fcn_seg_ros.models.encoders.base import Encoder, measure_channels
from fcn_seg_ros.models.shrink import shrink_layers

_NOTHING_PRUNED: Mapping[str, Sequence[int]] = MappingProxyType({})


class FCN(nn.Module):
    """
    An encoder and a decoder.

    ``forward`` takes a normalised image, float of shape (N, 3, H, W) and at least 32x32, and
    returns logits of shape (N, classes, H, W).
    """

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, image: Tensor) -> Tensor:
        """Return the logits of every pixel."""
        height, width = image.shape[-2:]
        logits: Tensor = self.decoder(self.encoder(pad_to_stride(image)))
        return logits[..., :height, :width]


def pad_to_stride(image: Tensor) -> Tensor:
    """Repeat the last row and column until height and width are multiples of the stride."""
    height, width = image.shape[-2:]
    below, right = -height % STRIDE, -width % STRIDE
    if below or right:
        image = F.pad(image, (0, right, 0, below), mode='replicate')
    return image


def make_network(encoder: str, decoder: str, classes: int,
                 encoder_state: dict[str, Tensor] | None = None,
                 skip_scales: tuple[float, float] = (1.0, 1.0),
                 shapes: Mapping[str, Sequence[int]] = _NOTHING_PRUNED) -> FCN:
    """
    Return the network made of a named encoder and a named decoder.

    ``shapes`` are a pruned network's tensor shapes by name, which the encoder is cut to. Raises
    InputError for a name that is not in the tables, and for shapes that do not fit.
    """
    if decoder not in DECODERS:
        raise InputError(f'decoder: expected one of {", ".join(DECODERS)}, found {decoder!r}')
    features = make_encoder(encoder, encoder_state)
    if shrink_layers(features, {name.removeprefix('encoder.'): shape
                                for name, shape in shapes.items() if name.startswith('encoder.')}):
        try:
            features.channels = measure_channels(features)
        except (RuntimeError, ValueError) as error:
            raise InputError(f'expected the weights of a pruned {encoder}, found others '
                             f'({one_line(error)})') from None
    return FCN(features, DECODERS[decoder](features.channels, classes, skip_scales=skip_scales))


def start_from(network: nn.Module, other: Mapping[str, Tensor]) -> list[str]:
    """
    Copy every weight that another network of the family has with the same name and shape.

    This is the paper's staged training: FCN-16s starts from FCN-32s, and FCN-8s from FCN-16s.
    Returns the names that were not copied. Raises InputError if nothing fits.
    """
    current = network.state_dict()
    fitting = {name: value for name, value in other.items()
               if name in current and current[name].shape == value.shape}
    if not any(name.startswith('encoder.') for name in fitting):
        raise InputError('init_from: the checkpoint has none of this encoder\'s weights; give one '
                         'with the same encoder')
    network.load_state_dict(fitting, strict=False)
    return [name for name in current if name not in fitting]
