# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What to do with a recording, and what of it decides the results."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmentation import SegmentOptions
from fcn_seg_ros.offline.network_choice import NetworkFacts
from fcn_seg_ros.offline.outputs import Wanted
from fcn_seg_ros.offline.source import Selection, Source
from fcn_seg_ros.outputs.frame import OutputOptions

PART_FRAMES = 250
GPU_BATCH = 8


@dataclass(frozen=True)
class Job:
    """
    What to do with a recording.

    ``storage`` is a name in STORAGES, None for no bag; ``humble`` asks for metadata that Humble
    reads. ``pose`` is x, y, z, roll, pitch, yaw as the node's parameter; None without. A part has
    ``part_frames`` images: the most that an interruption costs. ``batch`` 0 is GPU_BATCH on a GPU,
    1 on a CPU.
    """

    selection: Selection = field(default_factory=Selection)
    wanted: Wanted = field(default_factory=Wanted)
    options: SegmentOptions = field(default_factory=SegmentOptions)
    outputs: OutputOptions = field(default_factory=OutputOptions)
    storage: str | None = 'mcap'
    humble: bool = False
    originals: bool = False
    pose: tuple[float, ...] | None = None
    batch: int = 0
    part_frames: int = PART_FRAMES

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        if self.batch < 0 or self.part_frames < 1:
            raise InputError('--batch, --part-frames: expected 0 or more, and at least 1, found '
                             f'{self.batch} and {self.part_frames}')
        if self.storage is None and not (self.wanted.png or self.wanted.video):
            raise InputError('--no-bag: expected --png or --video as well, found nothing to write')
        if not (self.storage is None or self.wanted.topics or self.originals):
            raise InputError('--write: expected names, with commas, or --no-bag, found none')
        if not self.outputs.base_frame:
            raise InputError('--base-frame: expected the name of a frame, found none')
        if self.storage is None and self.originals:
            raise InputError('--originals: expected a bag to write them to, found --no-bag')

    def batch_of(self, device: str) -> int:
        """Return the number of images in a pass of the network on a device."""
        return self.batch or (1 if device == 'cpu' else GPU_BATCH)


def settings_of(source: Source, job: Job, network: NetworkFacts) -> dict[str, Any]:
    """Return everything that decides the results, as plain values that JSON keeps."""
    selection, wanted, outputs = job.selection, job.wanted, job.outputs
    return {
        'input': {'path': source.given, 'files': source.files},
        'topics': list(source.topics), 'every': selection.every, 'frames': selection.limit,
        'start': selection.start, 'end': selection.end, **network.settings,
        'batch': job.batch_of(network.settings['device']),
        'unknown_below': job.options.unknown_below,
        'part_frames': job.part_frames, 'write': list(wanted.topics), 'png': list(wanted.png),
        'video': wanted.video, 'originals': job.originals, 'bag': job.storage,
        'humble': job.humble, 'pose': list(job.pose) if job.pose else None,
        'outputs': dataclasses.asdict(outputs)}
