# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Measure what the node needs of /dev/shm, and what it leaves there.

    python benchmarks/measure_shared_memory.py stop --runs 20
    python benchmarks/measure_shared_memory.py kill --runs 20
    python benchmarks/measure_shared_memory.py images --size 64m

``stop`` and ``kill`` start the node again and again, end it by Ctrl-C or kill -9, and print what is
left in /dev/shm after each run, in MB, and after this process has left as well, which may have the
node's ports open; after Ctrl-C also how often the node is still listed a second later.
``images`` sends 100 best-effort images of 1242x375 at 10 Hz from a process with the shipped profile
to the node, which starts before or after it, and prints how many of them the node received. All
of it with a /dev/shm of its own (--size), for which the rights of root are needed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import source_tree
from node_client import Client, start_node, wait_for_end

IMAGES = 100
_INSIDE = 'FCN_SEG_OWN_SHARED_MEMORY'
# What a camera driver does, in a process of its own.
DRIVER = """
import sys, time
from fcn_seg_ros.dds import IMAGES, prepare_to_send
print(prepare_to_send(IMAGES), file=sys.stderr)
import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
rclpy.init()
node = rclpy.create_node('driver')
publisher = node.create_publisher(Image, 'camera/image_raw', QoSProfile(
    depth=5, reliability=ReliabilityPolicy.BEST_EFFORT))
image = Image(height=375, width=1242, step=3726, encoding='rgb8', data=bytes(1397250))
print('ready', flush=True)
while publisher.get_subscription_count() == 0:
    time.sleep(0.02)
time.sleep(2.0)
start = time.monotonic()
for number in range(int(sys.argv[1])):
    time.sleep(max(0.0, start + 0.1 * number - time.monotonic()))
    image.header.stamp.sec = number
    publisher.publish(image)
sys.stdin.readline()
"""


def left_mb() -> float:
    """Return the size of Fast DDS's files in shared memory."""
    return sum(path.stat().st_size for path in Path('/dev/shm').glob('*fastdds*')) / 2**20


def ends(number: int, runs: int) -> dict[str, Any]:
    """End the node by a signal again and again; return what is left each time."""
    client = Client(outputs=())
    before, left, listed = left_mb(), [], 0
    for _ in range(runs):
        node = start_node('-p', 'device:=cpu')
        client.messages.clear()
        client.until(lambda: 'active, nobody listens' in client.messages, 300.0)
        client.spin(2.5)  # as long as a lock is young
        node.send_signal(number)
        node.communicate()
        client.spin(1.0)
        listed += number != signal.SIGKILL and 'seg_node' in client.node.get_node_names()
        left.append(round(left_mb() - before, 2))
        print(left[-1], file=sys.stderr, flush=True)
    client.close()
    return {'signal': signal.Signals(number).name, 'runs': runs, 'left_mb': left,
            'left_at_end_mb': round(left_mb(), 2), 'listed_after_a_second': listed}


def images(driver_first: bool) -> dict[str, Any]:
    """Send images through the node; return how many it received."""
    client = Client(outputs=('mask',))
    # The client's own publisher would be a second camera.
    client.node.destroy_publisher(client.publishers.pop('camera'))
    processes: dict[str, subprocess.Popen[str]] = {}

    def start(name: str) -> None:
        if name == 'node':
            processes[name] = start_node('-p', 'device:=cpu')
            client.until(lambda: client.status.get('state') == 'active', 300.0)
        else:
            processes[name] = subprocess.Popen(
                [sys.executable, '-c', DRIVER, str(IMAGES)], cwd=source_tree.ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            processes[name].stdout.readline()
    for name in ('driver', 'node') if driver_first else ('node', 'driver'):
        start(name)
    client.until(lambda: client.status.get('reliability') == 'best_effort', 300.0)
    deadline = time.monotonic() + 4.0 * 0.1 * IMAGES + 10.0
    free = []
    while time.monotonic() < deadline and int(client.status['received']) < IMAGES:
        client.spin(0.5)
        status = os.statvfs('/dev/shm')
        free.append(status.f_bavail * status.f_frsize / 2**20)
    figures = {key: int(client.status[key]) for key in (
        'received', 'published', 'lost_before_node', 'missed_in_sequence')}
    processes['driver'].kill()
    processes['driver'].communicate()
    processes['node'].send_signal(signal.SIGINT)
    wait_for_end(processes['node'])
    client.close()
    return {'first': 'driver' if driver_first else 'node', 'sent': IMAGES, **figures,
            'least_free_mb': round(min(free), 1)}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=('stop', 'kill', 'images'))
    parser.add_argument('--runs', type=int, default=20)
    parser.add_argument('--size', default='64m')
    parser.add_argument('--first', choices=('node', 'driver'), help='only this order of starting')
    options = parser.parse_args()
    if options.what == 'images' and not options.first:
        # A process that was connected keeps the others' segments mapped: each order has its own.
        return max(subprocess.run([sys.executable, *sys.argv, '--first', first], check=False
                                  ).returncode for first in ('node', 'driver'))
    if _INSIDE not in os.environ:
        os.environ[_INSIDE] = '1'
        mount = f'mount -t tmpfs -o size={options.size} tmpfs /dev/shm && exec "$@"'
        os.execvp('unshare', ['unshare', '-m', 'sh', '-c', mount, 'sh', sys.executable, *sys.argv])
    if options.what == 'images':
        print(json.dumps(images(options.first == 'driver')), flush=True)
    else:
        number = signal.SIGINT if options.what == 'stop' else signal.SIGKILL
        print(json.dumps(ends(number, options.runs)), flush=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
