# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export with torch.export, for PyTorch programs without this package."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fcn_seg_ros.inference.convert.tracing import dynamic_shapes, example
from fcn_seg_ros.inference.export.parity import Model
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, CheckpointInfo, to_json


def write(graph: nn.Module, info: CheckpointInfo, path: Path) -> None:
    """Write the program with dynamic batch and size; an extra file in it holds the metadata."""
    # torch.export does not save channels-last weights completely.
    plain: nn.Module = graph.to(  # type: ignore[call-overload]
        memory_format=torch.contiguous_format)
    with torch.no_grad():
        program = torch.export.export(plain, (example(),), dynamic_shapes=dynamic_shapes())
    # PyTorch's own writer ends the process where the disk is full.
    content = io.BytesIO()
    torch.export.save(program, content, extra_files={f'{METADATA_KEY}.json': to_json(info)})
    path.write_bytes(content.getvalue())


def load(path: Path) -> Model:
    """Return a function that runs the program in PyTorch on the CPU."""
    with warnings.catch_warnings():
        # Silence a warning that the weights share the file's memory; they are only read.
        warnings.simplefilter('ignore')
        module = torch.export.load(path).module()

    @torch.no_grad()
    def run(images: Any) -> Any:
        return module(torch.from_numpy(images)).numpy()
    return run
