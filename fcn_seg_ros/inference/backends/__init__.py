# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Backends, which run the network, and the choice of one for this machine."""

from fcn_seg_ros.inference.backends.base import Backend, BackendError, ScalingBackend
from fcn_seg_ros.inference.backends.hardware import resolve_device
from fcn_seg_ros.inference.backends.registry import (
    PRECISIONS,
    available_backends,
    backend_names,
    list_backends,
    make_backend,
    open_network,
    register_backend,
)
from fcn_seg_ros.inference.backends.row import BackendRow

__all__ = ['PRECISIONS', 'Backend', 'BackendError', 'BackendRow', 'ScalingBackend',
           'available_backends', 'backend_names', 'list_backends', 'make_backend',
           'open_network', 'register_backend', 'resolve_device']
