# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backends: where and how the network runs, and which of them fits this machine."""

from fcn_seg_ros.inference.backends.base import Backend, BackendError, ScalingBackend
from fcn_seg_ros.inference.backends.choose import (
    BACKENDS,
    PRECISIONS,
    available_backends,
    make_backend,
)
from fcn_seg_ros.inference.backends.hardware import resolve_device

__all__ = ['BACKENDS', 'PRECISIONS', 'Backend', 'BackendError', 'ScalingBackend',
           'available_backends', 'make_backend', 'resolve_device']
