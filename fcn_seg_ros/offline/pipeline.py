# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Steps through the network: read, decode, infer and compute at the same time, in order.

A thread reads, a pool decodes, a thread runs the network, a pool computes what is written; whoever
iterates writes. At most some 100 MB of steps wait between them, however large the recording.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from fcn_seg_ros.drives.prefetch import Prefetch
from fcn_seg_ros.drives.recorded_messages import header_ns
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmentation import Segmentation, SegmentOptions
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.offline.steps import Decoded, Loss, Segmented, Step, Undecoded
from fcn_seg_ros.outputs.camera_info import focal_length

S = TypeVar('S')
T = TypeVar('T')

_BUDGET = 32 * 2**20
# The fewest steps that wait, however large.
_LEAST = 2
# A batch is not held back for messages of more bytes in between.
_MOST_BETWEEN = 16 * 2**20


def in_order(pool: ThreadPoolExecutor, work: Callable[[S], T], items: Iterable[S], ahead: int
             ) -> Iterator[T]:
    """Yield ``work(item)`` in the order of the items, with ``ahead`` of them in the pool."""
    waiting: deque[Future[T]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextmanager
def pipeline(steps: Iterable[Step], network: Network, compute: Callable[[Step], T],
             size: Callable[[T], int], computers: int) -> Iterator[Iterator[T]]:
    """
    Yield an iterator over what ``compute`` makes of each step, in order.

    ``compute`` runs on ``computers`` threads. Leaving the block ends the threads.
    """
    reader = Prefetch(steps, _LEAST, _BUDGET, lambda step: step.size)
    with ThreadPoolExecutor(2, 'decode') as decoders, \
            ThreadPoolExecutor(computers, 'compute') as pool:
        decoded = in_order(decoders, _decoded, reader, 2)
        segmented = Prefetch(network.segment(decoded), _LEAST, _BUDGET, lambda step: step.size)
        results = Prefetch(in_order(pool, compute, segmented, computers), _LEAST, _BUDGET, size)
        try:
            yield iter(results)
        finally:
            # The last one first: each waits for the one before it.
            for each in (results, segmented, reader):
                each.close()


class Network:
    """
    A segmenter that takes the images of the steps in batches.

    A batch never spans two parts of ``part`` images, and does not depend on what is read when, so
    the results are the same in every run.
    """

    def __init__(self, segmenter: RoadSegmenter, options: SegmentOptions, batch: int, part: int
                 ) -> None:
        self._segmenter = segmenter
        self._options = options
        self._batch = batch
        self._part = part

    def segment(self, steps: Iterable[Step]) -> Iterator[Step]:
        """Yield the steps, images as Segmented."""
        waiting: list[Step] = []
        images: list[Decoded] = []
        shape, between = (0, 0), 0
        for step in steps:
            if isinstance(step, Decoded):
                try:
                    found = self._shape(step)
                except InputError as error:
                    step = _loss(step, error)
                else:
                    if images and (found != shape
                                   or step.number // self._part != images[0].number // self._part):
                        yield from self._flush(waiting, images)
                        between = 0
                    shape = found
                    images.append(step)
            waiting.append(step)
            between += 0 if isinstance(step, Decoded) else step.size
            if not images or len(images) >= self._batch or between > _MOST_BETWEEN:
                yield from self._flush(waiting, images)
                between = 0
        yield from self._flush(waiting, images)

    def _flush(self, waiting: list[Step], images: list[Decoded]) -> Iterator[Step]:
        """Yield what waits, its images segmented, and empty both lists."""
        results: Iterator[Segmentation] = iter(())
        if images:
            results = iter(self._segmenter.segment_batch(
                [each.image for each in images], [self._options_for(each) for each in images]))
        done = [Segmented(step, next(results)) if isinstance(step, Decoded) else step
                for step in waiting]
        waiting.clear()
        images.clear()
        yield from done

    def _shape(self, frame: Decoded) -> tuple[int, int]:
        options = self._options_for(frame)
        return self._segmenter.network_shape(frame.image.shape, options.region,
                                             options.focal_length)

    def _options_for(self, frame: Decoded) -> SegmentOptions:
        """Return the options with the camera's focal length, as the node has them."""
        height, width = frame.image.shape[:2]
        given = self._options
        return SegmentOptions(given.threshold, given.unknown_below, given.region,
                              focal_length(frame.info, height, width))


def _decoded(step: Step) -> Step:
    return step.decode() if isinstance(step, Undecoded) else step


def _loss(frame: Decoded, error: InputError) -> Loss:
    return Loss(str(error), 1, frame.topic, header_ns(frame), frame.received_ns, frame.number)
