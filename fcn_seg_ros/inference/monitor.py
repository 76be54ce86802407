# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Judge whether a camera's picture and the road found in it can be trusted."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fcn_seg_ros.inference.cover import Cover
from fcn_seg_ros.inference.familiar import distance, figures, sampled
from fcn_seg_ros.inference.picture import glance
from fcn_seg_ros.inference.postprocess import classes_to_road
from fcn_seg_ros.inference.segmentation import Segmentation

# Pictures remembered to recognise repetitions: a minute at 10 Hz.
_REMEMBERED = 600
# A median over fewer frames is unreliable.
_FEWEST = 5
# After a longer pause, or when the image size changes, the history is discarded.
_PAUSE_S = 5.0
_NO_ROAD = 0.002
# A picture with less than this share of non-empty cells shows nothing.
_LEAST_DETAIL = 0.1


@dataclass(frozen=True)
class MonitorOptions:
    """
    The limits beyond which a picture is faulty; the names are those of the node's parameters.

    A value beyond its limit for most of ``fault_after_s`` is a fault; ``fault_after_s`` 0 turns the
    monitor off. Any other limit of 0 turns its check off; for ``overexposed_above`` and
    ``covered_above`` it is 1.
    """

    fault_after_s: float = 1.0
    frozen_after_s: float = 1.0
    black_below: float = 20.0
    overexposed_above: float = 0.6
    sharpness_below: float = 0.25
    covered_above: float = 0.15
    no_road_after_s: float = 3.0
    unfamiliar_above: float = 1.5


@dataclass(frozen=True)
class PictureReport:
    """
    The faults of a camera's picture, by name with a description, and all figures by name.

    ``time`` is that of the latest frame.
    """

    time: float = float('-inf')
    faults: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


class PictureMonitor:
    """
    Follow one camera from frame to frame.

    ``look`` is for one thread; ``report`` is replaced atomically and may be read from any.
    """

    def __init__(self) -> None:
        self.report: PictureReport = PictureReport()
        self._shape: tuple[int, ...] = ()
        self._past: _Past = _Past()

    def look(self, image: np.ndarray, result: Segmentation, stamp_ns: int, now: float,
             options: MonitorOptions, ranges: Mapping[str, Sequence[float]]) -> bool:
        """
        Judge one frame, and return whether the set of faults has changed.

        ``image`` is uint8 RGB (H, W, 3), ``result`` its segmentation; ``now`` in monotonic seconds;
        ``ranges`` the checkpoint's statistics, {} if it has none.
        """
        before = self.report
        if not options.fault_after_s:
            self.report = PictureReport()
            return bool(before.faults)
        if image.shape != self._shape or now - before.time > _PAUSE_S:
            self._shape, self._past = image.shape, _Past()
        seen = glance(image)
        away, by = distance(figures(seen, result), ranges) if ranges else (0.0, '')
        road = classes_to_road(sampled(result.mask), result.label_map.road_ids).mean()
        past = self._past
        recent = past.median(now, options.fault_after_s, (
            seen.grey, seen.saturated, seen.sharpness, float(seen.detailed.mean()), away))
        values = dict(zip(('grey', 'saturated', 'sharpness', 'detail', 'unfamiliar'),
                          recent, strict=True))
        values |= {'repeated_s': past.repeated(seen.digest, stamp_ns, now),
                   'covered': past.cover.share(seen.detailed, seen.levels, now,
                                               options.fault_after_s),
                   'without_road_s': past.without_road(float(road), now)}
        faults = _faults(values, by, options) if past.frames >= _FEWEST else {}
        past.cover.learning = 'covered' not in faults
        self.report = PictureReport(now, faults, values)
        return faults.keys() != before.faults.keys()


class _Past:
    """The history of a camera's frames."""

    def __init__(self) -> None:
        self.cover: Cover = Cover()
        self._window: deque[tuple[float, tuple[float, ...]]] = deque()
        self._digests: OrderedDict[int, int] = OrderedDict()
        self._new_at: float | None = None
        self._road_at: float | None = None

    @property
    def frames(self) -> int:
        """Return the number of frames in the medians."""
        return len(self._window)

    def median(self, now: float, seconds: float, latest: tuple[float, ...]) -> list[float]:
        """Add a frame's figures and return the medians over the last ``seconds``."""
        self._window.append((now, latest))
        while len(self._window) > _FEWEST and now - self._window[0][0] > seconds:
            self._window.popleft()
        table = np.sort(np.array([row for _, row in self._window]), axis=0)  # NaN comes last
        middle: list[float] = table[len(table) // 2].tolist()
        return middle

    def repeated(self, digest: int, stamp_ns: int, now: float) -> float:
        """
        Return for how many seconds every picture has been a repeat.

        A frozen camera repeats its last picture or last few. A repeat with its original stamp is
        not a fault: it comes from a bag that is played again.
        """
        known = self._digests.pop(digest, stamp_ns)
        self._digests[digest] = stamp_ns
        if len(self._digests) > _REMEMBERED:
            self._digests.popitem(last=False)
        if known == stamp_ns or self._new_at is None:
            self._new_at = now
        return now - self._new_at

    def without_road(self, share: float, now: float) -> float:
        """Return for how many seconds there has been no road; ``share`` is the current share."""
        if share > _NO_ROAD or self._road_at is None:
            self._road_at = now
        return now - self._road_at


def _faults(values: Mapping[str, float], by: str, options: MonitorOptions) -> dict[str, str]:
    """Return the faults, without those that another one explains."""
    found = {}
    if 0.0 < options.frozen_after_s <= values['repeated_s']:
        found['frozen'] = ('the picture is frozen: the same pixels with new stamps for '
                           f'{values["repeated_s"]:.1f} s')
    if values['grey'] < options.black_below:
        found['black'] = (f'the picture is black: 99 % of it below grey level '
                          f'{values["grey"]:.0f} of 255')
    elif options.overexposed_above < 1.0 and values['saturated'] > options.overexposed_above:
        found['overexposed'] = (f'the picture is overexposed: {100 * values["saturated"]:.0f} % '
                                'of it saturated')
    elif options.covered_above < 1.0 and values['detail'] < _LEAST_DETAIL:
        found['covered'] = (f'the picture shows nothing: {100 * (1 - values["detail"]):.0f} % of '
                            'it empty, is the lens covered?')
    else:
        if values['sharpness'] < options.sharpness_below:
            found['blurred'] = (f'the picture is blurred: sharpness {values["sharpness"]:.2f}, '
                                f'expected at least {options.sharpness_below:g}')
        if options.covered_above < 1.0 and values['covered'] > options.covered_above:
            found['covered'] = (f'the lens is covered: {100 * values["covered"]:.0f} % of what it '
                                'showed is gone')
    if found:
        return found
    if 0.0 < options.no_road_after_s <= values['without_road_s']:
        found['no_road'] = f'no road found for {values["without_road_s"]:.1f} s'
    if 0.0 < options.unfamiliar_above < values['unfamiliar']:
        found['unfamiliar'] = (f'unlike the training data: {by} is {values["unfamiliar"]:.1f} '
                               'times as far from their middle as the end of their range, '
                               f'expected at most {options.unfamiliar_above:g}')
    return found
