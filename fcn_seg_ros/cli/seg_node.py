# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``seg_node``."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from fcn_seg_ros.allocator import limit_arenas
from fcn_seg_ros.cli.common import make_parser, run_main
from fcn_seg_ros.cli.ros import init_ros, without_ros_arguments
from fcn_seg_ros.dds import MASKS
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.shared_memory import check_least
from fcn_seg_ros.start_watch import StartWatch
from fcn_seg_ros.stop_signal import StopSignal

DESCRIPTION = """\
Segment the road in camera images.

Subscribes to CAMERA/image_raw and CAMERA/camera_info; publishes /diagnostics and, below
CAMERA/road, the outputs listed here. Each output has the header of its image and is computed only
while somebody subscribes to it. All arguments are ROS arguments; `config/seg.yaml` lists the
parameters."""

EPILOG = """\
examples:
  seg_node --ros-args --params-file config/seg.yaml
  seg_node --ros-args -p camera.topic:=/sensing/camera/front/image_raw -p device:=cpu
  seg_node --ros-args -p 'cameras:=[front, rear]' -p rear.topic:=/rear_camera/image_raw
  seg_node --ros-args -p checkpoint:=runs/first/checkpoint.safetensors -p threshold:=0.6"""

# A signal ends the process within this time; whatever is unfinished then is skipped.
_LEAVE_S = 1.5
_GRACE_S = 0.3
_POLL_S = 0.05


def main(args: Sequence[str] | None = None) -> NoReturn:
    """
    Run the node until a stop signal, then end the process.

    The interpreter's normal shutdown is skipped: freeing PyTorch's memory takes seconds, and a
    thread inside a library, for example in a compilation, may crash or block it.
    """
    _leave(run_main('seg_node', args, _run))


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of seg_node, which has only ROS arguments."""
    return make_parser('seg_node', DESCRIPTION, EPILOG)


def _run(arguments: Sequence[str]) -> int:
    limit_arenas()
    # While the network loads, a signal is only noted, and acted on between two steps: an exception
    # in the middle of a compilation would abort the process. rclpy's handlers would shut the
    # context down during loading, and may trigger the executor just before that, so that it waits
    # for ever (seen on a busy machine).
    stopped = StopSignal()
    watch = StartWatch('seg_node')
    make_parser('seg_node', _description(arguments), EPILOG).parse_args(
        without_ros_arguments('seg_node', arguments))
    check_least()
    module = _import('fcn_seg_ros.node.seg_node', stopped)
    if module is None:
        return 0
    return _serve(module.SegNode, arguments, stopped, watch)


def _description(arguments: Sequence[str]) -> str:
    """Return the description, with the table of outputs if it is going to be shown."""
    if not {'-h', '--help'} & set(arguments):
        return DESCRIPTION
    from fcn_seg_ros.node.outputs.registry import output_help
    return f'{DESCRIPTION}\n\noutputs:\n{output_help()}'


def _serve(node_class: Any, arguments: Sequence[str], stopped: StopSignal, watch: StartWatch
           ) -> int:
    """Join ROS, run until a stop signal, and leave ROS."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    node = executor = None
    watch.joining()
    try:
        transport_problem = init_ros('seg_node', arguments, MASKS)
        node = node_class(stopped, transport_problem)
        watch.done()
        if node.settings.autostart:
            node.start()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        _call_on_signal(lambda: node.ended.set_result(None))
        if not stopped():
            node.spin(executor)
    except KeyboardInterrupt:
        pass
    finally:
        watch.done()
        _shut_down(node, executor, rclpy.try_shutdown)
    return _status(node)


def _import(name: str, stopped: Callable[[], bool]) -> Any:
    """Import a module, which may take seconds, and return it; None once ``stopped`` is True."""
    done = threading.Event()

    def load() -> None:
        try:
            importlib.import_module(name)
        except (ImportError, InputError):
            pass  # raised again below, on the main thread
        finally:
            done.set()
    threading.Thread(target=load, name='import', daemon=True).start()
    while not done.wait(_POLL_S):
        if stopped():
            return None
    return importlib.import_module(name)


def _call_on_signal(call: Callable[[], None]) -> None:
    """
    Call ``call`` on a separate thread when a signal arrives.

    The main thread waits in the middleware and would not run a Python handler.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        # The thread keeps both ends open for later signals.
        while reader.recv(1) and writer:
            call()
    threading.Thread(target=wait, name='signals', daemon=True).start()


def _shut_down(node: Any, executor: Any, shut_down_ros: Callable[[], None]) -> None:
    """
    Remove the node from the graph, and free its shared memory.

    If the middleware or a thread hangs, a timer ends the process; if the interpreter's lock is also
    unavailable, faulthandler does.
    """
    last_resort = threading.Timer(_LEAVE_S, _leave, [_status(node)])
    last_resort.daemon = True
    last_resort.start()
    with open(os.devnull, 'w') as nowhere:
        faulthandler.dump_traceback_later(_LEAVE_S + _GRACE_S, exit=True, file=nowhere)
        if executor is not None:
            executor.shutdown()  # otherwise the entities it waits for stay in the graph
        if node is not None:
            node.destroy_node()
        shut_down_ros()
        faulthandler.cancel_dump_traceback_later()
    last_resort.cancel()


def _status(node: Any) -> int:
    return 1 if node is not None and node.bug else 0


def _leave(status: int) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == '__main__':
    main()
