# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Start seg_node as a process, and a client that talks to it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import parameter_value_to_python
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.dds import use_private_domain
from fcn_seg_ros.drives.recording import NodeCounts
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.messages import to_header, to_rgb8
from fcn_seg_ros.node.outputs import registry

# For the scripts; the tests are in one already (conftest).
DOMAIN = int(use_private_domain())
OUTPUTS = {row.name: row.message for row in registry.OUTPUTS.values()
           if row.per_frame and not row.shared and row.message is not None}
# Those that need no pose of the camera.
IN_PIXELS = tuple(name for name in OUTPUTS if 'ground' not in registry.OUTPUTS[name].needs)
CONFIGURE, CLEANUP, ACTIVATE, DEACTIVATE = 1, 2, 3, 4
# The backend that starts fastest, with results that do not depend on the number of cores.
FAST = ('-p', 'backend:=torch', '-p', 'precision:=fp32', '-p', 'device:=cpu', '-p', 'threads:=1')
# The packaged network in int8, which starts without PyTorch and without a cache.
PACKAGED = ('-p', 'device:=cpu', '-p', 'precision:=int8')
# For an overloaded machine: usually a fraction of it is enough.
PATIENCE_S = 120.0


def start_node(*arguments: str, fault: str = '') -> subprocess.Popen[str]:
    """Start seg_node with ROS arguments; ``fault`` is Python code that runs before its main."""
    run = ['-m', 'fcn_seg_ros', 'seg_node']
    if fault:
        run = ['-c', f'import sys, threading; {fault}; from fcn_seg_ros.cli.seg_node import main; '
                     'sys.exit(main(sys.argv[1:]))']
    return subprocess.Popen(
        [sys.executable, *run, '--ros-args', *arguments],
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def wait_for_end(node: subprocess.Popen[str], seconds: float = PATIENCE_S) -> str:
    """Wait until a node has exited and return its output; kill it after ``seconds``."""
    try:
        return ''.join(node.communicate(timeout=seconds))
    except subprocess.TimeoutExpired:
        node.kill()
        raise AssertionError(''.join(node.communicate())) from None


@contextmanager
def running(*arguments: str, fault: str = '') -> Iterator[subprocess.Popen[str]]:
    """Run a node as ``start_node`` does; afterwards it must exit cleanly on SIGINT."""
    node = start_node(*arguments, fault=fault)
    try:
        yield node
    except BaseException:
        node.kill()
        print(''.join(node.communicate()))
        raise
    node.send_signal(2)
    output = wait_for_end(node, 20.0)
    assert node.returncode == 0 and 'Traceback' not in output, output


class Client:
    """Publishes images of one or more cameras to a node and keeps the outputs."""

    def __init__(self, *cameras: str, outputs: Sequence[str] = IN_PIXELS) -> None:
        self.cameras = cameras or ('camera',)
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node('client', context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.publishers = {camera: self.node.create_publisher(Image, f'{camera}/image_raw', 1)
                           for camera in self.cameras}
        self.infos = {camera: self.node.create_publisher(CameraInfo, f'{camera}/camera_info', 1)
                      for camera in self.cameras}
        self.got: dict[str, dict[str, list[Any]]] = {
            camera: {name: [] for name in outputs} for camera in self.cameras}
        self.subscriptions = {(camera, name): self.listen(camera, name)
                              for camera in self.cameras for name in outputs}
        self.statuses: dict[str, dict[str, str]] = {}
        self.messages: list[str] = []
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def listen(self, camera: str, name: str, profile: QoSProfile | int = 10) -> Any:
        """Subscribe to an output."""
        kept = self.got[camera].setdefault(name, [])
        return self.node.create_subscription(OUTPUTS[name], f'{camera}/road/{name}',
                                             kept.append, profile)

    def _on_diagnostics(self, array: DiagnosticArray) -> None:
        for status in array.status:
            self.messages.append(status.message)
            self.statuses[status.name.rpartition(': ')[2]] = {
                value.key: value.value for value in status.values}

    @property
    def status(self) -> dict[str, str]:
        """Return the last diagnostics of the first camera."""
        return self.statuses.get(self.cameras[0], {})

    def until(self, condition: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Spin until a condition holds; fail after ``seconds``."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (self.connections(), self.statuses,
                                                 self.messages[-3:])
            self.executor.spin_once(timeout_sec=0.05)

    def connections(self) -> dict[str, int]:
        """Return how many subscriptions each camera has, and how many publishers each output."""
        return {camera: publisher.get_subscription_count()
                for camera, publisher in self.publishers.items()} | {
            f'{camera}/road/{name}': self.node.count_publishers(f'{camera}/road/{name}')
            for camera, got in self.got.items() for name in got}

    def spin(self, seconds: float) -> None:
        """Spin for a while, to see that something does not happen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.executor.spin_once(timeout_sec=0.02)

    def connect(self) -> None:
        """Wait until the node is active and connected in both directions."""
        self.until(lambda: self.status.get(keys.STATE) == 'active')
        for camera in self.cameras:
            self.until(lambda: self.publishers[camera].get_subscription_count() == 1)  # noqa: B023
            self.until(lambda: all(
                self.node.count_publishers(f'{camera}/road/{name}') == 1  # noqa: B023
                for name in self.got[camera]))  # noqa: B023

    def exchange(self, message: Image, camera: str = '') -> dict[str, Any]:
        """Send one image and return its outputs, except the camera info."""
        camera = camera or self.cameras[0]
        got = {name: kept for name, kept in self.got[camera].items() if name != 'camera_info'}
        before = {name: len(kept) for name, kept in got.items()}
        self.publishers[camera].publish(message)
        self.until(lambda: all(len(kept) > before[name] for name, kept in got.items()))
        return {name: kept[-1] for name, kept in got.items()}

    def counts_become(self, **expected: int) -> None:
        """Wait until the diagnostics report these counts."""
        self.until(lambda: all(self.status.get(key) == str(value)
                               for key, value in expected.items()))

    def counts_add_up(self, camera: str = '') -> bool:
        """Return whether received = published + dropped, with nothing in flight."""
        counts = NodeCounts.from_values(self.statuses[camera or self.cameras[0]])
        return counts.in_flight == 0 and counts.add_up()

    def call(self, service_type: type, name: str, request: Any, seconds: float = PATIENCE_S
             ) -> Any:
        """Call a service of the node and return its answer."""
        client = self.node.create_client(service_type, f'/seg_node/{name}')
        self.until(client.service_is_ready, seconds)
        future = client.call_async(request)
        self.until(future.done, seconds)
        self.node.destroy_client(client)
        return future.result()

    def set(self, name: str, value: Any) -> Any:
        """Set a parameter of the node and return the result."""
        return self.call(SetParameters, 'set_parameters', SetParameters.Request(
            parameters=[Parameter(name=name, value=to_value(value))])).results[0]

    def get(self, name: str) -> Any:
        """Return the value of a parameter of the node."""
        value = self.call(GetParameters, 'get_parameters',
                          GetParameters.Request(names=[name])).values[0]
        return parameter_value_to_python(value)

    def set_together(self, **values: Any) -> Any:
        """Set parameters of the node atomically and return the result."""
        return self.call(SetParametersAtomically, 'set_parameters_atomically',
                         SetParametersAtomically.Request(
                             parameters=[Parameter(name=name, value=to_value(value))
                                         for name, value in values.items()])).result

    def change(self, transition: int) -> bool:
        """Request a transition of the node and return whether it succeeded."""
        request = ChangeState.Request()
        request.transition.id = transition
        return bool(self.call(ChangeState, 'change_state', request).success)

    def state(self) -> str:
        """Return the node's lifecycle state."""
        return str(self.call(GetState, 'get_state', GetState.Request()).current_state.label)

    def close(self) -> None:
        """Leave the graph; the executor first, since what it waits on would stay."""
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def to_value(value: Any) -> ParameterValue:
    """Return a Python value as the message that the parameter services take."""
    if isinstance(value, list):
        if value and isinstance(value[0], str):
            return ParameterValue(type=ParameterType.PARAMETER_STRING_ARRAY,
                                  string_array_value=value)
        if value and isinstance(value[0], float):
            return ParameterValue(type=ParameterType.PARAMETER_DOUBLE_ARRAY,
                                  double_array_value=value)
        return ParameterValue(type=ParameterType.PARAMETER_INTEGER_ARRAY,
                              integer_array_value=value)
    kind, field = {float: (ParameterType.PARAMETER_DOUBLE, 'double_value'),
                   int: (ParameterType.PARAMETER_INTEGER, 'integer_value'),
                   str: (ParameterType.PARAMETER_STRING, 'string_value'),
                   bool: (ParameterType.PARAMETER_BOOL, 'bool_value')}[type(value)]
    return ParameterValue(type=kind, **{field: value})


def image_message(image: np.ndarray, stamp_ns: int, frame_id: str = 'front_optical') -> Image:
    """Return an rgb8 message of an image."""
    return to_rgb8(image, to_header(stamp_ns, frame_id))


def info_message(camera: PinholeCamera, stamp_ns: int, frame_id: str = 'front_optical'
                 ) -> CameraInfo:
    """Return the CameraInfo of a camera without distortion."""
    k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    return CameraInfo(header=to_header(stamp_ns, frame_id), width=camera.width,
                      height=camera.height, k=k, distortion_model='plumb_bob', d=[0.0] * 5,
                      p=[*k[:3], 0.0, *k[3:6], 0.0, 0.0, 0.0, 1.0, 0.0])


def odometry_message(stamp_ns: int, x: float = 0.0, base_frame: str = 'base') -> Any:
    """Return a nav_msgs/Odometry of a vehicle that is ``x`` metres ahead."""
    from nav_msgs.msg import Odometry  # may be missing
    message = Odometry(header=to_header(stamp_ns, 'odom'), child_frame_id=base_frame)
    message.pose.pose.position.x = x
    message.pose.pose.orientation.w = 1.0
    return message
