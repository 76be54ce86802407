# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Command ``completion``."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from fcn_seg_ros.cli import EXECUTABLES
from fcn_seg_ros.cli.common import PACKAGE, Parser, make_parser, run_main

DESCRIPTION = """\
Print a script that completes commands, options and file names on TAB, for `fcn_seg_ros COMMAND` and
for the commands that `pip install` puts on the PATH. Add the line for your shell to ~/.bashrc or
~/.zshrc."""

EPILOG = """\
examples:
  eval "$(fcn_seg_ros completion bash)"
  eval "$(fcn_seg_ros completion zsh)\""""

SHELLS = ('bash', 'zsh')


def main(args: Sequence[str] | None = None) -> int:
    """Print a completion script."""
    return run_main('completion', args, lambda given: _print(build_parser().parse_args(given)))


def build_parser() -> Parser:
    """Return the command line of completion."""
    parser = make_parser('completion', DESCRIPTION, EPILOG)
    parser.add_argument('shell', choices=SHELLS, help='the shell to print the script for')
    return parser


def _print(options: argparse.Namespace) -> None:
    import shtab
    whole = Parser(prog=PACKAGE, description='Road segmentation for ROS 2')
    commands = whole.add_subparsers(dest='command')
    scripts = []
    for name, subject in EXECUTABLES.items():
        parser = importlib.import_module(f'{PACKAGE}.cli.{name}').build_parser()
        parser.prog, parser.epilog = name, ''
        for action in parser._actions:
            if action.type is Path:
                action.complete = shtab.FILE
        commands.add_parser(name, parents=[parser], add_help=False, help=subject,
                            description=subject)
        scripts.append(shtab.complete(parser, options.shell))
    for script in (shtab.complete(whole, options.shell), *scripts):
        print(script)


if __name__ == '__main__':
    sys.exit(main())
