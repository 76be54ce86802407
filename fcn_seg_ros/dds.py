# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""DDS settings: discovery, and transport of images above 0.5 MB."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from dataclasses import dataclass

from fcn_seg_ros.resources import share_file
from fcn_seg_ros.shared_memory import check_room, remove_stale

NEW_VARIABLE = 'FASTDDS_DEFAULT_PROFILES_FILE'
# What Fast DDS 2 reads. Fast DDS 3 (Kilted and later) prints a warning where it is set.
OLD_VARIABLE = 'FASTRTPS_DEFAULT_PROFILES_FILE'
OLD_DISTRIBUTIONS = ('humble', 'iron', 'jazzy')
_FAST_DDS = 'rmw_fastrtps'
TRANSPORTS_VARIABLE = 'FASTDDS_BUILTIN_TRANSPORTS'


@dataclass(frozen=True)
class Profile:
    """
    A shipped Fast DDS profile, and the size of its shared-memory segment.

    A camera and a node fit in a container's 64 MB, even if one of them was killed and left its
    segment.
    """

    file: str
    segment_bytes: int


# Seventeen of 1242x375 rgb8, three of 1920x1080.
IMAGES = Profile('config/fastdds.xml', 24 * 2**20)
# All outputs for three images of 1242x375.
MASKS = Profile('config/fastdds_node.xml', 16 * 2**20)


def use_shipped_profile(environ: MutableMapping[str, str] | None = None,
                        profile: Profile = IMAGES) -> bool:
    """
    Make Fast DDS use a profile of this package, unless the user configured its transports.

    Call it before ``rclpy.init``, which reads the variables; other middlewares ignore them. Returns
    whether the profile is in use now. Raises InputError if the installation lacks the file.
    """
    environ = os.environ if environ is None else environ
    shipped = ['', *(str(share_file(each.file)) for each in (IMAGES, MASKS))]
    if environ.get(TRANSPORTS_VARIABLE) or any(environ.get(name, '') not in shipped
                                               for name in (NEW_VARIABLE, OLD_VARIABLE)):
        return False
    path = str(share_file(profile.file))
    environ[NEW_VARIABLE] = path
    if environ.get('ROS_DISTRO') in OLD_DISTRIBUTIONS:
        environ[OLD_VARIABLE] = path
    return True


def prepare_to_send(profile: Profile) -> str:
    """
    Prepare Fast DDS in this process for sending; call it before ``rclpy.init``.

    Removes the shared memory of dead processes, and uses the profile unless the user configured the
    transports. Returns '', or one line that says why images go over UDP instead. Does nothing if
    the user chose another middleware.
    """
    if not os.environ.get('RMW_IMPLEMENTATION', _FAST_DDS).startswith(_FAST_DDS):
        return ''
    remove_stale()
    problem = check_room(profile.segment_bytes)
    if not use_shipped_profile(profile=profile) or not problem:
        return ''
    for name in (NEW_VARIABLE, OLD_VARIABLE):
        os.environ.pop(name, None)
    os.environ[TRANSPORTS_VARIABLE] = 'UDPv4'
    return problem


def use_private_domain(environ: MutableMapping[str, str] | None = None) -> str:
    """
    Isolate this process and its children from other ROS systems, and return their domain.

    Unless the user set ROS_DOMAIN_ID, a domain is chosen that nobody on this machine uses. Unless
    the user set a discovery range, discovery is limited to this machine.
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
    """Return whether no process here holds a domain's first discovery port (DDSI-RTPS 9.6.1.1)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', 7400 + 250 * domain + 10))
        except OSError:
            return False
    return True
