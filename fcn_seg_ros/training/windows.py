# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Windows: the batches that one optimiser step accumulates over.

The loss of one large batch is a mean over its labelled pixels. Averaging the means of the batches
would give a different gradient, because crops have unequal numbers of labelled pixels. So the
loader collects a whole window, counts its pixels, and hands each batch the divisor that it shares
with the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from fcn_seg_ros.allocator import give_back
from fcn_seg_ros.datasets.base import IGNORE

# In batches; it takes some milliseconds.
TRIMMED_EVERY = 8
_BATCHES = itertools.count()


class Window(NamedTuple):
    """
    The totals of a window's batches on one process.

    ``labelled`` is int64 (255,), the pixels of each class; ``taught`` int64 (), the pixels that a
    teacher labelled; ``batches`` their number, int64 ().
    """

    labelled: Tensor
    taught: Tensor
    batches: Tensor


class Batch(NamedTuple):
    """
    Images to train on: uint8 (N, 3, H, W) RGB, and labels uint8 (N, H, W), 255 not labelled.

    ``taught`` is a teacher's answer, uint8 (N, H, W) as in ``Sample.taught``, if there is one.
    """

    images: Tensor
    labels: Tensor
    taught: Tensor | None
    window: Window


def window_of(labels: Tensor, taught: Tensor | None = None) -> Window:
    """Return the window of a single batch."""
    labelled = torch.bincount(labels.flatten(), minlength=IGNORE + 1)[:IGNORE]
    answers = torch.tensor(0) if taught is None else (taught != IGNORE).sum()
    return Window(labelled, answers, torch.tensor(1))


def collate(views: Sequence[tuple[Tensor, ...]]) -> Batch:
    """Return a batch of views, its pixels counted, as workers do it."""
    if next(_BATCHES) % TRIMMED_EVERY == 0:
        # Between the buffers of images that come and go, glibc keeps 50 MB more in every epoch.
        give_back()
    images, labels, *taught = zip(*views, strict=True)
    stacked = torch.stack([label.byte() for label in labels])
    answers = torch.stack(taught[0]) if taught else None
    return Batch(torch.stack(images), stacked, answers, window_of(stacked, answers))


class WindowLoader(DataLoader[Batch]):
    """
    Load batches, each with the window of ``accumulate`` batches that it belongs to.

    The last window of an epoch has the batches that are left.
    """

    def __init__(self, samples: Dataset[Any], accumulate: int, **options: Any) -> None:
        super().__init__(samples, collate_fn=collate, **options)
        self._accumulate = accumulate

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        """Yield the batches of an epoch."""
        waiting: list[Batch] = []
        for batch in super().__iter__():
            waiting.append(batch)
            if len(waiting) == self._accumulate:
                yield from _joined(waiting)
                waiting = []
        yield from _joined(waiting)


def _joined(batches: Sequence[Batch]) -> Iterator[Batch]:
    """Yield batches with the window that they form."""
    window = [torch.stack(counts).sum(dim=0)
              for counts in zip(*(batch.window for batch in batches), strict=True)]
    for batch in batches:
        yield batch._replace(window=Window(*window))
