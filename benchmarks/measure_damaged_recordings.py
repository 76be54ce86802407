# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Damage recordings of every kind at random, and look for images that are lost without a word.

    nice -n 5 python benchmarks/measure_damaged_recordings.py --inputs 10000

takes the small recordings of the test table (20 images each) in turn, cuts one of their files off,
overwrites 1 to 600 bytes with zeros or noise, flips a bit, or fills the rest with zeros as after a
power failure, and reads it. It prints for each kind how many gave all images, gave fewer with a
note, or were refused in one line, and what is wrong: fewer images without a note, more images than
were recorded, other exceptions, more than 3 s of processor time, or files changed beside it. Exit
code 1 where there is any of that.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import source_tree  # noqa: F401
from recording_makers import COUNT, MAKERS
from test_recordings import READ, contents

from fcn_seg_ros.drives.notes import Note
from fcn_seg_ros.drives.registry import open_drive
from fcn_seg_ros.errors import InputError

LONGEST_S = 3.0
FINE = ('all images', 'fewer, said', 'refused')


def damage(content: bytearray, rng: random.Random) -> None:
    """Damage a file's content, more often near its ends than anywhere else."""
    size = len(content)
    at = min(size - 1, rng.choice([rng.randrange(size), rng.randrange(size), rng.randrange(600),
                                   max(0, size - 1 - rng.randrange(2000))]))
    end = min(size, at + rng.choice([1, 4, 60, 600]))
    how = rng.randrange(5)
    if how == 0:
        del content[at:]
    elif how == 1:
        content[at:end] = bytes(end - at)
    elif how == 2:
        content[at:end] = rng.randbytes(end - at)
    elif how == 3:
        content[at] ^= 1 << rng.randrange(8)
    else:
        content[at:] = bytes(size - at)


def damaged_copy(source: Path, folder: Path, rng: random.Random) -> Path:
    """Copy a recording and damage one of its files; often its metadata is missing too."""
    path = folder / source.name
    (shutil.copytree if source.is_dir() else shutil.copy)(source, path)
    if path.is_dir() and rng.random() < 0.7:
        (path / 'metadata.yaml').unlink(missing_ok=True)
    files = [p for p in ([path] if path.is_file() else sorted(path.rglob('*')))
             if p.is_file() and p.stat().st_size]
    file = rng.choice(files)
    content = bytearray(file.read_bytes())
    damage(content, rng)
    file.chmod(0o644)
    file.write_bytes(content)
    return path


def outcome(path: Path) -> str:
    """Read a recording; return one of FINE, or what is wrong."""
    before = contents(path.parent)
    notes: list[Note] = []
    start = time.process_time()
    try:
        frames = len(list(open_drive(str(path), on_note=notes.append)))
    except InputError as error:
        result = 'refused' if '\n' not in str(error) else 'refused in several lines'
    except Exception as error:
        result = f'{type(error).__name__}: {error}'
    else:
        result = ('all images' if frames == COUNT else 'more images' if frames > COUNT
                  else 'fewer, said' if notes else 'fewer without a word')
    if time.process_time() - start > LONGEST_S:
        result = f'slow, {result}'
    return result if contents(path.parent) == before else f'files changed, {result}'


def main() -> int:
    """Print the outcomes of each kind; return 1 where anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--inputs', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        kinds = [kind for kind, (least, said) in READ.items() if least == COUNT and not said]
        sources = {}
        for number, kind in enumerate(kinds):
            (Path(folder) / str(number)).mkdir()
            sources[kind] = MAKERS[kind](Path(folder) / str(number))
        for index in range(options.inputs):
            kind = kinds[index % len(kinds)]
            rng = random.Random(f'{options.seed} {index}')
            work = Path(folder) / 'work'
            work.mkdir()
            result = outcome(damaged_copy(sources[kind], work, rng))
            found.setdefault(kind, Counter())[result] += 1
            if result not in FINE:
                print(f'input {index}, {kind}: {result}', flush=True)
            shutil.rmtree(work)
    print(f'{"":44}' + ''.join(f'{name:>13}' for name in (*FINE, 'wrong')))
    for kind, counts in found.items():
        figures = [counts[name] for name in FINE]
        print(f'{kind:44}' + ''.join(f'{n:13}' for n in (*figures, counts.total() - sum(figures))))
    total = sum(found.values(), Counter[str]())
    fine = sum(total[name] for name in FINE)
    print(f'{"all":44}' + ''.join(f'{total[name]:13}' for name in FINE)
          + f'{total.total() - fine:13}')
    return 0 if fine == total.total() else 1


if __name__ == '__main__':
    sys.exit(main())
