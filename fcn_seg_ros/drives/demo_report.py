# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The figures of a demo run, and its problems."""

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
    The figures in the table and in report.json.

    ``latency_ms`` is the time from an image's stamp, set when play publishes it, to the arrival of
    its mask at the recorder; ``segmenter_ms`` is the part spent in the node's segmenter. ``iou`` is
    over all pixels of all frames whose truth is known. ``problems`` holds a line for each fault of
    the node.
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
        """Return how many images were played but did not reach the node."""
        return self.frames_played - self.frames_in

    def as_dict(self) -> dict[str, Any]:
        """Return the content of report.json."""
        return {**asdict(self), 'lost_before_the_node': self.lost_before}

    def rows(self) -> list[tuple[str, str]]:
        """Return the rows of the table: name and value."""
        latency, segmenter = self.latency_ms or {}, self.segmenter_ms
        dropped = ', '.join(f'{count} {reason}' for reason, count in self.dropped.items() if count)
        network = ', '.join(self.network[key] for key in BACKEND_KEYS if key in self.network)
        lost = f' ({self.lost_before} lost before the node)' if self.lost_before else ''
        return [
            ('drive', self.input),
            ('network', network or 'not reported'),
            ('images played', f'{self.frames_played} at {self.play_rate_hz:.2f} Hz, '
                              f'{self.play_late} late'),
            ('images received by the node', f'{self.frames_in}{lost}'),
            ('images dropped by the node', f'{sum(self.dropped.values())}'
                                           + (f' ({dropped})' if dropped else '')),
            ('masks published', f'{self.masks_out} ({self.masks_received} recorded)'),
            ('time from image to mask', _milliseconds(latency)),
            ('of that, segmentation', _milliseconds(segmenter)),
            ('overlap with the true road', self._overlap()),
            ('headers of the masks', 'each is that of its image' if self.headers_equal
             else 'some are not those of any image'),
        ]

    def _overlap(self) -> str:
        """Return the IoU as a sentence."""
        if self.iou is None:
            return 'unknown: this drive has no truth'
        text = f'IoU {100 * self.iou:.1f} % over {self.frames_with_truth} images'
        if self.worst_frame is not None:
            text += (f', worst {100 * self.worst_frame["iou"]:.1f} % '
                     f'(frame {self.worst_frame["frame"]:.0f})')
        return text


def _milliseconds(values: Mapping[str, float]) -> str:
    """Return percentiles as text: half of the images took at most p50, and so on."""
    if 'p50' not in values:
        return 'unknown'
    words = [f'median {values["p50"]:.1f} ms']
    words += [f'{share} % within {values[name]:.1f} ms'
              for name, share in (('p95', 95), ('p99', 99)) if name in values]
    return ', '.join(words)


def make_report(name: str, played: Mapping[str, Any], recording: Recording,
                diagnostics: Mapping[str, str]) -> DemoReport:
    """Combine the reports of player, recorder and node."""
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
    """Return a line for each fault of the node."""
    problems = []
    if not counts.add_up():
        dropped = ' + '.join(f'{n} {reason}' for reason, n in counts.dropped.items())
        problems.append(
            'seg_node\'s counts do not add up: expected received = published + dropped + in '
            f'flight, found {counts.received} = {counts.published} + ({dropped}) + '
            f'{counts.in_flight}')
    if foreign:
        problems.append(f'{foreign} of {len(recording.masks)} masks have a header that no image '
                        'has, or that an earlier mask had')
    if recording.wrong_sizes:
        problems.append(f'{len(recording.wrong_sizes)} masks differ from the truth in size: '
                        f'{recording.wrong_sizes[0]}')
    if not len(recording.overlays):
        problems.append('no overlay came, so there is no video and no contact sheet')
    return problems


def worst_frame(recording: Recording) -> dict[str, float] | None:
    """Return the position in the drive, and the IoU, of the frame with the lowest IoU."""
    known = [(overlap.iou, recording.inputs.get(key, -1))
             for key, overlap in recording.overlaps.items() if overlap.iou is not None]
    if not known:
        return None
    iou, frame = min(known)
    return {'iou': iou, 'frame': float(frame)}
