# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Exported as ONNX: for ONNX Runtime, TensorRT and whatever else reads it."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

import torch

from fcn_seg_ros.inference.backends.cache_key import hash_network
from fcn_seg_ros.inference.export.names import INPUT, OUTPUT
from fcn_seg_ros.inference.export.parity import Model
from fcn_seg_ros.inference.export.torch_program import dynamic_shapes, example
from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.inference.seal import NETWORK_KEY, prepare_onnx, seal
from fcn_seg_ros.models.checkpoint_file import NetworkSource
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, to_json


def convert(graph: InferenceGraph) -> Any:
    """Return the graph as a torch.onnx.ONNXProgram with dynamic batch and size."""
    # Which of its many steps went well is of no interest to who exports.
    logging.getLogger('torch.onnx').setLevel(logging.ERROR)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter('ignore')
        program = torch.onnx.export(
            graph, (example(),), dynamo=True, dynamic_shapes=dynamic_shapes(), verbose=False,
            input_names=[INPUT], output_names=[OUTPUT])
    assert program is not None
    return program


def write(graph: InferenceGraph, checkpoint: NetworkSource, path: Path) -> None:
    """Write the graph; in ``metadata_props`` are the metadata and the hashes (see seal.py)."""
    program = convert(graph)
    properties = program.model.metadata_props
    properties[METADATA_KEY] = to_json(checkpoint.info)
    properties[NETWORK_KEY] = hash_network(checkpoint)
    prepare_onnx(properties)
    program.save(str(path))
    seal(path)


def load(path: Path) -> Model:
    """Return the model as ONNX Runtime runs it on the CPU."""
    import onnxruntime
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda images: session.run([OUTPUT], {INPUT: images})[0]
