# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A row of the table of backends."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass
from typing import Any

from fcn_seg_ros.inference.backends.hardware import cpu_has_bf16
from fcn_seg_ros.inference.converted import has_converted
from fcn_seg_ros.plugins import Reference

# What a row runs: a checkpoint, or an exported model of a ``kind``.
CHECKPOINT = 'checkpoint'


@dataclass(frozen=True)
class BackendRow:
    """
    One row of the table of backends; rows may share a name.

    ``make(network, device, precision, threads)`` returns the Backend. ``why`` is logged when
    ``auto`` chooses it. ``needs`` are the packages it imports; ``converter`` are those that convert
    a checkpoint for it, needed unless a converted model with the suffix ``converted`` is next to
    the checkpoint. ``cpu`` and ``cuda`` are its precisions on such a device, the fastest first.
    ``auto`` prefers it only on ``machines`` (empty: on all). If ``auto_if`` is given and the
    precision is ``auto`` too, ``auto`` takes the row only if ``auto_if(network)`` is true, and
    tries the next row if making the backend fails.

    In a row for exported models, ``runs`` is their kind instead of CHECKPOINT, ``suffix`` is that
    of their files, and ``read(path)`` returns an object with ``info``, ``path``, ``self_test``,
    ``file_hash`` and ``kind``.
    """

    name: str
    make: Reference
    why: str
    needs: tuple[str, ...] = ()
    converter: tuple[str, ...] = ()
    converted: str = ''
    cpu: tuple[str, ...] = ()
    cuda: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    auto_if: Reference | None = None
    runs: str = CHECKPOINT
    suffix: str = ''
    read: Reference | None = None

    def precisions(self, device: str) -> tuple[str, ...]:
        """Return its precisions on a device of this machine, the fastest first."""
        if device != 'cpu':
            return self.cuda
        return tuple(name for name in self.cpu if name != 'bf16' or cpu_has_bf16())

    def missing(self, network: Any = None) -> list[str]:
        """Return the packages it needs (for this network, if given) that are not installed."""
        ready = network is None or has_converted(network, self.converted)
        needs = self.needs if ready else (*self.needs, *self.converter)
        return [name for name in needs if importlib.util.find_spec(name) is None]

    def suits(self, device: str) -> bool:
        """Return whether ``auto`` prefers it on this machine."""
        return not self.machines or device != 'cpu' or platform.machine() in self.machines
