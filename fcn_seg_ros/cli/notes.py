# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Print the notes of a drive."""

from __future__ import annotations

import sys

from fcn_seg_ros.drives.notes import Note

# The most notes to print; a recording can be damaged at every frame.
MOST_NOTES = 20


class NotePrinter:
    """
    Prints the notes of a drive on stderr, each only once and at most MOST_NOTES in all.

    Notes before ``start`` are held back, so that only one line is printed for a drive that is
    refused.
    """

    def __init__(self, command: str) -> None:
        """Begin each line with the command's name."""
        self._command = command
        self._told: set[str] = set()
        self._waiting: list[Note] | None = []

    def start(self) -> None:
        """Print the notes so far, and from now on each immediately."""
        waiting, self._waiting = self._waiting or [], None
        for note in waiting:
            self(note)

    def __call__(self, note: Note) -> None:
        """Print a note."""
        if self._waiting is not None:
            self._waiting.append(note)
            return
        line = note.line()
        if line in self._told or len(self._told) > MOST_NOTES:
            return
        self._told.add(line)
        if len(self._told) > MOST_NOTES:
            line = 'further notes are counted but not shown'
        print(f'{self._command}: {line}', file=sys.stderr, flush=True)
