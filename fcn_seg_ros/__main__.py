# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Run an executable by name: ``python -m fcn_seg_ros NAME [arguments]``."""

from __future__ import annotations

import importlib
import sys

from fcn_seg_ros.cli import EXECUTABLES


def main() -> int:
    """Dispatch to the executable named first on the command line."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ('-h', '--help'):
        print('usage: python -m fcn_seg_ros NAME [arguments]\n')
        for name, subject in EXECUTABLES.items():
            print(f'  {name:<14} {subject}')
        print('\nEach has a --help of its own.')
        return 0 if arguments else 2
    if arguments[0] not in EXECUTABLES:
        print(f'python -m fcn_seg_ros: error: {arguments[0]!r} is none of '
              f'{", ".join(EXECUTABLES)}', file=sys.stderr)
        return 2
    name = arguments[0]
    module = importlib.import_module(f'fcn_seg_ros.cli.{name}')
    status = module.main(arguments[1:])
    return int(status)


if __name__ == '__main__':
    sys.exit(main())
