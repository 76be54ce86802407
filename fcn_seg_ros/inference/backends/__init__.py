# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backends: where and how the network runs, and which of them fits this machine."""

from fcn_seg_ros.inference.backends.base import Backend, BackendError, ScalingBackend
from fcn_seg_ros.inference.backends.hardware import resolve_device
from fcn_seg_ros.inference.backends.registry import (
    PRECISIONS,
    BackendRow,
    available_backends,
    backend_names,
    list_backends,
    make_backend,
    open_network,
    register_backend,
)

__all__ = ['PRECISIONS', 'Backend', 'BackendError', 'BackendRow', 'ScalingBackend',
           'available_backends', 'backend_names', 'list_backends', 'make_backend',
           'open_network', 'register_backend', 'resolve_device']
