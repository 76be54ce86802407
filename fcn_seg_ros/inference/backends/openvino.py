# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: the fastest backend on x86-64 CPUs, in bfloat16 where the processor has it."""

from __future__ import annotations

import copy
import dataclasses
import sys
import warnings
from collections import OrderedDict
from typing import Any

import numpy as np
import torch

from fcn_seg_ros.inference.graph import InferenceGraph
from fcn_seg_ros.models.checkpoint import Checkpoint

# openvino.convert_model reports its use to an analytics server unless it finds no telemetry
# package. A vehicle's node contacts nobody.
sys.modules.setdefault('openvino_telemetry', None)  # type: ignore[arg-type]
import openvino  # noqa: E402

_PRECISIONS = {'fp32': 'f32', 'bf16': 'bf16'}
# A camera has one image size; several cameras or a bag of mixed images have a few.
_MAX_COMPILED = 4


class OpenVinoBackend:
    """The network compiled by OpenVINO for this CPU, once for every input shape."""

    name = 'openvino'
    device = 'cpu'

    def __init__(self, checkpoint: Checkpoint, precision: str, threads: int = 0) -> None:
        self.precision = precision
        self._config: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': _PRECISIONS[precision],
        }
        if threads:
            self._config['INFERENCE_NUM_THREADS'] = threads
        self._core = openvino.Core()
        own = dataclasses.replace(checkpoint, network=copy.deepcopy(checkpoint.network))
        self._graph = InferenceGraph(own).eval()
        self._compiled: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return round(255 P(road)), uint8 (N, H, W)."""
        shape = images.shape
        if shape not in self._compiled:
            self._compiled[shape] = self._compile(shape)
            if len(self._compiled) > _MAX_COMPILED:
                self._compiled.popitem(last=False)
        self._compiled.move_to_end(shape)
        request = self._compiled[shape]
        # The input is read where it lies; the output is copied, as the request will reuse it.
        request.infer([np.ascontiguousarray(images)], share_inputs=True, share_outputs=True)
        result: np.ndarray = request.get_output_tensor(0).data.copy()
        return result

    def _compile(self, shape: tuple[int, ...]) -> Any:
        example = torch.zeros(shape, dtype=torch.uint8)
        with torch.inference_mode(), warnings.catch_warnings():
            # The shape is fixed, so what the tracer takes for a constant is one.
            warnings.simplefilter('ignore', torch.jit.TracerWarning)
            model = openvino.convert_model(self._graph, example_input=example, input=[shape])
        return self._core.compile_model(model, 'CPU', self._config).create_infer_request()


def cpu_has_bf16() -> bool:
    """Return whether this processor computes in bfloat16 (AVX512-BF16 or AMX)."""
    capabilities = openvino.Core().get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
    return 'BF16' in capabilities
