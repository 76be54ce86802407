# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The work of the command ``compare``."""

from __future__ import annotations

import argparse
import sys

from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.offline.compare import compare_runs
from fcn_seg_ros.offline.compare_figures import as_csv, as_json, figures, summary
from fcn_seg_ros.offline.compare_report import compare_page
from fcn_seg_ros.offline.gates import GATES, check_all
from fcn_seg_ros.offline.run_images import read_images
from fcn_seg_ros.offline.run_reader import read_run


def run(options: argparse.Namespace) -> int:
    """Compare, write and print; returns 1 if a limit is not kept."""
    limits = {}
    for gate in GATES:
        limit = getattr(options, gate.option.strip('-').replace('-', '_'))
        if limit is not None:
            gate.check(limit)
            limits[gate.option] = limit
    run_a, run_b = read_run(options.run_a), read_run(options.run_b)
    with progress_bar('compare', run_a.facts.get('frames')) as done:
        found = compare_runs(run_a, run_b, done)
    values = figures(found)
    checks = check_all(values, limits)
    if options.output is not None:
        rows = {int(found.a.number[row]): row for row in found.worst}
        shown = {rows[number]: image for number, image in read_images(run_a, rows)}
        make_folder(options.output)
        for name, content in (('compare.html', compare_page(found, values, checks, shown)),
                              ('compare.json', as_json(found, values, checks)),
                              ('compare.csv', as_csv(found))):
            write_file(options.output / name, content)
        print(f'wrote {options.output / "compare.html"}', file=sys.stderr)
    print(summary(found, values, checks))
    return int(any(not check.passed for check in checks))
