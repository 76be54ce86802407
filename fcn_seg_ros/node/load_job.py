# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Loading of a network, on a thread of its own: read, compile, self-test, warm up."""

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

from fcn_seg_ros.errors import InputError, type_and_words
from fcn_seg_ros.inference.backends import BackendError, open_network
from fcn_seg_ros.inference.exported import ExportedModel
from fcn_seg_ros.inference.segmenter import RoadSegmenter, SegmentOptions
from fcn_seg_ros.inference.self_test import self_test
from fcn_seg_ros.models.checkpoint_file import StoredCheckpoint
from fcn_seg_ros.node.network_facts import network_facts
from fcn_seg_ros.node.settings import Settings
from fcn_seg_ros.resources import find_checkpoint

# What is compiled before the first image is seen: KITTI's size.
WARM_UP: tuple[tuple[tuple[int, int], SegmentOptions], ...] = (((375, 1242), SegmentOptions()),)


Network = StoredCheckpoint | ExportedModel


class LoadCancelled(Exception):
    """Nobody waits for the network any longer."""


@dataclass(frozen=True)
class LoadedNetwork:
    """A network that has passed its self-test, and what it was made from."""

    segmenter: RoadSegmenter
    checkpoint: Path
    facts: dict[str, str]
    seconds: float
    image_ms: float
    # As it was read, for the CPU where a GPU fails later, whatever is in the file by then; None
    # where it runs on the CPU already.
    network: Network | None

    @property
    def source(self) -> str:
        """Return which file it is, for people."""
        return f'{self.checkpoint} ({self.facts["checkpoint_sha256"]})'


class LoadJob:
    """
    One load of a network, begun with the object.

    ``done`` is called on the loading thread once ``loaded`` or ``failure`` is set; ``failure`` is
    None after ``cancel``. What cannot be interrupted (a compilation) goes on after ``cancel``, and
    its result is closed. ``network`` is one that was read before, None: read the file.
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
        """Give up; to be called where ``loaded`` is not going to be used."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Tell whether nobody waits for it any more."""
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait for the end of it; return whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def is_alive(self) -> bool:
        """Tell whether its thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.loaded = load_network(*self._arguments)
        except LoadCancelled:
            pass
        except InputError as error:
            self.failure = error
        except BackendError as error:
            self.failure = InputError(f'loading the network: expected it to work, found {error}')
        except Exception as error:  # what libraries raise; the caller gets it in one line
            self._logger.error(traceback.format_exc())
            self.failure = InputError('loading the network: expected it to work, found '
                                      f'{type_and_words(error)}')
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
    Return a network that works, ready for images of ``shapes``.

    These are pairs of an image's (height, width) and its options; those that do not go together
    are left out. ``check_cancelled`` is called between the steps and may raise. ``network`` is one
    that was read from the settings' checkpoint before, None: read it now. Raises InputError where
    the checkpoint, the device or the self-test is not as it must be.
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
    # A copy has its weights and not what a backend has made of them.
    kept = None if segmenter.backend.device == 'cpu' else dataclasses.replace(network)
    return LoadedNetwork(segmenter, path, facts, time.monotonic() - begun, image_ms, kept)


def _fit(segmenter: RoadSegmenter, shape: tuple[int, int], options: SegmentOptions) -> bool:
    """
    Tell whether the network takes such images with such options.

    The last image may be from before the region of interest was set, or too small for the network:
    that is a matter of the next image, and no fault of the network.
    """
    try:
        segmenter.network_shape(shape, options.region)
    except InputError:
        return False
    return True


def _check_device(asked: str, used: str) -> None:
    """Raise InputError where the network runs elsewhere than asked for; ``auto`` may be any."""
    if asked != 'auto' and used != asked and not (asked == 'cuda' and used.startswith('cuda:')):
        raise InputError(f'device: expected the network on {asked}, found it on {used}')
