# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Pieces of recordings as tasks of a Ray cluster, which share the file system."""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray

from fcn_seg_ros.errors import InputError, one_line, type_and_words
from fcn_seg_ros.offline import piece_task
from fcn_seg_ros.offline.network_choice import NetworkChoice, NetworkFacts
from fcn_seg_ros.offline.piece_task import PieceTask
from fcn_seg_ros.resources import find_checkpoint

#: Starts a Ray of its own on this machine, which ends with the command.
LOCAL = 'local'
# A piece is tried again after its worker or machine was lost, or the machine failed.
_RETRIES = 3
_OF_THE_MACHINE = [OSError, MemoryError, RuntimeError]
# Results go to the shared files, so Ray's own memory holds next to nothing.
_STORE_BYTES = 80 * 2**20
_POLL_S = 0.5
_CANCEL_S = 10.0
_CONNECT_S = 10.0


class Cluster:
    """A cluster with one network per GPU, or per ``threads`` cores; create it by ``connect``."""

    def __init__(self, choice: NetworkChoice) -> None:
        """Load the network on one machine; raises InputError."""
        self._choice = replace(choice, checkpoint=_absolute(choice.checkpoint))
        gpus = choice.device != 'cpu' and ray.cluster_resources().get('GPU', 0) >= 1
        # A worker sees the GPU that it was given as the only one.
        if choice.device not in ('auto', 'cpu', 'cuda'):
            raise InputError('--device: expected auto, cpu or cuda with --ray, found '
                             f'{choice.device}')
        if not gpus and not choice.threads:
            raise InputError('--threads: expected the cores of each network with --ray on CPUs, '
                             'found 0')
        self._needs: dict[str, Any] = {'num_cpus': max(1, choice.threads), 'num_gpus': int(gpus)}
        self.slots = self._slots()
        self._refs: deque[tuple[Any, Any]] = deque()
        # Made once: Ray keeps each that it is given.
        self._segment = self._remote(piece_task.segment)
        self.network = self._described(find_checkpoint(choice.checkpoint))

    def submit(self, task: PieceTask, owner: Any) -> None:
        """Have a piece segmented; ``owner`` is returned with its result."""
        ref = self._segment.remote(self._choice, self.network, task)
        self._refs.append((ref, owner))

    @property
    def pending(self) -> int:
        """Return how many pieces have not been collected."""
        return len(self._refs)

    def collect(self) -> Iterable[tuple[Any, str]]:
        """Wait a little, and return the owners of pieces that ended, with '' or what failed."""
        done, _ = ray.wait([ref for ref, _ in self._refs], timeout=_POLL_S,
                           num_returns=1, fetch_local=True)
        ended = [each for each in self._refs if each[0] in done]
        for each in ended:
            self._refs.remove(each)
        return [(owner, _result(ref)) for ref, owner in ended]

    def cancel(self) -> None:
        """End all pieces, which takes a moment; their complete parts stay."""
        refs = [ref for ref, _ in self._refs]
        for ref in refs:
            ray.cancel(ref, force=True)
        if refs:
            ray.wait(refs, num_returns=len(refs), timeout=_CANCEL_S)
        self._refs.clear()

    def _remote(self, work: Callable[..., Any]) -> Any:
        # For max_calls=0 a worker on a GPU keeps its network for further pieces.
        remote: Any = ray.remote
        return remote(**self._needs, max_calls=0, max_retries=_RETRIES,
                      retry_exceptions=_OF_THE_MACHINE)(work)

    def _slots(self) -> int:
        """Return how many networks run at the same time."""
        found = [each['Resources'] for each in ray.nodes() if each['Alive']]
        slots = sum(int(min(each.get('CPU', 0) // self._needs['num_cpus'],
                            each.get('GPU', 0) if self._needs['num_gpus'] else float('inf')))
                    for each in found)
        if not slots:
            raise InputError(
                f'--ray: expected a machine with {self._needs["num_cpus"]} free cores'
                f'{" and a GPU" if self._needs["num_gpus"] else ""}, found machines with '
                f'{", ".join(str(int(each.get("CPU", 0))) for each in found)} cores')
        return slots

    def _described(self, checkpoint: Path) -> NetworkFacts:
        ref = self._remote(piece_task.describe).remote(self._choice)
        try:
            found: NetworkFacts | str = ray.get(ref)
        except ray.exceptions.RayError as error:
            raise InputError(f'--ray: no worker could load the network ({_cause(error)})') from None
        if isinstance(found, str):
            raise InputError(found)
        # Named as in a run without a cluster, so that either resumes the other.
        named = found.settings['checkpoint'] | {'path': str(checkpoint)}
        return NetworkFacts({**found.settings, 'checkpoint': named}, found.facts)


@contextmanager
def connect(address: str, choice: NetworkChoice) -> Iterator[Cluster]:
    """
    Yield the cluster at an address of ray.init; raises InputError.

    A connection that the process has already is taken, and left.
    """
    if ray.is_initialized():
        yield Cluster(choice)
        return
    _check_reachable(address)
    os.environ.setdefault('RAY_USAGE_STATS_ENABLED', '0')
    own: dict[str, Any] = ({'include_dashboard': False, 'object_store_memory': _STORE_BYTES}
                           if address == LOCAL else {})
    try:
        ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **own)
    except (ConnectionError, ValueError, RuntimeError, AssertionError) as error:
        raise _no_cluster(address, error) from None
    try:
        yield Cluster(choice)
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise InputError if nobody listens at HOST:PORT, where Ray would try for ten minutes."""
    host, _, port = address.rpartition(':')
    if port.isdigit() and '://' not in address:
        try:
            socket.create_connection((host, int(port)), _CONNECT_S).close()
        except (OSError, OverflowError) as error:
            raise _no_cluster(address, error) from None


def _no_cluster(address: str, error: Exception) -> InputError:
    return InputError(f'--ray: expected the address of a Ray cluster, auto or {LOCAL}, found '
                      f'{address!r} ({one_line(error)})')


def on_all_machines(given: str) -> str:
    """Return an input as workers find it, whose working folder is another."""
    return _absolute(given) or given


def _absolute(given: str | None) -> str | None:
    path = Path(given or '').expanduser()
    return str(path.absolute()) if given and path.exists() else given


def _result(ref: Any) -> str:
    try:
        result: str = ray.get(ref)
    except ray.exceptions.RayError as error:
        return _cause(error)
    return result


def _cause(error: Exception) -> str:
    """Return why a task failed at each of its attempts."""
    return type_and_words(getattr(error, 'cause', error))
