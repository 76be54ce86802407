# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Augment images with a bonnet or dashboard at the lower edge."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from fcn_seg_ros.datasets.photometric import image_size, uniform

NOT_ROAD = 0


class Bonnet(v2.Transform):
    """
    Paste a bonnet of one colour, dull or reflecting the scene, and label it as not road.

    It has a curved edge and covers 4 to 22 % of the height. Images are uint8 (3, H, W); all masks
    of the sample become 0 there.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw shape and paint."""
        height, width = image_size(flat_inputs)
        across = np.linspace(0, 1, 24)
        peak, bow, tilt = uniform(0.3, 0.7), uniform(0, 0.14), uniform(-0.03, 0.03)
        top = 1 - uniform(0.04, 0.22) + bow * (2 * (across - peak)) ** 2 + tilt * (across - peak)
        edge = np.stack([across * width, top * height], 1)
        corners = np.array([[width, height], [0, height]])
        shape = np.zeros((height, width), np.uint8)
        cv2.fillPoly(shape, [np.concatenate([edge, corners]).astype(np.int32)], 255)
        dark = uniform(0, 1) < 0.4
        paint = 60 * torch.rand(1).repeat(3) if dark else 200 * torch.rand(3)
        return {'shape': shape, 'paint': paint.numpy(),
                'shine': (uniform(-50, 50), uniform(-50, 50)),
                'mirror': max(0.0, uniform(-0.5, 0.5))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """Paste the bonnet into an image, or label it."""
        inside = params['shape'] > 0
        if isinstance(inpt, tv_tensors.Mask):
            labels = inpt.clone()
            labels[..., torch.from_numpy(inside)] = NOT_ROAD
            return tv_tensors.Mask(labels)
        if not isinstance(inpt, tv_tensors.Image):
            return inpt
        image = np.ascontiguousarray(inpt.permute(1, 2, 0).numpy())
        painted = _paint(image, params)
        share = cv2.GaussianBlur(params['shape'], (0, 0), 1.0)[..., None].astype(np.float32) / 255
        mixed = (image * (1 - share) + painted * share + 0.5).astype(np.uint8)
        return tv_tensors.Image(torch.from_numpy(mixed).permute(2, 0, 1))


def _paint(image: np.ndarray, params: dict[str, Any]) -> np.ndarray:
    """Return the bonnet's colours, float32 (H, W, 3): shaded paint and a reflection."""
    first, last = params['shine']
    shine = np.linspace(first, last, len(image), dtype=np.float32)[:, None, None]
    paint = params['paint'].astype(np.float32) + shine
    return np.clip((1 - params['mirror']) * paint + params['mirror'] * image[::-1], 0, 255)
