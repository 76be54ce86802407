# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read YAML that somebody else wrote."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from fcn_seg_ros.errors import InputError, one_line

# A file of 1 MB without aliases has no more.
_MOST_VALUES = 2**20


class _Loader(yaml.SafeLoader):
    """Refuses keys given twice, of which PyYAML takes the last, and aliases that only blow up."""

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        _count(node, {})
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f'the key {key.value} twice', key.start_mark)
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)


def parse_yaml(content: str | bytes, origin: object) -> Any:
    """
    Return what a YAML text holds; ``origin`` names it in an InputError.

    Raises InputError for text that is no YAML, for a key that stands twice in a mapping, and for
    aliases that hold themselves or come to more than a million values.
    """
    try:
        return yaml.load(content, _Loader)
    except Exception as error:  # PyYAML raises many types for values that it cannot construct
        raise InputError(f'{origin}: expected YAML, found a fault ({one_line(error)})') from None


def _count(node: Any, known: dict[Any, int]) -> int:
    """Return how many values a node has with its aliases written out; raises ValueError."""
    if not isinstance(node, yaml.CollectionNode):
        return 1
    if node not in known:
        known[node] = -1
        items = (part for item in node.value
                 for part in (item if isinstance(item, tuple) else (item,)))
        known[node] = 1 + sum(_count(item, known) for item in items)
    if known[node] < 0:
        raise ValueError('an alias that holds itself')
    if known[node] > _MOST_VALUES:
        raise ValueError(f'aliases of more than {_MOST_VALUES} values')
    return known[node]
