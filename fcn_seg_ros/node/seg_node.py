# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: camera images in, road masks out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType, ROSClock
from rclpy.executors import Executor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.task import Future
from rclpy.timer import Timer

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.node.camera_channel import CameraChannel
from fcn_seg_ros.node.checkpoint_service import CheckpointService
from fcn_seg_ros.node.cpu_latency import CpuLatency
from fcn_seg_ros.node.diagnostics import DiagnosticsPublisher
from fcn_seg_ros.node.failure_policy import GIVE_UP_AFTER, Recovery
from fcn_seg_ros.node.frame_slot import FrameSlots
from fcn_seg_ros.node.health import CameraHealth, Health
from fcn_seg_ros.node.label_info import LabelInfo
from fcn_seg_ros.node.load_job import LoadJob
from fcn_seg_ros.node.model_manager import ModelManager
from fcn_seg_ros.node.parameters import in_declared_types
from fcn_seg_ros.node.publish import HAS_MATCHED_EVENT, LOOK_PERIOD_S
from fcn_seg_ros.node.settings import Settings, change, declare_all, read
from fcn_seg_ros.node.spinning import Spinner
from fcn_seg_ros.node.statistics import RecentTimes
from fcn_seg_ros.node.transitions import reported
from fcn_seg_ros.node.worker import Worker

# A batch in work, of a size that must be compiled first, is waited for so long.
_DEACTIVATE_S = 10.0
_LEAVE_S = 0.5


