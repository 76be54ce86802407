# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Record what is needed to repeat a run, in addition to its configuration."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import torch

from fcn_seg_ros import __version__
from fcn_seg_ros.files import write_file
from fcn_seg_ros.resources import PACKAGE_DIR
from fcn_seg_ros.versions import installed_versions

STARTS_FILE = 'starts.yaml'
_PACKAGES = ('torch', 'torchvision', 'lightning', 'numpy', 'opencv-python-headless')


def note_start(out: Path, processes: int) -> None:
    """
    Add this start of a run, or of its resumption, to ``out/starts.yaml``.

    An entry has the command line and its folder, the time, the commit of the package's source tree
    (``changed`` if files differ from it), versions, the device and the number of processes.
    """
    import yaml
    commit, changed = git_commit(), bool(_git('status', '--porcelain', '--untracked-files=no'))
    start = {
        'command': shlex.join(sys.orig_argv), 'folder': os.getcwd(),
        'time': datetime.now(timezone.utc).isoformat(timespec='seconds'),
        'commit': commit, 'changed': changed,
        'versions': {'fcn_seg_ros': __version__, 'python': platform.python_version(),
                     **dict.fromkeys(_PACKAGES, 'none'), **installed_versions(_PACKAGES)},
        'device': torch.cuda.get_device_name() if torch.cuda.is_available() else 'cpu',
        'processes': processes, 'threads': torch.get_num_threads()}
    path = out / STARTS_FILE
    earlier = path.read_bytes() if path.is_file() else b''
    write_file(path, earlier + yaml.safe_dump([start], sort_keys=False, width=1000).encode())


def git_commit() -> str:
    """Return the commit of the source tree, or '' outside of one."""
    return _git('rev-parse', '--short=12', 'HEAD')


def _git(*arguments: str) -> str:
    try:
        result = subprocess.run(['git', *arguments], cwd=PACKAGE_DIR, capture_output=True,
                                text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ''
    return result.stdout.strip()
