# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The logic of the launch files: parameters, topics and environment of the node."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import rclpy

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.launching.arguments import (
    ONE_CAMERA_ARGUMENTS,
    SEVERAL_CAMERAS_ARGUMENTS,
)
from fcn_seg_ros.launching.cameras import one_camera, several_cameras
from fcn_seg_ros.launching.given import given_parameters, scalar
from fcn_seg_ros.launching.node_setup import NodeSetup, node_setup
from fcn_seg_ros.node.outputs.registry import OUTPUTS
from fcn_seg_ros.node.parameters import PARAMETERS
from fcn_seg_ros.resources import CHECKPOINTS, share_file

ROOT = Path(__file__).resolve().parent.parent


def one(environ: dict[str, str] | None = None, base: str = '', around: Sequence = (),
        **values: str) -> NodeSetup:
    """Return what seg.launch.py does for these arguments, in a namespace, after SetParameter."""
    values = {a.name: a.default or '' for a in ONE_CAMERA_ARGUMENTS} | values
    return node_setup(values, one_camera, base, around, environ or {})


def several(**values: str) -> NodeSetup:
    """Return what multi_camera.launch.py does for these arguments."""
    values = {a.name: a.default or '' for a in SEVERAL_CAMERAS_ARGUMENTS} | values
    return node_setup(values, several_cameras, environ={})


def test_defaults_change_nothing():
    setup = one()
    assert setup.parameters == []  # not even the packaged file, over which SetParameter must win
    assert (setup.name, setup.namespace, setup.log_level) == ('seg_node', '/', 'seg_node:=info')
    assert setup.remappings == []
    assert setup.environment == {
        'FASTDDS_DEFAULT_PROFILES_FILE': str(share_file('config/fastdds.xml'))}
    assert (setup.respawn, setup.rviz) == (False, None)


def test_the_users_dds_profile_stays():
    assert one({'FASTDDS_DEFAULT_PROFILES_FILE': '/etc/own.xml'}).environment == {}


def test_arguments_reach_the_node_whatever_its_topics(random_checkpoint):
    setup = one(topic='/sensing/front/image_raw', device='cpu', precision='fp32',
                backend='openvino', transport='compressed', checkpoint=str(random_checkpoint),
                use_sim_time='true', autostart='false', respawn='true', respawn_delay='0.5')
    assert setup.parameters == [{
        'camera.topic': '/sensing/front/image_raw', 'device': 'cpu',
        'precision': 'fp32', 'backend': 'openvino', 'transport': 'compressed',
        'use_sim_time': True, 'autostart': False, 'checkpoint': str(random_checkpoint)}]
    # The compressed topics follow their images.
    assert set(setup.remappings) == {
        (f'camera/road/{name}', f'/sensing/front/road/{name}') for name in (
            'mask', 'mask_colour', 'probability', 'confidence', 'overlay', 'camera_info',
            'label_info', 'grid', 'freespace', 'freespace_polygon', 'points', 'points/mask',
            'points/confidence', 'points/label_info')}
    assert (setup.respawn, setup.respawn_delay) == (True, 0.5)


@pytest.mark.parametrize(('topic', 'mask'), [
    ('front/image_raw', 'front/road/mask'),
    ('/front/image_rect_color', '/front/road/mask'),
    ('/front/rgb', '/front/rgb/road/mask'),
    ('/image_raw', '/road/mask'),
    ('image_raw', 'road/mask'),
    ('~/image', '~/road/mask'),
    ('/my_image_raw', '/my_image_raw/road/mask'),
])
def test_outputs_stand_beside_the_images(topic, mask):
    setup = one(topic=topic)
    assert setup.remappings[0] == ('camera/road/mask', mask)
    assert setup.parameters == [{'camera.topic': topic}]


def test_a_named_camera_publishes_under_its_name():
    setup = one(camera='front')
    assert setup.parameters == [{'cameras': ['front']}]
    assert setup.remappings == []


def test_outputs_elsewhere():
    setup = one(camera='front', topic='/sensing/front/image_raw',
                outputs='/perception/{camera}')
    assert setup.remappings[0] == ('front/road/mask', '/perception/front/mask')
    assert one(outputs='/road').remappings[0] == ('camera/road/mask', '/road/mask')


def test_several_cameras_by_a_template():
    setup = several(cameras='front, left', topics='/sensing/{camera}/image_raw')
    assert setup.parameters == [{
        'cameras': ['front', 'left'], 'front.topic': '/sensing/front/image_raw',
        'left.topic': '/sensing/left/image_raw'}]
    assert len(setup.remappings) == 2 * 14
    assert ('left/road/mask', '/sensing/left/road/mask') in setup.remappings


