# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""One minute at camera rate with the packaged network; measure_soak.py is the long run."""

from __future__ import annotations

from measure_soak import MOST_GROWTH_PERCENT, measure

from fcn_seg_ros.dds import use_private_domain


def test_memory_stays_and_every_image_is_counted():
    figures = measure(1.0, 10.0, int(use_private_domain({})), [])
    print(figures)
    assert figures['sent'] == 600 and figures['unexplained'] == 0
    assert figures['masks_received'] > 0
    assert figures['rss_growth_percent'] < MOST_GROWTH_PERCENT
