# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One thin file per executable, each with ``main(args=None) -> int``."""

EXECUTABLES = {
    'seg_node': 'the ROS 2 node: camera images in, road masks out',
    'play': 'publish a drive (folder, video, rosbag2, rendered) as camera topics',
    'demo': 'play a drive through the node and record what comes out',
    'train': 'train a network on KITTI Road',
    'evaluate': 'compare networks on sets of road images, also under corruptions',
    'segment': 'write road probability, masks and overlays of a folder of images',
    'benchmark': 'measure how fast a network is here, beside its peers and the machine\'s peak',
    'export': 'write a checkpoint as ONNX, torch.export or OpenVINO, checked (int8 too)',
    'fit_statistics': 'write into a checkpoint what its training data look like',
    'check_dataset': 'look for faults in datasets: unreadable, empty, duplicate, leaking',
}
