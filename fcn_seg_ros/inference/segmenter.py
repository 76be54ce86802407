# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Image in, mask out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.backends import Backend, ScalingBackend, make_backend
from fcn_seg_ros.inference.backends.base import MAX_SHAPES
from fcn_seg_ros.inference.exported import (
    ExportedModel,
    is_exported,
    load_exported,
    make_exported_backend,
)
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
from fcn_seg_ros.inference.quantised import in_int8
from fcn_seg_ros.inference.region import Plan, Region, plan
from fcn_seg_ros.inference.segmentation import (
    Segmentation,
    SegmentOptions,
    StageTimes,
    resolve_threshold,
)
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint_file import (
    NetworkSource,
    SelfTest,
    StoredCheckpoint,
    read_checkpoint,
)
from fcn_seg_ros.models.checkpoint_info import is_binary

_DEFAULT = SegmentOptions()
# Mask, road probability, and what computes the confidence.
_Levels = tuple[np.ndarray, np.ndarray, Callable[[], np.ndarray]]


class RoadSegmenter:
    """
    A checkpoint, or a model that `export --format openvino` wrote, ready to run on one device.

    ``network_height`` and ``threshold`` come from the checkpoint unless given (0 and None mean
    "from the checkpoint"); ``backend`` is a name that ``make_backend`` knows. A network that does
    not work, as ``self_test`` finds, is refused with InputError, unless ``test`` is False. Not for
    use from several threads at once.
    """

    def __init__(self, checkpoint: NetworkSource | ExportedModel | str | Path,
                 device: str = 'auto', precision: str = 'auto', network_height: int = 0,
                 threshold: float | None = None, threads: int = 0, backend: str = 'auto', *,
                 test: bool = True) -> None:
        network = open_network(checkpoint) if isinstance(checkpoint, str | Path) else checkpoint
        self.info = network.info
        # What error lines call the network.
        self.name = str(network.path or 'network')
        if network_height and network_height < 32:
            raise InputError('network_height: expected 0 (from the checkpoint) or at least 32, '
                             f'found {network_height}')
        if len(self.info.classes) > UNKNOWN:
            raise InputError(f'{self.name}: expected at most {UNKNOWN} classes, since {UNKNOWN} '
                             f'is unknown in a mask, found {len(self.info.classes)}')
        self.network_height = network_height or self.info.network_height
        self._rows_given = bool(network_height)
        self.threshold = resolve_threshold(threshold, self.info.threshold)
        self.backend, own_test = _make_backend(network, device, precision, threads, backend)
        self.self_test = network.self_test or own_test
        self._scaling = self.backend if isinstance(self.backend, ScalingBackend) else None
        self._binary = is_binary(self.info)
        self._legend = label_map_of(self.info)
        # The network's inputs, one for each shape, kept so that none is allocated for a frame.
        self._inputs: dict[tuple[int, ...], np.ndarray] = {}
        if test:
            self._test()

    def network_shape(self, image_shape: tuple[int, ...], region: Region | None = None,
                      focal_length: float = 0.0) -> tuple[int, int]:
        """
        Return (height, width) of the network's input for an image (H, W, ...), or its region.

        ``focal_length`` is the camera's, as in SegmentOptions.

        Raises InputError for a region that is not in the image, and for an absurd size.
        """
        return self._plan_for(image_shape[0], image_shape[1], region, focal_length).size

    @property
    def resolution(self) -> str:
        """Return the size of the network's input in words, such as ``384 rows``."""
        if self.info.network_pixels and not self._rows_given:
            return f'{self.info.network_pixels / 1e6:.2f} megapixels'
        return f'{self.network_height} rows'

    def segment(self, image: np.ndarray, options: SegmentOptions = _DEFAULT) -> Segmentation:
        """
        Segment one RGB image, uint8 (H, W, 3) of any size.

        Raises InputError for an array of another type or shape, and for a region of interest that
        is not in the image.
        """
        return self.segment_batch([image], options)[0]

    def segment_batch(self, images: Sequence[np.ndarray],
                      options: SegmentOptions | Sequence[SegmentOptions] = _DEFAULT
                      ) -> list[Segmentation]:
        """
        Segment several RGB images in one pass of the network, with common options or one's own.

        The images may differ in size but not in ``network_shape``. The times of each result are
        those of the batch (a backend that scales on its device does so in the forward pass).
        Raises InputError as ``segment`` does, and for different shapes.
        """
        each = [options] * len(images) if isinstance(options, SegmentOptions) else options
        start = time.perf_counter()
        plans = [self._plan(image, own)
                 for image, own in zip(images, each, strict=True)]
        size = _common_size(plans)
        windows = [image[way.window.slices()] for image, way in zip(images, plans, strict=True)]
        if self._scaling is not None and len({window.shape for window in windows}) == 1:
            tables = np.stack([self._table(own) for own in each])
            prepared = time.perf_counter()
            planes = self._scaling.run_scaled(windows, size, tables)
            computed = time.perf_counter()
            levels = [self._placed([_cut(plane[number], way) for plane in planes], way, own)
                      for number, (way, own) in enumerate(zip(plans, each, strict=True))]
        else:
            batch = self._fill_input(windows, size)
            prepared = time.perf_counter()
            outputs = self.backend(batch)
            computed = time.perf_counter()
            levels = [self._levels(output, way, own)
                      for output, way, own in zip(outputs, plans, each, strict=True)]
        done = time.perf_counter()
        times = StageTimes(1e3 * (prepared - start), 1e3 * (computed - prepared),
                           1e3 * (done - computed))
        return [Segmentation(mask, probability, times, self._legend, confidence)
                for mask, probability, confidence in levels]

    def close(self) -> None:
        """Give back the memory of the device; the segmenter is of no use after that."""
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
        return plan(height, width, rows, region)

    def _fill_input(self, windows: list[np.ndarray], size: tuple[int, int]) -> np.ndarray:
        """Scale each window into its place in the network's input."""
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
        """Return what a ScalingBackend is told of an image's options."""
        if self._binary:
            return mask_table(self._threshold(options), options.unknown_below)
        return unknown_table(options.unknown_below)

    def _threshold(self, options: SegmentOptions) -> float:
        return resolve_threshold(options.threshold, self.threshold)

    def _levels(self, output: np.ndarray, way: Plan, options: SegmentOptions) -> _Levels:
        """Return mask, probability and confidence at the image's size for one output."""
        # One class after the other: OpenCV is fast at images of one channel, not of many.
        channels = [output[..., 0]] if self._binary else cv2.split(output)
        planes = [_cut(resize_image(channel, way.window.shape), way) for channel in channels]
        if self._binary:
            mask = probability_to_mask(planes[0], self._threshold(options), options.unknown_below)
            return self._placed([mask, planes[0]], way, options)
        mask, best = most_likely(planes, options.unknown_below)
        return self._placed([mask, sum_classes(planes, self.info.road_ids), best], way, options)

    def _placed(self, planes: Sequence[np.ndarray], way: Plan, options: SegmentOptions) -> _Levels:
        """
        Return mask, probability and confidence at the image's size, of the region's planes.

        These are as ScalingBackend returns them. No array is made for what nobody asks for.
        """
        mask, probability, *best = planes

        def confidence() -> np.ndarray:
            values = best[0] if best else probability_to_confidence(
                probability, self._threshold(options), options.unknown_below)
            return _place(values, way, 0)
        return _place(mask, way, UNKNOWN), _place(probability, way, 0), confidence


