# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion to ONNX."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import torch

from fcn_seg_ros.inference.convert.tracing import INPUT, OUTPUT, dynamic_shapes, example
from fcn_seg_ros.inference.graph import InferenceGraph


def to_onnx(graph: InferenceGraph) -> Any:
    """Return the graph as a torch.onnx.ONNXProgram with dynamic batch and size."""
    # Silence the exporter, which logs every successful step.
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(
            graph, (example(),), dynamo=True, dynamic_shapes=dynamic_shapes(), verbose=False,
            input_names=[INPUT], output_names=[OUTPUT])
    assert program is not None
    return program
