# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Load a network on a separate thread: read, compile, self-test, warm up."""

from __future__ import annotations

import dataclasses
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rclpy.impl.rcutils_logger import RcutilsLogger

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.inference.backends import BackendError, open_network
from fcn_seg_ros.inference.exported import ExportedModel
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint_file import StoredCheckpoint
from fcn_seg_ros.node.network_facts import network_facts
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.resources import find_checkpoint

# Compiled before the first image arrives: KITTI's size.
WARM_UP: tuple[tuple[tuple[int, int], SegmentOptions], ...] = (((375, 1242), SegmentOptions()),)


Network = StoredCheckpoint | ExportedModel


class LoadCancelled(Exception):
    """The load was cancelled."""


@dataclass(frozen=True)
class LoadedNetwork:
    """A network that has passed its self-test, and its source."""

    segmenter: RoadSegmenter
    checkpoint: Path
    facts: dict[str, str]
    seconds: float
    image_ms: float
    # The network as read, to move it to the CPU if a GPU fails, even if the file has changed by
    # then; None if it runs on the CPU already.
    network: Network | None

    @property
    def source(self) -> str:
        """Return the file and its hash as text."""
        return f'{self.checkpoint} ({self.facts[keys.CHECKPOINT_SHA256]})'


class LoadJob:
    """
    One loading of a network, started by the constructor.

    ``done`` is called on the loading thread once ``loaded`` or ``failure`` is set; ``failure`` is
    None after ``cancel``. Steps that cannot be interrupted (a compilation) continue after
    ``cancel``, and their result is closed. ``network`` is one that was read before; if None, the
    file is read.
    """

    def __init__(self, settings: Settings, shapes: Sequence[tuple[tuple[int, int], SegmentOptions]],
                 logger: RcutilsLogger, done: Callable[[LoadJob], None],
                 network: Network | None = None) -> None:
        self.loaded: LoadedNetwork | None = None
        self.failure: InputError | None = None
        self._arguments = settings, shapes or WARM_UP, self._check_cancelled, network
        self._logger = logger
        self._done = done
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name='loading', daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Cancel the load; ``loaded`` must not be used after that."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Return whether it was cancelled."""
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for the end; return whether the load has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        """Return whether its thread is running."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.loaded = load_network(*self._arguments)
        except LoadCancelled:
            pass
        except InputError as error:
            self.failure = error
        except BackendError as error:
            self.failure = InputError(f'loading the network failed: {error}')
        except Exception as error:  # whatever a library raises becomes one line
            self._logger.error(traceback.format_exc())
            self.failure = InputError(f'loading the network failed: {type_and_words(error)}')
        if self.loaded is not None and self._cancelled.is_set():
            self.loaded.segmenter.close()
            self.loaded = None
        self._done(self)

    def _check_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise LoadCancelled


def load_network(settings: Settings, shapes: Sequence[tuple[tuple[int, int], SegmentOptions]],
                 check_cancelled: Callable[[], None], network: Network | None = None
                 ) -> LoadedNetwork:
    """
    Return a tested network, ready for images of ``shapes``.

    ``shapes`` are pairs of an image's (height, width) and its options; pairs that do not fit are
    skipped. ``check_cancelled`` is called between the steps and may raise. ``network`` was read
    from the settings' checkpoint before; if None, it is read now. Raises InputError for a wrong
    checkpoint or device, and if the self-test fails.
    """
    path, begun = find_checkpoint(settings.checkpoint), time.monotonic()
    check_cancelled()
    network = network or open_network(path)
    segmenter = RoadSegmenter(network, settings.device, settings.precision, settings.network_height,
                              threads=settings.threads, backend=settings.backend, test=False)
    try:
        shapes = [each for each in shapes if _fit(segmenter, *each)] or WARM_UP
        facts = network_facts(segmenter, path, network.file_hash, shapes[0][0])
        _check_device(settings.device, segmenter.backend.device)
        check_cancelled()
        self_test(segmenter)
        for shape, options in shapes:
            check_cancelled()
            image = np.zeros((*shape, 3), np.uint8)
            segmenter.segment(image, options)  # compiles
            start = time.perf_counter()
            segmenter.segment(image, options)
            image_ms = 1e3 * (time.perf_counter() - start)
        check_cancelled()
    except BaseException:
        segmenter.close()
        raise
    # A copy has the weights, but not the data that a backend derived from them.
    kept = None if segmenter.backend.device == 'cpu' else dataclasses.replace(network)
    return LoadedNetwork(segmenter, path, facts, time.monotonic() - begun, image_ms, kept)


def _fit(segmenter: RoadSegmenter, shape: tuple[int, int], options: SegmentOptions) -> bool:
    """
    Return whether the network accepts images of this shape with these options.

    If not, the last image may be too small or older than the region of interest; the next image
    matters, and the network is not at fault.
    """
    try:
        segmenter.network_shape(shape, options.region)
    except InputError:
        return False
    return True


def _check_device(asked: str, used: str) -> None:
    """Raise InputError if the network runs on another device than asked for."""
    if asked != 'auto' and used != asked and not (asked == 'cuda' and used.startswith('cuda:')):
        raise InputError(f'device: the network was meant to run on {asked}, but runs on {used}')
