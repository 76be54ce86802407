# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Find leaks between training and validation images, which would make scores meaningless.

Neighbouring frames of a drive are near copies of each other, so they count as leaks too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from fcn_seg_ros.datasets.survey import NEAR, Picture, Problem, distances


@dataclass(frozen=True)
class Source:
    """
    A picture and its source.

    ``kind`` and ``root`` are those of its dataset: names are compared within a kind, purely numeric
    names only within a folder.
    """

    kind: str
    root: str
    picture: Picture

    def frame(self) -> tuple[tuple[str, ...], int] | None:
        """Return the sequence and the frame number in the name, or None."""
        match = re.fullmatch(r'(.*?)(\d+)', self.picture.name)
        if match is None:
            return None
        prefix, number = match.groups()
        named = re.search('[A-Za-z]', prefix) is not None
        return (self.kind, prefix) if named else (self.kind, self.root, prefix), int(number)


def find_leaks(train: list[Source], val: list[Source], gap: int | None = None
               ) -> tuple[list[Problem], list[str]]:
    """
    Return a problem for every validation picture that leaks, and remarks about sequences.

    A picture leaks if the training data contains it, a look-alike or a neighbouring frame: one at
    most ``gap`` frame numbers away (default: the usual step of the sequence, the smaller one of
    both sides). Remarks name the sequences that are on both sides, and their nearest frames.
    """
    twins = alike([source.picture for source in val], [source.picture for source in train])
    neighbours, remarks = _neighbours(train, val, gap)
    texts = neighbours | {index: f'{text}, which is trained on' for index, text in twins.items()}
    return [Problem('leak', texts[index]) for index in sorted(texts)], remarks


def alike(pictures: list[Picture], others: list[Picture]) -> dict[int, str]:
    """Return, by index, a description of the pictures that have a twin among the others."""
    if not pictures or not others:
        return {}
    contents = {other.content: other.name for other in others}
    bits = distances(pictures, others)
    nearest = bits.argmin(1)
    texts = {}
    for index, picture in enumerate(pictures):
        twin, few = contents.get(picture.content), bits[index, nearest[index]]
        if twin is not None:
            texts[index] = f'{picture.name}: the same image as {twin}'
        elif few <= NEAR:
            texts[index] = (f'{picture.name}: looks like {others[nearest[index]].name} '
                            f'({few} of 255 bits differ)')
    return texts


def _neighbours(train: list[Source], val: list[Source], gap: int | None
                ) -> tuple[dict[int, str], list[str]]:
    numbers = _by_sequence(train)
    reasons: dict[int, str] = {}
    nearest: dict[tuple[str, ...], tuple[int, str, str]] = {}
    limits = {sequence: gap if gap is not None else
              min(_step(list(numbers[sequence])), _step(list(frames)))
              for sequence, frames in _by_sequence(val).items() if sequence in numbers}
    for index, source in enumerate(val):
        frame = source.frame()
        if frame is None or frame[0] not in limits:
            continue
        sequence, number = frame
        other = min(numbers[sequence], key=lambda n: abs(n - number))
        apart, name = abs(other - number), numbers[sequence][other]
        nearest[sequence] = min(nearest.get(sequence, (apart + 1, '', '')),
                                (apart, name, source.picture.name))
        if apart <= limits[sequence]:
            what = f'the neighbouring frame {name}, {apart} apart,' if apart else 'the same frame'
            reasons[index] = f'{source.picture.name}: {what} is trained on'
    remarks = [f'sequence {sequence[-1] or "without a name"} is on both sides: nearest frames '
               f'{name} and {other}, {apart} apart'
               for sequence, (apart, name, other) in nearest.items()]
    return reasons, remarks


def _by_sequence(sources: list[Source]) -> dict[tuple[str, ...], dict[int, str]]:
    found: dict[tuple[str, ...], dict[int, str]] = {}
    for source in sources:
        frame = source.frame()
        if frame is not None:
            found.setdefault(frame[0], {})[frame[1]] = source.picture.name
    return found


def _step(numbers: list[int]) -> int:
    """Return the median step of a sequence's frame numbers; 1 for a single frame."""
    steps = np.diff(np.sort(numbers))
    return int(np.median(steps)) if steps.size else 1
