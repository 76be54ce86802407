# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The table of export formats, which imports none of their libraries."""

from __future__ import annotations

from dataclasses import dataclass

from fcn_seg_ros.models.checkpoint_info import STRIDE

# The smallest side of an exported model's input, in pixels: strides are ambiguous for a single row
# or column of cells, and torch.export refuses them.
MIN_SIDE = 2 * STRIDE
# NNCF's default; more images of the same drives hardly change the ranges.
CALIBRATION_IMAGES = 300
# The exporter's own opset for ONNX, and those it converts to. ONNX Runtime 1.15 and newer run the
# first.
OPSET = 18
OPSETS = range(16, 25)


@dataclass(frozen=True)
class Format:
    """
    A format: the suffixes of its file and of additional files, and its precisions.

    ``needs`` are the packages that write and check it.
    """

    suffix: str
    precisions: tuple[str, ...]
    needs: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()


FORMATS = {
    'onnx': Format('.onnx', ('fp32', 'fp16'), ('onnx', 'onnxscript', 'onnxruntime')),
    'torch': Format('.pt2', ('fp32', 'bf16', 'fp16')),
    'openvino': Format('.xml', ('fp32', 'fp16', 'int8'), ('openvino',), ('.bin',)),
}
