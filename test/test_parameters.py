# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The parameter table is the one source: file, README and launch arguments agree with it."""

from pathlib import Path

import yaml

from fcn_seg_ros.launching import LAUNCH_ARGUMENTS
from fcn_seg_ros.node.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parent.parent


def test_yaml_holds_every_parameter_with_its_default():
    values = yaml.safe_load((ROOT / 'config' / 'seg.yaml').read_text())
    own = values['/**']['ros__parameters']
    assert own == {row.name: row.default for row in PARAMETERS}
    assert all(type(own[row.name]) is type(row.default) for row in PARAMETERS)


def test_yaml_says_what_can_be_set_while_running():
    text = ' '.join((ROOT / 'config' / 'seg.yaml').read_text().replace('#', ' ').split())
    names = ', '.join(row.name for row in PARAMETERS if row.run_time)
    assert f'Settable while the node runs: {names}.' in text


def test_readme_table_holds_every_parameter():
    readme = (ROOT / 'README.md').read_text()
    for row in PARAMETERS:
        default = f'{row.default}'.lower() if isinstance(row.default, bool) else row.default
        shown = "''" if default == '' else f'{default}'.replace("'", '')
        line = f'| `{row.name}` | `{shown}` | {"yes" if row.run_time else "no"} |'
        assert line in readme, line


def test_readme_names_every_launch_argument():
    readme = (ROOT / 'README.md').read_text()
    for argument in LAUNCH_ARGUMENTS:
        assert f'`{argument.name}`' in readme, argument.name
