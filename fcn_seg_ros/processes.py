# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the package's child processes start: command, environment, and ending with the parent."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
import tempfile
from collections.abc import Mapping, MutableMapping

from fcn_seg_ros.resources import PACKAGE_DIR

# In memory; often writable when nothing else is.
SHARED_MEMORY = '/dev/shm'
# The home that Debian gives to users without one.
NO_HOME = '/nonexistent'
# Arguments for rclpy.init.
WITHOUT_LOG = ('--ros-args', '--disable-external-lib-logs', '--')
_PR_SET_PDEATHSIG = 1
# The variable with the id of the first of the processes that train together.
_FIRST = 'FCN_SEG_FIRST_PROCESS'
# Loaded here, since nothing should be loaded between fork and exec.
_LIBC = ctypes.CDLL(None)
# Variables with a path that may be relative to the current folder.
_PATHS = ('FCN_SEG_CACHE',)


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of the package with this Python (see start.py)."""
    return [sys.executable, str(PACKAGE_DIR / 'start.py'), module, *arguments]


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """
    Return the environment for a child process, which may run in another folder.

    Empty entries of PYTHONPATH, which mean the current folder, are removed so that no module is
    imported from there. (Scripts that append to an empty variable leave such entries.)
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

    They give a user unknown to the system (a container run with --user) a name and a home, and
    place temporary files in shared memory if no other folder is writable (a read-only or full
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
    """Return why ROS cannot write log files, or ''; without them it refuses to start."""
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

    Returns whether ``parent`` is still the parent: it may have died already.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent


def is_first() -> bool:
    """Return whether this is the first, or the only one, of the processes that train together."""
    return not int(os.environ.get('RANK', os.environ.get('LOCAL_RANK', 0)))


def say(line: str) -> None:
    """Print a line at once; of the processes that train together only the first one speaks."""
    if is_first():
        print(line, flush=True)


def under_torchrun() -> bool:
    """Return whether torchrun started this process, which then looks after it."""
    return 'TORCHELASTIC_RUN_ID' in os.environ


def follow_first() -> None:
    """Have the processes that train together end with the first, which started the others."""
    if is_first():
        os.environ[_FIRST] = str(os.getpid())
    elif not under_torchrun() and not die_with(int(os.environ[_FIRST])):
        os._exit(1)


def _has_folder() -> bool:
    """Return whether the current folder still exists."""
    try:
        os.getcwd()
    except OSError:
        return False
    return True
