# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The interface of an inference backend, and the errors that backends raise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from fcn_seg_ros.errors import ComputeError, type_and_words

if TYPE_CHECKING:
    import numpy as np

# One camera has one image size; several cameras, or a bag with mixed images, have a few.
MAX_SHAPES = 4


class Backend(Protocol):
    """
    Runs an InferenceGraph on a device with one library.

    Calling it takes RGB images, uint8 (N, H, W, 3) with H and W multiples of 32, and returns
    round(255 P), a new uint8 array (N, H, W, K): K is 1 and P is P(road) for a two-class network,
    else P of each of the K classes. The first call for a shape may be slow (compilation); the
    latest MAX_SHAPES shapes stay compiled. ``device`` is ``cpu`` or ``cuda:N``, ``precision`` the
    one actually used, ``reason`` says why this backend was chosen. Raises BackendError if the
    library or the device fails. Not thread-safe.
    """

    name: str
    device: str
    precision: str
    reason: str

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Return the probabilities of every pixel in every image."""
        ...

    def close(self) -> None:
        """Free the device's memory; the backend cannot be used afterwards."""
        ...


@runtime_checkable
class ScalingBackend(Protocol):
    """A Backend that also scales and thresholds on its device, so transfers are small."""

    def run_scaled(self, images: Sequence[np.ndarray], size: tuple[int, int], tables: np.ndarray
                   ) -> np.ndarray:
        """
        Return masks and probabilities of images at their own size.

        ``images`` are RGB, uint8 (h, w, 3), all of one shape and not necessarily contiguous;
        ``size`` is the (height, width) of the network's input, multiples of 32; ``tables``, uint8
        (N, 256), maps levels to mask values, see ``mask_table`` (binary networks) and
        ``unknown_table`` (others). Returns new uint8 planes (M, N, h, w): the mask, round(255
        P(road)) and, with more than two classes (M = 3), round(255 P(the mask's class)). Equals
        scaling with ``resize_image`` before and after and thresholding as in ``postprocess``,
        except for rounding in the scaling.
        """
        ...


class BackendError(ComputeError):
    """
    A library or a device failed to compute a valid request.

    The text is one line with the backend, the device and the library's message.
    ``out_of_memory``: the device ran out of memory; a later call may succeed. ``lost``: the device
    fails all further calls of this process (a CUDA context does not recover), so only another
    device or a new process helps. Neither: only this call failed.
    """

    def __init__(self, message: str, out_of_memory: bool = False, lost: bool = False) -> None:
        super().__init__(message)
        self.out_of_memory = out_of_memory
        self.lost = lost


# Parts of messages of PyTorch, ONNX Runtime, OpenVINO, CUDA and the C++ library, in lower case.
_OUT_OF_MEMORY = ('out of memory', "can't allocate memory", 'cannot allocate memory',
                  'failed to allocate memory', 'not enough memory', 'bad_alloc', 'bad allocation')
_LOST = ('cuda error', 'cuda failure', 'illegal memory access', 'unspecified launch failure',
         'device-side assert', 'device is lost', 'cudnn_status_execution_failed',
         'cublas_status_execution_failed', 'no cuda-capable device')


@contextmanager
def library_errors(name: str, device: str, kinds: tuple[type[Exception], ...]
                   ) -> Iterator[None]:
    """Turn a library's exceptions (``kinds`` and MemoryError) into BackendError."""
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
