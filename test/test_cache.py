# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The cache of compiled networks: nothing broken is trusted, nothing grows without limit."""

from __future__ import annotations

import hashlib
import logging
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from fcn_seg_ros.inference import cache as cache_module
from fcn_seg_ros.inference.cache import ArtefactCache, default_cache

KEY = {'kind': 'test', 'weights': 'abc', 'shape': '1x32x32x3'}
CONTENT = bytes(range(256)) * 40


@pytest.fixture()
def cache(tmp_path):
    return ArtefactCache(tmp_path / 'a' / 'cache')


def only_file(cache):
    [path] = cache.folder.iterdir()
    return path


def load(cache, made=b'made', key=KEY):
    """Return what the cache gives for a key, and how often it had to be made."""
    calls = []

    def make():
        calls.append(1)
        return made
    return cache.load(key, make, dump=bytes, read=bytes, errors=(ValueError,)), len(calls)


def test_what_was_put_is_there_for_its_key_only(cache):
    assert cache.get(KEY) is None
    cache.put(KEY, CONTENT)
    assert cache.get(KEY) == CONTENT
    assert only_file(cache).name.startswith('test-')
    assert only_file(cache).stat().st_mode & 0o077 == 0
    for name in KEY:
        assert cache.get({**KEY, name: KEY[name] + '0'}) is None
    assert cache.get({**KEY, 'threads': '2'}) is None


def test_load_makes_once(cache):
    assert load(cache, CONTENT) == (CONTENT, 1)
    assert load(cache, b'other') == (CONTENT, 0)


def test_without_a_folder_nothing_is_kept():
    cache = ArtefactCache(None)
    assert load(cache, CONTENT) == (CONTENT, 1) and load(cache, b'other') == (b'other', 1)


def damaged(whole: bytes) -> dict[str, bytes]:
    header, _, content = whole.partition(b'\n')
    flipped = bytearray(whole)
    flipped[-1] ^= 1
    return {
        'empty': b'', 'half': whole[:len(whole) // 2], 'only the header': header + b'\n',
        'no header': content, 'a flipped bit': bytes(flipped), 'more': whole + b'x',
        'one less': whole[:-1], 'foreign': b'\x80\x04not ours' * 1000,
        'another checksum': whole.replace(hashlib.sha256(CONTENT).hexdigest().encode(), b'0' * 64),
        'another key': whole.replace(b'abc', b'abd'),
    }


@pytest.mark.parametrize('damage', damaged(b'{}\n.').keys())
def test_damaged_entries_are_made_again(cache, damage, caplog):
    cache.put(KEY, CONTENT)
    path = only_file(cache)
    path.write_bytes(damaged(path.read_bytes())[damage])
    assert cache.get(KEY) is None
    assert f'cache: {path} is broken' in caplog.text
    assert load(cache, CONTENT) == (CONTENT, 1)
    assert load(cache) == (CONTENT, 0)


def test_every_truncation_is_noticed(cache):
    cache.put(KEY, b'0123456789')
    path = only_file(cache)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert cache.get(KEY) is None, length


def test_entries_that_the_library_refuses_are_made_again(cache, caplog):
    """The checksum holds, and yet the library cannot read it."""
    cache.put(KEY, b'unreadable')

    def read(content):
        raise ValueError('not a network')
    made = cache.load(KEY, lambda: b'made', dump=bytes, read=read, errors=(ValueError,))
    assert made == b'made' and cache.get(KEY) == b'made'
    assert 'not a network' in caplog.text


def test_the_least_recently_used_go_first(tmp_path):
    cache = ArtefactCache(tmp_path, max_bytes=5 * len(CONTENT))
    keys = [{**KEY, 'shape': str(number)} for number in range(4)]
    for number, key in enumerate(keys):
        cache.put(key, CONTENT)
        os.utime(cache._path(key), (number, number))
    assert cache.get(keys[0]) == CONTENT  # now used
    cache.put({**KEY, 'shape': 'new'}, CONTENT)
    held = [cache._path(key).exists() for key in keys]
    assert held == [True, False, True, True]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= cache.max_bytes


def test_what_is_larger_than_the_limit_is_not_kept(tmp_path):
    cache = ArtefactCache(tmp_path, max_bytes=len(CONTENT))
    assert load(cache, CONTENT) == (CONTENT, 1)
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_dead_processes_go(cache):
    cache.put(KEY, CONTENT)
    old, new = cache.folder / 'a.partial', cache.folder / 'b.partial'
    foreign = cache.folder / 'somebody.else'
    for path in (old, new, foreign):
        path.write_bytes(b'x')
    os.utime(old, (time.time() - 7200,) * 2)
    os.utime(foreign, (time.time() - 7200,) * 2)
    cache.put({**KEY, 'shape': '2'}, CONTENT)
    assert not old.exists() and new.exists() and foreign.exists()


@pytest.mark.parametrize('error', [OSError(28, 'No space left on device'),
                                   PermissionError(13, 'Permission denied')])
def test_a_disk_that_refuses_costs_the_cache_only(cache, monkeypatch, caplog, error):
    def fail(*args, **kwargs):
        raise error
    monkeypatch.setattr(cache_module, 'replacing', fail)
    for _ in range(3):
        assert load(cache, CONTENT) == (CONTENT, 1)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f'({error.strerror})' in caplog.text and 'FCN_SEG_CACHE' in caplog.text
    assert list(cache.folder.iterdir()) == []


def test_half_written_entries_are_removed(cache, monkeypatch):
    """The disk fills up in the middle of an entry."""
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *args):
            os.close(self.descriptor)

        def writelines(self, parts):
            os.write(self.descriptor, next(iter(parts)))
            raise OSError(28, 'No space left on device')

    def open_full(descriptor, mode):
        file = Full()
        file.descriptor = descriptor
        return file
    monkeypatch.setattr(cache_module.os, 'fdopen', open_full)
    assert load(cache, CONTENT) == (CONTENT, 1)
    assert list(cache.folder.iterdir()) == []


