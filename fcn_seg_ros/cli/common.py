# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every executable shares: its look, and bad input as one line and exit status 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from fcn_seg_ros.dds import Profile, prepare_to_send
from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.processes import WITHOUT_LOG, log_fault, settle
from fcn_seg_ros.shared_memory import check_least


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keep the description's line breaks, and show the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False or 'default' in (action.help or ''):
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """A parser that complains in one line, by InputError."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError instead of printing the usage."""
        raise InputError(f'{message} (see {self.prog} --help)')


def make_parser(name: str, description: str, epilog: str = '') -> argparse.ArgumentParser:
    """Return the parser of the executable ``name``, the same look for all of them."""
    return Parser(prog=name, description=description, epilog=epilog,
                  formatter_class=HelpFormatter)


def run_main(name: str, args: Sequence[str] | None, body: Callable[[Sequence[str]], int | None]
             ) -> int:
    """
    Run an executable's body on its arguments (None: the command line's) and return its status.

    InputError is printed as one line on stderr (status 2); Ctrl-C is status 130. Everything else
    is a bug and keeps its traceback.
    """
    settle()
    try:
        return body(sys.argv[1:] if args is None else args) or 0
    except InputError as error:
        print(f'{name}: error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'{name}: interrupted', file=sys.stderr)
        return 130


def without_ros_arguments(name: str, arguments: Sequence[str]) -> list[str]:
    """
    Return the arguments that are not ROS's own.

    Raises InputError where those are wrong, and where the shared memory does not even suffice for
    ROS's libraries.
    """
    check_least()
    from rclpy.utilities import remove_ros_args
    try:
        return remove_ros_args([name, *arguments])[1:]
    except Exception as error:  # the bindings raise several unrelated kinds
        raise _ros_fault(error) from None


def init_ros(name: str, arguments: Sequence[str], profile: Profile) -> str:
    """
    Join ROS with the ROS arguments, no signal handlers, and one of the shipped DDS profiles.

    What keeps it from that profile is printed and returned, or is ''. Where no folder for log files
    can be written to, there are none, which is said. Raises InputError where the ROS arguments are
    wrong.
    """
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    problem = prepare_to_send(profile)
    if problem:
        print(f'{name}: warning: {problem}', file=sys.stderr, flush=True)
    fault = log_fault()
    if fault:
        print(f'{name}: no log file: {fault}; ROS_LOG_DIR names another folder', file=sys.stderr)
        arguments = [*WITHOUT_LOG, *arguments]
    try:
        rclpy.init(args=[name, *arguments], signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # the bindings raise several unrelated kinds
        raise _ros_fault(error) from None
    return problem


def _ros_fault(error: Exception) -> InputError:
    return InputError('ROS arguments: expected what `ros2 run` takes after --ros-args, '
                      f'found a fault: {one_line(error)}')
