# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Drive a rendered road by what seg_node sees, in a closed loop over ROS topics.

    python -m fcn_seg_ros.examples.closed_loop --out drive.mp4

Starts seg_node and the planner as processes of their own; the simulator, in this process, moves the
camera as the planner steers.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from fcn_seg_ros.dds import MASKS, use_private_domain, use_shipped_profile
from fcn_seg_ros.drives.child import Child, executable
from fcn_seg_ros.drives.ros_session import RosSession
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.examples.picture import compose, grid_picture, with_path
from fcn_seg_ros.examples.simulation import (
    CAMERA,
    CAMERA_X,
    PERIOD_S,
    DriveReport,
    Simulation,
)
from fcn_seg_ros.examples.simulator_node import ANSWERS, SimulatorNode, Step
from fcn_seg_ros.ground.camera import PinholeCamera
from fcn_seg_ros.ground.lens import CameraModel
from fcn_seg_ros.ground.pose import CameraPose
from fcn_seg_ros.ground.view import GroundView
from fcn_seg_ros.messages import from_image
from fcn_seg_ros.processes import command
from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint
from fcn_seg_ros.stop_signal import StopSignal
from fcn_seg_ros.synthetic.suburb.steered import Mover

# Oncoming vehicles: the first one, the distance between them, and their speed, m and m/s.
_FIRST, _APART, _ONCOMING = 70.0, 75.0, -8.0
# The vehicle in the way: where it stands, and until when if it drives on, m and s.
_STANDS_AT, _UNTIL = 80.0, 25.0
# A drive ends when the vehicle has stood still for so long, simulated seconds.
_STANDS_STILL = 20.0
_START_S = 180.0
_FURTHEST = 100_000.0
IN_THE_WAY = ('none', 'waits', 'stays')


class ClosedLoopError(RuntimeError):
    """The run failed; the text is one line for the user."""


@dataclass(frozen=True)
class LoopOptions:
    """What to drive, with which network, and how patient to be (seconds of real time)."""

    seed: int = 10009
    metres: float = 500.0
    in_the_way: str = 'waits'
    checkpoint: str = ''
    out: Path | None = None
    patience: float = 30.0
    verbose: bool = False
    camera: PinholeCamera = CAMERA
    node_arguments: tuple[str, ...] = ()

    def movers(self) -> tuple[Mover, ...]:
        """Return the traffic: oncoming vehicles, and the one in the way."""
        count = math.ceil(2.5 * self.metres / _APART) + 1
        movers = [Mover(_FIRST + _APART * number, True, _ONCOMING) for number in range(count)]
        if self.in_the_way != 'none':
            starts = _UNTIL if self.in_the_way == 'waits' else math.inf
            movers.append(Mover(_STANDS_AT, False, 9.0, starts, 5.0))
        return tuple(movers)


