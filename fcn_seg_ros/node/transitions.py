# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle transitions that report why they failed."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from fcn_seg_ros.errors import InputError, type_and_words

Transition = Callable[[Any, LifecycleState], TransitionCallbackReturn]


def reported(transition: Transition) -> Transition:
    """
    Wrap a transition so that it calls the node's ``fail`` with the reason if it raises.

    rclpy would swallow the exception and run ``on_error`` in every case.
    """
    @functools.wraps(transition)
    def call(node: Any, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return transition(node, state)
        except InputError as error:
            result: TransitionCallbackReturn = node.fail(error)
        except Exception as error:  # rclpy would swallow it
            node.get_logger().error(traceback.format_exc())
            result = node.fail(InputError(f'{transition.__name__}: {type_and_words(error)}'))
        return result
    return call


def stuck(transition: str, seconds: float) -> InputError:
    """Return the reason for a transition that the current batch holds up."""
    return InputError(f'{transition}: the current batch did not finish within {seconds:g} s')
