# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch files decide: arguments in, the node's parameters and remappings out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcn_seg_ros.dds import use_shipped_profile
from fcn_seg_ros.errors import InputError
from fcn_seg_ros.resources import share_file

NODE_NAME = 'seg_node'


@dataclass(frozen=True)
class LaunchArgument:
    """
    An argument of a launch file; values and defaults are texts, as launch has them.

    ``default`` None: it must be given. ``choices`` empty: any text.
    """

    name: str
    default: str | None
    description: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class NodeSetup:
    """What launch_ros' Node takes; ``rviz`` is None where RViz is not wanted."""

    params_file: str
    parameters: dict[str, Any]
    remappings: list[tuple[str, str]]
    environment: dict[str, str]
    respawn: bool
    respawn_delay: float
    rviz: RvizSetup | None


@dataclass(frozen=True)
class RvizSetup:
    """What launch_ros' Node takes to start RViz on one camera's topics."""

    config: str
    parameters: dict[str, Any]
    remappings: list[tuple[str, str]]


BOOLEAN = ('true', 'false')
_FROM_FILE = 'empty: what params_file says'
COMMON_ARGUMENTS = (
    LaunchArgument('outputs', '', 'Prefix of the output topics; {camera} stands for the name of '
                   'the camera: /perception/{camera} gives /perception/front/mask. Empty: beside '
                   'the images, /front/image_raw gives /front/road/mask'),
    LaunchArgument('namespace', '', 'Namespace of the node and of relative topics'),
    LaunchArgument('params_file', '', 'Parameter file; empty: the packaged config/seg.yaml'),
    LaunchArgument('checkpoint', '', f'Checkpoint file (.safetensors); {_FROM_FILE}, which by '
                   'default is the packaged network'),
    LaunchArgument('device', '', f'auto, cpu, cuda or cuda:N; {_FROM_FILE}'),
    LaunchArgument('backend', '', f'auto, torch, torch_compile, cuda_graph, onnxruntime or '
                   f'openvino; {_FROM_FILE}'),
    LaunchArgument('precision', '', f'auto, fp32, bf16, fp16 or int8; {_FROM_FILE}'),
    LaunchArgument('transport', '', f'Transport of the images; {_FROM_FILE}, which by default is '
                   'raw; compressed: TOPIC/compressed', ('', 'raw', 'compressed')),
    LaunchArgument('use_sim_time', '', 'Take time from /clock (ros2 bag play --clock); '
                   f'{_FROM_FILE}, which by default is false', ('', *BOOLEAN)),
    LaunchArgument('autostart', '', 'Configure and activate at start; false: a lifecycle manager '
                   f'does it; {_FROM_FILE}, which by default is true', ('', *BOOLEAN)),
    LaunchArgument('respawn', 'false', 'Start the node again whenever it ends, but by Ctrl-C',
                   BOOLEAN),
    LaunchArgument('respawn_delay', '1.0', 'Seconds to wait before that'),
    LaunchArgument('rviz', 'false', 'Show images, overlay, probability and mask of the (first) '
                   'camera in RViz', BOOLEAN),
    LaunchArgument('log_level', 'info', 'Log level of the node',
                   ('debug', 'info', 'warn', 'error', 'fatal')),
)
ONE_CAMERA_ARGUMENTS = (
    LaunchArgument('camera', '', "Name of the camera, in the parameters and the diagnostics; "
                   'empty: `camera` where topic or outputs is given, else what params_file says'),
    LaunchArgument('topic', '', 'Topic of its images (sensor_msgs/Image), without a transport '
                   '(/compressed); empty: CAMERA/image_raw'),
    *COMMON_ARGUMENTS)
SEVERAL_CAMERAS_ARGUMENTS = (
    LaunchArgument('cameras', None, 'Names of the cameras, with commas: front,left,right'),
    LaunchArgument('topics', '', 'Topics of their images, without a transport (/compressed): one '
                   'for all, in which {camera} stands for the name, as in '
                   '/sensing/camera/{camera}/image_raw, or one for each, with commas; empty: '
                   'CAMERA/image_raw'),
    *COMMON_ARGUMENTS)
