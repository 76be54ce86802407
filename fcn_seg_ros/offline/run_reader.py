# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read a complete run: its settings, and the facts of its frames and errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcn_seg_ros.errors import InputError, quote
from fcn_seg_ros.files import open_regular
from fcn_seg_ros.offline.run_folder import ERRORS, FRAMES, RUN, read_facts


@dataclass(frozen=True)
class Run:
    """
    A complete run.

    ``facts`` is the content of ``run.json``, whose keys docs/reference/run_folder.md lists.
    """

    path: Path
    facts: dict[str, Any]

    @property
    def settings(self) -> dict[str, Any]:
        """Return what decided the results."""
        settings: dict[str, Any] = self.facts['settings']
        return settings

    @property
    def road_ids(self) -> tuple[int, ...]:
        """Return the values of the mask that are road."""
        ids = self.facts.get('road_ids', [1])
        if not (isinstance(ids, list) and ids
                and all(isinstance(each, int) and 0 <= each < 255 for each in ids)):
            raise InputError(f'{self.path / RUN}: expected road_ids of 0 to 254, found '
                             f'{quote(ids)}')
        return tuple(ids)

    @property
    def mask_topics(self) -> dict[str, str]:
        """Return the topic of the masks in the bag, for each image topic that has one."""
        topics = self.facts.get('mask_topics', {})
        if not (isinstance(topics, dict)
                and all(isinstance(each, str) for each in topics.values())):
            raise InputError(f'{self.path / RUN}: expected mask_topics, the topic of the masks '
                             f'for each image topic, found {quote(topics)}')
        return topics

    def frames(self) -> Iterator[dict[str, Any]]:
        """Yield the facts of each image that has a mask, in the order of recording."""
        return _lines(self.path / FRAMES)

    def errors(self) -> Iterator[dict[str, Any]]:
        """Yield the facts of each image that has none."""
        return _lines(self.path / ERRORS)


@contextmanager
def facts_in(path: Path, line: int, what: str) -> Iterator[None]:
    """Turn what goes wrong with the facts in a line of a table into an InputError."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f'{path}: expected the facts of {what} in line {line}, found something '
                         f'else ({type(error).__name__}: {error})') from None


def read_run(path: Path) -> Run:
    """Open a run; raises InputError if the folder is none."""
    return Run(path, read_facts(path))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with open_regular(path) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield json.loads(line)
                except ValueError:
                    raise InputError(f'{path}: expected JSON in line {number}, found something '
                                     'else') from None
    except OSError as error:
        raise InputError(f'{path}: expected a table of a run, found none that can be read '
                         f'({error.strerror or error})') from None