def test_several_cameras_by_a_list():
    setup = several(cameras='front,rear', topics='/cam0/rgb,/cam1/rgb')
    assert setup.parameters[-1]['rear.topic'] == '/cam1/rgb'
    assert ('rear/road/mask', '/cam1/rgb/road/mask') in setup.remappings


def test_several_cameras_by_their_names_alone():
    setup = several(cameras='front,left')
    assert setup.parameters == [{'cameras': ['front', 'left']}]
    assert setup.remappings == []
    assert several(cameras='front').parameters == [{'cameras': ['front']}]


def test_files_in_the_home_folder(tmp_path, monkeypatch):
    """Shells do not expand the ~ of name:=~/file, and launch_ros only warns of a missing file."""
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'own.yaml').write_text('/**: {ros__parameters: {}}')
    (tmp_path / 'own.safetensors').touch()
    setup = one(params_file='~/own.yaml', checkpoint='~/own.safetensors')
    assert setup.parameters == [str(tmp_path.resolve() / 'own.yaml'),
                                {'checkpoint': str(tmp_path.resolve() / 'own.safetensors')}]


def test_packaged_checkpoints_by_name():
    for name in CHECKPOINTS:
        assert one(checkpoint=name).parameters == [{'checkpoint': name}]


@pytest.mark.parametrize('text', ['true', 'True', 'TRUE', 'tRuE'])
def test_true_and_false_in_any_case(text):
    setup = one(respawn=text, rviz=text, use_sim_time=text, autostart=text)
    assert setup.respawn and setup.rviz is not None
    assert setup.parameters == [{'use_sim_time': True, 'autostart': True}]
    no = {'t': 'f', 'T': 'F'}[text[0]] + ('ALSE' if text[1] == 'R' else 'alse')
    setup = one(respawn=no, rviz=no, use_sim_time=no, autostart=no)
    assert not setup.respawn and setup.rviz is None
    assert setup.parameters == [{'use_sim_time': False, 'autostart': False}]


def test_every_parameter_is_an_argument_of_its_type():
    """For every row of the table, the text of a value gives the value, in its type."""
    for row in PARAMETERS:
        if row.name == 'cameras':
            continue
        value = row.choices[-1] if row.choices else row.default
        if value == '':
            continue
        [parameters] = one(**{row.name: str(value)}).parameters
        assert parameters == {row.name: value} and type(parameters[row.name]) is type(value)
    # Whole numbers become floats where needed; a list needs no brackets.
    assert one(threshold='1', max_age_ms='100').parameters == [
        {'threshold': 1.0, 'max_age_ms': 100.0}]
    assert type(one(threshold='1').parameters[0]['threshold']) is float
    assert one(overlay_colour='255, 0,0').parameters == [{'overlay_colour': [255, 0, 0]}]


@pytest.mark.parametrize(('base', 'namespace', 'full', 'logger'), [
    ('', '', '/', 'seg_node'), ('', 'car', '/car', 'car.seg_node'),
    ('/car', '', '/car', 'car.seg_node'), ('car', 'front', '/car/front', 'car.front.seg_node'),
    ('/car', '/other', '/other', 'other.seg_node'), ('/', 'a/', '/a', 'a.seg_node'),
])
def test_the_log_level_is_for_this_node_wherever_it_is(base, namespace, full, logger):
    setup = one(base=base, namespace=namespace, log_level='DEBUG')
    assert (setup.namespace, setup.log_level) == (full, f'{logger}:=debug')


def test_the_name():
    setup = one(name='road', namespace='car', topic='~/image', rviz='true')
    assert (setup.name, setup.log_level) == ('road', 'car.road:=info')
    assert dict(setup.rviz.remappings)['/camera/image_raw'] == '/car/road/image'


WORDS = {'true': True, 'True': True, 'on': True, 'No': False, '7': 7, '-7': -7, '0x1F': 31,
         '1e3': 1000.0, '.5': 0.5, '1.': 1.0, '-.inf': float('-inf'), 'cpu': 'cpu', '1_0': '1_0',
         '2026-01-01': '2026-01-01', 'cuda:0': 'cuda:0', '~': '~'}


@pytest.mark.parametrize(('word', 'value'), WORDS.items())
def test_words_are_read_as_rcl_reads_them(word, value):
    assert scalar(word) == value and type(scalar(word)) is type(value)
    context = rclpy.Context()
    rclpy.init(context=context, args=['--ros-args', '-p', f'x:={word}'])
    node = rclpy.create_node('words', context=context,
                             automatically_declare_parameters_from_overrides=True)
    got = node.get_parameter('x').value
    node.destroy_node()
    rclpy.shutdown(context=context)
    assert got == value and type(got) is type(value)