# The arguments that are parameters of the node, and how their text becomes a value.
_PARAMETERS: dict[str, Callable[[str], Any]] = {
    'device': str, 'backend': str, 'precision': str, 'transport': str,
    'use_sim_time': 'true'.__eq__, 'autostart': 'true'.__eq__}
# What seg_node publishes for a camera, as CAMERA/road/NAME.
OUTPUTS = ('mask', 'mask/compressed', 'mask_colour', 'probability', 'confidence', 'overlay',
           'camera_info', 'label_info')
# Names under which drivers and image_proc publish: the camera's other topics stand beside them.
_IMAGE_NAMES = ('image', 'image_raw', 'image_mono', 'image_color', 'image_rect',
                'image_rect_color')
# What rcl takes as the right side of a remapping.
_TOPIC = re.compile(r'(~/|/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*', re.ASCII)
_NAME = re.compile(r'[A-Za-z_]\w*', re.ASCII)


def one_camera(values: Mapping[str, str]) -> dict[str, str]:
    """
    Return the image topic of the camera that the arguments speak of, by its name.

    None at all leaves it to the parameter file; an empty topic is the node's default.
    """
    camera, topic = values['camera'], values['topic']
    if camera:
        _check_name('camera', camera)
    if topic:
        _check_topic('topic', topic)
    return {camera or 'camera': topic} if camera or topic or values['outputs'] else {}


def several_cameras(values: Mapping[str, str]) -> dict[str, str]:
    """
    Return the image topic of each camera that ``cameras`` and ``topics`` name.

    An empty topic is the node's default. Raises InputError for a name or a topic that cannot be,
    and where two cameras would share one.
    """
    cameras, topics = _listed(values['cameras']), _listed(values['topics'])
    for camera in cameras:
        _check_name('cameras', camera)
    if len(set(cameras)) < len(cameras):
        raise InputError(f'cameras: expected different names, found {values["cameras"]!r}')
    if len(topics) <= 1 or '{camera}' in values['topics']:
        topics = [values['topics'].replace('{camera}', camera) for camera in cameras]
    for topic in filter(None, topics):
        _check_topic('topics', topic)
    given = {topic for topic in topics if topic}
    if len(topics) != len(cameras) or (given and len(given) < len(cameras)):
        raise InputError('topics: expected one with {camera} in it, or one for each of the '
                         f'{len(cameras)} cameras, found {values["topics"]!r}')
    return dict(zip(cameras, topics, strict=True))


def node_setup(values: Mapping[str, str], cameras: Mapping[str, str],
               environ: Mapping[str, str] | None = None) -> NodeSetup:
    """
    Return how to start the node for the values of COMMON_ARGUMENTS and the cameras' topics.

    An argument left empty does not override the parameter file. Raises InputError, one line with
    the argument's name, for a missing file or a value that cannot be.
    """
    for argument in COMMON_ARGUMENTS:
        if argument.choices and values[argument.name] not in argument.choices:
            choices = ', '.join(filter(None, argument.choices))
            raise InputError(f'{argument.name}: expected one of {choices}, '
                             f'found {values[argument.name]!r}')
    files = {name: _existing_file(name, values[name]) for name in ('params_file', 'checkpoint')}
    parameters = {name: parse(values[name]) for name, parse in _PARAMETERS.items() if values[name]}
    if files['checkpoint']:
        parameters['checkpoint'] = files['checkpoint']
    if cameras:
        parameters['cameras'] = list(cameras)
    parameters |= {f'{camera}.topic': topic for camera, topic in cameras.items() if topic}
    prefixes = {camera: output_prefix(camera, topic, values['outputs'])
                for camera, topic in (cameras or {'camera': ''}).items()}
    if len(set(prefixes.values())) < len(prefixes):
        raise InputError('outputs: expected {camera} in it, or image topics in different '
                         f'namespaces, found the same outputs for {", ".join(prefixes)}')
    return NodeSetup(
        files['params_file'] or str(share_file('config/seg.yaml')), parameters,
        [(f'{camera}/road/{output}', f'{prefix}/{output}')
         for camera, prefix in prefixes.items() if prefix != f'{camera}/road'
         for output in OUTPUTS],
        _added_environment(environ), values['respawn'] == 'true',
        _seconds('respawn_delay', values['respawn_delay']),
        _rviz_setup(values, cameras, prefixes) if values['rviz'] == 'true' else None)