def test_a_folder_that_is_a_file(tmp_path, caplog):
    (tmp_path / 'file').write_text('in the way')
    cache = ArtefactCache(tmp_path / 'file')
    assert load(cache, CONTENT) == (CONTENT, 1) and load(cache, CONTENT) == (CONTENT, 1)
    assert len(caplog.records) == 1


FAKES = {
    'fifo': os.mkfifo, 'link to nothing': lambda path: path.symlink_to('nowhere'),
    'link to a FIFO': lambda path: (os.mkfifo(path.with_name('pipe')), path.symlink_to('pipe')),
    'loop': lambda path: path.symlink_to(path), 'device': lambda path: path.symlink_to('/dev/zero'),
    'folder': Path.mkdir, 'others may write': lambda path: (path.touch(), path.chmod(0o666)),
    'too large': lambda path: (path.touch(), os.truncate(path, 2**40)),
}


@pytest.mark.parametrize('kind', list(FAKES))
def test_what_is_no_entry_is_made_again(cache, kind):
    cache.put(KEY, CONTENT)
    path = only_file(cache)
    path.unlink()
    FAKES[kind](path)
    assert load(cache, b'new') == (b'new', 1)
    assert path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o077 == 0
    assert load(cache) == (b'new', 0)


def test_a_whole_entry_behind_a_link_is_not_trusted(cache, tmp_path, caplog):
    """Whoever may write where it points to could change it."""
    cache.put(KEY, CONTENT)
    path = only_file(cache)
    path.rename(tmp_path / 'elsewhere')
    path.symlink_to(tmp_path / 'elsewhere')
    assert load(cache, b'new') == (b'new', 1)
    assert f'cache: {path} is not a regular file and is made again' in caplog.text
    assert (tmp_path / 'elsewhere').exists() and not path.is_symlink()


def test_an_entry_of_somebody_else_is_not_trusted(cache, monkeypatch):
    cache.put(KEY, CONTENT)
    path = only_file(cache)
    real = os.fstat

    def foreign(descriptor):
        status = list(real(descriptor))
        status[4] += 1
        return os.stat_result(status)
    monkeypatch.setattr(cache_module.os, 'fstat', foreign)
    assert cache.get(KEY) is None
    monkeypatch.undo()
    assert cache.get(KEY) == CONTENT and path.exists()


def test_folders_are_made_for_this_user_only(tmp_path):
    before = os.umask(0)
    try:
        ArtefactCache(tmp_path / 'a' / 'b').put(KEY, CONTENT)
    finally:
        os.umask(before)
    for folder in (tmp_path / 'a', tmp_path / 'a' / 'b'):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_not_used(cache, monkeypatch, caplog):
    cache.put(KEY, CONTENT)
    monkeypatch.setattr(cache_module.os, 'geteuid', lambda: os.getuid() + 1)
    for _ in range(2):
        assert load(cache, b'other') == (b'other', 1)
    [record] = caplog.records
    assert f'it belongs to the user {os.getuid()}, expected {os.getuid() + 1}' in record.message
    monkeypatch.undo()
    assert load(cache) == (CONTENT, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason='only root can give a folder to somebody else')
def test_a_folder_that_was_given_away_is_not_used(cache):
    cache.put(KEY, CONTENT)
    os.chown(cache.folder, 12345, 12345)
    assert load(ArtefactCache(cache.folder), b'other') == (b'other', 1)
    assert len(list(cache.folder.iterdir())) == 1


def test_changes_of_a_file_do_not_reach_what_was_read(cache):
    cache.put(KEY, CONTENT)
    content = cache.get(KEY)
    with only_file(cache).open('r+b') as file:
        file.write(bytes(2**20))
    os.truncate(only_file(cache), 0)
    assert content == CONTENT


def hammer(folder, seed, rounds, failures):
    cache = ArtefactCache(folder, max_bytes=6 * 20000)
    for number in range(rounds):
        key = {**KEY, 'shape': str((seed * 7 + number) % 8)}
        expected = key['shape'].encode() * 20000
        found = cache.load(key, lambda expected=expected: expected, dump=bytes, read=bytes,
                           errors=(ValueError,))
        if found != expected:
            failures.put((seed, number))


def test_processes_that_start_at_once(tmp_path):
    context = multiprocessing.get_context('fork')
    failures = context.SimpleQueue()
    processes = [context.Process(target=hammer, args=(tmp_path, seed, 60, failures))
                 for seed in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert failures.empty()
    assert not [path for path in tmp_path.iterdir() if path.suffix != '.artefact']


def test_where_it_is(tmp_path):
    def folder(**environ):
        return default_cache(environ).folder
    home, usual = str(tmp_path), tmp_path / '.cache/fcn_seg_ros'
    assert folder(HOME=home) == usual
    assert folder(HOME=home, XDG_CACHE_HOME='/x') == Path('/x/fcn_seg_ros')
    assert folder(HOME=home, XDG_CACHE_HOME='relative') == usual
    assert folder(HOME=home, FCN_SEG_CACHE='/y') == Path('/y')
    assert folder(HOME=home, FCN_SEG_CACHE='') is None
    assert folder() is None and folder(HOME='') is None and folder(HOME='/nonexistent') is None
    assert default_cache({'FCN_SEG_CACHE': '/y'}) is default_cache({'FCN_SEG_CACHE': '/y'})
