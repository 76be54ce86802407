# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Shared memory: what is removed and what is kept, how much is asked for, what is said."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from fcn_seg_ros import dds
from fcn_seg_ros.dds import IMAGES, MASKS, prepare_to_send, use_shipped_profile
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import share_file
from fcn_seg_ros.shared_memory import check_least, check_room, remove_stale

ONE, TWO, THREE = ('fastdds_' + 16 * digit for digit in 'abc')


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file's lock, as a living Fast DDS process does."""
    with path.open('rb') as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make(folder: Path, files: dict[str, int], age_s: float = 10.0) -> None:
    for name, size in files.items():
        (folder / name).write_bytes(bytes(size))
        os.utime(folder / name, (time.time() - age_s,) * 2)


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_segments_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    make(tmp_path, {ONE: 100, f'{ONE}_el': 0, TWO: 100, f'{TWO}_el': 0})
    make(tmp_path, {'fastrtps_0123456789abcdef': 100, 'fastrtps_0123456789abcdef_el': 0})
    make(tmp_path, {THREE: 100, f'{THREE}_el': 0}, age_s=0.0)
    with locked(tmp_path / f'{ONE}_el'):
        assert remove_stale(tmp_path) == 4
    # The third is too young: its owner may be about to lock it.
    assert left(tmp_path) == {ONE, f'{ONE}_el', THREE, f'{THREE}_el'}
    assert remove_stale(tmp_path, older_than_s=-1.0) == 4
    assert left(tmp_path) == set()


def test_ports_of_the_dead_go_with_their_mutex(tmp_path):
    port = {'fastdds_port7000': 50, 'fastdds_port7000_el': 0, 'sem.fastdds_port7000_mutex': 32}
    shared = {'fastdds_port7001': 50, 'fastdds_port7001_sl': 0, 'sem.fastdds_port7001_mutex': 32}
    make(tmp_path, port | shared)
    with locked(tmp_path / 'fastdds_port7001_sl'):
        remove_stale(tmp_path)
    assert left(tmp_path) == set(shared)


def test_a_port_whose_one_lock_is_held_stays_though_the_other_is_not(tmp_path):
    port = {'fastdds_port7000': 50, 'fastdds_port7000_el': 0, 'fastdds_port7000_sl': 0}
    make(tmp_path, port)
    with locked(tmp_path / 'fastdds_port7000_sl'):
        assert remove_stale(tmp_path) == 0
    assert left(tmp_path) == set(port)


def test_what_was_never_finished_goes_and_what_others_have_stays(tmp_path):
    """Opening an empty port hangs for ever, an empty mutex is SIGBUS: both seen after a kill."""
    make(tmp_path, {ONE: 0, TWO: 1, 'fastdds_port7000': 0, 'fastdds_port7002': 1,
                    'sem.fastdds_port7000_mutex': 0})
    kept = {'fastdds_port7001': 52400,  # a writer's, who locks nothing
            'sem.fastdds_port7001_mutex': 32, 'fast_datasharing_1': 0, 'psm_1': 0,
            'fastdds_portrait': 0, 'fastdds_abc': 0}
    make(tmp_path, kept)
    assert remove_stale(tmp_path) == 5
    assert left(tmp_path) == set(kept)


def test_a_folder_that_is_missing_has_nothing_stale(tmp_path):
    assert remove_stale(tmp_path / 'missing') == 0


@pytest.fixture
def free(monkeypatch):
    """Return how to say how many bytes are free."""
    def set_free(count: int) -> None:
        monkeypatch.setattr(os, 'statvfs', lambda path: SimpleNamespace(f_bavail=count, f_frsize=1))
    return set_free


def test_room_is_what_the_segment_needs_and_a_little_more(free, tmp_path):
    free(18 * 2**20)
    assert check_room(MASKS.segment_bytes) == ''
    free(2**20)
    assert re.fullmatch(r'/dev/shm: expected 18 MB free, found 1\.0 MB; images travel over UDP, '
                        r'and best-effort subscribers lose some; .*--shm-size.*fastdds shm clean.*',
                        check_room(MASKS.segment_bytes))


