# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The errors for bad input and failed computation, each a single line for the user."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable

_LONGEST = 300
# Room for a path and a description of the problem.
_LONGEST_ERROR = 2000
# For a text from outside, in a log.
_LONGEST_QUOTE = 200


class InputError(ValueError):
    """
    Bad input from outside: a file, a folder, a parameter, a message.

    The text is one line that names the thing, what was expected and what was found. Executables
    print it without a traceback and exit with status 2. Whatever it quotes, the text stays one
    printable line of at most 2,000 characters.
    """

    def __init__(self, words: object) -> None:
        cut = _cut(str(words), _LONGEST_ERROR)
        super().__init__(_cut(''.join(map(_printable, cut)), _LONGEST_ERROR))


class ComputeError(RuntimeError):
    """A library or a device failed to compute a valid request; the text is one line."""


class TrainingError(RuntimeError):
    """A training run cannot go on; the text is one line. Executables exit with status 1."""


def one_line(words: object) -> str:
    """Return a library's message, often of many lines, as one line of at most 300 characters."""
    return _cut(' '.join(str(words).split()), _LONGEST)


def quote(value: object) -> str:
    """Return a value's repr for an error line, shortened if long."""
    return _cut(repr(value), _LONGEST)


def type_and_words(error: BaseException) -> str:
    """Return an unexpected exception as one line: its type, which often says most, and its text."""
    return one_line(f'{type(error).__name__}: {error}')


def quoted(text: str) -> str:
    """Return a text from outside in a form safe to log: quoted, at most 200 characters of it."""
    if len(text) <= _LONGEST_QUOTE:
        return repr(text)
    return f'{text[:_LONGEST_QUOTE]!r}... ({len(text)} characters)'


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a suggestion to append to an error line, '' if nothing resembles ``word``."""
    names = list(known)
    like = ([name for name in names if len(word) > 2 and name.startswith(word)]
            or difflib.get_close_matches(word, names, 1))
    return f'; did you mean {" or ".join(like)}?' if 0 < len(like) < 4 else ''


def _cut(text: str, longest: int) -> str:
    """Return a text without its middle if it is too long: the ends usually matter most."""
    if len(text) <= longest:
        return text
    half = (longest - 5) // 2
    return f'{text[:half]} ... {text[-half:]}'


def _printable(character: str) -> str:
    """Return a character, or its escape if it would break the line or cannot be encoded."""
    if unicodedata.category(character) in ('Cc', 'Cs', 'Zl', 'Zp'):
        return character.encode('unicode_escape').decode()
    return character
