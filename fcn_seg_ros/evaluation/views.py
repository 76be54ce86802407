# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The two views in which scores are given; their figures are not comparable with each other."""

PERSPECTIVE, BIRDS_EYE = 'perspective', 'birds-eye'
VIEWS = {PERSPECTIVE: (PERSPECTIVE,), BIRDS_EYE: (BIRDS_EYE,), 'both': (PERSPECTIVE, BIRDS_EYE)}
