# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How the package's processes find each other, and exchange images of more than 0.5 MB."""

from __future__ import annotations

import fcntl
import os
import re
import socket
import time
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from fcn_seg_ros.resources import share_file

NEW_VARIABLE = 'FASTDDS_DEFAULT_PROFILES_FILE'
# What Fast DDS 2 reads. Fast DDS 3 (Kilted and later) prints a warning where it is set.
OLD_VARIABLE = 'FASTRTPS_DEFAULT_PROFILES_FILE'
OLD_DISTRIBUTIONS = ('humble', 'iron', 'jazzy')
USER_VARIABLES = (NEW_VARIABLE, OLD_VARIABLE, 'FASTDDS_BUILTIN_TRANSPORTS')


def use_shipped_profile(environ: MutableMapping[str, str] | None = None) -> bool:
    """
    Point Fast DDS to ``config/fastdds.xml``, unless the user configured its transports.

    To be called before ``rclpy.init``, which reads the variables. Other middlewares ignore them.
    Returns whether the shipped profile is in use now. Raises InputError where the installation
    lacks the file.
    """
    environ = os.environ if environ is None else environ
    if any(environ.get(name) for name in USER_VARIABLES):
        return False
    path = str(share_file('config/fastdds.xml'))
    environ[NEW_VARIABLE] = path
    if environ.get('ROS_DISTRO') in OLD_DISTRIBUTIONS:
        environ[OLD_VARIABLE] = path
    return True


def use_private_domain(environ: MutableMapping[str, str] | None = None) -> str:
    """
    Keep what starts from here apart from other ROS systems, and return its domain.

    Unless the user chose a ROS_DOMAIN_ID, one is picked in which nobody on this machine is, from
    the process id on; unless the user chose otherwise, nothing leaves this machine.
    """
    environ = os.environ if environ is None else environ
    environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    if environ.get('ROS_DISTRO') == 'humble':
        environ.setdefault('ROS_LOCALHOST_ONLY', '1')
    if not environ.get('ROS_DOMAIN_ID'):
        candidates = ((os.getpid() + offset) % 100 + 1 for offset in range(100))
        environ['ROS_DOMAIN_ID'] = str(next(filter(_is_free, candidates), 1))
    return environ['ROS_DOMAIN_ID']


def _is_free(domain: int) -> bool:
    """Tell whether no process here has a domain's first discovery port (DDSI-RTPS 9.6.1.1)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', 7400 + 250 * domain + 10))
        except OSError:
            return False
    return True


def remove_stale_segments(folder: Path = Path('/dev/shm'), older_than_s: float = 10.0) -> int:
    """
    Remove the shared memory of Fast DDS processes that were killed; return how many segments.

    Such a process leaves up to 32 MB behind each time, and a container has 64 MB by default: once
    it is full, images travel as UDP fragments and get lost. This does what ``fastdds shm clean``
    does: a segment belongs to nobody if the lock file beside it can be locked. Younger files are
    left alone, as their owner may be just about to lock them.
    """
    removed = 0
    for lock in folder.glob('fastdds_*_el'):
        with suppress(OSError):
            if (re.fullmatch('fastdds_[0-9a-f]{16}_el', lock.name)
                    and time.time() - lock.stat().st_mtime > older_than_s):
                with lock.open('ab') as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # OSError: it is in use
                    lock.with_name(lock.name.removesuffix('_el')).unlink(missing_ok=True)
                    lock.unlink()
                    removed += 1
    return removed
