# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The command lines.

A command is one file ``NAME.py`` with ``build_parser()`` and ``main(args=None) -> int``. It imports
only what its help needs, so that ``--help`` and typos answer at once; the work is done in
``NAME_run.py`` or in modules imported later.
"""

import sys
from types import TracebackType

EXECUTABLES = {
    'seg_node': 'the ROS 2 node: camera images in, road masks out',
    'play': 'publish a drive (images, video, bag, rendered) as camera topics',
    'demo': 'play a drive through the node and record the result',
    'train': 'train a network',
    'evaluate': 'score and compare networks on road images',
    'segment': 'write masks, probabilities and overlays of images, videos and recordings',
    'compare': 'compare the masks of two runs of segment: a regression test',
    'benchmark': 'measure the speed of a network on this machine',
    'export': 'convert a checkpoint to ONNX, torch.export or OpenVINO',
    'fit_statistics': 'add statistics of its training images to a checkpoint',
    'check_dataset': 'find unreadable, empty, duplicate and leaking images in datasets',
    'pick': 'choose the frames of recordings that are most worth labelling',
    'calibrate_ground': 'estimate a camera\'s pitch and roll from a recorded drive',
}


def _print_interrupted(kind: type[BaseException], error: BaseException,
                       trace: TracebackType | None) -> None:
    """Print one line for a Ctrl-C that arrives before ``run_main`` can catch it."""
    if issubclass(kind, KeyboardInterrupt):
        print('interrupted', file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _print_interrupted
