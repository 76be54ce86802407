# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Read a SQLite file of rosbag2, even with a write-ahead log, cut off, or damaged."""

from __future__ import annotations

import os
import sqlite3
from array import array
from collections.abc import Iterator, Set
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from fcn_seg_ros.drives.notes import Note, Notes
from fcn_seg_ros.drives.sqlite_log import read_log
from fcn_seg_ros.drives.storage import Channel, StoredMessage, ros2_type, undeclared
from fcn_seg_ros.errors import InputError, one_line

# Nothing is written into the recording or next to it: no locks, no shared memory, no checkpoint of
# the log. In exclusive locking mode, with locks that do nothing, the log's index is in this
# process's memory, so that read-only media work as well.
_AS_IT_IS = 'mode=ro&vfs=unix-none'
_WITHOUT_JOURNAL = 'immutable=1'


class SqliteFile:
    """A storage file in SQLite, in any of rosbag2's schemas (from Dashing to Rolling)."""

    def __init__(self, path: Path, notes: Notes) -> None:
        """Read the topics; raises InputError if the file has no messages table."""
        self.path = path
        self.notes = notes
        try:
            self._database = self._open()
            # From the rows, not from an index, which may be missing or damaged.
            rows = self._rows()
            topics = self._topics()
        except sqlite3.Error as error:
            raise InputError(f'{path}: this SQLite file of rosbag2 cannot be read: '
                             f'{one_line(error)}; if it is damaged, `sqlite3 FILE .recover` makes '
                             'the SQL of a new one') from None
        self._ids, self._times, self._topic_ids = rows
        counts = {int(number): int(count) for number, count in zip(
            *np.unique(self._topic_ids, return_counts=True), strict=True)}
        topics |= undeclared(counts, topics.keys(), 'cdr', path.name, notes)
        self.channels = {number: replace(channel, count=counts.get(number, 0))
                         for number, channel in topics.items()}

    def start_ns(self) -> int:
        """Return the earliest time of recording."""
        return int(self._times.min()) if self._times.size else 0

    def messages(self, wanted: Set[int]) -> Iterator[StoredMessage]:
        """Yield the messages of the wanted channels by time; damage is noted."""
        chosen = np.flatnonzero(np.isin(self._topic_ids, list(wanted)))
        order = chosen[np.lexsort((self._ids[chosen], self._times[chosen]))]
        for row in order:
            channel, received_ns = int(self._topic_ids[row]), int(self._times[row])
            try:
                content, = self._database.execute('SELECT data FROM messages WHERE id = ?',
                                                  (int(self._ids[row]),)).fetchone()
                if not isinstance(content, bytes):
                    raise sqlite3.DatabaseError('it holds no bytes')
            except (sqlite3.Error, TypeError) as error:
                self.notes.add(Note(f'the message cannot be read from {self.path.name}: '
                                    f'{one_line(error)}', 1, self.channels[channel].topic,
                                    received_ns))
                continue
            yield StoredMessage(received_ns, channel, content)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        """Return the database, with its log if there is one."""
        log = read_log(self._beside('-wal'))
        if log.fault:
            self.notes.add(Note(
                f'{self.path.name}-wal: {log.fault}, as if the recorder was killed or a copy cut '
                f'off: the messages in {log.size - log.read} of its {log.size} bytes are lost',
                None))
        if not (log.read or self._beside('-journal').is_file()):
            return self._connect(_WITHOUT_JOURNAL)
        try:
            return self._connect(_AS_IT_IS)
        except sqlite3.Error as error:
            # A transaction that was open when the recorder was killed must be rolled back, for
            # which the file must be writable.
            database = self._connect(_WITHOUT_JOURNAL)
            self.notes.add(Note(
                f'{self.path.name}: read without its journal ({one_line(error)}), so that the last '
                'messages may be missing or damaged', None))
            return database

    def _beside(self, suffix: str) -> Path:
        return self.path.with_name(self.path.name + suffix)

    def _connect(self, how: str) -> sqlite3.Connection:
        # Quoted, since a name may contain #, ? or %, which are special in a URI. The prefetching
        # thread reads what the main thread has opened, but never at the same time.
        name = quote(os.fsencode(self.path.absolute()))
        database = sqlite3.connect(f'file:{name}?{how}', uri=True, check_same_thread=False)
        database.text_factory = lambda content: content.decode(errors='replace')
        try:
            database.execute('PRAGMA locking_mode=EXCLUSIVE')
            # SQLite refuses a file that is too short unless it may repair it.
            database.execute('PRAGMA writable_schema=ON')
            database.execute('SELECT count(*) FROM sqlite_master').fetchone()
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _topics(self) -> dict[int, Channel]:
        """Return each topic's Channel without the count, by topic number."""
        definitions = {row.get('topic_type'): row for row in self._table('message_definitions')}
        found = {}
        for row in self._table('topics'):
            number = row.get('id')
            if not isinstance(number, int) or not row.get('name'):
                continue
            of_type = definitions.get(row.get('type'), {})
            found[number] = Channel(
                _text(row['name']), ros2_type(_text(row.get('type'))),
                _text(row.get('serialization_format')).lower() or 'cdr',
                definition=_text(of_type.get('encoded_message_definition')),
                definition_format=_text(of_type.get('encoding')),
                type_hash=_text(row.get('type_description_hash')),
                qos=_text(row.get('offered_qos_profiles')))
        return found

    def _table(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a table by column, none if there is no such table or no topic."""
        try:
            rows = self._database.execute(f'SELECT * FROM {name}')
            columns = [column[0] for column in rows.description]
            return [dict(zip(columns, row, strict=True)) for row in rows]
        except sqlite3.Error:
            # Messages tell their type by their content, and definitions are only copied.
            return []

    def _rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return number, time and topic of every message, as int64 arrays.

        A damaged table is read from both ends up to the damage.
        """
        forward, fault = self._read_rows('ASC', None)
        if not fault:
            return forward[:, 0], forward[:, 1], forward[:, 2]
        last = int(forward[-1, 0]) if len(forward) else None
        backward, _ = self._read_rows('DESC', last)
        rows = np.concatenate([forward, backward[::-1]])
        if not len(rows):
            raise sqlite3.DatabaseError(fault)
        between = int(backward[-1, 0]) - (last or 0) - 1 if len(backward) else None
        self.notes.add(Note(f'{self.path.name}: the file is cut off or damaged ({fault}): '
                            f'{len(rows)} messages are left', between))
        return rows[:, 0], rows[:, 1], rows[:, 2]

    def _read_rows(self, order: str, after: int | None) -> tuple[np.ndarray, str]:
        """Return the rows ordered by number, and why reading ended early or ''."""
        numbers = array('q')
        where = '' if after is None else f'WHERE id > {after}'
        fault = ''
        try:
            for row in self._database.execute(
                    f'SELECT id, timestamp, topic_id FROM messages {where} ORDER BY id {order}'):
                numbers.extend(row)
        except (sqlite3.Error, OverflowError, TypeError) as error:
            fault = one_line(error)
        whole = len(numbers) // 3 * 3
        return np.array(numbers[:whole], np.int64).reshape(-1, 3), fault


def _text(value: object) -> str:
    return str(value or '')
