# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A node that looks like seg_node from outside and goes wrong on demand.

For the faults that the real node must not have: the demo has to notice each of them. It calls
road what is brighter than 100, and takes the fault's name as its first argument.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

import cv2
import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import Image

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.messages import from_image, to_header, to_mono8, to_rgb8

FAULTS = ('none', 'dies', 'miscounts', 'wrong_header', 'silent', 'never_active', 'stuck')


class StandIn(Node):
    """Thresholds every image."""

    def __init__(self, fault: str) -> None:
        """Join the graph."""
        super().__init__('seg_node')
        self.declare_parameter('cameras', ['camera'])
        self.fault = fault
        self.received = 0
        self.published = 0
        self.outputs = {name: self.create_publisher(Image, f'camera/road/{name}', 5)
                        for name in ('mask', 'overlay')}
        self.diagnostics = self.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self.create_subscription(Image, 'camera/image_raw', self.on_image, 5)
        self.create_timer(0.2, self.beat)

    def on_image(self, message: Image) -> None:
        """Publish mask and overlay."""
        self.received += 1
        if self.fault == 'dies' and self.received == 3:
            print('seg_node: out of tarmac', file=sys.stderr, flush=True)
            os._exit(7)
        if self.fault == 'silent':
            return
        rgb = from_image(message)
        mask = (cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY) > 100).astype(np.uint8)
        header = message.header
        if self.fault == 'wrong_header' and self.received == 3:
            header = to_header(5, 'elsewhere')
        self.outputs['mask'].publish(to_mono8(mask, header))
        self.outputs['overlay'].publish(to_rgb8(rgb // 2 + 100 * mask[:, :, None], header))
        self.published += 1

    def beat(self) -> None:
        """Publish diagnostics."""
        unheard = self.received - self.published
        values = {keys.STATE: 'configuring' if self.fault == 'never_active' else 'active',
                  keys.RECEIVED: self.received + (self.fault == 'miscounts'),
                  keys.PUBLISHED: self.published, keys.IN_FLIGHT: 0,
                  keys.dropped('replaced'): 0, keys.dropped('error'): unheard,
                  keys.stage_time('segment', 'p50'): '1.5',
                  keys.stage_time('segment', 'p95'): '2.5', keys.BACKEND: 'threshold',
                  keys.DEVICE: 'cpu', keys.PRECISION: 'uint8', keys.NETWORK_SIZE: '1242x375'}
        status = DiagnosticStatus(name='seg_node: camera', values=[
            KeyValue(key=key, value=str(value)) for key, value in values.items()])
        self.diagnostics.publish(DiagnosticArray(status=[status]))


def main() -> None:
    """Run until told to stop."""
    fault = sys.argv[1]
    rclpy.init()
    node = StandIn(fault)
    with suppress(ExternalShutdownException, KeyboardInterrupt):
        rclpy.spin(node)
    if fault == 'stuck':
        threading.Event().wait()  # as a driver that does not come back


if __name__ == '__main__':
    main()
