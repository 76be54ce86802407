# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Write the bag of a run: one file per part, through rosbags, and the metadata of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from rosbags.interfaces import Connection, Qos
from rosbags.rosbag2 import (
    CompressionFormat,
    CompressionMode,
    ReaderError,
    StoragePlugin,
    Writer,
)
from rosbags.rosbag2.metadata import parse_qos

from fcn_seg_ros.files import make_folder, write_file
from fcn_seg_ros.offline.messages import STORE
from fcn_seg_ros.offline.run_folder import BAG
from fcn_seg_ros.offline.steps import Passed, Topic

STORAGES = {'mcap': StoragePlugin.MCAP, 'sqlite3': StoragePlugin.SQLITE3}
_METADATA, _INFO = 'metadata.yaml', 'rosbag2_bagfile_information'
# The version of Humble's metadata. In rosbags' version 8 the quality of service is a text as well.
_HUMBLE = 5
# Of a type that ROS does not have, where the recorder wrote none.
_NO_HASH = f'RIHS01_{"0" * 64}'


class PartBag:
    """
    The file of one part, as a context manager; ``info`` is its part of the metadata then.

    With ``compressed`` the chunks of an mcap are: of masks 0.3 % remain, in the time that writing
    the rest would take, but of camera images most.
    """

    def __init__(self, folder: Path, number: int, storage: str, humble: bool,
                 topics: Sequence[Topic], compressed: bool) -> None:
        self.info: dict[str, Any] | None = None
        self._folder = folder
        self._path = folder / f'{BAG}_{number:06d}'
        self._writer = Writer(self._path, version=8 if humble else 9,
                              storage_plugin=STORAGES[storage])
        if compressed and self._writer.storage_plugin is StoragePlugin.MCAP:
            self._writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        self._topics = topics
        self._connections: dict[tuple[str, str], Connection] = {}
        self._messages = 0

    def __enter__(self) -> PartBag:
        """Create the file."""
        self._writer.open()
        for topic in self._topics:
            self._connection(topic)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Complete the file, unless an error ends the block; a bag without messages is left out."""
        self._writer.__exit__(kind, error, trace)
        if kind is None:
            text = (self._path / _METADATA).read_text()
            (self._path / _METADATA).unlink()
            files = list(self._path.iterdir())
            for file in files:
                if self._messages:
                    file.replace(self._folder / file.name)
                else:
                    file.unlink()
            self._path.rmdir()
            if self._messages:
                self.info = yaml.safe_load(text)[_INFO]

    def write(self, message: Passed) -> None:
        """Write a message, to the topic of its name and type."""
        self._writer.write(self._connection(message.topic), message.received_ns, message.content)
        self._messages += 1

    def _connection(self, topic: Topic) -> Connection:
        key = topic.name, topic.type
        if key not in self._connections:
            recorded = topic.definition and topic.type_hash.startswith('RIHS01_')
            known = topic.type in STORE.types and not recorded
            self._connections[key] = self._writer.add_connection(
                topic.name, topic.type, typestore=STORE if known else None,
                msgdef=None if known else topic.definition,
                rihs01=None if known else topic.type_hash or _NO_HASH,
                offered_qos_profiles=_qos(topic.qos))
        return self._connections[key]


def write_metadata(folder: Path, parts: Sequence[Mapping[str, Any]], humble: bool) -> None:
    """Write the metadata.yaml of a bag of several files, from that of each."""
    if not parts:
        return
    start = min(_start(part) for part in parts)
    end = max(_start(part) + part['duration']['nanoseconds'] for part in parts)
    topics: dict[tuple[str, str], dict[str, Any]] = {}
    for part in parts:
        for each in part['topics_with_message_count']:
            about = each['topic_metadata']
            known = topics.setdefault((about['name'], about['type']),
                                      {'topic_metadata': about, 'message_count': 0})
            known['message_count'] += each['message_count']
    info = dict(parts[0]) | {
        'relative_file_paths': [name for part in parts for name in part['relative_file_paths']],
        'files': [file for part in parts for file in part['files']],
        'starting_time': {'nanoseconds_since_epoch': start},
        'duration': {'nanoseconds': end - start},
        'message_count': sum(part['message_count'] for part in parts),
        'topics_with_message_count': [topics[key] for key in sorted(topics)]}
    if humble:
        info = _for_humble(info)
    text = StringIO()
    yaml.safe_dump({_INFO: info}, text, sort_keys=False)
    write_file(make_folder(folder) / _METADATA, text.getvalue().encode())


def _qos(text: str) -> list[Qos]:
    """Return the quality of service in rosbag2's YAML, none if it cannot be read."""
    try:
        return parse_qos(text)
    except (ReaderError, KeyError, TypeError, AttributeError):
        return []


def _start(part: Mapping[str, Any]) -> int:
    start: int = part['starting_time']['nanoseconds_since_epoch']
    return start


def _for_humble(info: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata without what came after Humble."""
    info = {name: value for name, value in info.items()
            if name not in ('custom_data', 'ros_distro')}
    topics = [{'topic_metadata': {name: value for name, value in each['topic_metadata'].items()
                                  if name != 'type_description_hash'},
               'message_count': each['message_count']}
              for each in info['topics_with_message_count']]
    return info | {'version': _HUMBLE, 'topics_with_message_count': topics}
