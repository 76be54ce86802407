# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of ``segment --output --ray``: recordings on a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.cli.segment_recordings import tell
from fcn_seg_ros.cli.stopping import stoppable
from fcn_seg_ros.offline.archive import Archive
from fcn_seg_ros.offline.cluster import connect
from fcn_seg_ros.offline.job import Job
from fcn_seg_ros.offline.network_choice import NetworkChoice


def run(address: str, places: Mapping[str, Path], job: Job, choice: NetworkChoice) -> int:
    """Segment recordings; returns the status of the command."""
    archive = Archive(places, job)
    status = 0
    with connect(address, choice) as cluster, stoppable() as stopped:
        with progress_bar('segment', archive.length) as step:
            for output, result in archive.segment(cluster, step, stopped):
                status = max(status, tell(output, result))
        return stopped.status or status
