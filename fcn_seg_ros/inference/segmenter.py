# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The segmenter: an image in, a mask out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import ScalingBackend, make_backend, open_network
from fcn_seg_ros.inference.backends.base import MAX_SHAPES
from fcn_seg_ros.inference.exported import ExportedModel
from fcn_seg_ros.inference.label_map import label_map_of
from fcn_seg_ros.inference.postprocess import (
    UNKNOWN,
    mask_table,
    most_likely,
    probability_to_confidence,
    probability_to_mask,
    sum_classes,
    unknown_table,
)
from fcn_seg_ros.inference.preprocess import network_rows, resize_image
from fcn_seg_ros.inference.region import Plan, Region, make_plan
from fcn_seg_ros.inference.segmentation import (
    Segmentation,
    SegmentOptions,
    StageTimes,
    resolve_threshold,
)
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint_file import NetworkSource
from fcn_seg_ros.models.checkpoint_info import is_binary
from fcn_seg_ros.resources import DEFAULT_CHECKPOINT

_DEFAULT = SegmentOptions()
# Mask, road probability, and a function that computes the confidence.
_Levels = tuple[np.ndarray, np.ndarray, Callable[[], np.ndarray]]


class RoadSegmenter:
    """
    A network, ready to run on one device.

    ``checkpoint`` is the name of a packaged one (``open``, the default, or ``general``), the path
    of a checkpoint or of a model written by `export --format openvino`, or either of these already
    read. ``device`` is ``auto`` (a GPU if there is one, else the CPU), ``cpu``, ``cuda`` or
    ``cuda:N``; ``precision`` is ``auto`` (the fastest), ``fp32``, ``bf16``, ``fp16`` or ``int8``;
    ``threads`` limits a CPU backend (0: it decides); ``backend`` is ``auto`` or one of
    ``list_backends()``.

    ``network_height`` 0 and ``threshold`` None mean the checkpoint's values. Raises InputError for
    invalid arguments, and if the network fails its self-test, which ``test=False`` skips. Not
    thread-safe.

    >>> import numpy as np
    >>> from fcn_seg_ros import RoadSegmenter
    >>> segmenter = RoadSegmenter('general', 'cpu')
    >>> segmenter.segment(np.zeros((375, 1242, 3), np.uint8)).probability.shape
    (375, 1242)
    """

    def __init__(self, checkpoint: NetworkSource | ExportedModel | str | Path = DEFAULT_CHECKPOINT,
                 device: str = 'auto', precision: str = 'auto', network_height: int = 0,
                 threshold: float | None = None, threads: int = 0, backend: str = 'auto', *,
                 test: bool = True) -> None:
        network = open_network(checkpoint) if isinstance(checkpoint, str | Path) else checkpoint
        self.info = network.info
        # The network's name in error lines.
        self.name = str(network.path or 'network')
        if network_height and network_height < 32:
            raise InputError('network_height: expected 0 (from the checkpoint) or at least 32, '
                             f'found {network_height}')
        if threads < 0:
            raise InputError('threads: expected 0 (the backend decides) or more, found '
                             f'{threads}')
        if len(self.info.classes) > UNKNOWN:
            raise InputError(f'{self.name}: expected at most {UNKNOWN} classes, since {UNKNOWN} '
                             f'means unknown in a mask, found {len(self.info.classes)}')
        self.network_height = network_height or self.info.network_height
        self._rows_given = bool(network_height)
        self.threshold = resolve_threshold(threshold, self.info.threshold)
        self.backend = make_backend(network, device, precision, threads, backend)
        # An int8 version has a self-test of its own; a checkpoint may have none.
        self.self_test = network.self_test or getattr(self.backend, 'self_test', None)
        self._scaling = self.backend if isinstance(self.backend, ScalingBackend) else None
        self._binary = is_binary(self.info)
        self._legend = label_map_of(self.info)
        # Input buffers by shape, so that none is allocated per frame.
        self._inputs: dict[tuple[int, ...], np.ndarray] = {}
        if test:
            self._test()

    def network_shape(self, image_shape: tuple[int, ...], region: Region | None = None,
                      focal_length: float = 0.0) -> tuple[int, int]:
        """
        Return (height, width) of the network's input for an image (H, W, ...), or its region.

        ``focal_length`` is as in SegmentOptions. Raises InputError for a region that is not in the
        image, and for an absurd size.
        """
        return self._plan_for(image_shape[0], image_shape[1], region, focal_length).size

    @property
    def resolution(self) -> str:
        """Return the size of the network's input as text, for example ``384 rows``."""
        if self.info.network_pixels and not self._rows_given:
            return f'{self.info.network_pixels / 1e6:.2f} megapixels'
        return f'{self.network_height} rows'

    def segment(self, image: np.ndarray, options: SegmentOptions = _DEFAULT) -> Segmentation:
        """
        Segment an RGB image of any size, uint8 (H, W, 3).

        Raises InputError for an array of another type or shape, and for a region that is not in the
        image.
        """
        return self.segment_batch([image], options)[0]

    def segment_batch(self, images: Sequence[np.ndarray],
                      options: SegmentOptions | Sequence[SegmentOptions] = _DEFAULT
                      ) -> list[Segmentation]:
        """
        Segment several RGB images in one pass of the network, with common options or one each.

        The images may differ in size but not in ``network_shape``. Each result's times are those of
        the whole batch (for a backend that scales on its device, the forward pass includes the
        scaling). Raises InputError as ``segment`` does, and for different network shapes.
        """
        each = [options] * len(images) if isinstance(options, SegmentOptions) else options
        start = time.perf_counter()
        plans = [self._plan(image, option) for image, option in zip(images, each, strict=True)]
        size = _common_size(plans)
        windows = [image[plan.window.slices()] for image, plan in zip(images, plans, strict=True)]
        if self._scaling is not None and len({window.shape for window in windows}) == 1:
            tables = np.stack([self._table(option) for option in each])
            prepared = time.perf_counter()
            planes = self._scaling.run_scaled(windows, size, tables)
            computed = time.perf_counter()
            levels = [self._placed([_cut(plane[number], plan) for plane in planes], plan, option)
                      for number, (plan, option) in enumerate(zip(plans, each, strict=True))]
        else:
            batch = self._fill_input(windows, size)
            prepared = time.perf_counter()
            outputs = self.backend(batch)
            computed = time.perf_counter()
            levels = [self._levels(output, plan, option)
                      for output, plan, option in zip(outputs, plans, each, strict=True)]
        done = time.perf_counter()
        times = StageTimes(1e3 * (prepared - start), 1e3 * (computed - prepared),
                           1e3 * (done - computed))
        return [Segmentation(mask, probability, times, self._legend, confidence,
                             self._threshold(option) if self._binary else 0.5)
                for (mask, probability, confidence), option in zip(levels, each, strict=True)]

    def close(self) -> None:
        """Free the device's memory; the segmenter cannot be used afterwards."""
        self._inputs.clear()
        self.backend.close()

    def _test(self) -> None:
        try:
            self_test(self)
        except BaseException:
            self.close()
            raise

    def _plan(self, image: np.ndarray, options: SegmentOptions) -> Plan:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise InputError('image: expected a uint8 array of shape (H, W, 3), found '
                             f'{image.dtype} {image.shape}')
        return self._plan_for(image.shape[0], image.shape[1], options.region,
                              options.focal_length)

    def _plan_for(self, height: int, width: int, region: Region | None, focal_length: float
                  ) -> Plan:
        rows = (self.network_height if self._rows_given else
                network_rows(height, width, self.info, focal_length))
        try:
            return make_plan(height, width, rows, region)
        except InputError as error:
            if not self._rows_given:
                raise
            raise InputError(f'network_height {rows}: {error}') from None

    def _fill_input(self, windows: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
        """Scale the windows into one input batch."""
        shape = (len(windows), *size, 3)
        if shape not in self._inputs:
            if len(self._inputs) == MAX_SHAPES:
                self._inputs.clear()
            self._inputs[shape] = np.empty(shape, np.uint8)
        batch = self._inputs[shape]
        for window, place in zip(windows, batch, strict=True):
            resize_image(window, size, out=place)
        return batch

    def _table(self, options: SegmentOptions) -> np.ndarray:
        """Return the lookup table of an image's options for a ScalingBackend."""
        if self._binary:
            return mask_table(self._threshold(options), options.unknown_below)
        return unknown_table(options.unknown_below)

    def _threshold(self, options: SegmentOptions) -> float:
        return resolve_threshold(options.threshold, self.threshold)

    def _levels(self, output: np.ndarray, plan: Plan, options: SegmentOptions) -> _Levels:
        """Return mask, probability and confidence at the image's size for one output."""
        # Class by class, because OpenCV is fast only for single-channel images.
        channels = [output[..., 0]] if self._binary else cv2.split(output)
        planes = [_cut(resize_image(channel, plan.window.shape), plan) for channel in channels]
        if self._binary:
            mask = probability_to_mask(planes[0], self._threshold(options), options.unknown_below)
            return self._placed([mask, planes[0]], plan, options)
        mask, best = most_likely(planes, options.unknown_below)
        return self._placed([mask, sum_classes(planes, self.info.road_ids), best], plan, options)

    def _placed(self, planes: Sequence[np.ndarray], plan: Plan, options: SegmentOptions) -> _Levels:
        """
        Return mask, probability and confidence at the image's size from the region's planes.

        The planes are those of ScalingBackend. The confidence is computed only on demand.
        """
        mask, probability, *best = planes

        def confidence() -> np.ndarray:
            values = best[0] if best else probability_to_confidence(
                probability, self._threshold(options), options.unknown_below)
            return _place(values, plan, 0)
        return _place(mask, plan, UNKNOWN), _place(probability, plan, 0), confidence


def _common_size(plans: list[Plan]) -> tuple[int, int]:
    """Return the common size of the network's input; raises InputError if sizes differ."""
    sizes = {plan.size for plan in plans}
    if len(sizes) != 1:
        raise InputError('images: expected the same size of the network\'s input for all, found '
                         f'{", ".join(f"{w}x{h}" for h, w in sorted(sizes)) or "no image"}')
    return sizes.pop()


def _cut(values: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the region's part of the window's values."""
    return values[plan.region.slices(plan.window.x, plan.window.y)]


def _place(values: np.ndarray, plan: Plan, outside: int) -> np.ndarray:
    """Return the region's values in an array of the image's size, ``outside`` elsewhere."""
    if values.shape == plan.shape:
        return values
    full = np.full(plan.shape, outside, np.uint8)
    full[plan.region.slices()] = values
    return full
