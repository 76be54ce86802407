# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Faults of other nodes and bugs of its own: seg_node keeps running and reports them."""

from __future__ import annotations

import pytest
from lifecycle_msgs.msg import Transition
from node_client import (
    ACTIVATE,
    CONFIGURE,
    DEACTIVATE,
    PACKAGED,
    Client,
    image_message,
    start_node,
    wait_for_end,
)
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters
from rosgraph_msgs.msg import Clock

# How long the worker takes for every image.
BUSY_S = 5.0
STUCK = ('import time; from fcn_seg_ros.node import seg_node; seg_node._DEACTIVATE_S = 0.5; '
         'from fcn_seg_ros.node.worker import Worker; process = Worker._process; '
         f'Worker._process = lambda *args: (time.sleep({BUSY_S}), process(*args))')


@pytest.fixture
def client():
    """Return a client of one camera."""
    client = Client(outputs=('mask',))
    yield client
    client.close()


@pytest.fixture
def start():
    """Return a function that starts a node; the node ends with the test."""
    nodes = []

    def start(*arguments, **named):
        nodes.append(start_node(*arguments, **named))
        return nodes[-1]
    yield start
    for node in nodes:
        node.kill()
        node.communicate()


def test_what_rclpy_raises_for_a_message_costs_that_message(client, start, rendered_frames):
    clock = client.node.create_publisher(Clock, '/clock', 10)
    node = start('-p', 'use_sim_time:=true', *PACKAGED)
    client.connect()
    client.until(lambda: clock.get_subscription_count() == 1)
    negative = Clock()
    negative.clock.sec = -5
    for _ in range(30):
        clock.publish(negative)
    client.until(lambda: any('a callback failed: ValueError' in text for text in client.messages))
    service = client.node.create_client(SetParameters, '/seg_node/set_parameters')
    client.until(service.service_is_ready)
    for kind in (42, 0):
        service.call_async(SetParameters.Request(parameters=[
            Parameter(name='threshold', value=ParameterValue(type=kind))]))
    assert client.set('overlay_alpha', 0.1).successful
    client.exchange(image_message(rendered_frames[0].image, 1))
    # The diagnostics report it for some seconds.
    client.until(lambda: 'a callback failed' not in ''.join(client.messages[-2:]))
    node.send_signal(2)
    output = wait_for_end(node)
    assert node.returncode == 0 and 'Seconds value must not be negative' in output


def test_a_deactivation_that_does_not_come_to_an_end_leaves_it_active(client, start,
                                                                      rendered_frames):
    message = image_message(rendered_frames[0].image, 1)
    node = start(*PACKAGED, fault=STUCK)
    client.connect()
    client.publishers['camera'].publish(message)
    client.counts_become(in_flight=1)
    client.messages.clear()
    assert not client.change(DEACTIVATE)
    assert client.state() == 'active'
    client.until(lambda: any('deactivate: the current batch did not finish' in text
                             for text in client.messages))
    assert client.status['state'] == 'active'
    client.connect()  # it has subscribed again
    client.counts_become(published=1)
    client.exchange(message)  # and segments
    client.until(lambda: client.status['in_flight'] == '0')
    assert client.change(DEACTIVATE) and client.state() == 'inactive'
    client.until(lambda: client.status['state'] == 'inactive')
    assert client.change(ACTIVATE)
    node.send_signal(2)
    assert 'Traceback' not in wait_for_end(node)


def test_a_shutdown_in_the_middle_of_a_stuck_batch_is_final(client, start, rendered_frames):
    node = start(*PACKAGED, fault=STUCK)
    client.connect()
    client.publishers['camera'].publish(image_message(rendered_frames[0].image, 1))
    client.counts_become(in_flight=1)
    client.messages.clear()
    assert not client.change(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert client.state() == 'finalized'
    client.until(lambda: any('shutdown: the current batch' in text
                             for text in client.messages))
    assert client.status['state'] == 'finalized'
    client.until(lambda: client.publishers['camera'].get_subscription_count() == 0)
    client.until(lambda: client.node.count_publishers('camera/road/mask') == 0)
    client.counts_become(in_flight=0, published=0, dropped_inactive=1)
    node.send_signal(2)
    output = wait_for_end(node)
    assert node.returncode == 0 and 'Traceback' not in output, output


def test_a_transition_that_breaks_half_way_ends_unconfigured(client, start, rendered_frames):
    fault = ('from fcn_seg_ros.node import camera_channel as c; plain = c.CameraChannel.activate; '
             'calls = []; c.CameraChannel.activate = lambda self: (calls.append(1), '
             'plain(self) if len(calls) > 1 else {}["missing"])')
    node = start('-p', 'autostart:=false', *PACKAGED,
                 fault=fault)
    assert client.change(CONFIGURE)
    assert not client.change(ACTIVATE)
    assert client.state() == 'unconfigured'
    client.until(lambda: client.status.get('state') == 'unconfigured'
                 and any("on_activate: KeyError: 'missing'" in text for text in client.messages))
    assert client.change(CONFIGURE) and client.change(ACTIVATE)
    client.connect()
    client.exchange(image_message(rendered_frames[0].image, 1))
    node.send_signal(2)
    wait_for_end(node)
    assert node.returncode == 0
