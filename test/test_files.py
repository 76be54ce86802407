# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there."""

from __future__ import annotations

import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.files import write_file


def test_a_name_that_is_too_long_is_one_line(tmp_path):
    with pytest.raises(InputError, match='cannot be written'):
        write_file(tmp_path / ('a' * 250), b'x')
