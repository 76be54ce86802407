# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""A camera whose picture freezes, over the real middleware."""

from __future__ import annotations

import itertools
import time

import numpy as np
from node_client import FAST, Client, image_message, running
from picture_faults import noisy


def test_a_frozen_camera_is_warned_of_and_forgiven(random_checkpoint, rendered_frames):
    rng = np.random.default_rng(0)
    with running('-p', f'checkpoint:={random_checkpoint}', *FAST):
        client = Client(outputs=('mask',))
        client.connect()
        frozen = False
        stamps = itertools.count(1)
        picture = rendered_frames[0].image

        def tick() -> None:
            nonlocal picture
            if not frozen:
                picture = noisy(rendered_frames[0].image, 2.0, rng)
            client.publishers['camera'].publish(image_message(picture, next(stamps) * 10**8))
        client.node.create_timer(0.1, tick)
        client.until(lambda: 'picture_faults' in client.status
                     and int(client.status['published']) >= 12)
        assert 'frozen' not in client.status['picture_faults']
        began, frozen = time.monotonic(), True
        client.until(lambda: 'frozen' in client.status['picture_faults'])
        print(f'WARN {time.monotonic() - began:.2f} s after the picture froze')
        # By the node's own clock, which the load of this machine does not stretch as much.
        assert 1.0 <= float(client.status['picture_repeated_s']) < 2.0
        assert 'the picture is frozen: the same pixels with new stamps' in client.messages[-1]
        began, frozen = time.monotonic(), False
        client.until(lambda: 'frozen' not in client.status['picture_faults'])
        print(f'gone {time.monotonic() - began:.2f} s after it moved again')
        frozen = True
        assert client.set('frozen_after_s', -1.0).successful is False
        assert client.set('frozen_after_s', 0.0).successful
        client.until(lambda: float(client.status.get('picture_repeated_s', 0)) > 2.0)
        assert 'frozen' not in client.status['picture_faults']
        client.close()
