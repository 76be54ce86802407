# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""How commands join ROS."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fcn_seg_ros.dds import Profile, prepare_to_send
from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.processes import WITHOUT_LOG, log_fault
from fcn_seg_ros.shared_memory import check_least


def without_ros_arguments(name: str, arguments: Sequence[str]) -> list[str]:
    """
    Return the arguments without ROS's own.

    Raises InputError if the ROS arguments are wrong, or if there is too little shared memory even
    for ROS's libraries.
    """
    if '--ros-args' not in arguments:
        return list(arguments)
    check_least()
    from rclpy.utilities import remove_ros_args
    try:
        return remove_ros_args([name, *arguments])[1:]
    except Exception as error:  # the bindings raise several unrelated types
        raise _ros_fault(error) from None


def init_ros(name: str, arguments: Sequence[str], profile: Profile) -> str:
    """
    Join ROS with the given ROS arguments, no signal handlers, and one of the packaged DDS profiles.

    Returns '', or the reason why that profile is not used, which is also printed. If no folder for
    log files is writable, a line says so and none are written. Raises InputError for wrong ROS
    arguments.
    """
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    problem = prepare_to_send(profile)
    if problem:
        print(f'{name}: warning: {problem}', file=sys.stderr, flush=True)
    fault = log_fault()
    if fault:
        print(f'{name}: no log file: {fault}; set ROS_LOG_DIR to a writable folder',
              file=sys.stderr)
        arguments = [*WITHOUT_LOG, *arguments]
    try:
        rclpy.init(args=[name, *arguments], signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # the bindings raise several unrelated types
        raise _ros_fault(error) from None
    return problem


def _ros_fault(error: Exception) -> InputError:
    return InputError('ROS arguments: after --ros-args write what `ros2 run` accepts there: '
                      f'{one_line(error)}')
