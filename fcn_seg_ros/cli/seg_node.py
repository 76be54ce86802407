# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Executable ``seg_node``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from fcn_seg_ros.cli.common import init_ros, make_parser, run_main, without_ros_arguments
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.stop_signal import StopSignal

DESCRIPTION = """\
Segment the road in camera images.

Subscribes to CAMERA/image_raw and publishes CAMERA/road/mask, CAMERA/road/probability and
CAMERA/road/overlay, each with the header of the image it was computed from, and /diagnostics.
It takes no arguments of its own but ROS ones; `config/seg.yaml` lists all parameters."""

EPILOG = """\
examples:
  seg_node --ros-args --params-file config/seg.yaml
  seg_node --ros-args -r camera/image_raw:=/sensing/camera/front/image_raw -p device:=cpu
  seg_node --ros-args -p checkpoint:=runs/first/checkpoint.safetensors -p threshold:=0.6"""


def main(args: Sequence[str] | None = None) -> int:
    """Run the node until it is told to stop."""
    return run_main('seg_node', args, _run)


def _run(arguments: Sequence[str]) -> int:
    # While the node loads, a signal is only noted, and obeyed between two steps: an exception in
    # the middle of a compilation would abort the process, and rclpy's own handlers would let the
    # loading fail on a context that is shut down.
    stopped = StopSignal()
    make_parser('seg_node', DESCRIPTION, EPILOG).parse_args(
        without_ros_arguments('seg_node', arguments))
    import rclpy
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
    from rclpy.lifecycle import TransitionCallbackReturn
    from rclpy.signals import SignalHandlerOptions, install_signal_handlers
    init_ros('seg_node', arguments)
    from fcn_seg_ros.node.seg_node import SegNode
    node = None
    try:
        node = SegNode(stopped)
        if node.settings.autostart:
            for transition in (node.trigger_configure, node.trigger_activate):
                if transition() != TransitionCallbackReturn.SUCCESS:
                    raise node.failure or InputError('the node could not be activated')
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        install_signal_handlers(SignalHandlerOptions.ALL)
        if not stopped():
            executor.spin()
    except (ExternalShutdownException, KeyboardInterrupt):
        pass
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 1 if node is not None and node.bug else 0


if __name__ == '__main__':
    sys.exit(main())