def test_what_a_node_is_given(tmp_path):
    file = tmp_path / 'own.yaml'
    file.write_text('''
/**: {ros__parameters: {device: cpu, camera: {threshold: 0.5, topic: '7'}, max_age_ms: 1e3}}
seg_node: {ros__parameters: {threads: 2}}
/car/seg_node: {ros__parameters: {threads: 3, precision: int8}}
car: {seg_node: {ros__parameters: {backend: torch}}, other: {ros__parameters: {threads: 9}}}
''')
    sources = [('device', 'cuda'), ('threshold', '1'), ('autostart', 'False'), str(file),
               ('precision', 'bf16'), ('use_sim_time', True), ('overlay_colour', [1, 2, 3])]
    everywhere = {'device': 'cpu', 'camera.threshold': 0.5, 'camera.topic': '7',
                  'max_age_ms': 1000.0, 'threshold': 1, 'autostart': False,
                  'precision': 'bf16', 'use_sim_time': True, 'overlay_colour': [1, 2, 3]}
    assert given_parameters(sources, '/x/y') == everywhere
    assert given_parameters(sources, '/seg_node') == everywhere | {'threads': 2}
    assert given_parameters(sources, '/car/seg_node') == everywhere | {
        'threads': 3, 'precision': 'int8', 'backend': 'torch'}


def test_cameras_of_a_parameter_file_or_setparameter(tmp_path):
    file = tmp_path / 'own.yaml'
    file.write_text('/**: {ros__parameters: {cameras: [front, left], left.topic: /l/image}}')
    setup = one(params_file=str(file), outputs='/perception/{camera}', rviz='true')
    assert setup.parameters == [str(file)]
    assert ('left/road/mask', '/perception/left/mask') in setup.remappings
    assert dict(setup.rviz.remappings)['/camera/image_raw'] == '/front/image_raw'
    # Arguments may select one camera, or set the topic of one.
    assert one(params_file=str(file), camera='left', topic='/x').parameters == [
        str(file), {'cameras': ['left'], 'left.topic': '/x'}]
    with pytest.raises(InputError) as caught:
        one(params_file=str(file), topic='/x')
    assert 'camera: say which camera topic belongs to (one of front, left)' in str(
        caught.value)
    setup = one(around=[('cameras', ['rear'])], topic='/r/image_raw')
    assert setup.parameters == [{'rear.topic': '/r/image_raw'}]
    assert ('rear/road/mask', '/r/road/mask') in setup.remappings


