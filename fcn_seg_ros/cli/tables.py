# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

import rich.box
import rich.table
from rich.console import Console

from fcn_seg_ros.evaluation.report import Table

# Of a pipe or a file, which have no width of their own.
_WIDTH = 110


def print_tables(parts: Sequence[Table], lines: Sequence[str] = ()) -> None:
    """Print lines of text, then tables, the first column to the left, the others to the right."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, _WIDTH))
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    for part in parts:
        table = rich.table.Table(title=part.title, box=rich.box.SIMPLE_HEAD,
                                 padding=(0, 1, 0, 0), pad_edge=False)
        for index, column in enumerate(part.columns):
            table.add_column(column, justify='right' if index else 'left')
        for row in part.rows:
            table.add_row(*row)
        console.print(table)
        for note in part.notes:
            console.print(note, highlight=False, soft_wrap=True)