class SegNode(LifecycleNode):
    """
    Segments the road in the images of one or more cameras.

    The executor only stores frames and serves parameters and services; a worker thread segments
    and publishes while the node is active; networks are loaded on a thread of their own;
    diagnostics beat from another. A transition holds the executor until it is done, configuring
    too, as rclpy's lifecycle is synchronous; the diagnostics say ``configuring`` meanwhile.

    ``failure`` is the reason why the last transition failed, or None. ``ended`` is done once the
    process is to end, by itself for the reason ``bug``, or because somebody has set it. Loading is
    given up with KeyboardInterrupt once ``stopped`` says so. ``transport_problem`` is told in the
    diagnostics.
    """

    def __init__(self, stopped: Callable[[], bool] = lambda: False, transport_problem: str = ''
                 ) -> None:
        super().__init__('seg_node')
        # What destroy_node looks at comes first: rclpy calls it also where the rest is refused.
        self.failure: InputError | None = None
        self.bug: str = ''
        self.ended: Future[None] = Future()
        self._channels: dict[str, CameraChannel] = {}
        self._worker: Worker | None = None
        self._network: ModelManager = ModelManager(self.get_logger())
        self._latency: CpuLatency = CpuLatency(-1, self.get_logger())
        self._beat: DiagnosticsPublisher | None = None
        self._transport_problem: str = transport_problem
        self._spinner: Spinner = Spinner(self.get_logger())
        declare_all(self)
        self.settings: Settings = read(self)
        self._stopped: Callable[[], bool] = stopped
        self._state_name: str = 'unconfigured'
        self._slots: FrameSlots = FrameSlots(self.settings.cameras)
        self._look_timer: Timer | None = None
        self._starting: bool = False
        self._checkpoint_service: CheckpointService = CheckpointService(
            self, self._load, self._network.take, self._publish_labels)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self._beat = DiagnosticsPublisher(self, self._health)

    @reported
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Join the graph, and load and try the network."""
        self._state_name, self.failure = 'configuring', None
        settings = self.settings = read(self)
        self._slots.set_cameras(settings.cameras)
        self._latency = CpuLatency(settings.cpu_latency_us, self.get_logger())
        # Each is in the table as soon as it exists, so that a failure finds it there.
        for name in settings.cameras:
            self._channels[name] = CameraChannel(self, name, settings, self._slots,
                                                 self._latency)
        if LabelInfo is None:
            self.get_logger().info('vision_msgs is not installed: no label_info is published')
        self._network.load_first(settings, lambda: self._stopped() or not self.context.ok())
        self._state_name = 'inactive'
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to segment."""
        assert self._network.slot is not None
        self._state_name, self.failure = 'activating', None
        result: TransitionCallbackReturn = super().on_activate(state)
        self._publish_labels()
        self._worker = Worker(self._slots, self._network.slot, self._channels,
                              lambda: self.settings, self, self._on_recovery, self._on_news)
        self._worker.start()
        self._listen()
        self._state_name = 'active'
        return result

    @reported
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to segment, after the batch in work; go on where that does not come to an end."""
        self._state_name, self.failure = 'deactivating', None
        if not self._stop_worker(_DEACTIVATE_S):
            assert self._worker is not None
            if self._worker.resume():
                self._listen()
                self._state_name = 'active'
                raise _stuck('deactivate')
            self._worker = None
        result: TransitionCallbackReturn = super().on_deactivate(state)
        self._state_name = 'inactive'
        return result

    @reported
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Leave the graph and free the network."""
        self._state_name, self.failure = 'cleaning up', None
        self._release()
        self._state_name = 'unconfigured'
        return TransitionCallbackReturn.SUCCESS

    @reported
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and free everything but the diagnostics; a batch that is stuck is left behind."""
        self._state_name, self.failure = 'shutting down', None
        ended = self._stop_worker(_DEACTIVATE_S)
        self._release()
        if not ended:
            raise _stuck('shutdown')
        self._state_name = 'finalized'
        return TransitionCallbackReturn.SUCCESS

    def set_parameters(self, parameter_list: list[Parameter]) -> list[SetParametersResult]:
        """Set parameters one after the other, a whole number given for a float as that float."""
        result: list[SetParametersResult] = super().set_parameters(
            in_declared_types(self, parameter_list))
        return result

    def set_parameters_atomically(self, parameter_list: list[Parameter]) -> SetParametersResult:
        """Set parameters all at once or none, as ``set_parameters`` takes them."""
        return super().set_parameters_atomically(in_declared_types(self, parameter_list))

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free what a transition that broke half-way has left; it can be configured again."""
        with suppress(Exception):  # what is broken is not to keep the rest
            self._stop_worker(_LEAVE_S)
        with suppress(Exception):
            self._release()
        self._state_name = 'unconfigured'
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Stop the threads before the middleware goes, as far as they can be stopped."""
        self._network.cancel()
        if self._worker is not None:
            self._worker.stop(_LEAVE_S)
        self._latency.release()
        if self._beat is not None:
            self._beat.stop()
        super().destroy_node()
        # rclpy forgets it, and as long as it lives the node stays in the graph, and its shared
        # memory on the machine.
        state_machine = self.__dict__.pop('_state_machine', None)
        if state_machine is not None:
            state_machine.destroy_when_not_in_use()

    def start(self) -> None:
        """
        Configure and activate, as ``autostart`` asks for.

        Raises InputError where that fails; it is not logged as well.
        """
        self._starting = True
        try:
            for transition in (self.trigger_configure, self.trigger_activate):
                if transition() != TransitionCallbackReturn.SUCCESS:
                    raise self.failure or InputError('seg_node: expected it to become active, '
                                                     f'found it {self._state_name}')
        finally:
            self._starting = False

    def spin(self, executor: Executor) -> None:
        """Serve callbacks until ``ended`` is done."""
        self._spinner.spin(executor, self.ended)

    def _load(self, done: Callable[[LoadJob], None]) -> LoadJob:
        if self._network.slot is None:
            raise InputError(f'expected a configured node, found it {self._state_name}')
        return self._network.load(self.settings, self._channels, done)

    def _on_recovery(self, recovery: Recovery, reason: str) -> None:
        """Do what the worker asks for, on its thread."""
        if recovery is Recovery.FALL_BACK:
            self._network.fall_back(self.settings, self._channels, reason)
            return
        self.bug = reason
        self.get_logger().fatal(f'{reason}: {GIVE_UP_AFTER} times in a row, the process ends')
        self.ended.set_result(None)

    def _on_news(self) -> None:
        if self._beat is not None:
            self._beat.soon()

    def _on_set_parameters(self, changes: list[Parameter]) -> object:
        configured = self._state_name not in ('unconfigured', 'finalized')
        result, settings = change(self, changes, configured)
        if settings is not None:
            self.settings = settings
            if self._state_name == 'active':
                self._publish_labels()
        return result

    def _look(self) -> None:
        for channel in self._channels.values():
            channel.update()

    def _publish_labels(self) -> None:
        assert self._network.slot is not None
        segmenter = self._network.slot.loaded.segmenter
        for name, channel in self._channels.items():
            threshold = self.settings.cameras[name].options.threshold
            channel.outputs.publish_labels(
                segmenter.info, segmenter.threshold if threshold == -1.0 else threshold)

    def _health(self) -> Health:
        slot, worker, channels = self._network.slot, self._worker, dict(self._channels)
        shapes = [channel.network_shape for channel in channels.values() if channel.network_shape]
        described = slot.describe(*shapes[:1]) if slot is not None else {}
        if worker is not None:
            described[keys.LAST_ERROR] = worker.failures.reason
        cameras = {}
        for name, counts in self._slots.counts().items():
            channel = channels.get(name)
            cameras[name] = CameraHealth(counts, RecentTimes()) if channel is None else (
                CameraHealth.of(counts, channel.times, channel.images, channel.depth.hint,
                                channel.monitor.report))
        warning = '; '.join(filter(None, (self._network.warning, self._latency.problem,
                                          self._transport_problem, self._spinner.problem)))
        return Health(self._state_name, str(self.failure or ''), warning, described,
                      worker.busy_s() if worker is not None else 0.0,
                      self.settings.expected_processing_ms, cameras, self._simulated_s())

    def _simulated_s(self) -> float | None:
        """Return the time of /clock in seconds, None while it has not come or time is real."""
        clock = self.get_clock()
        seconds = clock.now().nanoseconds / 1e9
        simulated = isinstance(clock, ROSClock) and clock.ros_time_is_active
        return seconds if simulated and seconds > 0.0 else None

    def fail(self, error: InputError) -> TransitionCallbackReturn:
        """
        Keep and log why a transition failed; return what lets the lifecycle agree with the node.

        A failure goes back to where the transition began (from shutdown: on to ``finalized``), an
        error by ``on_error`` to ``unconfigured``.
        """
        self.failure = error
        if not self._starting:
            self.get_logger().error(str(error))
        if self._state_name in ('activating', 'deactivating', 'cleaning up'):
            return TransitionCallbackReturn.ERROR
        if self._state_name == 'configuring':
            self._release()
            self._state_name = 'unconfigured'
        elif self._state_name == 'shutting down':
            self._state_name = 'finalized'
        return TransitionCallbackReturn.FAILURE

    def _listen(self) -> None:
        """Take frames, as soon as somebody listens to what comes of them."""
        for channel in self._channels.values():
            channel.activate()
        if not HAS_MATCHED_EVENT:
            self._look_timer = self.create_timer(LOOK_PERIOD_S, self._look,
                                                 clock=Clock(clock_type=ClockType.STEADY_TIME))

    def _stop_worker(self, seconds: float) -> bool:
        """Take no more frames and end the worker; return whether it has ended in time."""
        if self._look_timer is not None:
            self.destroy_timer(self._look_timer)
            self._look_timer = None
        for channel in self._channels.values():
            channel.deactivate()
        if self._worker is not None:
            if not self._worker.stop(seconds):
                return False
            self._worker = None
        return True

    def _release(self) -> None:
        """Leave the graph and free the network, which a stuck worker may still hold."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.abandon()
        channels, self._channels = self._channels, {}
        with ExitStack() as stack:  # each of them, whatever another raises
            for channel in channels.values():
                stack.callback(channel.destroy)
            self._network.release(wait=worker is None)


def _stuck(transition: str) -> InputError:
    return InputError(f'{transition}: expected the frames in work to be done within '
                      f'{_DEACTIVATE_S:g} s, found them still in work')
