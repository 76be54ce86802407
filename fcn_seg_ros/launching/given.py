# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
The parameters that a node will be given, read as rcl reads them.

So a launch file knows the cameras in a parameter file, and refuses what the node would refuse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from fcn_seg_ros.errors import InputError, one_line
from fcn_seg_ros.files import read_file
from fcn_seg_ros.node.parameters import Row, checked

# Those of rcl_yaml_param_parser, as in YAML 1.1.
_BOOLEANS = {word: word in ('y', 'yes', 'true', 'on')
             for word in ('y', 'yes', 'true', 'on', 'n', 'no', 'false', 'off')}
_INTEGER = re.compile(r'[+-]?(0x[0-9a-f]+|\d+)', re.ASCII | re.IGNORECASE)
_EVERY_NODE = '/**'
_PARAMETERS = 'ros__parameters'


class _Loader(yaml.SafeLoader):
    """Reads scalars as rcl does: 1e3 is a number, 2026-01-01 a string."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def scalar(text: str) -> Any:
    """Return an unquoted word as rcl reads it: bool, int, float or str."""
    if text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text, 16 if 'x' in text.lower() else 10)
    try:
        return float(text.replace('.nan', 'nan').replace('.inf', 'inf').replace('_', '?'))
    except ValueError:
        return text


def _construct(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return node.value if node.style else scalar(node.value)


_Loader.add_constructor('tag:yaml.org,2002:str', _construct)


def typed(row: Row, text: str) -> Any:
    """
    Return a launch argument's text as a parameter value.

    Accepts true and false in any case, numbers, and lists as ``[1, 2]`` or ``1,2``. Raises
    InputError, with the parameter's name, for any other text.
    """
    if isinstance(row.default, str):
        value: Any = text
    elif isinstance(row.default, list):
        parts = text.strip().removeprefix('[').removesuffix(']').split(',')
        value = [scalar(part.strip()) for part in parts]
    else:
        value = scalar(text.strip())
    found = checked(row, value)
    return list(found) if isinstance(found, tuple) else found


def given_parameters(sources: Iterable[str | tuple[str, Any]], node: str) -> dict[str, Any]:
    """
    Return the parameters that the node with this full name will be given.

    ``sources``, in order: paths of parameter files, and (name, value) pairs of SetParameter. Later
    ones override earlier ones, but values for the node by name override those for every node.
    Raises InputError for an invalid parameter file.
    """
    everywhere: dict[str, Any] = {}
    by_name: dict[str, Any] = {}
    for source in sources:
        if isinstance(source, str):
            for pattern, parameters in _read(source).items():
                if pattern == _EVERY_NODE:
                    everywhere |= parameters
                elif pattern == node:
                    by_name |= parameters
        else:
            name, value = source
            everywhere[name] = yaml.load(f'{value}', _Loader) if isinstance(value, str) else (
                list(value) if isinstance(value, list | tuple) else value)
    return everywhere | by_name


def _read(path: str) -> dict[str, dict[str, Any]]:
    """Return the parameters in a file by the full name, or name pattern, of their nodes."""
    try:
        content = yaml.load(read_file(Path(path), 'a parameter file', 2**20).decode(), _Loader)
    except InputError as error:
        raise InputError(f'params_file: {error}') from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f'params_file: {path} is not a valid parameter file: '
                         f'{one_line(error)}') from None
    found: dict[str, dict[str, Any]] = {}

    def walk(name: str, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise InputError(f'params_file: expected NODE: {{{_PARAMETERS}: {{...}}}} in {path}, '
                             f'found otherwise at {name!r}')
        for key, below in value.items():
            if key == _PARAMETERS:
                found.setdefault(name or '/', {}).update(_flat(below))
            else:
                walk(f'{name}/{str(key).strip("/")}', below)

    walk('', content)
    return found


def _flat(parameters: Any, prefix: str = '') -> dict[str, Any]:
    """Return nested parameters by their full names, joined with dots."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items() if isinstance(parameters, Mapping) else ():
        full = f'{prefix}{name}'
        flat |= _flat(value, f'{full}.') if isinstance(value, Mapping) else {full: value}
    return flat
