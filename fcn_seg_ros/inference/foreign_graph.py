# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Adapt the graph of another project's network to the backends' input and output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fcn_seg_ros.inference.openvino_library import openvino

if TYPE_CHECKING:
    from fcn_seg_ros.inference.foreign import Description


def with_images_and_levels(model: Any, description: Description) -> Any:
    """
    Return an openvino.Model from RGB images, uint8 (1, H, W, 3), to levels, uint8 (1, H, W, 1).

    ``model`` takes (1, 3, H, W) and returns one score per class, (1, K, H, W).
    """
    import openvino.opset13 as ops
    from openvino.preprocess import ColorFormat, PrePostProcessor
    steps = PrePostProcessor(model)
    tensor = steps.input().tensor()
    tensor.set_element_type(openvino.Type.u8).set_layout(openvino.Layout('NHWC'))
    tensor.set_color_format(ColorFormat.RGB)
    change = steps.input().preprocess().convert_element_type(openvino.Type.f32)
    if description.channel_order == 'bgr':
        change.convert_color(ColorFormat.BGR)
    change.mean(list(description.mean)).scale(list(description.std))
    steps.input().model().set_layout(openvino.Layout('NCHW'))
    steps.output().tensor().set_element_type(openvino.Type.f32)
    built = steps.build()
    scores = built.output(0).get_node().input_value(0)
    if description.output == 'logits':
        scores = ops.softmax(scores, 1).output(0)
    road = _road(ops, scores, description)
    levels = ops.clamp(ops.round(ops.multiply(road, np.float32(255)), 'half_to_even'), 0.0, 255.0)
    pixels = ops.transpose(ops.convert(levels, 'u8'), np.array([0, 2, 3, 1]))
    return openvino.Model([pixels], built.get_parameters(), description.name)


def _road(ops: Any, scores: Any, description: Description) -> Any:
    """Return P(road), (1, 1, H, W)."""
    ids = description.road_ids
    others = [number for number in range(len(description.classes)) if number not in ids]
    road = ops.gather(scores, np.array(ids), np.array(1))
    axis = np.array([1])
    if description.decision == 'sum':
        return ops.reduce_sum(road, axis, keep_dims=True)
    best = ops.reduce_max(road, axis, keep_dims=True)
    rest = ops.reduce_max(ops.gather(scores, np.array(others), np.array(1)), axis, keep_dims=True)
    return ops.divide(best, ops.add(best, rest))
