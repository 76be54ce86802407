# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: camera images in, road masks out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress

from lifecycle_msgs.msg import State
from rcl_interfaces.msg import SetParametersResult
from rclpy.executors import Executor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.task import Future

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.segmentation import resolve_threshold
from fcn_seg_ros.node.camera_channel import CameraChannel, Vehicle, health_of
from fcn_seg_ros.node.checkpoint_service import CheckpointService
from fcn_seg_ros.node.cpu_latency import CpuLatency
from fcn_seg_ros.node.diagnostics import DiagnosticsPublisher
from fcn_seg_ros.node.failure_policy import GIVE_UP_AFTER, Recovery
from fcn_seg_ros.node.frame_slot import FrameSlots
from fcn_seg_ros.node.health import Health, simulated_seconds
from fcn_seg_ros.node.load_job import LoadJob
from fcn_seg_ros.node.model_manager import ModelManager
from fcn_seg_ros.node.odometry import Odometry
from fcn_seg_ros.node.outputs.publishers import Outputs, shared_outputs
from fcn_seg_ros.node.parameters import in_declared_types
from fcn_seg_ros.node.poses import Poses
from fcn_seg_ros.node.settings import Settings, change, declare_all, read
from fcn_seg_ros.node.spinning import Spinner
from fcn_seg_ros.node.startup import log_topics, log_unknown_parameters
from fcn_seg_ros.node.transitions import reported, stuck
from fcn_seg_ros.node.worker import Worker

# How long to wait for the current batch, which may include a compilation.
_DEACTIVATE_S = 10.0
_LEAVE_S = 0.5


