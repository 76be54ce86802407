# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface of an inference backend, and the errors that all of them raise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from fcn_seg_ros.errors import type_and_words

if TYPE_CHECKING:
    import numpy as np

# A camera has one image size; several cameras or a bag of mixed images have a few.
MAX_SHAPES = 4


class Backend(Protocol):
    """
    Runs InferenceGraph somewhere.

    Calling it takes RGB images, uint8 (N, H, W, 3) with H and W multiples of 32, and returns
    round(255 P), uint8 (N, H, W, K), in an array that is the caller's: K is 1 and P that of the
    road for a two-class network, else P of each of K classes. The first call of a shape may take
    long (compilation); the latest MAX_SHAPES shapes are kept ready. ``device`` is ``cpu`` or
    ``cuda:N``, ``precision`` what is really computed in, ``reason`` why this backend was chosen.
    Raises BackendError where the library or the device fails. One thread at a time.
    """

    name: str
    device: str
    precision: str
    reason: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities of every pixel of every image."""
        ...

    def close(self) -> None:
        """Give back the memory of the device; the backend is of no use afterwards."""
        ...


@runtime_checkable
class ScalingBackend(Protocol):
    """A Backend that also scales and decides on its device: only 8-bit camera images cross over."""

    def run_scaled(self, images: Sequence[np.ndarray], size: tuple[int, int], tables: np.ndarray
                   ) -> np.ndarray:
        """
        Return masks and probabilities of images at their own size.

        ``images`` are RGB, uint8 (h, w, 3), all of one shape and not necessarily contiguous;
        ``size`` is the (height, width) of the network's input, multiples of 32; ``tables``, uint8
        (N, 256), says what becomes of each level: ``mask_table`` for a binary network,
        ``unknown_table`` for others. Returns uint8 (M, N, h, w), planes that are the caller's: the
        mask, round(255 P(road)) and, where there are more than two classes (M = 3), that of the
        mask's class. The same as scaling with ``resize_image`` before and after and deciding with
        ``postprocess``, give or take the rounding of the scaling.
        """
        ...


class BackendError(RuntimeError):
    """
    A library or a device could not compute what it was rightly asked for.

    The text is one line with the backend, the device and the library's own words.
    ``out_of_memory``: the device's memory did not suffice; a later call may succeed. ``lost``: the
    device fails every further call of this process (a CUDA context does not recover), so only
    another device or a new process helps. Neither: this one call failed.
    """

    def __init__(self, message: str, out_of_memory: bool = False, lost: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory
        self.lost = lost


# What PyTorch, ONNX Runtime, OpenVINO, CUDA and the C++ library say, in lower case.
_OUT_OF_MEMORY = ('out of memory', "can't allocate memory", 'cannot allocate memory',
                  'failed to allocate memory', 'not enough memory', 'bad_alloc', 'bad allocation')
_LOST = ('cuda error', 'cuda failure', 'illegal memory access', 'unspecified launch failure',
         'device-side assert', 'device is lost', 'cudnn_status_execution_failed',
         'cublas_status_execution_failed', 'no cuda-capable device')


@contextmanager
def library_errors(name: str, device: str, kinds: tuple[type[Exception], ...]
                   ) -> Iterator[None]:
    """Turn what a library raises, ``kinds`` or MemoryError, into BackendError."""
    caught: tuple[type[Exception], ...] = (*kinds, MemoryError)
    try:
        yield
    except BackendError:
        raise
    except caught as error:
        lower = f'{type(error).__name__}: {error}'.lower()
        out_of_memory = (isinstance(error, MemoryError)
                         or any(phrase in lower for phrase in _OUT_OF_MEMORY))
        lost = (not out_of_memory and device != 'cpu'
                and any(phrase in lower for phrase in _LOST))
        raise BackendError(f'{name} on {device}: {type_and_words(error)}', out_of_memory,
                           lost) from error