def open_network(path: str | Path) -> StoredCheckpoint | ExportedModel:
    """Return a network as its file has it; raises InputError as the readers of both kinds do."""
    return load_exported(path) if is_exported(path) else read_checkpoint(path)


def _make_backend(network: NetworkSource | ExportedModel, device: str, precision: str,
                  threads: int, name: str) -> tuple[Backend, SelfTest | None]:
    """Return what runs a network, and the self-test of the file that is run in its place."""
    if isinstance(network, ExportedModel):
        return make_exported_backend(network, device, precision, threads, name), None
    quantised, why_not = in_int8(network, device, precision, name)
    if quantised is not None:
        return make_exported_backend(quantised, 'cpu', 'int8', threads), quantised.self_test
    backend = make_backend(network, device, precision, threads, name)
    if why_not:
        backend.reason += f'; {why_not}'
    return backend, None


def _common_size(plans: list[Plan]) -> tuple[int, int]:
    """Return the one size of the network's input; InputError where there are several."""
    sizes = {way.size for way in plans}
    if len(sizes) != 1:
        raise InputError('images: expected one shape of the network\'s input for all, found '
                         f'{", ".join(f"{w}x{h}" for h, w in sorted(sizes)) or "no image"}')
    return sizes.pop()


def _cut(values: np.ndarray, way: Plan) -> np.ndarray:
    """Return the region's part of the window's values."""
    return values[way.region.slices(way.window.x, way.window.y)]


def _place(values: np.ndarray, way: Plan, outside: int) -> np.ndarray:
    """Return an array of the image's size with the region's values in their place."""
    if values.shape == way.shape:
        return values
    full = np.full(way.shape, outside, np.uint8)
    full[way.region.slices()] = values
    return full
