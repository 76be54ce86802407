# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The one error of bad input: a single line for the person who gave it."""


class InputError(ValueError):
    """
    Bad input from outside: a file, a folder, a parameter, a message.

    The text is one line that names the thing, what was expected and what was found. Executables
    print it without a traceback and exit with status 2.
    """
