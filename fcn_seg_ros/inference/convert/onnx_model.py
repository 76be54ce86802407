# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Conversion to ONNX."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import torch
from torch import nn

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.convert.tracing import INPUT, OUTPUT, dynamic_shapes, example
from fcn_seg_ros.inference.formats import OPSET


def to_onnx(graph: nn.Module, opset: int = OPSET) -> Any:
    """
    Return an inference graph as a torch.onnx.ONNXProgram with dynamic batch and size.

    Its IR version is the lowest that has the ``opset``, so that old runtimes read it. Raises
    InputError for an opset that the exporter cannot convert the network to.
    """
    from onnx import helper
    # Silence the exporter, which logs every successful step.
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    logging.getLogger('onnxscript').setLevel(logging.ERROR)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(
            graph, (example(),), dynamo=True, dynamic_shapes=dynamic_shapes(), verbose=False,
            input_names=[INPUT], output_names=[OUTPUT], opset_version=opset)
    assert program is not None
    # The exporter keeps its own opset where a conversion fails.
    found = program.model.opset_imports['']
    if found != opset:
        raise InputError(f'--opset: expected one that the network can be converted to, found '
                         f'{opset} (the exporter stays at {found})')
    program.model.ir_version = helper.find_min_ir_version_for(
        [helper.make_operatorsetid('', opset)])
    return program
