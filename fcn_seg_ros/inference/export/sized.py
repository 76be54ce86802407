# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The graph of an exported file, which checks the image's size, as no segmenter chooses it."""

from __future__ import annotations

from torch import Tensor, nn

from fcn_seg_ros.inference.graph import InferenceGraph


class SizedGraph(nn.Module):
    """
    An InferenceGraph that refuses images whose sides are not multiples of the stride.

    Strided layers round such sizes, so a side of one pixel more or less could give an answer of
    another size than the image. Reshaping the answer to the image's size fails then, in every
    runtime, and costs nothing otherwise.
    """

    def __init__(self, graph: InferenceGraph) -> None:
        super().__init__()
        self.inner = graph

    def forward(self, images: Tensor) -> Tensor:
        """Return the probabilities of every pixel, 0 to 255."""
        levels: Tensor = self.inner(images)
        return levels.reshape(images.shape[0], images.shape[1], images.shape[2], levels.shape[3])
