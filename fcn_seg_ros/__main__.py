# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Run a command by name: ``python -m fcn_seg_ros NAME [arguments]``, or ``fcn_seg_ros NAME``."""

from __future__ import annotations

import sys

# `python -m` puts the current folder first: a json.py there would run in place of the library's.
# What Python itself and the package's __init__ import (typing, say) has been looked for there by
# now: only `python -P`, from 3.11 on, or the installed commands leave the folder out altogether.
if __name__ == '__main__' and not getattr(sys.flags, 'safe_path', False):
    del sys.path[0]

import importlib
from collections.abc import Sequence

from fcn_seg_ros.cli import EXECUTABLES
from fcn_seg_ros.cli.common import PACKAGE, run_main, typed_prefix

COMMANDS = EXECUTABLES | {'completion': 'print a script that completes commands and options'}


def main() -> int:
    """Run the command named first on the command line."""
    arguments = sys.argv[1:]
    name = arguments[0] if arguments else '--help'
    if name in COMMANDS:
        module = importlib.import_module(f'{PACKAGE}.cli.{name}')
        return int(module.main(arguments[1:]))
    return run_main(PACKAGE, arguments, _without_command)


def _without_command(arguments: Sequence[str]) -> int:
    """Print the help or the version, or raise InputError for an unknown command."""
    from fcn_seg_ros import __version__
    from fcn_seg_ros.errors import InputError, did_you_mean
    name = arguments[0] if arguments else ''
    program = (typed_prefix(sys.argv[0]) or PACKAGE).strip()
    if name == '--version':
        print(f'{PACKAGE} {__version__}')
        return 0
    if name not in ('', '-h', '--help'):
        kind = 'option' if name.startswith('-') else 'command'
        known = ('--help', '--version') if kind == 'option' else COMMANDS
        raise InputError(f'unknown {kind} {name}{did_you_mean(name, known)} '
                         f'(see {program} --help)')
    print(f'usage: {program} COMMAND [arguments]\n')
    for command, subject in COMMANDS.items():
        print(f'  {command:<16} {subject}')
    print(f'\nEach command has its own help: {program} train --help')
    return 0 if name else 2


if __name__ == '__main__':
    sys.exit(main())
