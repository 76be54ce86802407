# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Draw the picture of README and documentation: a frame of the demo's drive with its mask.

    python docs/make_picture.py

The frame is rendered, with a seed that the network was not trained on.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from fcn_seg_ros.datasets.rendered_road import FIRST_HELD_OUT_SEED  # noqa: E402
from fcn_seg_ros.files import write_file  # noqa: E402
from fcn_seg_ros.images.encode import encode_jpeg  # noqa: E402
from fcn_seg_ros.inference.postprocess import draw_overlay  # noqa: E402
from fcn_seg_ros.inference.segmenter import RoadSegmenter  # noqa: E402
from fcn_seg_ros.resources import default_checkpoint  # noqa: E402
from fcn_seg_ros.synthetic.suburb import RenderedDrive  # noqa: E402

FRAME = 80
SIZE = (994, 300)


def main() -> None:
    """Write docs/images/mask.jpg."""
    image = RenderedDrive(FIRST_HELD_OUT_SEED)[FRAME].image
    segmenter = RoadSegmenter(default_checkpoint())
    colour = segmenter.info.palette[segmenter.info.road_ids[0]]
    overlay = draw_overlay(image, segmenter.segment(image).road, colour, 0.45)
    small = cv2.resize(overlay, SIZE, interpolation=cv2.INTER_AREA)
    write_file(DOCS / 'images' / 'mask.jpg', encode_jpeg(small, 85))


if __name__ == '__main__':
    main()
