# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export to ONNX, for ONNX Runtime, TensorRT and other runtimes."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from fcn_seg_ros.inference.cache_key import hash_network
from fcn_seg_ros.inference.convert.onnx_model import to_onnx
from fcn_seg_ros.inference.convert.tracing import INPUT, OUTPUT
from fcn_seg_ros.inference.export.parity import Model
from fcn_seg_ros.inference.seal import NETWORK_KEY, prepare_onnx, seal
from fcn_seg_ros.models.checkpoint_file import NetworkSource
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, to_json


def write(graph: nn.Module, checkpoint: NetworkSource, path: Path, opset: int) -> None:
    """Write the graph; ``metadata_props`` holds the metadata and the hashes (see seal.py)."""
    program = to_onnx(graph, opset)
    properties = program.model.metadata_props
    properties[METADATA_KEY] = to_json(checkpoint.info)
    properties[NETWORK_KEY] = hash_network(checkpoint)
    prepare_onnx(properties)
    program.save(str(path))
    seal(path)


def load(path: Path) -> Model:
    """Return a function that runs the model in ONNX Runtime on the CPU."""
    import onnxruntime
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda images: session.run([OUTPUT], {INPUT: images})[0]
