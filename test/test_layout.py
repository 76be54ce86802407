# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Files stay small and name their licence; .importlinter (`make lint`) checks the imports."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / 'fcn_seg_ros'


def test_files_stay_small_and_name_their_licence():
    for path in PACKAGE.rglob('*.py'):
        lines = path.read_text().splitlines()
        assert len(lines) <= 300, f'{path} has {len(lines)} lines'
        assert lines[1] == '# SPDX-License-Identifier: Apache-2.0', path