class SegNode(LifecycleNode):
    """
    Segments the road in the images of one or more cameras.

    The executor only stores frames and serves parameters and services. A worker thread segments and
    publishes while the node is active, a second thread loads networks, and a third publishes
    diagnostics. A transition blocks the executor until it is done, because rclpy's lifecycle is
    synchronous; the diagnostics show the state meanwhile.

    ``failure`` says why the last transition failed, or is None. ``ended`` is done when the process
    should end, set from outside or by the node because of ``bug``. Loading ends with
    KeyboardInterrupt once ``stopped`` returns True. The diagnostics show ``transport_problem``.
    """

    def __init__(self, stopped: Callable[[], bool] = lambda: False, transport_problem: str = ''
                 ) -> None:
        super().__init__('seg_node')
        # Attributes used by destroy_node come first: rclpy calls it even if the rest fails.
        self.failure: InputError | None = None
        self.bug: str = ''
        self.ended: Future[None] = Future()
        self._channels: dict[str, CameraChannel] = {}
        self._shared: Outputs | None = None
        self._vehicle: Vehicle = Vehicle(Poses(self), Odometry(self))
        self._worker: Worker | None = None
        self._network: ModelManager = ModelManager(self.get_logger())
        self._latency: CpuLatency = CpuLatency(-1, self.get_logger())
        self._diagnostics: DiagnosticsPublisher | None = None
        self._transport_problem: str = transport_problem
        self._spinner: Spinner = Spinner(self.get_logger())
        declare_all(self)
        self.settings: Settings = read(self)
        self._stopped: Callable[[], bool] = stopped
        self._slots: FrameSlots = FrameSlots(self.settings.cameras)
        self._starting: bool = False
        self._checkpoint_service: CheckpointService = CheckpointService(
            self, self._load, self._network.take, self._publish_network)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._diagnostics = DiagnosticsPublisher(self, self._health)

    @property
    def state(self) -> str:
        """Return the lifecycle state's label; any thread may call this."""
        return str(self._state_machine.current_state[1])

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Create the cameras' topics; load and test the network."""
        self.failure = None
        settings = self.settings = read(self)
        self._slots.set_cameras(settings.cameras)
        self._latency = CpuLatency(settings.cpu_latency_us, self.get_logger())
        # Each is stored as soon as it exists, so that it is released on a failure.
        self._shared = shared_outputs(self, settings, self._update_channels)
        for name in settings.cameras:
            self._channels[name] = CameraChannel(self, name, settings, self._slots,
                                                 self._latency, self._vehicle, self._shared)
        log_topics(self, self._channels, self._shared.topics)
        log_unknown_parameters(self)
        self._network.load_first(settings, lambda: self._stopped() or not self.context.ok())
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start segmenting."""
        assert self._network.slot is not None and self._diagnostics is not None
        self.failure = None
        activated: TransitionCallbackReturn = super().on_activate(state)
        self._publish_network()
        self._worker = Worker(self._slots, self._network.slot, self._channels,
                              lambda: self.settings, self, self._on_recovery,
                              self._diagnostics.soon)
        self._worker.start()
        self._listen()
        return activated

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop segmenting after the current batch; stay active if that does not end."""
        self.failure = None
        if not self._stop_worker(_DEACTIVATE_S):
            assert self._worker is not None
            if self._worker.resume():
                self._listen()
                self._note(stuck('deactivate', _DEACTIVATE_S))
                return TransitionCallbackReturn.FAILURE  # so it stays active
            self._worker = None
        deactivated: TransitionCallbackReturn = super().on_deactivate(state)
        return deactivated

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Remove the cameras' topics and free the network."""
        self.failure = None
        self._release()
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and free everything except the diagnostics, without waiting for a stuck batch."""
        self.failure = None
        ended = self._stop_worker(_DEACTIVATE_S)
        self._release()
        if not ended:
            raise stuck('shutdown', _DEACTIVATE_S)
        return TransitionCallbackReturn.SUCCESS

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Set parameters one by one; integers given for floats are converted."""
        result: list[SetParametersResult] = super().set_parameters(
            in_declared_types(self, parameter_list))
        return result

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set all parameters or none; integers are treated as in ``set_parameters``."""
        return super().set_parameters_atomically(in_declared_types(self, parameter_list))

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the remains of a broken transition, so that the node can be configured again."""
        with suppress(Exception):  # a broken part must not prevent freeing the rest
            self._stop_worker(_LEAVE_S)
        with suppress(Exception):
            self._release()
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Stop the threads, if possible, before the middleware shuts down."""
        self._network.cancel()
        if self._worker is not None:
            self._worker.stop(_LEAVE_S)
        self._latency.release()
        if self._diagnostics is not None:
            self._diagnostics.stop()
        super().destroy_node()
        # rclpy forgets this; until it is destroyed, the node stays in the graph and keeps its
        # shared memory.
        state_machine = self.__dict__.pop('_state_machine', None)
        if state_machine is not None:
            state_machine.destroy_when_not_in_use()

    def start(self) -> None:
        """
        Configure and activate, for ``autostart``.

        Raises InputError if that fails, without logging it.
        """
        self._starting = True
        try:
            for transition in (self.trigger_configure, self.trigger_activate):
                if transition() != TransitionCallbackReturn.SUCCESS:
                    raise self.failure or InputError(f'seg_node: not active but {self.state}')
        finally:
            self._starting = False

    def spin(self, executor: Executor) -> None:
        """Run callbacks until ``ended`` is done."""
        self._spinner.spin(executor, self.ended)

    def _load(self, done: Callable[[LoadJob], None]) -> LoadJob:
        if self._network.slot is None:
            raise InputError(f'no network to replace: the node is {self.state}')
        return self._network.load(self.settings, self._channels, done)

    def _on_recovery(self, recovery: Recovery, reason: str) -> None:
        """Act on the failure policy's decision, on the worker's thread."""
        if recovery is Recovery.FALL_BACK:
            self._network.fall_back(self.settings, self._channels, reason)
            return
        self.bug = reason
        self.get_logger().fatal(f'{reason}: {GIVE_UP_AFTER} times in a row, so the process ends')
        self.ended.set_result(None)

    def _on_set_parameters(self, changes: list[Parameter]) -> object:
        configured = self.state not in ('unconfigured', 'finalized')
        result, settings = change(self, changes, configured)
        if settings is not None:
            self.settings = settings
            self._update_channels()
            if self.state == 'active':
                self._publish_network()
        return result

    def _publish_network(self) -> None:
        assert self._network.slot is not None
        segmenter = self._network.slot.loaded.segmenter
        for name, channel in self._channels.items():
            threshold = self.settings.cameras[name].options.threshold
            channel.outputs.publish_network(
                segmenter.info, resolve_threshold(threshold, segmenter.threshold))

    def _health(self) -> Health:
        slot, worker, channels = self._network.slot, self._worker, dict(self._channels)
        shapes = [channel.network_shape for channel in channels.values() if channel.network_shape]
        described = slot.describe(*shapes[:1]) if slot is not None else {}
        if worker is not None:
            described[keys.LAST_ERROR] = worker.failures.reason
        warning = '; '.join(filter(None, (self._network.warning, self._latency.problem,
                                          self._transport_problem, self._spinner.problem)))
        return Health(self.state, str(self.failure or ''), warning, described,
                      worker.busy_s() if worker is not None else 0.0,
                      self.settings.expected_processing_ms,
                      health_of(self._slots.counts(), channels),
                      simulated_seconds(self.get_clock()),
                      self._shared.facts if self._shared is not None else {})

    def fail(self, error: InputError) -> TransitionCallbackReturn:
        """
        Store and log why a transition failed; return the result for the lifecycle.

        FAILURE leads back to the previous state (from shutdown to ``finalized``), ERROR through
        ``on_error`` to ``unconfigured``.
        """
        self._note(error)
        state = self._state_machine.current_state[0]
        if state == State.TRANSITION_STATE_CONFIGURING:
            self._release()
        elif state != State.TRANSITION_STATE_SHUTTINGDOWN:
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.FAILURE

    def _note(self, error: InputError) -> None:
        """Store and log why a transition failed."""
        self.failure = error
        if not self._starting:
            self.get_logger().error(str(error))

    def _update_channels(self) -> None:
        for channel in self._channels.values():
            channel.update(self.settings)

    def _listen(self) -> None:
        """Start the worker, and take frames as soon as somebody subscribes to an output."""
        for channel in self._channels.values():
            channel.activate()

    def _stop_worker(self, seconds: float) -> bool:
        """Stop taking frames and end the worker; return whether it ended in time."""
        for channel in self._channels.values():
            channel.deactivate()
        if self._worker is not None:
            if not self._worker.stop(seconds):
                return False
            self._worker = None
        return True

    def _release(self) -> None:
        """Remove the topics and free the network, even if a stuck worker still holds it."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.abandon()
        channels, self._channels = self._channels, {}
        with ExitStack() as stack:  # close every one, even if another raises
            if self._shared is not None:
                stack.callback(self._shared.destroy)
            for channel in channels.values():
                stack.callback(channel.destroy)
            self._network.release(wait=worker is None)
