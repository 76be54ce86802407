# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export a checkpoint for other runtimes, and check the result before it is kept."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from torch import nn

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.files import partial_name
from fcn_seg_ros.inference.backends.torch_eager import TorchBackend
from fcn_seg_ros.inference.backends.torch_graph import make_graph
from fcn_seg_ros.inference.export.parity import Model, Parity, check_parity, compare
from fcn_seg_ros.inference.export.sized import SizedGraph
from fcn_seg_ros.inference.formats import FORMATS, OPSET, Format
from fcn_seg_ros.models.checkpoint_file import NetworkSource


def export(checkpoint: NetworkSource, kind: str, out: Path, precision: str = 'fp32', *,
           frames: Sequence[np.ndarray], calibration: Sequence[np.ndarray] = (), opset: int = OPSET,
           accept: Callable[[Path], None] = lambda path: None) -> Parity:
    """
    Write a checkpoint as a model of format ``kind`` and return how well it matches eager fp32.

    ``frames`` are batches of images to compare on, uint8 RGB (N, H, W, 3) with H and W multiples of
    the stride; ``calibration`` are such batches for quantising; ``opset`` is that of ONNX;
    ``accept`` is called with the written file before it is moved to ``out``, and may raise
    InputError. Raises InputError, one line, if anything fails; then no files are left behind, and
    ``out`` is unchanged.
    """
    check_request(kind, out, precision)
    folder = partial_name(out)
    try:
        folder.mkdir(parents=True)
        draft = folder / out.name
        model = _write_and_load(checkpoint, kind, draft, precision, calibration, opset)
        reference = TorchBackend(checkpoint, 'cpu', 'fp32')
        parity = compare(model, reference, frames, checkpoint.info.threshold)
        check_parity(str(out), precision, parity)
        accept(draft)
        _keep(draft, out, FORMATS[kind])
    except OSError as error:
        raise InputError(f'{out}: cannot be written ({error.strerror or error})') from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return parity


def check_request(kind: str, out: Path, precision: str) -> None:
    """Raise InputError for a wrong format, file name or precision, or a missing package."""
    if kind not in FORMATS:
        raise InputError(f'--format: expected one of {", ".join(FORMATS)}, found {kind!r}')
    format_ = FORMATS[kind]
    if out.suffix != format_.suffix:
        raise InputError(f'{out}: the name of a model for {kind} must end in {format_.suffix}')
    if precision not in format_.precisions:
        raise InputError(f'--precision: expected one of {", ".join(format_.precisions)} for '
                         f'{kind}, found {precision!r}')
    missing = [name for name in format_.needs if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f'--format {kind} needs the package {missing[0]} (pip install '
                         f'{" ".join(missing)})')


def _write_and_load(checkpoint: NetworkSource, kind: str, path: Path, precision: str,
                    calibration: Sequence[np.ndarray], opset: int) -> Model:
    """Write the model to ``path``, read it back and return it."""
    # OpenVINO's weights are rounded or quantised after the conversion.
    graph = SizedGraph(make_graph(checkpoint, 'fp32' if kind == 'openvino' else precision))
    try:
        return _WRITERS[kind](graph, checkpoint, path, precision, calibration, opset)
    except (InputError, OSError):
        raise
    except Exception as error:  # the converters raise many unrelated types
        raise InputError(f'{path.name}: {kind} cannot export or run this network in {precision}: '
                         f'{type_and_words(error)}') from None


def _onnx(graph: nn.Module, checkpoint: NetworkSource, path: Path, precision: str,
          calibration: Sequence[np.ndarray], opset: int) -> Model:
    from fcn_seg_ros.inference.export import onnx_model
    onnx_model.write(graph, checkpoint, path, opset)
    return onnx_model.load(path)


def _torch(graph: nn.Module, checkpoint: NetworkSource, path: Path, precision: str,
           calibration: Sequence[np.ndarray], opset: int) -> Model:
    from fcn_seg_ros.inference.export import torch_program
    torch_program.write(graph, checkpoint.info, path)
    return torch_program.load(path)


def _openvino(graph: nn.Module, checkpoint: NetworkSource, path: Path, precision: str,
              calibration: Sequence[np.ndarray], opset: int) -> Model:
    from fcn_seg_ros.inference.convert.openvino_model import to_openvino
    from fcn_seg_ros.inference.export import int8, openvino_ir
    model = to_openvino(graph)
    if precision == 'int8':
        model = int8.quantise(model, calibration)
    openvino_ir.save(model, checkpoint, path, precision)
    return openvino_ir.load(path)


_WRITERS = {'onnx': _onnx, 'torch': _torch, 'openvino': _openvino}


def _keep(draft: Path, out: Path, format_: Format) -> None:
    """Move a model to its place, additional files first, so that it is always complete."""
    for suffix in format_.beside:
        beside = out.with_suffix(suffix)
        if beside.is_dir():
            raise InputError(f'{beside}: a folder is in the way of this file')
    if format_.beside:
        out.unlink(missing_ok=True)
    for suffix in (*format_.beside, format_.suffix):
        os.replace(draft.with_suffix(suffix), out.with_suffix(suffix))
