# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shared by all commands: the look of help, suggestions for typos, and one-line errors."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import re
import shutil
import signal
import sys
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from fcn_seg_ros import __version__
from fcn_seg_ros.cli import EXECUTABLES
from fcn_seg_ros.cli.extras import remedy
from fcn_seg_ros.errors import ComputeError, InputError, TrainingError, did_you_mean
from fcn_seg_ros.processes import settle
from fcn_seg_ros.stop_signal import ending_at_once

PACKAGE = 'fcn_seg_ros'
_COMMAND = re.compile(rf'^  (?=(?:{"|".join(EXECUTABLES)}) )', re.MULTILINE)


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keep the description's line breaks, and show only informative defaults."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default in (None, False, []) or 'default' in (action.help or ''):
            return action.help
        return super()._get_help_string(action)


class Parser(argparse.ArgumentParser):
    """A parser that reports errors as InputError, and suggests options for misspelt ones."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError instead of printing the usage."""
        # In argparse's words a short option and a stray word are the same.
        first = message.removeprefix('unrecognized arguments: ').split(' ')[0]
        if message.startswith('unrecognized arguments: '):
            kind = 'unknown option' if first.startswith('-') else 'unexpected word'
            message = f'{kind} {first}'
        raise InputError(f'{message} (see {self.prog} --help)')

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse unknown options first: a misspelt option may also look like a missing one."""
        given = sys.argv[1:] if args is None else list(args)
        for word in given:
            name = word.partition('=')[0]
            if name == '--':
                break
            if name.startswith('--') and name not in self._option_string_actions:
                self.error(f'unknown option {name}'
                           f'{did_you_mean(name, self._option_string_actions)}')
        return super().parse_known_args(given, namespace)


def make_parser(name: str, description: str, epilog: str = '') -> Parser:
    """
    Return the parser of the command ``name``, with the same look for all of them.

    The examples in ``epilog`` begin with a command's name and are shown with whatever the user
    typed in front of it.
    """
    prefix = typed_prefix(sys.argv[0])
    parser = Parser(prog=prefix + name, description=description,
                    epilog=typed_examples(epilog, prefix), formatter_class=HelpFormatter,
                    allow_abbrev=False)
    parser.add_argument('--version', action='version', version=f'{name} ({PACKAGE} {__version__})')
    return parser


def topic_names(given: str | None) -> tuple[str, ...]:
    """Return the image topics in an option with commas, ``('*',)`` for all; () if not given."""
    return ('*',) if given == 'all' else comma_separated(given)


def comma_separated(given: str | None) -> tuple[str, ...]:
    """Return the words of an option, () if it is not given."""
    return tuple(filter(None, (given or '').split(',')))


def typed_examples(epilog: str, prefix: str) -> str:
    """Return an epilog with ``prefix`` in front of the command in each example."""
    return _COMMAND.sub(lambda _: f'  {prefix}', epilog)


def typed_prefix(program: str) -> str:
    """Return what the user typed in front of the command's name, judging by sys.argv."""
    path = Path(program)
    if path.name == '__main__.py' and path.parent.name == PACKAGE:
        names = [sys.executable, os.path.relpath(sys.executable)]
        name = Path(sys.executable).name
        if shutil.which(name) == sys.executable:
            names.append(name)
        return f'{min(names, key=len)} -m {PACKAGE} '
    if path.name == PACKAGE:
        return f'{PACKAGE} '
    if path.parent.name == PACKAGE and path.parent.parent.name == 'lib':
        return f'ros2 run {PACKAGE} '
    return ''


def run_command(name: str, args: Sequence[str] | None,
                build_parser: Callable[[], argparse.ArgumentParser], module: str = '',
                go_on: str = '') -> int:
    """
    Parse the command line of ``name``, then import ``module`` and return what its ``run`` returns.

    The module is ``fcn_seg_ros.cli.NAME_run`` unless ``module`` names another one in that package.
    ``go_on`` is as in ``run_main``.
    """
    def body(given: Sequence[str]) -> int | None:
        options = build_parser().parse_args(given)
        run: Callable[[argparse.Namespace], int | None] = importlib.import_module(
            f'{PACKAGE}.cli.{module or f"{name}_run"}').run
        return run(options)
    return run_main(name, args, body, go_on)


def run_main(name: str, args: Sequence[str] | None, body: Callable[[Sequence[str]], int | None],
             go_on: str = '') -> int:
    """
    Run a command's body on its arguments (None: sys.argv's) and return its exit status.

    InputError, ComputeError and a missing library become one line on stderr (status 2),
    TrainingError too (status 1). Ctrl-C gives status 130, even if a library turned it into another
    exception. Everything else is a bug and keeps its traceback. SIGINT, SIGTERM and SIGHUP end a
    command that can ``go_on`` after a kill at once, with these words and the signal's status.
    """
    settle()
    # PyTorch's, in front of the line that says that NumPy is missing.
    warnings.filterwarnings('ignore', message='Failed to initialize NumPy')
    ending = ending_at_once(f'{name}: interrupted; {go_on}') if go_on else nullcontext()
    with ending:
        return _run(name, sys.argv[1:] if args is None else args, body)


def _run(name: str, args: Sequence[str], body: Callable[[Sequence[str]], int | None]) -> int:
    """Run a command's body and return its status; one line for what is no bug."""
    interrupted = _note_interrupts()
    try:
        return body(args) or 0
    except BaseException as error:
        if interrupted or isinstance(error, KeyboardInterrupt):
            print(f'{name}: interrupted', file=sys.stderr)
            return 130
        line = _in_one_line(error, name)
        if not line:
            raise
        print(f'{name}: error: {line}', file=sys.stderr)
        return 1 if isinstance(error, TrainingError) else 2


def _note_interrupts() -> list[int]:
    """
    Return a list that becomes non-empty on Ctrl-C, which still raises KeyboardInterrupt.

    Libraries may turn KeyboardInterrupt into other errors, for instance while they are imported. A
    second Ctrl-C ends the process immediately.
    """
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    return noted


def _in_one_line(error: BaseException, command: str) -> str:
    """Return the line for an error that the user can fix, '' for any other."""
    if isinstance(error, InputError | ComputeError | TrainingError):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f'{error.filename or "the output"}: cannot be written ({error.strerror})'
    if isinstance(error, ModuleNotFoundError):
        module = (error.name or '').partition('.')[0]
        how = remedy(module, command)
        return f'the Python package {module} is not installed ({how})' if how else ''
    return ''
