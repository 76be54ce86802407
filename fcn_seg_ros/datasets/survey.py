# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Survey a dataset: decode every image once and find what is wrong."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np

from fcn_seg_ros.datasets.balance import both_labelled, count
from fcn_seg_ros.datasets.base import RoadDataset, Sample
from fcn_seg_ros.datasets.pairs import SizeMismatch
from fcn_seg_ros.errors import InputError

# Pictures look alike if at most this many of the 255 bits of ``perceptual_hash`` differ. A copy
# that was scaled, brightened and saved as a poor JPEG differs in up to 4 bits, frames from a
# standing car in 8 to 20, the most similar frames of KITTI Road in 64 or more.
NEAR = 24
_WORKERS = 4


@dataclass(frozen=True)
class Picture:
    """
    The facts to keep about a sample.

    ``content`` is a hash of the image's pixels, ``look`` its perceptual hash, bool (255,), and
    ``pixels`` the numbers of pixels that are not road, road and unlabelled.
    """

    name: str
    content: str
    look: np.ndarray
    pixels: tuple[int, int, int]


@dataclass(frozen=True)
class Problem:
    """A fault of a dataset: its kind (in ``KINDS_OF_PROBLEMS``) and a description in one line."""

    kind: str
    text: str


KINDS_OF_PROBLEMS = ('labels', 'unreadable', 'mismatched', 'empty', 'duplicate', 'leak')


@dataclass
class Survey:
    """The pictures of a dataset and its problems; ``near`` lists pairs that look alike."""

    pictures: list[Picture] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    near: list[tuple[str, str]] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """Return the number of problems of a kind."""
        return sum(problem.kind == kind for problem in self.problems)

    def shares(self) -> tuple[float, float, float]:
        """Return the shares of pixels that are not road, road and unlabelled."""
        pixels = np.array([p.pixels for p in self.pictures], np.float64).reshape(-1, 3).sum(0)
        total = pixels.sum()
        first, second, third = pixels / total if total else pixels
        return float(first), float(second), float(third)


def survey(dataset: RoadDataset, progress: Callable[[], None] = lambda: None) -> Survey:
    """
    Decode a dataset and list its unreadable, mismatched, empty and duplicate samples.

    This includes the ``faults`` of samples that the dataset left out. ``progress`` is called after
    each sample.
    """
    found = Survey()
    for fault in dataset.faults:
        found.problems.append(_problem_of(fault))
    for result in decoded(dataset):
        progress()
        if isinstance(result, InputError):
            found.problems.append(_problem_of(result))
        else:
            found.pictures.append(result)
    if dataset.labelled:
        found.problems += _of_labels(dataset, found.pictures)
    _add_duplicates(found)
    return found


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """
    Return 255 bits, which are the same for similar pictures: signs of the lowest DCT coefficients.

    Like pHash (Zauner 2010), but with 16x16 instead of 8x8 coefficients of a 32x32 image, because
    road scenes hardly differ in the lowest ones.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    frequencies = np.asarray(cv2.dct(small), np.float32)[:16, :16].ravel()[1:]
    return frequencies > np.median(frequencies)


def distances(first: list[Picture], second: list[Picture]) -> np.ndarray:
    """Return how many bits differ for all pairs, int (len(first), len(second))."""
    a, b = (np.array([p.look for p in side], np.float32).reshape(-1, 255)
            for side in (first, second))
    return np.rint(a @ (1 - b.T) + (1 - a) @ b.T).astype(int)


def decoded(dataset: RoadDataset) -> Iterator[Picture | InputError]:
    """Yield the facts about each sample, or its error, in order."""
    def one(index: int) -> Picture | InputError:
        try:
            return _picture(dataset[index])
        except InputError as error:
            return error
    with ThreadPoolExecutor(_WORKERS) as pool:
        # In batches, because a pool would continue with queued tasks after an error.
        for start in range(0, len(dataset), 4 * _WORKERS):
            yield from pool.map(one, range(start, min(start + 4 * _WORKERS, len(dataset))))


def _picture(sample: Sample) -> Picture:
    image, labels = sample.image, sample.labels
    if image.shape[:2] != labels.shape:
        raise SizeMismatch(f'{sample.name}: expected labels of {image.shape[1]}x{image.shape[0]} '
                           f'as the image, found {labels.shape[1]}x{labels.shape[0]}')
    other, road, unlabelled = count(labels).tolist()
    content = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
    return Picture(sample.name, content, perceptual_hash(image),
                   (other, road, unlabelled))


def _of_labels(dataset: RoadDataset, pictures: list[Picture]) -> list[Problem]:
    """Return what is wrong with the labels, of the whole dataset or else of single samples."""
    if not pictures:
        return []
    fault = both_labelled(dataset, np.sum([picture.pixels for picture in pictures], axis=0))
    if fault:
        return [Problem('labels', fault)]
    return [Problem('empty', f'{picture.name}: '
                    f'{"no road" if picture.pixels[0] else "no labelled pixel"}')
            for picture in pictures if not picture.pixels[1]]


def _problem_of(error: InputError) -> Problem:
    return Problem('mismatched' if isinstance(error, SizeMismatch) else 'unreadable', str(error))


def _add_duplicates(found: Survey) -> None:
    first_with: dict[str, str] = {}
    for picture in found.pictures:
        twin = first_with.setdefault(picture.content, picture.name)
        if twin is not picture.name:
            found.problems.append(
                Problem('duplicate', f'{picture.name}: the same image as {twin}'))
    far = distances(found.pictures, found.pictures)
    for i, j in np.argwhere(np.triu(far <= NEAR, 1)):
        one, other = found.pictures[i], found.pictures[j]
        if one.content != other.content:
            found.near.append((one.name, other.name))
