# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Hostile messages over the real middleware; measure_malformed.py is the long run."""

from __future__ import annotations

from measure_malformed import measure

from fcn_seg_ros.dds import use_private_domain

DOMAIN = int(use_private_domain({}))


def test_hostile_messages_are_counted_and_the_node_lives_on():
    figures = measure(300, DOMAIN)
    assert figures['alive']
    assert figures['messages'] >= 300 and figures['uncounted'] == 0
    assert figures['malformed'] > 50 and figures['segmented'] > 10
    assert figures['rss_growth_percent'] < 10