@pytest.mark.parametrize(('text', 'words'), [
    ('/**: {ros__parameters: {threshold: high}}',
     "threshold: expected a number from 0 to 1 or -1, found 'high'"),
    ('/**: {ros__parameters: {camera: {threshold: -0.5}}}',
     'camera.threshold: expected a number from 0 to 1 or -2 or -1, found -0.5'),
    ('/**: {ros__parameters: {cameras: [a, a]}}', 'cameras: expected different names'),
    ('/**: {ros__parameters: {cameras: []}}', 'cameras: expected at least one camera name'),
    ('/seg_node: {ros__parameters: {device: tpu}}', "device: expected auto, cpu, cuda or cuda:N"),
    ('/**: {ros__parameters: {camera.topic: a b}}', "camera.topic: expected a topic name"),
    ('/**: {ros__parameters: {checkpoint: generel}}', 'checkpoint: expected a file or one of the'),
    ('a: [', 'own.yaml is not a valid parameter file: '),
    ('threshold: 0.5', "params_file: expected NODE: {ros__parameters: {...}} in"),
    ('', "params_file: expected NODE: {ros__parameters: {...}} in"),
])
def test_what_the_node_would_refuse_is_refused_before_it_starts(tmp_path, text, words):
    file = tmp_path / 'own.yaml'
    file.write_text(text)
    with pytest.raises(InputError) as caught:
        one(params_file=str(file))
    assert words in str(caught.value) and '\n' not in str(caught.value)
    # A correct argument overrides it.
    if 'threshold: high' in text:
        assert one(params_file=str(file), threshold='0.5').parameters[1] == {'threshold': 0.5}


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'checkpoint': '/nowhere.safetensors'}, 'checkpoint: expected a file, found none at'),
    ({'params_file': '/nowhere.yaml'}, 'params_file: expected a file, found none at'),
    ({'checkpoint': '/x/general'}, 'checkpoint: expected a file, found none at /x/general'),
    ({'use_sim_time': 'maybe'}, "use_sim_time: expected one of true, false, found 'maybe'"),
    ({'transport': 'h264'}, "transport: expected one of raw, compressed, found 'h264'"),
    ({'respawn': ''}, "respawn: expected one of true, false, found ''"),
    ({'respawn_delay': 'soon'}, "respawn_delay: expected seconds from 0 to 3600, found 'soon'"),
    ({'respawn_delay': 'nan'}, 'respawn_delay: expected seconds'),
    ({'autostart': 'perhaps'}, "autostart: expected true or false, found 'perhaps'"),
    ({'threshold': 'high'}, "threshold: expected a number from 0 to 1 or -1, found 'high'"),
    ({'threshold': '-0.5'}, 'threshold: expected a number from 0 to 1 or -1, found -0.5'),
    ({'threads': '2.5'}, 'threads: expected a whole number from 0 to 256, found 2.5'),
    ({'threads': '-1'}, 'threads: expected a whole number from 0 to 256, found -1'),
    ({'overlay_colour': '1,2'}, 'overlay_colour: expected three numbers from 0 to 255'),
    ({'region_of_interest': 'all'}, 'region_of_interest: expected a list of int'),
    ({'device': 'tpu'}, "device: expected auto, cpu, cuda or cuda:N, found 'tpu'"),
    ({'backend': 'caffe'}, 'backend: expected one of auto, '),
    ({'precision': 'FP32'}, "precision: expected one of auto, fp32"),
    ({'checkpoint': 'generel'}, 'checkpoint: expected a file or one of the names open, general'),
    ({'name': 'a b'}, "name: expected the name of a node, such as seg_node, found 'a b'"),
    ({'name': ''}, "name: expected the name of a node, such as seg_node, found ''"),
    ({'namespace': '1'}, "namespace: expected the name of a topic, found '/1'"),
    ({'log_level': 'loud'}, "log_level: expected one of debug, info, warn, error, fatal"),
    ({'topic': '/front/'}, "topic: expected the name of a topic, found '/front/'"),
    ({'topic': 'a b'}, "topic: expected the name of a topic, found 'a b'"),
    ({'topic': '/front/image_raw/compressed'}, 'topic: expected a topic without its transport'),
    ({'camera': '/front'}, "camera: expected the name of a camera, such as front, found '/front'"),
    ({'outputs': '/road/'}, "outputs: expected the name of a topic, found '/road/'"),
])
def test_bad_arguments(arguments, text):
    with pytest.raises(InputError) as caught:
        one(**arguments)
    assert text in str(caught.value)


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'cameras': ''}, "cameras: expected the name of a camera, such as front, found ''"),
    ({'cameras': 'front,'}, "cameras: expected the name of a camera, such as front, found ''"),
    ({'cameras': 'a,b,a'}, "cameras: expected different names, found 'a,b,a'"),
    ({'cameras': 'a,b', 'topics': '/image_raw'}, 'topics: expected one with {camera} in it'),
    ({'cameras': 'a,b', 'topics': '/x,/y,/z'}, 'or one for each of the 2 cameras'),
    ({'cameras': 'a,b', 'topics': '/x,'}, 'or one for each of the 2 cameras'),
    ({'cameras': 'a,b', 'topics': '/{camera'}, "topics: expected the name of a topic"),
    ({'cameras': 'a,b', 'outputs': '/road'}, 'outputs: expected {camera} in it'),
    ({'cameras': 'a,b', 'topics': '/s/image_raw,/s/image_rect'}, 'the same outputs for a, b'),
])
def test_bad_cameras(arguments, text):
    with pytest.raises(InputError) as caught:
        several(**arguments)
    assert text in str(caught.value)


def test_rviz_shows_the_camera_wherever_its_topics_are():
    setup = one(rviz='true', namespace='car', topic='sensing/front/image_raw').rviz
    assert setup is not None
    assert setup.parameters == {}  # as SetParameter says
    assert dict(setup.remappings)['/camera/image_raw'] == '/car/sensing/front/image_raw'
    assert dict(setup.remappings)['/camera/road/mask'] == '/car/sensing/front/road/mask'
    private = one(rviz='true', use_sim_time='true', topic='~/image_raw').rviz
    assert private is not None
    assert private.parameters == {'use_sim_time': True}
    assert dict(private.remappings)['/camera/road/overlay'] == '/seg_node/road/overlay'
    plain = one(rviz='true').rviz
    assert plain is not None
    assert plain.remappings == []
    first = several(rviz='true', cameras='front,left').rviz
    assert first is not None
    assert dict(first.remappings)['/camera/image_raw'] == '/front/image_raw'
    named = one(rviz='true', name='road', namespace='car', base_frame='vehicle').rviz
    assert named is not None
    assert dict(named.remappings)['/seg_node/grid'] == '/car/road/grid'
    assert (plain.frame, named.frame) == ('base_link', 'vehicle')


def test_no_two_arguments_have_one_name():
    for arguments in (ONE_CAMERA_ARGUMENTS, SEVERAL_CAMERAS_ARGUMENTS):
        names = [argument.name for argument in arguments]
        assert len(set(names)) == len(names)
        assert {row.name for row in PARAMETERS} - {'cameras'} <= set(names)


def test_every_output_of_the_node_is_remapped():
    moved = {name.removeprefix('camera/road/') for name, _ in one(topic='/front').remappings}
    assert moved == {name.removesuffix('/compressed') for name, row in OUTPUTS.items()
                     if not row.shared}
