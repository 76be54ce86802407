# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The network in use, which can be replaced between two batches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.allocator import give_back
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.node.batching import Batching
from fcn_seg_ros.node.load_job import LoadedNetwork
from fcn_seg_ros.node.network_facts import memory_facts


class ModelSlot:
    """
    Holds the network that segments.

    The worker takes it with ``use`` for each batch; ``replace`` and ``close`` wait for the current
    batch and go before the next one.
    """

    def __init__(self, loaded: LoadedNetwork) -> None:
        self.loaded: LoadedNetwork = loaded
        self.batching: Batching = Batching(loaded.segmenter.backend.device)
        # Locks are not fair: without ``_turn``, a busy worker might take ``_in_use`` again and
        # again ahead of a waiting thread.
        self._turn = threading.Lock()
        self._in_use = threading.Lock()
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[tuple[RoadSegmenter, Batching]]:
        """Yield the segmenter and its Batching; neither changes meanwhile."""
        with self._turn:
            self._in_use.acquire()
        try:
            yield self.loaded.segmenter, self.batching
        finally:
            self._in_use.release()

    def replace(self, loaded: LoadedNetwork) -> None:
        """
        Put another network into use and free the old one.

        After ``close``, frees the new one instead and raises InputError.
        """
        with self._turn, self._in_use:
            if self._closed:
                loaded.segmenter.close()
                raise InputError('the node was cleaned up before the network was loaded')
            old, self.loaded = self.loaded, loaded
            self.batching = Batching(loaded.segmenter.backend.device)
            _close(old)

    def close(self) -> None:
        """Free the network."""
        with self._turn, self._in_use:
            self._closed = True
            _close(self.loaded)

    def describe(self, shape: tuple[int, int] | None = None) -> dict[str, str]:
        """
        Return what runs where, for the diagnostics; any thread may call this.

        ``shape`` is the (height, width) of the network's last input, None before the first image.
        """
        loaded = self.loaded
        facts = dict(loaded.facts)
        if shape is not None:
            facts[keys.NETWORK_SIZE] = f'{shape[1]}x{shape[0]}'
        return facts | memory_facts(loaded.segmenter.backend.device)


def _close(loaded: LoadedNetwork) -> None:
    with suppress(RuntimeError):  # a lost device cannot even free memory
        loaded.segmenter.close()
    give_back()  # otherwise memory would grow with every load
