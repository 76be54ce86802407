# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
A tf2_ros whose answer the name of the image's frame decides, in place of the distribution's.

``INSTALL`` is the code that puts it into a node's process.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

INSTALL = (f'sys.path.insert(0, {str(Path(__file__).parent)!r}); import stand_in_tf; '
           'stand_in_tf.install()')
LEVEL = (-0.5, 0.5, -0.5, 0.5)
# (x, y, z) and quaternion of the frames whose pose is known.
FRAMES = {'level': ((1.0, 0.0, 1.6), LEVEL), 'old': ((1.0, 0.0, 1.6), LEVEL),
          'jumped': ((2.0, 0.0, 1.6), LEVEL), 'sky': ((1.0, 0.0, 1.6), (0.0, 0.0, 0.0, 1.0)),
          'nan': ((1.0, 0.0, float('nan')), LEVEL)}
ERRORS = {'loop': 'The tf tree is invalid because it contains a loop.\nFrame a exists.'}


class TransformException(Exception):
    """What tf2_ros raises."""


class Buffer:
    """Knows the frames above; 'old' was last heard of at 1 s."""

    def __init__(self, node: Any) -> None:
        """Take the place of a buffer that would be filled."""

    def clear(self) -> None:
        """Forget nothing."""

    def lookup_transform(self, target: str, source: str, at: Any) -> Any:
        """Return a transform, or raise."""
        if source not in FRAMES or (source == 'old' and at.nanoseconds):
            raise TransformException(ERRORS.get(
                source, f'"{source}" passed to lookupTransform argument source_frame does not '
                        'exist.'))
        position, turn = FRAMES[source]
        from fcn_seg_ros.messages import to_header
        return SimpleNamespace(
            header=to_header(10**9 if source == 'old' else 0, target),
            transform=SimpleNamespace(
                translation=SimpleNamespace(**dict(zip('xyz', position, strict=True))),
                rotation=SimpleNamespace(**dict(zip('xyzw', turn, strict=True)))))


class TransformListener:
    """Listens to nothing."""

    def __init__(self, buffer: Buffer, node: Any) -> None:
        """Take the place of a subscription."""

    def unregister(self) -> None:
        """End nothing."""


def install() -> None:
    """Make it what ``import tf2_ros`` finds."""
    module = ModuleType('tf2_ros')
    vars(module).update(Buffer=Buffer, TransformListener=TransformListener,
                        TransformException=TransformException)
    sys.modules['tf2_ros'] = module
