# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Where the package's own files lie: checkpoint, configuration, DDS profile."""

from pathlib import Path

from fcn_seg_ros.errors import InputError

PACKAGE_DIR = Path(__file__).resolve().parent


def default_checkpoint() -> Path:
    """Return the path of the packaged default checkpoint (package data, so no colcon needed)."""
    return PACKAGE_DIR / 'data' / 'fcn8s_mobilenet_v2.safetensors'


def share_file(relative: str) -> Path:
    """
    Return a file of the package's share directory, such as ``config/seg.yaml``.

    It is looked for in the source tree (when the code runs from there, or from a symlink
    install), then in the ``share/fcn_seg_ros`` of the prefix that holds the package, which is
    where both colcon and pip put it. Raises InputError where it is in neither.
    """
    source_tree = PACKAGE_DIR.parent
    candidates = [source_tree] if (source_tree / 'package.xml').is_file() else []
    candidates += [parent / 'share' / 'fcn_seg_ros' for parent in PACKAGE_DIR.parents]
    for root in candidates:
        if (root / relative).is_file():
            return root / relative
    raise InputError(
        f'{relative}: expected in the share directory of fcn_seg_ros, found neither beside '
        f'{source_tree} nor in a share/fcn_seg_ros above it; build or install the package again')
