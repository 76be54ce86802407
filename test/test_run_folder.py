# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: complete or resumable, and never anything in between."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.offline.parts import Piece, split
from fcn_seg_ros.offline.run_folder import ERRORS, FRAMES, RUN, RunFolder, open_run
from fcn_seg_ros.offline.run_reader import read_run

SETTINGS = {'input': 'drive', 'topics': ('/a', '/b'), 'threshold': 0.5}


def fill(run: RunFolder, number: int, last: bool = False) -> None:
    """Write a part."""
    with run.parts.part(number) as part:
        (part.path / FRAMES).write_text(json.dumps({'number': part.number}) + '\n')
        (part.path / ERRORS).touch()
        (part.files / 'mask').mkdir()
        (part.files / 'mask' / f'{part.number}.png').write_bytes(b'png')
        part.facts['last'] = last


def test_a_run_appears_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / 'deep' / 'run'
    path.mkdir(parents=True)
    run = open_run(path, SETTINGS, {'started': 'now'})
    assert run is not None and run.parts.missing() == [Piece(0, None)]
    fill(run, 0)
    with pytest.raises(RuntimeError), run.parts.part(1) as part:
        (part.files / 'mask.png').write_bytes(b'half')
        raise RuntimeError('killed')
    run.close()
    # What a kill leaves.
    (run.partial / 'parts' / '000001.host.5.partial' / 'files').mkdir(parents=True)
    run = open_run(path, SETTINGS, {'started': 'later'})
    assert run is not None and [part.number for part in run.parts.complete()] == [0]
    fill(run, 1, last=True)
    assert not run.parts.missing() and not any(path.iterdir())
    steps: list[int] = []

    def fail(result: Path, parts: object) -> None:
        raise OSError('disk full')
    with pytest.raises(OSError, match='disk full'):
        run.finish({}, [fail])
    run.finish({'frames': 2}, [lambda result, parts: steps.append(len(parts))])
    assert steps == [2] and not run.partial.exists()
    whole = read_run(path)
    assert whole.facts['started'] == 'now' and whole.facts['frames'] == 2
    assert whole.settings['topics'] == ['/a', '/b']
    assert [frame['number'] for frame in whole.frames()] == [0, 1]
    assert list(whole.errors()) == []
    assert sorted(each.name for each in (path / 'mask').iterdir()) == ['0.png', '1.png']
    assert open_run(path, SETTINGS, {}) is None


def test_other_settings_and_foreign_folders_are_refused(tmp_path: Path) -> None:
    run = open_run(tmp_path / 'run', SETTINGS, {})
    assert run is not None
    with pytest.raises(InputError, match='found one at work'):
        open_run(tmp_path / 'run', SETTINGS, {})
    run.close()
    with pytest.raises(InputError, match=r'with threshold 0\.4, found one with 0\.5: give these'):
        open_run(tmp_path / 'run', SETTINGS | {'threshold': 0.4}, {})
    (tmp_path / 'photos').mkdir()
    (tmp_path / 'photos' / 'a.png').touch()
    with pytest.raises(InputError, match='expected a new folder or a run of segment'):
        open_run(tmp_path / 'photos', SETTINGS, {})
    (tmp_path / 'photos' / 'run.json').write_text('{"settings": []}')
    with pytest.raises(InputError, match='expected settings of a run of format 1'):
        open_run(tmp_path / 'photos', SETTINGS, {})
    (tmp_path / 'photos' / 'run.json').unlink()
    (tmp_path / 'x.partial').mkdir()
    (tmp_path / 'x.partial' / 'mine.txt').touch()
    with pytest.raises(InputError, match='found a folder of something else'):
        open_run(tmp_path / 'x', SETTINGS, {})
    assert (tmp_path / 'x.partial' / 'mine.txt').exists()
    with pytest.raises(InputError, match=r'expected the run\.json of a run of segment, found n'):
        read_run(tmp_path / 'photos')


