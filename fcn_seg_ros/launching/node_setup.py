# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Turn launch arguments into the node's parameters, remappings and environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.expand_topic_name import expand_topic_name

from fcn_seg_ros.dds import use_shipped_profile
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.launching.arguments import OWN_ARGUMENTS, PARAMETER_ROWS, choice
from fcn_seg_ros.launching.cameras import check_name, check_topic, output_prefixes
from fcn_seg_ros.launching.given import given_parameters, typed
from fcn_seg_ros.node.outputs.registry import OUTPUTS, remapped_names
from fcn_seg_ros.node.parameters import PARAMETERS, checked
from fcn_seg_ros.node.settings import Settings, settings_of
from fcn_seg_ros.outputs.table import road_topic
from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint, share_file

# Takes the arguments' values and the cameras in the parameters; returns each camera's topic.
CamerasOf = Callable[[Mapping[str, str], Sequence[str]], Mapping[str, str]]


@dataclass(frozen=True)
class NodeSetup:
    """The arguments of launch_ros' Node; ``rviz`` is None unless RViz was requested."""

    name: str
    namespace: str
    parameters: list[str | dict[str, Any]]
    remappings: list[tuple[str, str]]
    environment: dict[str, str]
    log_level: str
    respawn: bool
    respawn_delay: float
    rviz: RvizSetup | None


@dataclass(frozen=True)
class RvizSetup:
    """The arguments of launch_ros' Node that start RViz on one camera's topics."""

    config: str
    frame: str
    parameters: dict[str, Any]
    remappings: list[tuple[str, str]]


def node_setup(values: Mapping[str, str], cameras_of: CamerasOf, base_namespace: str = '',
               sources: Sequence[str | tuple[str, Any]] = (),
               environ: Mapping[str, str] | None = None) -> NodeSetup:
    """
    Return how to start the node for the values of a launch file's arguments.

    ``base_namespace`` and ``sources`` come from the enclosing launch files: a namespace, and
    parameters as in ``given_parameters``. ``params_file`` overrides these parameters, and non-empty
    arguments override both. Raises InputError, one line with the name of the argument or parameter,
    for a missing file and for any value that the node would refuse.
    """
    options = {**values} | {a.name: choice(a, values[a.name]) for a in OWN_ARGUMENTS if a.choices}
    check_name('name', options['name'], 'the name of a node, such as seg_node')
    namespace = _namespace(base_namespace, options['namespace'])
    params_file = _existing_file('params_file', options['params_file'])
    given = given_parameters([*sources, *filter(None, [params_file])],
                             f'{namespace.rstrip("/")}/{options["name"]}')
    known = checked(PARAMETERS[0], given.get('cameras', PARAMETERS[0].default))
    cameras = cameras_of(values, known)
    parameters = {name: typed(row, values[name]) for name, row in PARAMETER_ROWS.items()
                  if values[name]}
    if options['use_sim_time']:
        parameters['use_sim_time'] = options['use_sim_time'] == 'true'
    if list(cameras) != list(dict.fromkeys(known)):
        parameters['cameras'] = list(cameras)
    parameters |= {f'{camera}.topic': topic for camera, topic in cameras.items() if topic}
    settings = _check(given | parameters, options['name'], namespace)
    if parameters.get('checkpoint', '') not in ('', *CHECKPOINTS):
        parameters['checkpoint'] = str(find_checkpoint(parameters['checkpoint']).resolve())
    prefixes = output_prefixes(cameras, options['outputs'])
    return NodeSetup(
        options['name'], namespace, [source for source in (params_file, parameters) if source],
        [(road_topic(camera, output), f'{prefix}/{output}')
         for camera, prefix in prefixes.items() if prefix != f'{camera}/road'
         for output in remapped_names()],
        _added_environment(environ), _log_level(namespace, options['name'], options['log_level']),
        options['respawn'] == 'true', _seconds('respawn_delay', options['respawn_delay']),
        _rviz_setup(options, settings, prefixes, namespace) if options['rviz'] == 'true' else None)


def _check(parameters: Mapping[str, Any], name: str, namespace: str) -> Settings:
    """Raise InputError for values that the node would refuse; return its settings."""
    settings = settings_of(lambda row: parameters.get(row.name, row.default),
                           lambda topic: expand_topic_name(topic, name, namespace))
    checkpoint = find_checkpoint(settings.checkpoint)
    if not checkpoint.is_file():
        raise InputError(f'checkpoint: expected a file, found none at {checkpoint}')
    return settings


def _rviz_setup(options: Mapping[str, str], settings: Settings, prefixes: Mapping[str, str],
                namespace: str) -> RvizSetup:
    """
    Return how to start RViz.

    rviz/road.rviz shows the topics of /camera and /seg_node, remapped to the first camera and the
    node.
    """
    camera, prefix = next(iter(prefixes.items()))
    shown = {'/camera/image_raw': settings.cameras[camera].topic,
             **{road_topic('/camera', output): f'{prefix}/{output}' for output in remapped_names()},
             **{f'/seg_node/{name.removeprefix("~/")}': name for name, row in OUTPUTS.items()
                if row.shared}}
    remappings = [(shown_as, expand_topic_name(topic, options['name'], namespace))
                  for shown_as, topic in shown.items()]
    clock = options['use_sim_time']
    return RvizSetup(str(share_file('rviz/road.rviz')), settings.base_frame,
                     {'use_sim_time': clock == 'true'} if clock else {},
                     [(shown_as, topic) for shown_as, topic in remappings if shown_as != topic])


def _namespace(base: str, namespace: str) -> str:
    """Return the full namespace, joined as in launch_ros."""
    parts = [base.strip('/'), namespace]
    full = namespace if namespace.startswith('/') else '/'.join(filter(None, parts))
    full = '/' + full.strip('/')
    if full != '/':
        check_topic('namespace', full)
    return full


def _log_level(namespace: str, name: str, level: str) -> str:
    """Return --log-level's value for one node: its logger's name, with dots, and the level."""
    return '.'.join([*filter(None, namespace.split('/')), name]) + f':={level}'


def _added_environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Return the variables that select the packaged DDS profile, unless the user selected one."""
    environment = dict(os.environ if environ is None else environ)
    before = dict(environment)
    use_shipped_profile(environment)
    return {name: value for name, value in environment.items() if before.get(name) != value}


def _existing_file(name: str, path: str) -> str:
    """Return the absolute path of an argument's file, '' if none was given."""
    # Shells do not expand the ~ of name:=~/file, and launch_ros only warns of a missing file.
    full = Path(os.path.expanduser(path))
    if path and not full.is_file():
        raise InputError(f'{name}: expected a file, found none at {path}')
    return str(full.resolve()) if path else ''


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= 3600.0:
        raise InputError(f'{name}: expected seconds from 0 to 3600, found {text!r}')
    return seconds
