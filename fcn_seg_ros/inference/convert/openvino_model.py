# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion to OpenVINO."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import nn

from fcn_seg_ros.inference.convert.tracing import INPUT, OUTPUT, example
from fcn_seg_ros.inference.openvino_library import openvino


def to_openvino(graph: nn.Module) -> Any:
    """Return an inference graph as an openvino.Model with dynamic batch and size."""
    with torch.inference_mode(), warnings.catch_warnings():
        # The tracer warns about code that checks a shape; the input's declared shape stays dynamic.
        warnings.simplefilter('ignore')
        model = openvino.convert_model(graph, example_input=example(),
                                       input=[openvino.PartialShape([-1, -1, -1, 3])])
    model.inputs[0].get_tensor().set_names({INPUT})
    model.outputs[0].get_tensor().set_names({OUTPUT})
    return model
