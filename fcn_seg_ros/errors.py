# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one error of bad input: a single line for the person who gave it."""

_LONGEST = 300
_LONGEST_QUOTE = 200


class InputError(ValueError):
    """
    Bad input from outside: a file, a folder, a parameter, a message.

    The text is one line that names the thing, what was expected and what was found. Executables
    print it without a traceback and exit with status 2.
    """


def one_line(words: object) -> str:
    """Return what a library says, often over many lines, in one line of at most 300 characters."""
    return ' '.join(str(words).split())[:_LONGEST]


def type_and_words(error: BaseException) -> str:
    """Return an exception that nobody expected in one line: its type, which often says most."""
    return one_line(f'{type(error).__name__}: {error}')


def quoted(text: str) -> str:
    """Return a text from outside as it may be logged: in quotes, at most 200 characters of it."""
    if len(text) <= _LONGEST_QUOTE:
        return repr(text)
    return f'{text[:_LONGEST_QUOTE]!r}... ({len(text)} characters)'
