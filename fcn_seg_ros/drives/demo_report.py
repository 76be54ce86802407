# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The figures of a demo run, and what about them is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.drives.recording import NodeCounts, Recording

BACKEND_KEYS = (keys.BACKEND, keys.DEVICE, keys.PRECISION, keys.NETWORK_SIZE)


@dataclass(frozen=True)
class DemoReport:
    """
    What the table shows and report.json holds.

    ``latency_ms`` goes from the image's stamp (the moment at which play publishes it) to the
    arrival of the mask in the recorder's process; ``segmenter_ms`` is what of it the node spends
    in the segmenter. ``iou`` is over all pixels of all frames whose truth is known. ``problems``
    are lines about what must not be.
    """

    input: str
    frames_played: int
    play_rate_hz: float
    play_late: int
    frames_in: int
    masks_out: int
    masks_received: int
    dropped: dict[str, int]
    in_flight: int
    latency_ms: dict[str, float] | None
    segmenter_ms: dict[str, float]
    iou: float | None
    worst_frame: dict[str, float] | None
    frames_with_truth: int
    headers_equal: bool
    network: dict[str, str]
    problems: list[str]

    @property
    def lost_before(self) -> int:
        """Return how many images were played and did not reach the node."""
        return self.frames_played - self.frames_in

    @property
    def latency_beyond_segmenter_ms(self) -> float | None:
        """Return latency p95 - segmenter p50: what transport, conversion and waiting add."""
        if self.latency_ms is None or 'p50' not in self.segmenter_ms:
            return None
        return self.latency_ms['p95'] - self.segmenter_ms['p50']

    def as_dict(self) -> dict[str, Any]:
        """Return the content of report.json."""
        return {**asdict(self), 'lost_before_the_node': self.lost_before,
                'latency_beyond_segmenter_ms': self.latency_beyond_segmenter_ms}

    def rows(self) -> list[tuple[str, str]]:
        """Return the lines of the table: what, and how much."""
        latency, segmenter = self.latency_ms or {}, self.segmenter_ms
        dropped = ', '.join(f'{count} {reason}' for reason, count in self.dropped.items() if count)
        network = ', '.join(self.network[key] for key in BACKEND_KEYS if key in self.network)
        rows = [
            ('input', self.input),
            ('network', network or 'not reported'),
            ('frames played', f'{self.frames_played} at {self.play_rate_hz:.2f} Hz, '
                              f'{self.play_late} late'),
            ('frames in', f'{self.frames_in}' + (
                f' ({self.lost_before} lost on the way to the node)' if self.lost_before else '')),
            ('masks out', f'{self.masks_out} ({self.masks_received} received)'),
            ('dropped', f'{sum(self.dropped.values())}' + (f' ({dropped})' if dropped else '')),
            ('latency p50 / p95 / p99', _milliseconds(latency, 'p50', 'p95', 'p99')),
            ('segmenter p50 / p95', _milliseconds(segmenter, 'p50', 'p95')),
        ]
        if self.latency_beyond_segmenter_ms is not None:
            rows.append(('latency p95 - segmenter p50',
                         f'{self.latency_beyond_segmenter_ms:.1f} ms'))
        iou = 'no truth known'
        if self.iou is not None:
            iou = f'{100 * self.iou:.2f} % over {self.frames_with_truth} frames'
            if self.worst_frame is not None:
                iou += (f', worst {100 * self.worst_frame["iou"]:.1f} % '
                        f'(frame {self.worst_frame["frame"]:.0f})')
        rows.append(('IoU against the truth', iou))
        rows.append(('headers', 'every mask has that of its image' if self.headers_equal
                     else 'some masks have one that no image has'))
        return rows


def _milliseconds(values: Mapping[str, float], *names: str) -> str:
    if any(name not in values for name in names):
        return 'unknown'
    return ' / '.join(f'{values[name]:.1f}' for name in names) + ' ms'


def make_report(name: str, played: Mapping[str, Any], recording: Recording,
                diagnostics: Mapping[str, str]) -> DemoReport:
    """Put together what the player, the recorder and the node's diagnostics say."""
    counts = NodeCounts.from_values(diagnostics)
    foreign = recording.foreign_headers()
    segmenter = {percentile: float(diagnostics[key]) for percentile in ('p50', 'p95')
                 if (key := keys.stage_time('segment', percentile)) in diagnostics}
    return DemoReport(
        name, played['frames'], played['rate_hz'], played['late'],
        counts.received, counts.published, len(recording.masks), counts.dropped,
        counts.in_flight, recording.latencies_ms(), segmenter, recording.iou,
        worst_frame(recording), len(recording.overlaps), not foreign,
        {key: diagnostics[key] for key in BACKEND_KEYS if key in diagnostics},
        find_problems(recording, counts, len(foreign)))


def find_problems(recording: Recording, counts: NodeCounts, foreign: int) -> list[str]:
    """Return a line about everything that must not be."""
    problems = []
    if not counts.add_up():
        dropped = ' + '.join(f'{n} {reason}' for reason, n in counts.dropped.items())
        problems.append(
            f'the counts of seg_node do not add up: expected received = published + dropped + in '
            f'flight, found {counts.received} = {counts.published} + ({dropped}) + '
            f'{counts.in_flight}')
    if foreign:
        problems.append(f'{foreign} of {len(recording.masks)} masks have a header that no image '
                        f'has, or that another mask had before')
    if recording.wrong_sizes:
        problems.append(f'{len(recording.wrong_sizes)} masks differ from the truth in size: '
                        f'{recording.wrong_sizes[0]}')
    if not len(recording.overlays):
        problems.append('no overlay came, so there is no video and no contact sheet')
    return problems


def worst_frame(recording: Recording) -> dict[str, float] | None:
    """Return the frame with the lowest IoU, by its place in the drive."""
    known = [(overlap.iou, recording.inputs.get(key, -1))
             for key, overlap in recording.overlaps.items() if overlap.iou is not None]
    if not known:
        return None
    iou, frame = min(known)
    return {'iou': iou, 'frame': float(frame)}
