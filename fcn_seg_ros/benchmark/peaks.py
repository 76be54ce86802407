# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Measure the machine's peak: matrix products in each type, and copies."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from fcn_seg_ros.inference.backends.hardware import cpu_has_bf16

_TORCH = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
_OPENVINO = {'fp32': 'f32', 'bf16': 'bf16'}
_SIDE = {'cpu': 2048, 'cuda': 8192}
_COPY_BYTES = {'cpu': 2**28, 'cuda': 2**31}
_MIN_SECONDS = 0.5


@dataclass(frozen=True)
class Peak:
    """The best of several libraries, in 10^9 operations (multiply-add: 2) or bytes per second."""

    rate: float
    library: str


def matrix_peak(precision: str, device: str, threads: int = 0) -> Peak | None:
    """
    Return the rate of the fastest square matrix product in ``precision``, in 10^9 per second.

    The libraries are PyTorch and, on a CPU, OpenVINO and ONNX Runtime. Returns None if none of them
    supports the type.
    """
    kind = device.partition(':')[0]
    side = _SIDE[kind]
    makers = {'torch': _torch_product}
    if kind == 'cpu':
        makers |= {name: maker for name, maker in
                   (('openvino', _openvino_product), ('onnxruntime', _onnxruntime_product))
                   if importlib.util.find_spec(name) is not None}
    peaks = []
    for library, maker in makers.items():
        product = maker(precision, device, side, threads)
        if product is not None:
            peaks.append(Peak(2e-9 * side**3 / _shortest(product), library))
    return max(peaks, key=lambda peak: peak.rate, default=None)


def copy_peak(device: str) -> Peak:
    """Return the bandwidth of a large copy: bytes read plus written, in 10^9 per second."""
    size = _COPY_BYTES[device.partition(':')[0]]
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return Peak(2e-9 * size / _shortest(_synchronised(lambda: target.copy_(source), device)),
                'torch')


def _shortest(run: Callable[[], Any]) -> float:
    """Return the shortest of several runs in seconds, since others may use the machine."""
    run()
    best, begin = float('inf'), time.perf_counter()
    while time.perf_counter() - begin < _MIN_SECONDS:
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return best


def _synchronised(run: Callable[[], Any], device: str) -> Callable[[], Any]:
    if device == 'cpu':
        return run

    def wait() -> None:
        run()
        torch.cuda.synchronize(device)
    return wait


def _torch_product(precision: str, device: str, side: int, threads: int
                   ) -> Callable[[], Any] | None:
    if precision not in _TORCH or (device == 'cpu' and precision == 'fp16'):
        return None
    matrix = torch.ones((side, side), dtype=_TORCH[precision], device=device)
    out = torch.empty_like(matrix)
    return _synchronised(lambda: torch.mm(matrix, matrix, out=out), device)


def _openvino_product(precision: str, device: str, side: int, threads: int
                      ) -> Callable[[], Any] | None:
    from fcn_seg_ros.inference.backends.openvino import openvino
    if precision not in _OPENVINO or (precision == 'bf16' and not cpu_has_bf16()):
        return None
    left = openvino.opset13.parameter([side, side], np.float32)
    weights = openvino.opset13.constant(np.ones((side, side), np.float32))
    model = openvino.Model([openvino.opset13.matmul(left, weights, False, False)], [left])
    settings: dict[str, Any] = {'PERFORMANCE_HINT': 'LATENCY',
                                'INFERENCE_PRECISION_HINT': _OPENVINO[precision]}
    if threads:
        settings['INFERENCE_NUM_THREADS'] = threads
    request = openvino.Core().compile_model(model, 'CPU', settings).create_infer_request()
    values = np.ones((side, side), np.float32)
    return lambda: request.infer([values], share_inputs=True, share_outputs=True)


def _onnxruntime_product(precision: str, device: str, side: int, threads: int
                         ) -> Callable[[], Any] | None:
    if importlib.util.find_spec('onnx') is None:
        return None
    import onnx
    import onnxruntime
    # int8 as in quantised networks: unsigned activations, signed weights, 32-bit sums.
    kinds: dict[str, tuple[str, Any, Any, Any]] = {
        'fp32': ('MatMul', np.float32, np.float32, onnx.TensorProto.FLOAT),
        'int8': ('MatMulInteger', np.uint8, np.int8, onnx.TensorProto.INT32)}
    if precision not in kinds:
        return None
    operator, left, right, result = kinds[precision]
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node(operator, ['a', 'b'], ['c'])], 'product',
        [helper.make_tensor_value_info('a', helper.np_dtype_to_tensor_dtype(np.dtype(left)),
                                       [side, side])],
        [helper.make_tensor_value_info('c', result, [side, side])],
        [onnx.numpy_helper.from_array(np.ones((side, side), right), 'b')])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=['CPUExecutionProvider'])
    values = np.ones((side, side), left)
    return lambda: session.run(None, {'a': values})