def test_a_link_to_a_folder_stays(tmp_path: Path) -> None:
    (tmp_path / 'link').symlink_to(tmp_path / 'disk' / 'run')
    run = open_run(tmp_path / 'link', SETTINGS, {})
    assert run is not None
    fill(run, 0, last=True)
    run.finish({})
    assert (tmp_path / 'link').is_symlink() and (tmp_path / 'disk' / 'run' / FRAMES).exists()
    assert [each.name for each in tmp_path.iterdir() if each.name != 'link'] == ['disk']
    (tmp_path / 'loop').symlink_to('loop')
    with pytest.raises(InputError, match='loop: expected a new folder, found a link to itself'):
        open_run(tmp_path / 'loop', SETTINGS, {})


@pytest.mark.parametrize('text', ['{"format":1,"settings":[]}', '{"format":99,"settings":{}}',
                                  '{}'])
def test_a_run_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    for folder in (tmp_path / 'a', tmp_path / 'b.partial'):
        folder.mkdir()
        (folder / RUN).write_text(text)
        with pytest.raises(InputError, match=r'run\.json: expected settings of a run of format 1'):
            open_run(tmp_path / folder.stem, SETTINGS, {})


@pytest.mark.parametrize(('name', 'content', 'found'), [
    ('part.json', '{}', '000000: expected a complete part of a run, found a damaged one: delete'),
    ('part.json', '', '000000: expected a complete part of a run, found a damaged one: delete'),
    (FRAMES, None, r'expected frames\.jsonl in a complete part of a run, found none: delete'),
])
def test_a_damaged_part_is_named(tmp_path: Path, name: str, content: str | None, found: str
                                 ) -> None:
    """What is said can be done: without the part, the run goes on."""
    run = open_run(tmp_path / 'run', SETTINGS, {})
    assert run is not None
    fill(run, 0)
    fill(run, 1, last=True)
    run.close()
    damaged = run.partial / 'parts' / '000000'
    (damaged / name).unlink()
    if content is not None:
        (damaged / name).write_text(content)
    run = open_run(tmp_path / 'run', SETTINGS, {})
    assert run is not None
    with pytest.raises(InputError, match=found):
        run.finish({})
    shutil.rmtree(damaged)
    run.close()
    run = open_run(tmp_path / 'run', SETTINGS, {})
    assert run is not None and run.parts.missing() == [Piece(0, 1)]
    fill(run, 0)
    run.finish({})
    assert [each['number'] for each in read_run(tmp_path / 'run').frames()] == [0, 1]


def test_parts_are_written_in_any_order(tmp_path: Path) -> None:
    run = open_run(tmp_path / 'run', SETTINGS, {})
    assert run is not None
    for number in (4, 1):
        fill(run, number)
    assert run.parts.missing() == [Piece(0, 1), Piece(2, 4), Piece(5, None)]
    fill(run, 6, last=True)
    assert run.parts.missing() == [Piece(0, 1), Piece(2, 4), Piece(5, 6)]
    with run.parts.part(2) as slow:
        (slow.path / FRAMES).touch()
        slow.path.rename(slow.path.with_name('000002.other.5.partial'))
        slow.path = slow.path.with_name('000002.other.5.partial')
        fill(run, 2)
    # The first to be complete stays, and the other leaves nothing.
    assert (tmp_path / 'run.partial' / 'parts' / '000002' / FRAMES).read_text()
    assert not list((tmp_path / 'run.partial' / 'parts').glob('*.partial'))


def test_pieces_cover_a_recording() -> None:
    assert split(Piece(0, None), None, 4) == [Piece(0, None)]
    assert split(Piece(0, None), 1, 4) == [Piece(0, None)]
    assert split(Piece(2, None), 7, 2) == [Piece(2, 5), Piece(5, None)]
    assert split(Piece(1, 4), 9, 8) == [Piece(1, 2), Piece(2, 3), Piece(3, 4)]
    # More parts than the recording was said to have.
    assert split(Piece(9, None), 7, 2) == [Piece(9, None)]
