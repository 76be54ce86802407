# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Small runs, as ``segment --output`` leaves them, and a reader of the pages about them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from fcn_seg_ros.files import make_folder
from fcn_seg_ros.images.encode import encode_png
from fcn_seg_ros.offline.lowest_frames import LowestFrames
from fcn_seg_ros.offline.report import REPORT, report_step
from fcn_seg_ros.offline.run_folder import ERRORS, FRAMES, open_run


def frame(number: int, topic: str = '/a/image_raw', **other: Any) -> dict[str, Any]:
    """Return the facts of a frame."""
    ns = 10**18 + number * 10**8
    return {'number': number, 'topic': topic, 'stamp_ns': ns, 'received_ns': ns + 5,
            'width': 50, 'height': 20, 'road_share': 0.25, 'unknown_share': 0.0,
            'confidence': 0.9 - number / 1000,
            'ms': {'decode': 1.0, 'preprocess': 2.0, 'forward': 30.0, 'postprocess': 1.0}, **other}


def loss(number: int | None, reason: str) -> dict[str, Any]:
    """Return the facts of a loss."""
    return {'number': number, 'topic': None, 'stamp_ns': None, 'received_ns': 10**18,
            'reason': reason, 'lost': None if number is None else 1}


def write_run(path: Path, seen: list[dict[str, Any]], losses: Sequence[dict[str, Any]] = (),
              masks: Mapping[int, np.ndarray] | None = None,
              facts: Mapping[str, Any] | None = None,
              **settings: Any) -> str:
    """Write a run, its masks as PNG files, and return its report."""
    run = open_run(path, {'input': 'drive', **settings}, facts or {})
    assert run is not None
    with run.parts.part(0) as part:
        for name, rows in ((FRAMES, seen), (ERRORS, losses)):
            (part.path / name).write_text(''.join(json.dumps(row) + '\n' for row in rows))
        for number, mask in (masks or {}).items():
            make_folder(part.files / 'mask')
            (part.files / 'mask' / f'{number:06d}.png').write_bytes(encode_png(mask))
        lowest = LowestFrames((0, 255, 0))
        for row in seen:
            lowest.offer(row['number'], row['confidence'], np.full((30, 900, 3), 90, np.uint8),
                         lambda: np.ones((30, 900), np.uint8))
        lowest.write(part.path)
        part.facts['last'] = True
    run.finish({'seconds': 2.0}, [report_step])
    return (path / REPORT).read_text()


class Seen(HTMLParser):
    """Collects elements, and checks that they nest and close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ''
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ('meta', 'br', 'img', 'wbr'):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
