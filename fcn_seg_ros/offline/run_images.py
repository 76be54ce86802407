# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read images of a run's recording again, if it is still where it was."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from fcn_seg_ros.drives.bag_files import is_bag
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.offline.run_reader import Run
from fcn_seg_ros.offline.source import Selection, Source
from fcn_seg_ros.offline.steps import Decoded, Undecoded


def read_images(run: Run, wanted: Collection[int]) -> Iterator[tuple[int, np.ndarray]]:
    """
    Yield number and image, uint8 RGB (H, W, 3), of the frames ``wanted`` that can still be read.

    They are none if the recording is gone or has other files than it had.
    """
    left = set(wanted)
    try:
        source = _open(run)
        for step in source.steps() if source else ():
            if not left:
                return
            if isinstance(step, Undecoded) and step.number in left:
                left.discard(step.number)
                found = step.decode()
                if isinstance(found, Decoded):
                    yield step.number, found.image
    except InputError:
        return


def _open(run: Run) -> Source | None:
    """Return the recording of a run, None if it is another one now; raises InputError."""
    settings = run.settings
    try:
        path, files = settings['input']['path'], settings['input']['files']
        bag = Path(path).expanduser().exists() and is_bag(Path(path).expanduser())
        selection = Selection(settings['topics'] if bag else (), settings['every'],
                              settings['frames'], settings['start'], settings['end'])
        source = Source(path, selection, False)
    except (KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f'{run.path}: expected the settings of segment, found others '
                         f'({error})') from None
    return source if source.files == files else None
