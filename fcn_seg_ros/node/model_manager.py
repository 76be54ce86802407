# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Load networks: at configure, by service, and for the CPU when a GPU fails."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from rclpy.impl.rcutils_logger import RcutilsLogger

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.node.camera_channel import CameraChannel
from fcn_seg_ros.node.load_job import LoadedNetwork, LoadJob, Network
from fcn_seg_ros.node.model_slot import ModelSlot
from fcn_seg_ros.node.settings import Settings

_POLL_S = 0.05


class ModelManager:
    """
    Loads networks, puts them into use and frees them.

    ``slot`` is None while there is no network. ``warning`` says how running the network deviates
    from what was asked for, or is ''.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        self.slot: ModelSlot | None = None
        self.warning: str = ''
        self._logger = logger
        self._loading: LoadJob | None = None
        # Cancelled loads still inside an uninterruptible call.
        self._cancelled: list[LoadJob] = []
        self._lock = threading.Lock()

    def load_first(self, settings: Settings, stopped: Callable[[], bool]) -> None:
        """
        Load a network and wait for it.

        Raises InputError if that fails, and KeyboardInterrupt once ``stopped`` returns True.
        """
        loading = self.load(settings, {}, lambda loading: None)
        while not loading.wait(_POLL_S):
            if stopped():
                loading.cancel()
                raise KeyboardInterrupt
        if loading.loaded is None:
            raise loading.failure or InputError('configure: no network was loaded')
        self.warning = ''
        self.slot = ModelSlot(loading.loaded)
        self._report(loading.loaded)

    def load(self, settings: Settings, channels: Mapping[str, CameraChannel],
             done: Callable[[LoadJob], None], network: Network | None = None) -> LoadJob:
        """
        Start loading a network; ``done`` is called on the loading thread.

        It is prepared for images like the channels' last ones. ``network`` was read before; if
        None, the settings' checkpoint is read. Raises InputError while another one is loading.
        """
        shapes = [(channel.image_shape, settings.cameras[name].options)
                  for name, channel in channels.items() if channel.image_shape is not None]
        with self._lock:
            if self._loading is not None and self._loading.is_alive():
                if not self._loading.is_cancelled():
                    raise InputError('another network is being loaded')
                self._cancelled.append(self._loading)
            self._cancelled = [loading for loading in self._cancelled if loading.is_alive()]
            self._loading = LoadJob(settings, shapes, self._logger, done, network)
            return self._loading

    def take(self, loading: LoadJob) -> str:
        """Put a loaded network into use between two batches; return why that failed, or ''."""
        slot = self.slot
        if loading.loaded is None:
            return str(loading.failure or 'loading was cancelled')
        try:
            if slot is None:
                loading.loaded.segmenter.close()
                raise InputError('the node was cleaned up before the network was loaded')
            slot.replace(loading.loaded)
        except InputError as error:
            return str(error)
        self.warning = ''
        self._report(loading.loaded)
        return ''

    def fall_back(self, settings: Settings, channels: Mapping[str, CameraChannel], reason: str
                  ) -> None:
        """Start loading the network for the CPU if ``device: auto`` had put it on a GPU."""
        slot = self.slot
        if slot is None or settings.device != 'auto':
            return
        device = slot.loaded.segmenter.backend.device
        if device == 'cpu':
            return
        self._logger.error(f'{device} fails ({reason}): loading the network for the CPU')

        def done(loading: LoadJob) -> None:
            problem = self.take(loading)
            self.warning = (f'{device} failed ({reason}): '
                            + (f'the CPU failed too: {problem}' if problem
                               else 'running on the CPU instead'))
            self._logger.error(self.warning)
        on_cpu = dataclasses.replace(settings, device='cpu', backend='auto', precision='auto',
                                     checkpoint=str(slot.loaded.checkpoint))
        with suppress(InputError):  # another one is loading; the next failure tries again
            self.load(on_cpu, channels, done, slot.loaded.network)

    def cancel(self) -> None:
        """Cancel the load in progress."""
        if self._loading is not None:
            self._loading.cancel()

    def release(self, wait: bool = True) -> None:
        """Free the network once the worker is done with it; with ``wait``, block until then."""
        self.cancel()
        slot, self.slot = self.slot, None
        if slot is None:
            return
        if wait:
            slot.close()
        else:
            threading.Thread(target=slot.close, name='freeing', daemon=True).start()

    def _report(self, loaded: LoadedNetwork) -> None:
        segmenter, backend = loaded.segmenter, loaded.segmenter.backend
        self._logger.info(
            f'{segmenter.info.decoder} on {segmenter.info.encoder} from {loaded.source}, '
            f'licence of the weights: {one_line(segmenter.info.licence) or "not stated"}; '
            f'{segmenter.resolution}, on {backend.device} with {backend.name} in '
            f'{backend.precision} ({backend.reason}): ready after {loaded.seconds:.1f} s, '
            f'{loaded.image_ms:.0f} ms an image')
