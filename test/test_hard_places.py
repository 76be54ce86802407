# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Masks in a container at its hardest: a user without a name or a home, a disk that takes nothing.

Tried for real, in a mount namespace of its own; that needs root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import pytest
from node_client import Client, image_message, wait_for_end

from fcn_seg_ros.inference.segmenter import RoadSegmenter
from fcn_seg_ros.messages import from_image
from fcn_seg_ros.resources import PACKAGE_DIR, default_checkpoint

USER = 12345
# $1: a folder that stays writable; what follows is the command. /mnt is a full disk, and all others
# but shared memory are read-only. The capability is for a Python that lies in root's home.
SCRIPT = f"""
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount -t tmpfs -o size=64k tmpfs /mnt
head -c 65536 /dev/zero > /mnt/full
mount -o remount,bind,ro /
cd /
shift
exec setpriv --reuid {USER} --regid {USER} --clear-groups --inh-caps=+dac_read_search \
    --ambient-caps=+dac_read_search "$@"
"""


def can_be_made() -> bool:
    if os.geteuid() != 0 or not all(map(shutil.which, ('unshare', 'setpriv'))):
        return False
    return subprocess.run(['unshare', '-m', 'mount', '--make-rprivate', '/'],
                          capture_output=True, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_be_made(), reason='only root, with unshare and setpriv, '
                                'can make a read-only disk for one process')


def start(writable: Path, command: Sequence[str], temporary: str) -> subprocess.Popen[str]:
    """Start a command in the hard place."""
    writable.chmod(0o777)
    environ = {name: value for name, value in os.environ.items()
               if name not in ('HOME', 'USER', 'LOGNAME', 'FCN_SEG_CACHE', 'XDG_CACHE_HOME')}
    path = os.pathsep.join(filter(None, (str(PACKAGE_DIR.parent), os.environ.get('PYTHONPATH'))))
    environ |= {'TMPDIR': temporary, 'PYTHONPATH': path, 'PYTHONDONTWRITEBYTECODE': '1'}
    return subprocess.Popen(['unshare', '-m', 'sh', '-c', SCRIPT, 'sh', str(writable), *command],
                            env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize('temporary', ['/mnt', '/nowhere'], ids=['full', 'missing'])
def test_segment(tmp_path, rendered_frames, temporary):
    """Nothing is in a cache, so another process converts the network."""
    images, out = tmp_path / 'images', tmp_path / 'out'
    images.mkdir()
    out.mkdir()
    image = rendered_frames[0].image
    cv2.imwrite(str(images / 'a.png'), image[..., ::-1])
    process = start(out, [sys.executable, '-m', 'fcn_seg_ros', 'segment', str(images),
                          '--mask', str(out / 'masks'), '--device', 'cpu'], temporary)
    output = wait_for_end(process, 600.0)
    assert process.returncode == 0, output
    assert 'PyTorch' not in output  # that this process had to load
    mask = cv2.imread(str(out / 'masks' / 'a.png'), cv2.IMREAD_GRAYSCALE)
    expected = RoadSegmenter(default_checkpoint(), 'cpu').segment(image).mask
    assert (mask == expected).all() and expected.any()


def test_node(tmp_path, rendered_frames, monkeypatch):
    # Segments of shared memory would belong to another user than the test's. With the discovery
    # range LOCALHOST, rmw_fastrtps adds shared memory whatever this variable says.
    monkeypatch.setenv('FASTDDS_BUILTIN_TRANSPORTS', 'UDPv4')
    monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'SUBNET')
    node = start(tmp_path, [sys.executable, '-m', 'fcn_seg_ros', 'seg_node', '--ros-args', '-p',
                            'precision:=int8', '-p', 'device:=cpu'], '/mnt')
    try:
        client = Client(outputs=['mask'])
        try:
            client.connect()
            image = rendered_frames[0].image
            mask = client.exchange(image_message(image, 5))['mask']
        finally:
            client.close()
    finally:
        node.send_signal(2)
        output = wait_for_end(node, 30.0)
    expected = RoadSegmenter(default_checkpoint(), 'cpu', 'int8').segment(image).mask
    assert (from_image(mask) == expected).all() and expected.any()
    assert 'no log file: /nonexistent/.ros/log cannot be written to' in output
    assert 'Traceback' not in output and node.returncode == 0, output
