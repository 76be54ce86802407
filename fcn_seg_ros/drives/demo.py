# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The demo: play a drive through the node, each in its own process, and record the result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fcn_seg_ros import diagnostic_keys as keys
from fcn_seg_ros.dds import MASKS, use_private_domain, use_shipped_profile
from fcn_seg_ros.drives.child import Child, executable
from fcn_seg_ros.drives.demo_output import OutputFolder
from fcn_seg_ros.drives.demo_report import DemoReport, make_report
from fcn_seg_ros.drives.drive import Drive
from fcn_seg_ros.drives.recorder import RECORDER_NAME, Recorder, RecorderSession
from fcn_seg_ros.drives.recording import NodeCounts
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.shared_memory import remove_stale

# Rendering takes 40 ms per image; doing it beforehand leaves the CPU to the node.
PRELOAD_AT_MOST = 400
POLL_S = 0.02
QUIET_S = 0.5
RINGS_M = 10.0
DRAIN_S = 10.0


class DemoError(RuntimeError):
    """The run failed; the text is one line for the user."""


class DemoStopped(Exception):
    """A signal ended the run."""


@dataclass(frozen=True)
class DemoOptions:
    """What to play, through which node, and where to write."""

    input: str = 'rendered:steady'
    out: Path = Path('demo_out')
    topic: str | None = None
    rate_hz: float | None = None
    frames: int | None = None
    camera: str = 'camera'
    checkpoint: str | None = None
    device: str | None = None
    precision: str | None = None
    pose: CameraPose | None = None
    start_timeout_s: float = 180.0
    verbose: bool = False
    node_command: list[str] = field(default_factory=lambda: executable('seg_node'))

    def node_arguments(self, pose: CameraPose | None) -> list[str]:
        """Return the ROS arguments of the node for a camera's pose: parameters in YAML."""
        parameters = {'checkpoint': self.checkpoint, 'device': self.device,
                      'precision': self.precision}
        arguments = ['--ros-args', '-p', f'cameras:=[{json.dumps(self.camera)}]']
        for name, value in parameters.items():
            if value is not None:
                arguments += ['-p', f'{name}:={json.dumps(value)}']
        if pose is not None:
            values = [*pose.position.tolist(), *pose.angles]
            arguments += ['-p', f'{self.camera}.pose:={json.dumps(values)}',
                          '-p', f'overlay_rings:={RINGS_M}']
        return arguments

    def play_arguments(self, preload: bool) -> list[str]:
        """Return the arguments of play, which starts once node and recorder listen."""
        arguments = [self.input, '--cam', self.camera, '--json', '--wait-timeout', 'inf',
                     '--wait-for-listener', RECORDER_NAME]
        for name, value in (('--topic', self.topic), ('--rate', self.rate_hz),
                            ('--frames', self.frames)):
            if value is not None:
                arguments += [name, str(value)]
        return arguments + (['--preload'] if preload else [])


