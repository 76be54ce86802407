# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Tables on the terminal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import rich.box
import rich.table
from rich.console import Console

from fcn_seg_ros.evaluation.report import Table

# The width for a pipe or a file, which has none.
_WIDTH = 110


def print_tables(parts: Sequence[Table], lines: Sequence[str] = ()) -> None:
    """Print lines of text, then tables with the first column left-aligned and others right."""
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


class RowPrinter:
    """A table printed row by row as results arrive."""

    def __init__(self, title: str, columns: Sequence[str], first: Sequence[Sequence[str]] = (),
                 texts: int = 2) -> None:
        """
        Print the header.

        Columns are as wide as their names and the words in ``first`` (for instance all names to
        come); the first ``texts`` columns are left-aligned.
        """
        self._texts = texts
        self._widths = [max(map(len, (name, *words))) for name, words in
                        itertools.zip_longest(columns, first, fillvalue=())]
        print(title)
        self(columns)

    def __call__(self, words: Sequence[str]) -> None:
        """Print a row."""
        parts = [word.ljust(width) if index < self._texts else word.rjust(width)
                 for index, (word, width) in enumerate(zip(words, self._widths, strict=True))]
        print('  '.join(parts).rstrip(), flush=True)
