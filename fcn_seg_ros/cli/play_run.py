# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``play``."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence

from fcn_seg_ros.cli.notes import NotePrinter
from fcn_seg_ros.cli.ros import init_ros
from fcn_seg_ros.dds import IMAGES
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.shared_memory import check_least
from fcn_seg_ros.start_watch import StartWatch
from fcn_seg_ros.stop_signal import StopSignal


def check_camera_name(name: str) -> None:
    """Raise InputError if ``name`` cannot be part of a topic name."""
    from rclpy.exceptions import InvalidTopicNameException
    from rclpy.validate_topic_name import validate_topic_name
    try:
        validate_topic_name(f'{name}/image_raw')
    except InvalidTopicNameException:
        raise InputError(f'--cam: expected a name for topics, such as camera or front/left, '
                         f'found {name!r}') from None


def run(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Play as the command line says; ROS arguments (--ros-args ...) are passed to rclpy."""
    check_least()
    import rclpy

    _check(options)
    printer = NotePrinter('play')
    drive = open_drive(options.input, topics=(options.topic,) if options.topic else (),
                       rate_hz=options.rate, limit=options.frames, on_note=printer)
    printer.start()

    from fcn_seg_ros.drives.player import DrivePlayer, PlayOptions
    stopped = StopSignal()
    watch = StartWatch('play')
    watch.joining()
    init_ros('play', arguments, IMAGES)
    try:
        player = DrivePlayer(drive, PlayOptions(
            options.cam, options.rate, options.speed, options.loop, options.stamps == 'wall',
            options.wait_for_subscribers, options.wait_for_info_subscribers,
            options.wait_timeout, options.preload, options.wait_for_listener), stopped)
        watch.done()
        summary = player.play()
        player.destroy_node()
    finally:
        watch.done()
        rclpy.shutdown()
    print(json.dumps(summary.as_dict()) if options.json else f'play: {summary.line()}',
          flush=True)
    status = 0 if options.loop else stopped.status
    if player.is_reading:
        # A thread that is still decoding in a library would abort the process at the interpreter's
        # end.
        os._exit(status)
    return status


def _check(options: argparse.Namespace) -> None:
    """Raise InputError for options out of range."""
    for name in ('wait_for_subscribers', 'wait_for_info_subscribers', 'wait_timeout'):
        if not getattr(options, name) >= 0:
            raise InputError(f'--{name.replace("_", "-")}: expected 0 or more, '
                             f'found {getattr(options, name)}')
    check_camera_name(options.cam)
    if not 0.0 < options.speed <= 1000.0:
        raise InputError('--speed: expected more than 0 and at most 1000, '
                         f'found {options.speed:g}')
    if options.rate is not None and options.speed != 1.0:
        raise InputError('--speed and --rate exclude each other')
