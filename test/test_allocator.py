# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The C library's allocator keeps to two arenas, however many threads there are."""

from __future__ import annotations

import subprocess
import sys

from source_tree import ROOT

COUNT_ARENAS = """
import ctypes, threading
from fcn_seg_ros.allocator import give_back, limit_arenas
{limit}
library, barrier = ctypes.CDLL(None), threading.Barrier(7)

def allocate():
    library.malloc(1000)
    barrier.wait()  # all of them at once: a thread that ends leaves its arena to the next

threads = [threading.Thread(target=allocate) for _ in range(6)]
for thread in threads:
    thread.start()
barrier.wait()
give_back()
library.fdopen.restype = ctypes.c_void_p
library.malloc_info(0, ctypes.c_void_p(library.fdopen(1, b'w')))
library.fflush(None)
"""


def arenas(limit: str) -> int:
    result = subprocess.run([sys.executable, '-c', COUNT_ARENAS.format(limit=limit)], cwd=ROOT,
                            check=True, capture_output=True, text=True)
    return result.stdout.count('<heap nr=')


def test_the_threads_share_two_arenas():
    assert arenas('limit_arenas()') <= 2 < arenas('')