def test_too_little_for_the_libraries_is_refused(free):
    free(64 * 1024)
    check_least()
    free(4096)
    with pytest.raises(InputError, match='expected at least 64 kB free, found 4 kB'):
        check_least()


def test_a_missing_folder_is_told_and_not_refused(tmp_path):
    check_least(tmp_path / 'shm')
    assert 'found no such folder' in check_room(1, tmp_path / 'shm')


def test_the_profiles_differ_in_their_segments_only_and_fit_in_a_container():
    texts = []
    for profile in (IMAGES, MASKS):
        text = share_file(profile.file).read_text()
        assert f'<segment_size>{profile.segment_bytes}</segment_size>' in text
        text = re.sub(r'(?s)<!--.*?-->', '', text)
        texts.append(re.sub(r'<segment_size>\d+', '<segment_size>', text).split())
    assert texts[0] == texts[1]
    # A node, and a camera beside what another camera left when it was killed, would be too much.
    assert 1.1 * (IMAGES.segment_bytes + MASKS.segment_bytes) + 2**22 < 64e6


def test_the_profile_is_set_unless_the_user_has_one() -> None:
    images, masks = (str(share_file(profile.file)) for profile in (IMAGES, MASKS))
    environ: dict[str, str] = {}
    assert use_shipped_profile(environ)
    assert environ == {'FASTDDS_DEFAULT_PROFILES_FILE': images}
    # What a launch file or a shell set to the one is changed to what this process needs.
    assert use_shipped_profile(environ, MASKS)
    assert environ == {'FASTDDS_DEFAULT_PROFILES_FILE': masks}
    environ = {'ROS_DISTRO': 'humble'}
    assert use_shipped_profile(environ)
    assert len({environ[f'{name}_DEFAULT_PROFILES_FILE'] for name in ('FASTDDS', 'FASTRTPS')}) == 1
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE',
                 'FASTDDS_BUILTIN_TRANSPORTS'):
        environ = {name: 'mine'}
        assert not use_shipped_profile(environ)
        assert environ == {name: 'mine'}


@pytest.fixture
def process(monkeypatch):
    """Return an environment of one's own, and leave shared memory alone."""
    monkeypatch.setattr(dds, 'remove_stale', lambda: 0)
    for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTDDS_BUILTIN_TRANSPORTS'):
        monkeypatch.delenv(name, raising=False)


def test_without_room_images_travel_over_udp(process, free):
    os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] = str(share_file(IMAGES.file))
    free(2**20)
    assert 'found 1.0 MB' in prepare_to_send(MASKS)
    assert os.environ['FASTDDS_BUILTIN_TRANSPORTS'] == 'UDPv4'
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' not in os.environ


def test_with_room_or_a_profile_of_the_users_nothing_is_said(process, free):
    free(2**30)
    assert prepare_to_send(MASKS) == ''
    assert os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] == str(share_file(MASKS.file))
    os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] = 'mine'
    free(2**20)
    assert prepare_to_send(MASKS) == ''
    assert os.environ['FASTDDS_DEFAULT_PROFILES_FILE'] == 'mine'


def test_another_middleware_is_not_told_about_this_one(process, free, monkeypatch):
    monkeypatch.setenv('RMW_IMPLEMENTATION', 'rmw_cyclonedds_cpp')
    free(2**20)
    assert prepare_to_send(MASKS) == ''
    assert 'FASTDDS_BUILTIN_TRANSPORTS' not in os.environ


def test_a_folder_in_which_no_file_can_be_made_is_named(tmp_path, monkeypatch):
    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, 'No space left on device')
    monkeypatch.setattr(tempfile, 'TemporaryFile', full)
    assert 'no file can be created in it (No space left on device)' in check_room(1, tmp_path)
