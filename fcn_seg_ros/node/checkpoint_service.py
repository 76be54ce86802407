# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The service ``~/load_checkpoint``: change the network without a gap in the masks."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.node.load_job import LoadJob


class CheckpointService:
    """
    Loads the file named by the parameter ``checkpoint``, and answers once it is in use.

    If the new network cannot be loaded or fails its self-test, the old one stays in use and the
    answer says why. The executor keeps running meanwhile. ``load`` starts loading and calls back on
    the loading thread; there ``take`` puts the network into use and returns '' or the reason why
    that failed; ``done`` is called in the executor after a success.
    """

    def __init__(self, node: Node, load: Callable[[Callable[[LoadJob], None]], LoadJob],
                 take: Callable[[LoadJob], str], done: Callable[[], None]) -> None:
        self._node = node
        self._load = load
        self._take = take
        self._done = done
        # A separate callback group, since a waiting callback blocks the others in its group.
        node.create_service(Trigger, '~/load_checkpoint', self._serve,
                            callback_group=MutuallyExclusiveCallbackGroup())

    async def _serve(self, request: Trigger.Request, response: Trigger.Response
                     ) -> Trigger.Response:
        future: Future[str] = Future(executor=self._node.executor)
        # Only a callback wakes up the executor.
        future.add_done_callback(lambda future: None)
        try:
            loading = self._load(lambda loading: future.set_result(self._take(loading)))
            problem = str(await future)
        except InputError as error:
            problem = str(error)
        if problem:
            self._node.get_logger().error(f'load_checkpoint: {problem}')
            response.message = f'the old network stays in use: {problem}'
            return response
        self._done()
        response.success = True
        assert loading.loaded is not None
        response.message = loading.loaded.source
        return response
