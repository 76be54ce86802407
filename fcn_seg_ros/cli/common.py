# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What every executable shares: bad input becomes one line and exit status 2."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from fcn_seg_ros.errors import InputError


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keep the description's line breaks, and show the defaults."""


def make_parser(name: str, description: str, epilog: str = '') -> argparse.ArgumentParser:
    """Return the parser of the executable ``name``, the same look for all of them."""
    return argparse.ArgumentParser(
        prog=name, description=description, epilog=epilog, formatter_class=HelpFormatter)


def run_main(name: str, body: Callable[[], int | None]) -> int:
    """
    Run an executable's body and return its exit status.

    InputError is printed as one line on stderr (status 2); Ctrl-C is status 130. Everything else
    is a bug and keeps its traceback.
    """
    try:
        return body() or 0
    except InputError as error:
        print(f'{name}: error: {error}', file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f'{name}: interrupted', file=sys.stderr)
        return 130
