# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Find the package's own files: checkpoints, configuration, DDS profile."""

import os
from pathlib import Path

from fcn_seg_ros.errors import InputError

PACKAGE_DIR = Path(__file__).resolve().parent
# The packaged checkpoints by name.
CHECKPOINTS = {'open': 'open.safetensors', 'general': 'general.safetensors'}
DEFAULT_CHECKPOINT = 'open'
CHECKPOINT_WORDS = f'checkpoint file, or a packaged checkpoint by name: {", ".join(CHECKPOINTS)}'


def default_checkpoint() -> Path:
    """Return the path of the packaged default checkpoint."""
    return find_checkpoint(DEFAULT_CHECKPOINT)


def find_checkpoint(given: str | Path | None) -> Path:
    """
    Return the file for a name in CHECKPOINTS or a path; for None or '' the default checkpoint.

    A file with the name of a packaged checkpoint must be given as ``./general``. Raises InputError
    for a word that is neither a name nor a file; other paths are not checked.
    """
    text = str(given or DEFAULT_CHECKPOINT)
    if text in CHECKPOINTS:
        return PACKAGE_DIR / 'data' / CHECKPOINTS[text]
    path = Path(os.path.expanduser(text))
    if path.name == text and not path.suffix and not os.path.exists(path):
        raise InputError(f'checkpoint: expected a file or one of the names '
                         f'{", ".join(CHECKPOINTS)}, found {text[:100]!r}')
    return path


def share_file(relative: str) -> Path:
    """
    Return a file of the package's share directory, such as ``config/seg.yaml``.

    The source tree is searched first (if the code runs from there, or from a symlink install), then
    ``share/fcn_seg_ros`` in the installation prefix, where colcon and pip put the file. Raises
    InputError if it is in neither.
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