class ClosedLoop:
    """One drive; once ``stopped`` returns True it ends after the frame."""

    def __init__(self, options: LoopOptions, stopped: Callable[[], bool],
                 say: Callable[[str], None]) -> None:
        """Set up the road; nothing starts yet. Raises InputError for options out of range."""
        if options.in_the_way not in IN_THE_WAY:
            raise InputError(f'closed loop: expected {", ".join(IN_THE_WAY)} for the vehicle in '
                             f'the way, found {options.in_the_way}')
        if not 0.0 < options.metres <= _FURTHEST:
            raise InputError(f'closed loop: expected a distance above 0, up to {_FURTHEST:g} m, '
                             f'found {options.metres}')
        if not options.patience > 0.0:
            raise InputError('closed loop: expected a patience above 0 s, found '
                             f'{options.patience}')
        self.options, self._stopped, self._say = options, stopped, say
        self.simulation = Simulation(options.seed, options.movers(), options.camera)
        camera = options.camera
        self.height = self.simulation.camera_height
        self._view = GroundView(
            CameraModel(camera.width, camera.height, camera.fx, camera.fy, camera.cx, camera.cy),
            CameraPose.from_angles(CAMERA_X, 0.0, self.height, 0.0, 0.0, 0.0))

    def run(self) -> DriveReport:
        """Drive, write the video if one is wanted, and return the report."""
        use_shipped_profile(profile=MASKS)
        domain = use_private_domain()
        wanted = tuple(ANSWERS) if self.options.out else ('command', 'mask')
        with ExitStack() as children, RosSession(
                partial(SimulatorNode, self.simulation, wanted)) as node:
            processes = [children.enter_context(Child(*each, self.options.verbose))
                         for each in self._commands()]
            self._say(f'starting seg_node and the planner (ROS domain {domain})')
            self._wait(node, processes)
            steps = self._steps(node, processes)
            if self.options.out:
                from fcn_seg_ros.drives.video_writer import write_video
                write_video(self.options.out, ((self.simulation.time, self._picture(step))
                                               for step in steps), 1.0 / PERIOD_S)
            else:
                for _ in steps:
                    pass
        return self.simulation.report

    def _commands(self) -> Iterator[tuple[str, list[str]]]:
        """Yield name and command of the processes."""
        clock = ['-p', 'use_sim_time:=true']
        pose = f'[{CAMERA_X}, 0.0, {self.height:.4f}, 0.0, 0.0, 0.0]'
        checkpoint = ['-p', f'checkpoint:={self.options.checkpoint}'] * bool(
            self.options.checkpoint)
        yield 'seg_node', [*executable('seg_node'), '--ros-args', *clock, '-p',
                           f'camera.pose:={pose}', *checkpoint, *self.options.node_arguments]
        yield 'planner', [*command('fcn_seg_ros.examples.planner_node'), '--ros-args', *clock]

    def _wait(self, node: SimulatorNode, processes: list[Child]) -> None:
        """Wait until seg_node takes images and the planner listens."""
        start = time.monotonic()
        while not node.ready() and not self._stopped():
            _check(processes)
            node.tell_time()
            if time.monotonic() - start > _START_S:
                raise ClosedLoopError(f'seg_node and the planner are not ready after {_START_S:g} '
                                      's; --verbose shows what they print')
            time.sleep(0.2)

    def _warm_up(self, node: SimulatorNode, processes: list[Child]) -> None:
        """Show the first frame until everything answers: the tables of the ground take a while."""
        start = time.monotonic()
        while len(node.exchange(2.0, self._stopped).answers) < len(node.wanted):
            _check(processes)
            if self._stopped():
                return
            if time.monotonic() - start > _START_S:
                raise ClosedLoopError(f'no answer to the first frame within {_START_S:g} s; '
                                      '--verbose shows what seg_node and the planner print')

    def _steps(self, node: SimulatorNode, processes: list[Child]) -> Iterator[Step]:
        """Drive, and yield each step before the vehicle moves on."""
        simulation, options = self.simulation, self.options
        standing = 0.0
        self._warm_up(node, processes)
        while (simulation.report.driven < options.metres and standing < _STANDS_STILL
               and not self._stopped()):
            step = node.exchange(options.patience, self._stopped)
            _check(processes)
            if self._stopped():
                return
            yield step
            twist = step.answers.get('command')
            if twist is None or 'mask' not in step.answers:
                simulation.report.missed += 1
            # Without an answer it brakes, as a vehicle whose planner is silent should.
            speed, turn = (0.0, 0.0) if twist is None else (twist.twist.linear.x,
                                                            twist.twist.angular.z)
            simulation.advance(speed, turn)
            standing = 0.0 if simulation.bicycle.speed > 0.05 else standing + PERIOD_S
            if simulation.report.frames % 100 == 0:
                self._say(f'{simulation.report.driven:.0f} m in {simulation.time:.0f} s')

    def _picture(self, step: Step) -> np.ndarray:
        """Return the picture of a step."""
        simulation, answers = self.simulation, step.answers
        path = np.zeros((1, 3))
        if 'path' in answers:
            path = np.array([(pose.pose.position.x, pose.pose.position.y,
                              2 * math.atan2(pose.pose.orientation.z, pose.pose.orientation.w))
                             for pose in answers['path'].poses])
        overlay, mask = (from_image(answers[name]) if name in answers else None
                         for name in ('overlay', 'mask'))
        grid = np.full((360, 360, 3), 32, np.uint8)
        if 'grid' in answers:
            info = answers['grid'].info
            grid = grid_picture(
                np.asarray(answers['grid'].data, np.int8).reshape(info.height, info.width),
                info.resolution, (info.origin.position.x, info.origin.position.y), path,
                simulation.vehicle.outline)
        lines = (f'{simulation.report.driven:5.1f} m   {simulation.bicycle.speed * 3.6:4.1f} km/h',
                 f'to the edge {simulation.to_edge:.1f} m, to a vehicle '
                 f'{simulation.to_vehicle:.1f} m')
        image = with_path(step.image, self._view, path, simulation.vehicle.width / 2)
        return compose(image, overlay, mask, grid, lines)


