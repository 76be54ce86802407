# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Parameter file and README agree with the table of parameters."""

from pathlib import Path

import yaml

from fcn_seg_ros.node.parameter_file import parameter_file
from fcn_seg_ros.node.parameters import PARAMETERS, camera_rows, checked

ROOT = Path(__file__).resolve().parent.parent
ROWS = [*PARAMETERS, *camera_rows('camera')]


def parameters_of(node: dict, prefix: str = '') -> dict:
    """Return the parameters of a node in a YAML file under their full names, as ROS reads them."""
    flat = {}
    for name, value in node.items():
        full = f'{prefix}{name}'
        flat |= parameters_of(value, f'{full}.') if isinstance(value, dict) else {full: value}
    return flat


def test_yaml_holds_every_parameter_with_its_default():
    values = yaml.safe_load((ROOT / 'config' / 'seg.yaml').read_text())
    own = parameters_of(values['/**']['ros__parameters'])
    assert own == {row.name: row.default for row in ROWS}
    assert all(type(own[row.name]) is type(row.default) for row in ROWS)


def test_yaml_is_made_from_the_table():
    assert (ROOT / 'config' / 'seg.yaml').read_text() == parameter_file()


def test_every_default_is_one_that_its_row_allows():
    for row in ROWS:
        assert checked(row, row.default) == (
            tuple(row.default) if isinstance(row.default, list) else row.default)
