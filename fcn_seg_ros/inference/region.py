# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The region of interest, and the part of the image that the network gets for it."""

from __future__ import annotations

from dataclasses import dataclass

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.preprocess import network_size
from fcn_seg_ros.models.checkpoint_info import STRIDE


@dataclass(frozen=True)
class Region:
    """
    A rectangle in image pixels, like sensor_msgs/RegionOfInterest.

    Raises InputError for an empty rectangle or negative coordinates.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        """Refuse an empty region or negative coordinates."""
        if min(self.x, self.y) < 0 or min(self.width, self.height) < 1:
            raise InputError('region_of_interest: expected x and y of at least 0, width and '
                             f'height of at least 1, found {self}')

    def __str__(self) -> str:
        """Return the region as text for messages."""
        return f'{self.width}x{self.height} at x {self.x}, y {self.y}'

    @property
    def shape(self) -> tuple[int, int]:
        """Return (height, width)."""
        return self.height, self.width

    def slices(self, x: int = 0, y: int = 0) -> tuple[slice, slice]:
        """Return its rows and columns in an array whose first pixel is at (x, y)."""
        return (slice(self.y - y, self.y - y + self.height),
                slice(self.x - x, self.x - x + self.width))


@dataclass(frozen=True)
class Plan:
    """
    How one image goes through the network.

    The pixels of ``window``, which contains ``region``, are scaled to ``size``, the (height,
    width) of the network's input. ``shape`` is the (height, width) of the image.
    """

    shape: tuple[int, int]
    region: Region
    window: Region
    size: tuple[int, int]


def make_plan(height: int, width: int, network_height: int, region: Region | None = None) -> Plan:
    """
    Return how an image of (height, width) pixels, or its region, goes through the network.

    A region is scaled as the whole image would be at ``network_height``, the scale at which the
    network was trained. Since the input's sides are multiples of the network's stride, the window
    is the region enlarged to fill them, which adds context at no cost. Raises InputError for a
    region that is not entirely in the image, and for an absurd size.
    """
    whole = Region(0, 0, width, height)
    rows, columns = network_size(height, width, network_height)
    if region is None:
        return Plan((height, width), whole, whole, (rows, columns))
    if region.x + region.width > width or region.y + region.height > height:
        raise InputError(f'region_of_interest: expected a region in the image of {width}x{height}, '
                         f'found {region}')
    y, window_height, size_y = _fill_stride(region.y, region.height, height, rows)
    x, window_width, size_x = _fill_stride(region.x, region.width, width, columns)
    return Plan((height, width), region, Region(x, y, window_width, window_height),
                (size_y, size_x))


def _fill_stride(start: int, length: int, image: int, network: int) -> tuple[int, int, int]:
    """Return the window's start and length along one axis, and its length in the input."""
    # In integers, so that a region as long as the image is not rounded up beyond it.
    scaled = -(-length * network // (image * STRIDE)) * STRIDE
    window = max(length, round(scaled * image / network))
    middle = start - (window - length) // 2
    return min(max(0, middle), image - window), window, scaled
