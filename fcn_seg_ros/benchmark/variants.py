# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The variants to compare: every backend and precision of this machine, at each network height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.inference.backends import PRECISIONS as AUTO_AND_PRECISIONS
from fcn_seg_ros.inference.backends import BackendError, backend_names
from fcn_seg_ros.inference.segmenter import RoadSegmenter

# Variants have explicit names; whatever ``auto`` would choose is among them.
BACKENDS = backend_names()
PRECISIONS = tuple(name for name in AUTO_AND_PRECISIONS if name != 'auto')


@dataclass(frozen=True)
class Variant:
    """
    One way to run a network: its file, and the arguments of RoadSegmenter.

    ``exported`` is a file that ``export`` wrote, which implies backend and precision.
    """

    checkpoint: Path
    backend: str
    precision: str
    height: int
    device: str
    threads: int = 0
    exported: bool = False

    def __post_init__(self) -> None:
        """Make the path absolute, so that a process in another folder finds the file."""
        object.__setattr__(self, 'checkpoint', self.checkpoint.absolute())

    @property
    def name(self) -> str:
        """Return the variant's name, which is the same on every machine."""
        return f'{self.backend} {self.precision} {self.height}'

    def open(self) -> RoadSegmenter:
        """Return its segmenter, not self-tested; raises InputError if it cannot run here."""
        if self.exported:
            return RoadSegmenter(self.checkpoint, self.device, network_height=self.height,
                                 threads=self.threads, test=False)
        return RoadSegmenter(self.checkpoint, self.device, self.precision, self.height,
                             threads=self.threads, backend=self.backend, test=False)


@dataclass(frozen=True)
class Unavailable:
    """A variant that this machine cannot run, with the reason in one line."""

    variant: Variant
    reason: str


def list_variants(checkpoint: Path, height: int, device: str, threads: int,
                  backends: Sequence[str], precisions: Sequence[str]) -> list[Variant]:
    """Return every combination of backends and precisions at one height."""
    return [Variant(checkpoint, backend, precision, height, device, threads)
            for backend in backends for precision in precisions]


def exported_variants(files: Sequence[Path], height: int, device: str, threads: int
                      ) -> list[Variant]:
    """Return the exported models at one height; raises InputError for any other file."""
    found = []
    for path in files:
        backend = RoadSegmenter(path, device, network_height=height, threads=threads).backend
        found.append(Variant(path, backend.name, backend.precision, height, device, threads,
                             exported=True))
    return found


def open_variants(variants: Sequence[Variant], image: np.ndarray
                  ) -> tuple[dict[Variant, RoadSegmenter], list[Unavailable]]:
    """
    Return warmed-up segmenters of the variants that can run here, and the others with the reason.

    A backend may fail only at its first image; what its library raises then is the reason.
    """
    opened: dict[Variant, RoadSegmenter] = {}
    missing: list[Unavailable] = []
    for variant in variants:
        try:
            segmenter = variant.open()
            for _ in range(3):
                segmenter.segment(image)
            opened[variant] = segmenter
        except (InputError, BackendError) as error:
            missing.append(Unavailable(variant, one_line(error)))
    return opened, missing