class Demo:
    """
    One run.

    Once ``stopped`` returns True, the run ends with DemoStopped, after ending the child processes
    and restoring the output folder. ``say`` prints a line of progress.
    """

    def __init__(self, options: DemoOptions, stopped: Callable[[], bool],
                 say: Callable[[str], None]) -> None:
        """Set up a run; nothing starts yet."""
        self.options = options
        self.stopped = stopped
        self.say = say

    def run(self) -> DemoReport:
        """
        Play, record, and write the results.

        Raises InputError for bad input, DemoError if there is nothing to report, and DemoStopped. A
        report that lists ``problems`` is written and returned like any other.
        """
        options = self.options
        topics = (options.topic,) if options.topic else ()
        drive = open_drive(options.input, topics=topics, rate_hz=options.rate_hz,
                           limit=options.frames)
        remove_stale()
        # The recorder sends nothing; each child process sets up what it needs.
        use_shipped_profile(profile=MASKS)
        domain = use_private_domain()
        pose = options.pose or drive.pose
        with (OutputFolder(options.out) as out,
              RecorderSession(options.camera, grids=pose is not None) as session):
            self.say(f'starting seg_node and play (ROS domain {domain})')
            played = self._play(drive, pose, session.recorder)
            recording = session.finish()
            report = make_report(drive.name, played, recording, session.recorder.diagnostics)
            if recording.grid_spec is None:
                self.say(f'no bird\'s-eye view: {_why_no_grid(pose)}')
            self.say('writing the video')
            out.write(recording, report.as_dict(), drive.rate_hz, self.stopped)
            self._check_stopped()
            out.keep()
        return report

    def _play(self, drive: Drive, pose: CameraPose | None, recorder: Recorder) -> dict[str, Any]:
        """Run node and player until the drive ends; return the player's summary."""
        options = self.options
        preload = options.input.startswith('rendered') and (drive.length or 0) <= PRELOAD_AT_MOST
        with ExitStack() as children:
            node = children.enter_context(Child(
                'seg_node', [*options.node_command, *options.node_arguments(pose)],
                options.verbose))
            play = children.enter_context(Child(
                'play', [*executable('play'), *options.play_arguments(preload)],
                options.verbose))
            self._wait_for_node(node, play, recorder)
            recorder.listen_to_inputs()
            self.say(f'playing {drive.name}: {drive.length or "all"} frames at '
                     f'{drive.rate_hz:g} Hz')
            while play.status() is None:
                self._check_node(node)
                time.sleep(POLL_S)
            self._check_play(play)
            played: dict[str, Any] = json.loads(play.output().splitlines()[-1])
            self._drain(node, recorder)
        if not recorder.recording.masks:
            counts = recorder.diagnostics
            raise DemoError(
                f'{played["frames"]} frames were played, but no mask came; the node received '
                f'{counts.get("received")} and published {counts.get("published")}')
        return played

    def _wait_for_node(self, node: Child, play: Child, recorder: Recorder) -> None:
        """Wait until the node is active and the recorder sees its outputs."""
        start = time.monotonic()
        while recorder.diagnostics.get(keys.STATE) != 'active' or not recorder.matched():
            self._check_node(node)
            self._check_play(play)
            if time.monotonic() - start > self.options.start_timeout_s:
                state = recorder.diagnostics.get(keys.STATE, 'silent')
                raise DemoError(f'seg_node is {state}, not active, '
                                f'{self.options.start_timeout_s:g} s after its start: '
                                f'{node.last_words()}')
            time.sleep(POLL_S)
        values = recorder.diagnostics
        self.say(f'seg_node is active after {time.monotonic() - start:.1f} s: '
                 f'{values.get("backend")} on {values.get("device")} in '
                 f'{values.get("precision")}')

    def _drain(self, node: Child, recorder: Recorder) -> None:
        """Wait for diagnostics that are newer than the last mask and show nothing in flight."""
        played_at = time.monotonic()
        while time.monotonic() - played_at < DRAIN_S:
            quiet_since = max(played_at, recorder.last_mask_at) + QUIET_S
            if (recorder.diagnostics_at > quiet_since
                    and NodeCounts.from_values(recorder.diagnostics).in_flight == 0):
                return
            self._check_node(node)
            time.sleep(POLL_S)

    def _check_node(self, node: Child) -> None:
        self._check_stopped()
        if node.status() is not None:
            if node.status() == 2:
                raise InputError(node.last_words().removeprefix('seg_node: error: '))
            raise DemoError(f'seg_node exited with status {node.status()}: {node.last_words()}')

    def _check_play(self, play: Child) -> None:
        self._check_stopped()
        if play.status() == 2:
            raise InputError(play.last_words().removeprefix('play: error: '))
        if play.status():
            raise DemoError(f'play exited with status {play.status()}: {play.last_words()}')

    def _check_stopped(self) -> None:
        if self.stopped():
            raise DemoStopped


def _why_no_grid(pose: CameraPose | None) -> str:
    if pose is None:
        return 'the pose of the camera over the ground is not known (--pose tells it)'
    return 'the drive has no CameraInfo that fits, or nav_msgs is not installed'
