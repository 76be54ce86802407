# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The executable ``demo`` with the stand-in as its node: ``demo_with_stand_in.py FAULT ...``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> int:
    """Run it."""
    from fcn_seg_ros.cli.demo import main as demo_main
    from fcn_seg_ros.drives import demo
    real = demo.executable
    # Where the stand-in, a script that is not of the package, finds it.
    os.environ['PYTHONPATH'] = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    stand_in = [sys.executable, str(ROOT / 'test' / 'stand_in_node.py'), sys.argv[1]]
    demo.executable = lambda name: stand_in if name == 'seg_node' else real(name)
    return demo_main(sys.argv[2:])


if __name__ == '__main__':
    sys.exit(main())