def _check(processes: list[Child]) -> None:
    """Raise ClosedLoopError if a process ended."""
    for process in processes:
        if process.status() is not None:
            raise ClosedLoopError(f'{process.name} exited with status {process.status()}: '
                                  f'{process.last_words()}')


def rows(report: DriveReport) -> list[tuple[str, str]]:
    """Return the report as lines for people."""
    gaps = ', '.join(f'{gap:.1f} m' for gap in report.stop_gaps)
    return [('driven', f'{report.driven:.1f} m in {report.seconds:.1f} s'),
            ('smallest distance to the edge of the road', f'{report.to_edge:.2f} m'),
            ('smallest distance to a vehicle', f'{report.to_vehicle:.2f} m'),
            ('times stopped', f'{report.stops}' + (f', {gaps} from the nearest vehicle'
                                                   if gaps else '')),
            ('smallest radius driven', f'{1 / max(report.most_turned, 1e-6):.0f} m'),
            ('frames', f'{report.frames}, without a mask or a command: {report.missed}'),
            ('left the road', 'no' if report.to_edge > 0 else 'YES'),
            ('touched a vehicle', 'no' if report.to_vehicle > 0 else 'YES')]


def build_parser() -> argparse.ArgumentParser:
    """Return the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m fcn_seg_ros.examples.closed_loop',
        description='Drive a rendered road by what seg_node sees, in a closed loop over ROS '
                    'topics: exit status 1 if the vehicle left the road, touched another or lost '
                    'frames.')
    default = LoopOptions()
    parser.add_argument('--seed', type=int, default=default.seed,
                        help='seed of the road (default: %(default)s)')
    parser.add_argument('--metres', type=float, default=default.metres,
                        help='how far to drive (default: %(default)g)')
    parser.add_argument('--in-the-way', choices=IN_THE_WAY, default=default.in_the_way,
                        help='a vehicle that stands in the lane after 80 m: none, one that waits '
                             'and drives on, or one that stays (default: %(default)s)')
    parser.add_argument('--checkpoint', default='',
                        help=f'checkpoint file or {", ".join(CHECKPOINTS)} (default: as seg_node)')
    parser.add_argument('--out', type=Path, metavar='FILE', help='video to write (.mp4)')
    parser.add_argument('--patience', type=float, default=default.patience, metavar='S',
                        help='real seconds to wait for the mask and command of a frame (default: '
                             '%(default)g)')
    parser.add_argument('--verbose', action='store_true',
                        help='show what seg_node and the planner print')
    return parser


def main(args: Sequence[str] | None = None) -> int:
    """Drive as the command line says."""
    given = build_parser().parse_args(args)
    stopped = StopSignal()

    def say(text: str) -> None:
        print(f'closed_loop: {text}', file=sys.stderr, flush=True)

    try:
        checkpoint = str(find_checkpoint(given.checkpoint)) if given.checkpoint else ''
        loop = ClosedLoop(LoopOptions(given.seed, given.metres, given.in_the_way, checkpoint,
                                      given.out, given.patience, given.verbose), stopped, say)
        report = loop.run()
    except (InputError, ClosedLoopError) as error:
        say(f'error: {error}')
        return 2 if isinstance(error, InputError) else 1
    except OSError as error:  # no such folder, or a full disk; those of the video are OSErrors too
        say(f'error: {given.out or "closed loop"}: {error.strerror or error}')
        return 1
    for name, value in rows(report):
        print(f'{name:42} {value}')
    return stopped.status or int(not report.clean or report.missed > 0)


if __name__ == '__main__':
    sys.exit(main())
