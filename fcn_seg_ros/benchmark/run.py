# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A complete benchmark: everything this machine can run, at several network heights."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fcn_seg_ros.benchmark.arithmetic import count_gmac, count_parameters
from fcn_seg_ros.benchmark.memory import footprint
from fcn_seg_ros.benchmark.parity import compare_masks
from fcn_seg_ros.benchmark.peaks import Peak, copy_peak, matrix_peak
from fcn_seg_ros.benchmark.peers import TORCHVISION, TUTORIAL, TorchvisionForward, TutorialPath
from fcn_seg_ros.benchmark.system_info import describe_machine
from fcn_seg_ros.benchmark.timing import Call, interleave, stages, summary, timed, turns
from fcn_seg_ros.benchmark.variants import (
    BACKENDS,
    PRECISIONS,
    Unavailable,
    Variant,
    exported_variants,
    list_variants,
    open_variants,
)
from fcn_seg_ros.datasets.base import RoadDataset
from fcn_seg_ros.inference.backends import resolve_device
from fcn_seg_ros.inference.preprocess import network_rows, network_size
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.models.checkpoint import load_checkpoint

# A variant, or a peer's name and the network height.
Key = Variant | tuple[str, int]
Times = Mapping[Key, Mapping[str, np.ndarray]]
# Shows progress over a number of steps: call the yielded function after each.
Progress = Callable[[str, int], AbstractContextManager[Callable[[], object]]]


@dataclass(frozen=True)
class Options:
    """What to measure; see ``benchmark --help``."""

    checkpoint: Path
    heights: tuple[int, ...] = ()
    backends: tuple[str, ...] = BACKENDS
    precisions: tuple[str, ...] = PRECISIONS
    exported: tuple[Path, ...] = ()
    device: str = 'auto'
    threads: int = 0
    frames: int = 100
    batch: int = 4
    peers: bool = True
    memory: bool = True


