# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export to ONNX: for ONNX Runtime, TensorRT and other runtimes that read it."""

from __future__ import annotations

from pathlib import Path

from fcn_seg_ros.inference.convert.onnx_model import to_onnx
from fcn_seg_ros.inference.convert.tracing import INPUT, OUTPUT
from fcn_seg_ros.inference.export.parity import Model
from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, CheckpointInfo, to_json


def write(graph: InferenceGraph, info: CheckpointInfo, path: Path) -> None:
    """Write the graph with the metadata in ``metadata_props``."""
    program = to_onnx(graph)
    program.model.metadata_props[METADATA_KEY] = to_json(info)
    program.save(str(path))


def load(path: Path) -> Model:
    """Return the model as ONNX Runtime runs it on the CPU."""
    import onnxruntime
    session = onnxruntime.InferenceSession(str(path), providers=['CPUExecutionProvider'])
    return lambda images: session.run([OUTPUT], {INPUT: images})[0]
