# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Rewrite the files of the network that a node runs, and see that its masks stay as they are.

    python benchmarks/measure_file_swaps.py --rewrites 100

A node runs a copy of the packaged checkpoint, another one its int8 model (.xml, .bin), each with a
cache of its own. Their files, and what is in the cache, are cut, overwritten where they lie (with
zeros, noise, another network), deleted, and replaced by another network, a FIFO or a folder. After
each rewrite comes an image, of so many sizes in turn that its network must be compiled anew. Every
mask must be that of before. At last load_checkpoint must refuse the file that is damaged then, and
take one that is whole. It prints the figures; exit code 1 where the node died, a mask changed or
load_checkpoint did otherwise.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import source_tree  # noqa: F401
from node_client import Client, image_message, start_node, wait_for_end
from std_srvs.srv import Trigger

from fcn_seg_ros.inference.quantised import int8_file
from fcn_seg_ros.messages import from_image
from fcn_seg_ros.resources import default_checkpoint, find_checkpoint
from fcn_seg_ros.synthetic.suburb import RenderedDrive

# Far beyond what the conversion of a network takes.
_CONVERSION_S = 900.0
# More than the node keeps compiled networks for.
SIZES = ((375, 1242), (375, 1100), (375, 960), (375, 840), (375, 700), (375, 600))


Rewrite = Callable[[Path, random.Random], None]


def _overwrite(make: Callable[[int, random.Random], bytes]) -> Rewrite:
    def overwrite(path: Path, source: random.Random) -> None:
        # In place: whoever has mapped the file sees it.
        with path.open('r+b') as file:
            file.write(make(path.stat().st_size, source))
    return overwrite


def _truncate(share: float) -> Rewrite:
    return lambda path, source: os.truncate(path, int(path.stat().st_size * share))


def _replace(make: Callable[[Path], object]) -> Rewrite:
    def replace(path: Path, source: random.Random) -> None:
        _delete(path, source)
        make(path)
    return replace


def _delete(path: Path, source: random.Random) -> None:
    path.rename(_aside(path))


def _aside(path: Path) -> Path:
    """Return where a deleted file is kept: what a process may have mapped is to come back."""
    return path.with_name(f'.{path.name}.aside')


def _other_network(path: Path) -> None:
    shutil.copyfile(_other(), path)


def _other() -> Path:
    return find_checkpoint('general')


REWRITES: dict[str, Rewrite] = {
    'zeros': _overwrite(lambda size, source: bytes(size)),
    'noise': _overwrite(lambda size, source: source.randbytes(size)),
    'another network in place': _overwrite(lambda size, source: _other().read_bytes()),
    'cut to nothing': _truncate(0), 'cut in half': _truncate(0.5),
    'deleted': _delete, 'replaced': _replace(_other_network),
    'replaced by a FIFO': _replace(os.mkfifo), 'replaced by a folder': _replace(Path.mkdir)}


class Files:
    """The files that a node has read, and how they were."""

    def __init__(self, folder: Path, network: Path) -> None:
        """Copy a network."""
        self.cache = folder / 'cache'
        self.cache.mkdir()
        own = [network] if network.suffix != '.xml' else [network, network.with_suffix('.bin')]
        self.network = folder / network.name
        self._own = [Path(shutil.copy(path, folder)) for path in own]
        self.whole: dict[Path, bytes] = {}

    def remember(self) -> None:
        """Remember how they are, with what the node has put into its cache."""
        self.whole = {path: path.read_bytes() for path in (*self._own, *self.cache.iterdir())}

    def restore(self, path: Path) -> None:
        """Make one as it was, the same file as before, which the next rewrite is to hit again."""
        if _aside(path).exists():
            if path.is_dir():
                path.rmdir()
            _aside(path).replace(path)
        with path.open('r+b') as file:
            file.write(self.whole[path])
            file.truncate()


def measure(network: Path, rewrites: int, seed: int) -> dict[str, Any]:
    """Return what a node does whose files are rewritten so many times."""
    source = random.Random(seed)
    frame = RenderedDrive(10_000)[0].image
    images = [np.ascontiguousarray(frame[:rows, :columns]) for rows, columns in SIZES]
    done: Counter[str] = Counter()
    changed: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder), network)
        os.environ['FCN_SEG_CACHE'] = str(files.cache)
        node = start_node('-p', f'checkpoint:={files.network}', '-p', 'device:=cpu')
        try:
            client = Client(outputs=('mask',))
            client.connect()

            def mask(number: int) -> bytes:
                answer = client.exchange(image_message(images[number % len(images)], number))
                return from_image(answer['mask']).tobytes()
            before = [mask(number) for number in range(len(images))]
            files.remember()
            for number in range(rewrites):
                kind = list(REWRITES)[number % len(REWRITES)]
                path = list(files.whole)[number // len(REWRITES) % len(files.whole)]
                REWRITES[kind](path, source)
                done[f'{path.suffix} {kind}'] += 1
                if mask(number) != before[number % len(images)]:
                    changed.append(f'{path.name} {kind} number {number}')
                files.restore(path)
            loads = _load(client, files)
            after = [mask(number) for number in range(len(images))]
            alive = node.poll() is None
            client.close()
        finally:
            node.send_signal(signal.SIGINT)
            output = wait_for_end(node)
    return {'network': network.name, 'rewrites': sum(done.values()), 'kinds': len(done),
            'files': [path.suffix for path in files.whole], 'changed_masks': changed,
            'alive': alive and 'Traceback' not in output, **loads,
            'masks_changed_by_load': sum(a != b for a, b in zip(after, before, strict=True))}


def _load(client: Client, files: Files) -> dict[str, Any]:
    """Have load_checkpoint read a damaged file, then one that is whole."""
    os.truncate(files.network, 1000)
    refused = client.call(Trigger, 'load_checkpoint', Trigger.Request())
    client.set('checkpoint', str(_other()))
    taken = client.call(Trigger, 'load_checkpoint', Trigger.Request(), _CONVERSION_S)
    return {'damaged_refused': not refused.success, 'damaged_message': refused.message[:160],
            'whole_taken': taken.success}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--rewrites', type=int, default=100, help='for each of the two networks')
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    start, good = time.monotonic(), True
    for network in (int8_file(default_checkpoint()), default_checkpoint()):
        found = measure(network, options.rewrites, options.seed)
        print(json.dumps(found), flush=True)
        good &= (found['alive'] and not found['changed_masks'] and found['damaged_refused']
                 and found['whole_taken'] and found['masks_changed_by_load'] > 0)
    print(f'{time.monotonic() - start:.0f} s')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
