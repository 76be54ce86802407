# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``export``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli.common import make_parser, run_command
from fcn_seg_ros.inference.formats import CALIBRATION_IMAGES, FORMATS, MIN_SIDE, OPSET, OPSETS
from fcn_seg_ros.models.checkpoint_info import STRIDE
from fcn_seg_ros.resources import CHECKPOINT_WORDS, DEFAULT_CHECKPOINT

DESCRIPTION = f"""\
Convert a checkpoint for another runtime, and check the result before it is kept.

The whole graph is exported, normalisation included:
  input   image        uint8 (N, H, W, 3), RGB as the camera gives it, H and W multiples of {STRIDE}
                       (scale the image to about the network height of the metadata, keeping its
                       aspect ratio)
  output  probability  uint8 (N, H, W, K), round(255 P); K = 1 for road / not road (P(road)),
                       else the number of classes (P of each)
Batch and size are dynamic ({MIN_SIDE} to 4096 per side, for onnx and openvino any); sides that are
not such multiples are an error in every runtime. The metadata (classes, road ids, threshold,
network height, licence, ...) is JSON under the key fcn_seg_ros.

  onnx      one .onnx file; metadata in metadata_props (ONNX Runtime, TensorRT)
  torch     one .pt2 file of torch.export; metadata in its extra file fcn_seg_ros.json
  openvino  an .xml with a .bin beside it; metadata in rt_info. The arithmetic is chosen when it
            is run (INFERENCE_PRECISION_HINT); fp16 halves the size of the weights; int8 is
            quantised. The node, segment and evaluate take the .xml in place of a checkpoint

The node looks for models next to a checkpoint NAME.safetensors. NAME_fp32.xml and NAME_fp32.onnx
spare it the conversion, which needs PyTorch. NAME_int8.xml runs with `precision: int8`, and by
default on a CPU that has VNNI but no bfloat16.

Masks of rendered images (several sizes, a batch of two) must agree with PyTorch's in fp32 to an IoU
of at least 0.999 (fp32) or 0.995 (bf16, fp16). int8 needs images to calibrate on and images to
score: MaxF must fall by less than 0.2. Otherwise nothing is written, and FILE stays as it was."""

EPILOG = """\
examples:
  export --format onnx --out road.onnx
  export runs/first/checkpoint.safetensors --format torch --out road.pt2 --precision bf16
  export runs/first/checkpoint.safetensors --format openvino \\
         --out runs/first/checkpoint_fp32.xml
  export runs/first/checkpoint.safetensors --format openvino --precision int8 \\
         --out runs/first/checkpoint_int8.xml \\
         --calibrate 'kitti:data/kitti_road?split=train' \\
         --val 'kitti:data/kitti_road?split=val'
  segment photos --mask masks --checkpoint runs/first/checkpoint.safetensors --precision int8"""


def main(args: Sequence[str] | None = None) -> int:
    """Export a checkpoint."""
    return run_command('export', args, build_parser)


def build_parser() -> argparse.ArgumentParser:
    """Return the command line of export."""
    parser = make_parser('export', DESCRIPTION, EPILOG)
    add = parser.add_argument
    add('checkpoint', metavar='CHECKPOINT', nargs='?',
        help=f'{CHECKPOINT_WORDS} (default: {DEFAULT_CHECKPOINT})')
    add('--format', required=True, choices=list(FORMATS), help='format to write')
    add('--out', required=True, type=Path, metavar='FILE',
        help='file to write: ' + ', '.join(f'{f.suffix} for {name}' for name, f in FORMATS.items()))
    add('--precision', default='fp32', choices=('fp32', 'bf16', 'fp16', 'int8'),
        help='of the weights: ' + '; '.join(
            f'{name} {", ".join(f.precisions)}' for name, f in FORMATS.items()))
    add('--opset', type=int, choices=OPSETS, metavar='N',
        help=f'operator set of ONNX, {OPSETS[0]} to {OPSETS[-1]}, and so its IR version: '
             f'18 runs in ONNX Runtime 1.15 and newer, 20 in 1.17 and newer (default: {OPSET})')
    add('--height', type=int, default=0, metavar='ROWS',
        help='network height for the metadata, at which int8 is calibrated; 0: the checkpoint\'s')
    add('--calibrate', nargs='+', metavar='DATASET', help='images to quantise with, as in '
        f'train --train: training images only ({CALIBRATION_IMAGES} at most are used)')
    add('--val', metavar='DATASET', help='images to score the quantised network on')
    add('--json', action='store_true', help='print the checks as JSON')
    return parser


if __name__ == '__main__':
    sys.exit(main())
