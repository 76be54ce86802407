# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Write config/seg.yaml from the table of parameters.

    python -m fcn_seg_ros.node.parameter_file > config/seg.yaml
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from fcn_seg_ros.node.parameters import CAMERA_PARAMETERS, PARAMETERS, Row, camera_rows

_COLUMNS = 100
_HEADER = (
    'Every parameter of seg_node with its default. `/**` matches any node name and namespace. '
    'Settable while the node is configured: {}. The others are fixed then.')
_CAMERA = 'The parameters of each camera, under its name.'


def parameter_file() -> str:
    """Return a parameter file with every parameter, its description and its default."""
    camera = PARAMETERS[0].default[0]
    settable = [row.name for row in (*PARAMETERS, *camera_rows(camera)) if row.run_time]
    lines = [*_comment(_HEADER.format(', '.join(settable)), ''), '/**:', '  ros__parameters:',
             *_entries(PARAMETERS, '    '), *_comment(_CAMERA, '    '), f'    {camera}:',
             *_entries(CAMERA_PARAMETERS, '      ')]
    return '\n'.join(lines) + '\n'


def _entries(rows: Iterable[Row], indent: str) -> Iterator[str]:
    for row in rows:
        text = row.description
        if any(choice not in text for choice in row.choices):
            text += f' One of {", ".join(filter(None, row.choices))}.'
        yield from _comment(text, indent)
        yield f'{indent}{row.name}: {_yaml(row.default)}'


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _COLUMNS, initial_indent=f'{indent}# ',
                         subsequent_indent=f'{indent}# ', break_on_hyphens=False)


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f'[{", ".join(map(str, value))}]'
    return "''" if value == '' else str(value)


if __name__ == '__main__':
    print(parameter_file(), end='')
