# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Export to OpenVINO IR (.xml with its .bin): for x86-64 CPUs, optionally in int8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fcn_seg_ros.inference.cache_key import hash_network
from fcn_seg_ros.inference.export.parity import Model
from fcn_seg_ros.inference.exported import (
    PRECISION_KEY,
    ExportedModel,
    write_self_test,
)
from fcn_seg_ros.inference.openvino_library import openvino
from fcn_seg_ros.inference.seal import NETWORK_KEY, prepare, seal
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.inference.self_test import drawn_scene
from fcn_seg_ros.models.checkpoint_file import NetworkSource, SelfTest
from fcn_seg_ros.models.checkpoint_info import METADATA_KEY, to_json


def save(model: Any, checkpoint: NetworkSource, path: Path, precision: str) -> None:
    """
    Write a model and its weights, which are in fp16 if ``precision`` says so.

    ``rt_info`` holds the metadata, the hashes of both files, and a self-test: the model's answer to
    the checkpoint's self-test image (or to ``drawn_scene``).
    """
    model.set_rt_info(to_json(checkpoint.info), [METADATA_KEY])
    model.set_rt_info(precision, [PRECISION_KEY])
    model.set_rt_info(hash_network(checkpoint), [NETWORK_KEY])
    write_self_test(model, _answer(model, checkpoint, path, precision))
    prepare(model)
    openvino.save_model(model, str(path), compress_to_fp16=precision == 'fp16')
    seal(path)


def _answer(model: Any, checkpoint: NetworkSource, path: Path, precision: str) -> SelfTest:
    arithmetic = 'int8' if precision == 'int8' else 'fp32'
    segmenter = RoadSegmenter(ExportedModel(path, checkpoint.info, arithmetic, model), 'cpu',
                              arithmetic, test=False)
    stored = checkpoint.self_test
    image = drawn_scene() if stored is None else stored.image
    return SelfTest(image, segmenter.segment(image).probability)


def load(path: Path) -> Model:
    """Return a function that runs the model in OpenVINO on the CPU, unquantised layers in fp32."""
    compiled = openvino.Core().compile_model(str(path), 'CPU', {
        'INFERENCE_PRECISION_HINT': 'f32'})
    return lambda images: compiled([images])[0]
