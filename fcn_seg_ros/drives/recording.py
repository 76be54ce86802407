# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The data of a recorded run: headers, latencies, overlaps with the truth, and counts."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.ground.grid import GridSpec
from fcn_seg_ros.images.decode import decode, decode_pixels
from fcn_seg_ros.images.encode import encode_jpeg, encode_png
from fcn_seg_ros.inference.overlap import intersection_over_union

Key = tuple[int, str]

JPEG_QUALITY = 92
# The most truths kept until their mask arrives; a dropped frame's never does.
PENDING = 100
UNKNOWN = 255


@dataclass(frozen=True)
class MaskRecord:
    """An arrived mask: its header, and the nanoseconds from the stamp to the arrival."""

    key: Key
    latency_ns: int


@dataclass
class Overlap:
    """Intersection and union of the road in mask and truth, in pixels."""

    intersection: int = 0
    union: int = 0

    @property
    def iou(self) -> float | None:
        """Return intersection over union, None if neither has any road."""
        return intersection_over_union(self.intersection, self.union) if self.union else None


class Store:
    """
    Images in a temporary file, in the order of arrival: as JPEG, or lossless as PNG.

    A JPEG takes 5 ms of one core per KITTI image while a drive plays; the video is made afterwards.
    """

    def __init__(self, lossless: bool = False) -> None:
        """Create the file."""
        self.keys: list[Key] = []
        self._lossless = lossless
        self._index: dict[Key, int] = {}
        # It exists as long as this object; a with statement would have to span the whole run.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._ends = [0]

    def append(self, key: Key, image: np.ndarray) -> None:
        """Add an image, uint8 of shape (H, W, 3) in RGB, or (H, W)."""
        content = encode_png(image) if self._lossless else encode_jpeg(image, JPEG_QUALITY)
        self._file.seek(self._ends[-1])
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))
        self._index.setdefault(key, len(self.keys))
        self.keys.append(key)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.keys)

    def read(self, index: int) -> np.ndarray:
        """Return an image, in RGB or grey as it was added."""
        self._file.seek(self._ends[index])
        content = self._file.read(self._ends[index + 1] - self._ends[index])
        return decode_pixels(content) if self._lossless else decode(content)

    def find(self, key: Key) -> np.ndarray | None:
        """Return the first image with a header, None if there is none."""
        index = self._index.get(key)
        return None if index is None else self.read(index)

    def close(self) -> None:
        """Free the disk space."""
        self._file.close()


class Recording:
    """
    Everything recorded of one camera during a run.

    ``add_truth``, ``add_mask_pixels`` and what adds an image take time: call them from one worker
    thread. ``inputs`` and ``masks`` may be appended from callbacks. ``grid_spec`` is that of the
    grids, None without any.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.inputs: dict[Key, int] = {}
        self.masks: list[MaskRecord] = []
        self.images, self.overlays, self.grids = Store(), Store(), Store(lossless=True)
        self.grid_spec: GridSpec | None = None
        self.overlaps: dict[Key, Overlap] = {}
        self.wrong_sizes: list[str] = []
        self._truths: dict[Key, np.ndarray] = {}
        self._roads: dict[Key, np.ndarray] = {}

    def add_input(self, key: Key) -> None:
        """Note an input image's header; looped drives repeat headers."""
        self.inputs.setdefault(key, len(self.inputs))

    def add_truth(self, key: Key, truth: np.ndarray) -> None:
        """Compare a true mask (1 road, 0 not road, 255 unknown) with its mask, or keep it."""
        self._truths[key] = truth
        self._match(key)

    def add_mask_pixels(self, key: Key, mask: np.ndarray) -> None:
        """Compare a mask (1 road) with its truth, or keep it until the truth comes."""
        self._roads[key] = mask == 1
        self._match(key)

    def add_overlay(self, key: Key, rgb: np.ndarray) -> None:
        """Keep an overlay for the video and the contact sheet."""
        self.overlays.append(key, rgb)

    def add_image(self, key: Key, rgb: np.ndarray) -> None:
        """Keep a camera's image for the video and the contact sheet."""
        self.images.append(key, rgb)

    def add_grid(self, stamp_ns: int, spec: GridSpec, values: np.ndarray) -> None:
        """Keep a grid, int8 (rows, columns), of the overlay with this stamp, if it is like all."""
        self.grid_spec = self.grid_spec or spec
        if spec == self.grid_spec:
            self.grids.append((stamp_ns, ''), values.view(np.uint8))

    def grid_of(self, key: Key) -> np.ndarray | None:
        """Return the grid, int8 (rows, columns), of a frame; its own frame_id is another one."""
        values = self.grids.find((key[0], ''))
        return None if values is None else values.view(np.int8)

    def close(self) -> None:
        """Free the disk space."""
        for store in (self.images, self.overlays, self.grids):
            store.close()

    def _match(self, key: Key) -> None:
        if key in self._truths and key in self._roads:
            truth, road = self._truths.pop(key), self._roads.pop(key)
            if truth.shape != road.shape:
                self.wrong_sizes.append(f'mask {road.shape[1]}x{road.shape[0]}, '
                                        f'truth {truth.shape[1]}x{truth.shape[0]}')
                return
            is_road, known = truth == 1, truth != UNKNOWN
            self.overlaps[key] = Overlap(int(np.count_nonzero(road & is_road)),
                                         int(np.count_nonzero((road | is_road) & known)))
        for waiting in (self._truths, self._roads):
            while len(waiting) > PENDING:
                del waiting[next(iter(waiting))]

    @property
    def iou(self) -> float | None:
        """Return the sum of intersections over the sum of unions; None without a truth."""
        return Overlap(sum(x.intersection for x in self.overlaps.values()),
                       sum(x.union for x in self.overlaps.values())).iou

    def latencies_ms(self) -> dict[str, float] | None:
        """Return p50, p95, p99 and maximum of the time from an input's stamp to its mask."""
        values = np.array([m.latency_ns for m in self.masks if m.key in self.inputs]) / 1e6
        if not values.size:
            return None
        p50, p95, p99 = np.percentile(values, (50, 95, 99)).tolist()
        return {'p50': p50, 'p95': p95, 'p99': p99, 'max': float(values.max())}

    def foreign_headers(self) -> list[Key]:
        """Return the headers of masks that belong to no input or that repeat."""
        seen: set[Key] = set()
        wrong = []
        for mask in self.masks:
            if mask.key not in self.inputs or mask.key in seen:
                wrong.append(mask.key)
            seen.add(mask.key)
        return wrong


@dataclass(frozen=True)
class NodeCounts:
    """The counts that a node's diagnostics report for one camera."""

    received: int
    published: int
    in_flight: int
    dropped: dict[str, int]

    @classmethod
    def from_values(cls, values: Mapping[str, str]) -> NodeCounts:
        """Read the values of a diagnostic status; raises ValueError if one is missing."""
        def number(name: str) -> int:
            try:
                return int(values[name])
            except (KeyError, ValueError):
                raise ValueError(f'diagnostics: expected a whole number {name!r}, '
                                 f'found {values.get(name)!r}') from None
        dropped = {name.removeprefix(keys.DROPPED_PREFIX): number(name)
                   for name in sorted(values) if name.startswith(keys.DROPPED_PREFIX)}
        return cls(number(keys.RECEIVED), number(keys.PUBLISHED), number(keys.IN_FLIGHT), dropped)

    def add_up(self) -> bool:
        """Return whether received = published + dropped + in flight."""
        return self.received == self.published + sum(self.dropped.values()) + self.in_flight