def run_benchmark(options: Options, image: np.ndarray, progress: Progress,
                  dataset: RoadDataset | None = None) -> dict[str, Any]:
    """
    Measure everything on one RGB image, uint8 (H, W, 3); return JSON values.

    With ``dataset``, every variant's masks on it are also compared with those of eager fp32 at the
    same height. Raises InputError for options that are invalid on any machine.
    """
    device = resolve_device(options.device)
    if options.threads:
        torch.set_num_threads(options.threads)
    found: dict[str, Any] = {'machine': describe_machine()}
    checkpoint = load_checkpoint(options.checkpoint)
    own_rows = network_rows(image.shape[0], image.shape[1], checkpoint.info)
    peaks = {precision: matrix_peak(precision, device, options.threads)
             for precision in dict.fromkeys((*options.precisions, 'int8'))}
    copied = copy_peak(device)
    found |= {
        'checkpoint': {'name': options.checkpoint.name, 'encoder': checkpoint.info.encoder,
                       'decoder': checkpoint.info.decoder,
                       'network_height': own_rows,
                       'parameters': count_parameters(checkpoint.network)},
        'image': f'{image.shape[1]}x{image.shape[0]}', 'device': device, 'frames': options.frames,
        'threads': options.threads or 'all',
        'peaks': {name: {'gflops': round(peak.rate, 1), 'library': peak.library}
                  for name, peak in peaks.items() if peak is not None},
        'copy_gb_s': round(copied.rate, 1), 'variants': [], 'peers': [], 'unavailable': []}
    heights = [_Height(options, height, device, image, peaks)
               for height in options.heights or (own_rows,)]
    # All calls alternate, so that heights can be compared as well.
    calls = {key: call for each in heights for key, call in each.calls.items()}
    with progress('calls', turns(options.frames)) as done:
        times = interleave(calls, options.frames, done)
    batches = interleave({key: call for each in heights for key, call in each.batches.items()},
                         max(1, options.frames // options.batch))
    for each in heights:
        agreed = each.agreement(dataset, progress) if dataset is not None else {}
        each.close()
        for key, rows in each.rows(times, batches, agreed).items():
            found[key] += rows
    return found


class _Height:
    """All calls at one network height."""

    def __init__(self, options: Options, height: int, device: str, image: np.ndarray,
                 peaks: Mapping[str, Peak | None]) -> None:
        self._options, self._device, self._image = options, device, image
        self._peaks = peaks
        self._height = height
        self._size = network_size(image.shape[0], image.shape[1], height)
        # A separate copy: moving it to a device must not move another network.
        self._checkpoint = load_checkpoint(options.checkpoint)
        self._gmac = count_gmac(self._checkpoint.network, self._size)
        listed = [*list_variants(options.checkpoint, height, device, options.threads,
                                 options.backends, options.precisions),
                  *exported_variants(options.exported, height, device, options.threads)]
        self._opened, self._missing = open_variants(listed, image)
        peers = self._peers() if options.peers else {}
        self._peers_gmac = {key: gmac for key, (_, gmac) in peers.items()}
        self.calls: dict[Key, Call] = {variant: self._call(segmenter)
                                       for variant, segmenter in self._opened.items()}
        self.calls |= {key: call for key, (call, _) in peers.items()}
        self.batches: dict[Key, Call] = {} if options.batch < 2 else {
            variant: self._batch(segmenter) for variant, segmenter in self._opened.items()}

    def rows(self, times: Times, batches: Times, agreed: Mapping[Variant, dict[str, Any]]
             ) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of variants and peers, and those of variants that cannot run here."""
        rows = [self._row(variant, times[variant], batches.get(variant))
                | ({'parity': agreed[variant]} if variant in agreed else {})
                for variant in self._opened]
        slow = times.get((TUTORIAL, self._height))
        if slow is not None:
            for row in rows:
                row['times_the_tutorial_path'] = round(
                    float(np.median(slow['total'])) / row['ms']['total']['p50'], 2)
        return {'variants': rows,
                'peers': [{'name': key[0], 'height': self._height, 'gmac': round(gmac, 2),
                           'ms': stages(times[key])} for key, gmac in self._peers_gmac.items()],
                'unavailable': [_unavailable(each) for each in self._missing]}

    def agreement(self, dataset: RoadDataset, progress: Progress
                  ) -> dict[Variant, dict[str, Any]]:
        """Compare the masks of the variants with those of eager fp32."""
        reference = RoadSegmenter(self._options.checkpoint, 'cpu', 'fp32', self._height,
                                  backend='torch')
        with progress(f'masks at {self._height} rows', len(dataset)) as done:
            return compare_masks(self._opened, reference, dataset, done)

    def close(self) -> None:
        """Free the segmenters."""
        for segmenter in self._opened.values():
            segmenter.close()

    def _call(self, segmenter: RoadSegmenter) -> Call:
        def call() -> Mapping[str, float]:
            start = time.perf_counter()
            times = segmenter.segment(self._image).times
            return dataclasses.asdict(times) | {'total': 1e3 * (time.perf_counter() - start)}
        return call

    def _batch(self, segmenter: RoadSegmenter) -> Call:
        images = [self._image] * self._options.batch
        return timed(lambda: segmenter.segment_batch(images))

    def _peers(self) -> dict[tuple[str, int], tuple[Call, float]]:
        """Return the peers' calls and their arithmetic in GMAC."""
        tutorial = TutorialPath(self._checkpoint, self._height, self._device)
        forward = TorchvisionForward(self._size, self._device)
        return {(TUTORIAL, self._height): (timed(lambda: tutorial(self._image)), self._gmac),
                (TORCHVISION, self._height): (forward.timed,
                                              count_gmac(forward.network, self._size))}

    def _row(self, variant: Variant, times: Mapping[str, np.ndarray],
             batched: Mapping[str, np.ndarray] | None) -> dict[str, Any]:
        gflops = 2e3 * self._gmac / float(np.median(times['forward']))
        peak = self._peaks.get(variant.precision)
        total = summary(times['total'])
        row = {'backend': variant.backend, 'precision': variant.precision,
               'device': variant.device, 'height': variant.height,
               'exported': variant.checkpoint.name if variant.exported else None,
               'network': f'{self._size[1]}x{self._size[0]}', 'gmac': round(self._gmac, 2),
               'ms': stages(times), 'masks_a_second': round(1e3 / total['p50'], 2),
               'gflops': round(gflops, 1),
               'share_of_peak': round(gflops / peak.rate, 3) if peak else None}
        if batched is not None:
            rate = 1e3 * self._options.batch / float(np.median(batched['total']))
            row |= {'batch': self._options.batch, 'batched_masks_a_second': round(rate, 2)}
        if self._options.memory:
            row['process'] = footprint(variant, self._image)
        return row


def _unavailable(each: Unavailable) -> dict[str, Any]:
    variant = each.variant
    return {'backend': variant.backend, 'precision': variant.precision,
            'height': variant.height, 'reason': each.reason}
