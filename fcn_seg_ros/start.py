# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Run a module of the package as a process of its own: ``python start.py MODULE [ARGUMENT ...]``.

It is used instead of ``python -m``, which looks for every module in the current folder first: a
torch.py there would run in place of PyTorch (Python 3.11 has -P to prevent this, 3.10 does not).
From this script's folder only the package itself is imported.
"""

import importlib.util
import os
import runpy
import sys


def _main() -> None:
    package = os.path.dirname(os.path.abspath(__file__))
    # Python has put the folder of this script first.
    sys.path[:] = [path for path in sys.path if path and os.path.abspath(path) != package]
    spec = importlib.util.spec_from_file_location(
        'fcn_seg_ros', os.path.join(package, '__init__.py'), submodule_search_locations=[package])
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules['fcn_seg_ros'] = module
    spec.loader.exec_module(module)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)


if __name__ == '__main__':
    _main()