def output_prefix(camera: str, topic: str, outputs: str) -> str:
    """
    Return what a camera's output topics begin with, ``front/road`` for ``front/road/mask``.

    ``outputs`` is the argument of that name. Where it is empty, ``road`` stands beside the image
    topic, or below it where its last part is no usual name of an image (image_raw, ...).
    """
    if outputs:
        prefix = outputs.replace('{camera}', camera)
        _check_topic('outputs', prefix)
        return prefix
    if not topic:
        return f'{camera}/road'
    namespace, _, last = topic.rpartition('/')
    if last not in _IMAGE_NAMES:
        return f'{topic}/road'
    return f'{namespace}/road' if namespace or topic.startswith('/') else 'road'


def _rviz_setup(values: Mapping[str, str], cameras: Mapping[str, str],
                prefixes: Mapping[str, str]) -> RvizSetup:
    """Return RViz on the first camera: rviz/road.rviz shows /camera, remapped to that one."""
    camera, prefix = next(iter(prefixes.items()))
    images = cameras.get(camera) or f'{camera}/image_raw'
    shown = {'/camera/image_raw': images,
             **{f'/camera/road/{output}': f'{prefix}/{output}' for output in OUTPUTS}}
    remappings = [(name, _absolute(topic, values['namespace'])) for name, topic in shown.items()]
    return RvizSetup(str(share_file('rviz/road.rviz')),
                     {'use_sim_time': values['use_sim_time'] == 'true'},
                     [(name, topic) for name, topic in remappings if name != topic])


def _absolute(topic: str, namespace: str) -> str:
    if topic.startswith('/'):
        return topic
    below = topic.replace('~', NODE_NAME, 1) if topic.startswith('~/') else topic
    return '/'.join(['', *filter(None, namespace.split('/')), below])


def _added_environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Return the variables that choose the shipped DDS profile, none where the user chose one."""
    environment = dict(os.environ if environ is None else environ)
    before = dict(environment)
    use_shipped_profile(environment)
    return {name: value for name, value in environment.items() if before.get(name) != value}


def _existing_file(name: str, path: str) -> str:
    """Return the absolute path of an argument's file, or an empty text where none was given."""
    # A shell leaves the ~ of name:=~/file alone, and launch_ros only warns where a file is missing.
    if path and not Path(path).expanduser().is_file():
        raise InputError(f'{name}: expected a file, found none at {path}')
    return str(Path(path).expanduser().resolve()) if path else ''


def _seconds(name: str, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds <= 3600.0:
        raise InputError(f'{name}: expected seconds from 0 to 3600, found {text!r}')
    return seconds


def _listed(text: str) -> Sequence[str]:
    return [part.strip() for part in text.split(',')]


def _check_name(argument: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputError(f'{argument}: expected the name of a camera, such as front, '
                         f'found {name!r}')


def _check_topic(argument: str, topic: str) -> None:
    if topic.endswith(('/compressed', '/compressedDepth', '/theora', '/ffmpeg')):
        raise InputError(f'{argument}: expected a topic without its transport (use '
                         f'transport:=compressed), found {topic!r}')
    if not _TOPIC.fullmatch(topic):
        raise InputError(f'{argument}: expected the name of a topic, found {topic!r}')
