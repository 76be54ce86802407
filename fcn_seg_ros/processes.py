# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Starting the package's child processes: command, environment, and death with the parent."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
import tempfile
from collections.abc import Mapping, MutableMapping

from fcn_seg_ros.resources import PACKAGE_DIR

# In memory, and often writable when nothing else is.
SHARED_MEMORY = '/dev/shm'
# The home that Debian gives to users without one.
NO_HOME = '/nonexistent'
# Arguments for rclpy.init.
WITHOUT_LOG = ('--ros-args', '--disable-external-lib-logs', '--')
_PR_SET_PDEATHSIG = 1
# Loaded here, as nothing should be loaded between fork and exec.
_LIBC = ctypes.CDLL(None)
# Variables with a path that may be relative to the current folder.
_PATHS = ('FCN_SEG_CACHE',)


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the package with this Python (see start.py)."""
    return [sys.executable, str(PACKAGE_DIR / 'start.py'), module, *arguments]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """
    Return the environment for a child process, which may run in another folder.

    PYTHONPATH loses its empty entries, which stand for the current folder (scripts that append to
    an empty variable leave them), so that no module is imported from there.
    """
    here = os.path.abspath(os.curdir) if _has_folder() else ''
    path = [entry if os.path.isabs(entry) else os.path.join(here, entry)
            for entry in environ.get('PYTHONPATH', '').split(os.pathsep)
            if os.path.normpath(entry) != os.curdir]
    child = dict(environ) | {'PYTHONPATH': os.pathsep.join(path), 'PYTHONSAFEPATH': '1'}
    child |= {name: os.path.join(here, child[name]) for name in _PATHS if child.get(name)}
    settle(child)
    return child


def settle(environ: MutableMapping[str, str] = os.environ) -> None:
    """
    Set the variables without which libraries such as PyTorch and rclpy fail.

    These are a name and a home for a user unknown to the system (a container run with --user), and
    shared memory as the folder for temporary files if no other is writable (a read-only or full
    disk).
    """
    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        home = NO_HOME
        environ.setdefault('USER', str(os.geteuid()))
    if not environ.get('HOME'):
        environ['HOME'] = home
    try:
        tempfile.gettempdir()
    except OSError:
        environ['TMPDIR'] = SHARED_MEMORY


def log_fault(environ: Mapping[str, str] = os.environ) -> str:
    """Return why ROS cannot write log files, without which it refuses to start, or ''."""
    home = environ.get('ROS_HOME') or os.path.join(environ.get('HOME', ''), '.ros')
    folder = os.path.expanduser(environ.get('ROS_LOG_DIR') or os.path.join(home, 'log'))
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return ''
    except OSError as error:
        return f'{folder} cannot be written to ({error.strerror})'


def die_with(parent: int) -> bool:
    """
    Have the kernel kill this process when the thread that started it ends.

    Returns whether ``parent`` still is the parent: it may have died before.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def _has_folder() -> bool:
    """Return whether the current folder exists: it may have been removed."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True
