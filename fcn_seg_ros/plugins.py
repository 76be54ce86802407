# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Rows that other installed packages add to this one's tables, by entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pkgutil import resolve_name
from typing import Any

# A function or class, or 'module:name' of one, which is imported when it is first needed.
Reference = str | Callable[..., Any]


def resolve(reference: Reference) -> Callable[..., Any]:
    """Return the function or class, imported if it is given by name."""
    found: Callable[..., Any] = (resolve_name(reference) if isinstance(reference, str)
                                 else reference)
    return found


def with_installed(group: str, names: Iterable[str]) -> list[str]:
    """Return the names of a table's rows, followed by those that installed packages add."""
    return list(dict.fromkeys([*names, *sorted(entry_points(group=group).names)]))


def register_installed(group: str, register: Callable[[Any], None],
                       wanted: Callable[[str], bool] = lambda name: True
                       ) -> Iterator[tuple[EntryPoint, Exception]]:
    """
    Register the rows that installed packages add; yield each that does not load, and why.

    Only rows whose name is ``wanted`` are loaded.
    """
    for point in entry_points(group=group):
        if wanted(point.name):
            try:
                register(point.load())
            except Exception as error:  # a foreign package may raise anything
                yield point, error
