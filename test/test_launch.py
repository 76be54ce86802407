# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""What the launch files decide: which parameters, topics and environment the node gets."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.inference.legend import legend_of
from fcn_seg_ros.launching import (
    COMMON_ARGUMENTS,
    ONE_CAMERA_ARGUMENTS,
    OUTPUTS,
    SEVERAL_CAMERAS_ARGUMENTS,
    NodeSetup,
    node_setup,
    one_camera,
    several_cameras,
)
from fcn_seg_ros.models.checkpoint import load_checkpoint
from fcn_seg_ros.node import outputs
from fcn_seg_ros.node.image_input import TRANSPORTS
from fcn_seg_ros.node.parameters import PARAMETERS, camera_rows, checked
from fcn_seg_ros.resources import default_checkpoint, share_file

ROOT = Path(__file__).resolve().parent.parent
INTEGRATION = (ROOT / 'docs' / 'integration.md').read_text()


def one(environ: dict[str, str] | None = None, **values: str) -> NodeSetup:
    """Return what seg.launch.py does for these arguments."""
    values = {a.name: a.default or '' for a in ONE_CAMERA_ARGUMENTS} | values
    return node_setup(values, one_camera(values), environ or {})


def several(**values: str) -> NodeSetup:
    """Return what multi_camera.launch.py does for these arguments."""
    values = {a.name: a.default or '' for a in SEVERAL_CAMERAS_ARGUMENTS} | values
    return node_setup(values, several_cameras(values), {})


def test_defaults_change_nothing():
    setup = one()
    assert setup.params_file == str(share_file('config/seg.yaml'))
    assert setup.parameters == {}
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
    assert setup.parameters == {
        'cameras': ['camera'], 'camera.topic': '/sensing/front/image_raw', 'device': 'cpu',
        'precision': 'fp32', 'backend': 'openvino', 'transport': 'compressed',
        'use_sim_time': True, 'autostart': False, 'checkpoint': str(random_checkpoint)}
    assert setup.remappings == [
        ('camera/road/mask', '/sensing/front/road/mask'),
        ('camera/road/mask/compressed', '/sensing/front/road/mask/compressed'),
        ('camera/road/mask_colour', '/sensing/front/road/mask_colour'),
        ('camera/road/probability', '/sensing/front/road/probability'),
        ('camera/road/confidence', '/sensing/front/road/confidence'),
        ('camera/road/overlay', '/sensing/front/road/overlay'),
        ('camera/road/camera_info', '/sensing/front/road/camera_info'),
        ('camera/road/label_info', '/sensing/front/road/label_info')]
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
    assert setup.parameters['camera.topic'] == topic


def test_a_named_camera_publishes_under_its_name():
    setup = one(camera='front')
    assert setup.parameters == {'cameras': ['front']}
    assert setup.remappings == []


def test_outputs_elsewhere():
    setup = one(camera='front', topic='/sensing/front/image_raw',
                outputs='/perception/{camera}')
    assert setup.remappings[0] == ('front/road/mask', '/perception/front/mask')
    assert one(outputs='/road').parameters == {'cameras': ['camera']}


def test_several_cameras_by_a_template():
    setup = several(cameras='front, left', topics='/sensing/{camera}/image_raw')
    assert setup.parameters == {
        'cameras': ['front', 'left'], 'front.topic': '/sensing/front/image_raw',
        'left.topic': '/sensing/left/image_raw'}
    assert len(setup.remappings) == 2 * len(OUTPUTS)
    assert ('left/road/mask', '/sensing/left/road/mask') in setup.remappings


def test_several_cameras_by_a_list():
    setup = several(cameras='front,rear', topics='/cam0/rgb,/cam1/rgb')
    assert setup.parameters['rear.topic'] == '/cam1/rgb'
    assert ('rear/road/mask', '/cam1/rgb/road/mask') in setup.remappings


def test_several_cameras_by_their_names_alone():
    setup = several(cameras='front,left')
    assert setup.parameters == {'cameras': ['front', 'left']}
    assert setup.remappings == []
    assert several(cameras='front').parameters == {'cameras': ['front']}


def test_files_in_the_home_folder(tmp_path, monkeypatch):
    """The shell leaves the ~ of name:=~/file alone, and launch_ros would go on without the file."""
    monkeypatch.setenv('HOME', str(tmp_path))
    for name in ('own.yaml', 'own.safetensors'):
        (tmp_path / name).touch()
    setup = one(params_file='~/own.yaml', checkpoint='~/own.safetensors')
    assert setup.params_file == str(tmp_path.resolve() / 'own.yaml')
    assert setup.parameters == {'checkpoint': str(tmp_path.resolve() / 'own.safetensors')}


@pytest.mark.parametrize(('arguments', 'text'), [
    ({'checkpoint': '/nowhere.safetensors'}, 'checkpoint: expected a file, found none at'),
    ({'params_file': '/nowhere.yaml'}, 'params_file: expected a file, found none at'),
    ({'use_sim_time': 'maybe'}, "use_sim_time: expected one of true, false, found 'maybe'"),
    ({'transport': 'h264'}, "transport: expected one of raw, compressed, found 'h264'"),
    ({'respawn': ''}, "respawn: expected one of true, false, found ''"),
    ({'respawn_delay': 'soon'}, "respawn_delay: expected seconds from 0 to 3600, found 'soon'"),
    ({'respawn_delay': 'nan'}, 'respawn_delay: expected seconds'),
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
    assert setup.parameters == {'use_sim_time': False}
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


def test_rviz_config_shows_the_four_images():
    config = yaml.safe_load(share_file('rviz/road.rviz').read_text())
    displays = config['Visualization Manager']['Displays']
    assert {display['Class'] for display in displays} == {'rviz_default_plugins/Image'}
    topics = [display['Topic']['Value'] for display in displays]
    assert topics == ['/camera/image_raw', '/camera/road/overlay', '/camera/road/probability',
                      '/camera/road/mask_colour']
    # A driver that publishes best effort would not be seen otherwise.
    assert displays[0]['Topic']['Reliability Policy'] == 'Best Effort'


def test_arguments_are_parameters_of_the_node():
    own = {'outputs', 'namespace', 'params_file', 'use_sim_time', 'respawn', 'respawn_delay',
           'rviz', 'log_level'}
    rows = {row.name for row in PARAMETERS}
    assert {argument.name for argument in COMMON_ARGUMENTS} - own <= rows
    assert set(one(camera='front', topic='/front').parameters) <= rows | {
        row.name for row in camera_rows('front')}
    transport = next(a for a in COMMON_ARGUMENTS if a.name == 'transport')
    assert transport.choices == ('', *TRANSPORTS)


def test_every_output_of_the_node_is_remapped():
    assert set(OUTPUTS) == {*outputs.OUTPUTS, 'label_info'}


def page_blocks(language: str) -> list[str]:
    """Return the code blocks of docs/integration.md in a language."""
    blocks = re.findall(rf'^```{language}\n(.*?)^```', INTEGRATION, re.MULTILINE | re.DOTALL)
    assert blocks
    return blocks


def test_lines_of_the_integration_page_name_arguments_that_exist():
    lines = re.findall(r'ros2 launch fcn_seg_ros (\S+)((?:[^\n`]|\\\n)*)', INTEGRATION)
    assert lines
    known = {'seg.launch.py': ONE_CAMERA_ARGUMENTS, 'multi_camera.launch.py':
             SEVERAL_CAMERAS_ARGUMENTS}
    for file, arguments in lines:
        assert (ROOT / 'launch' / file).is_file(), file
        names = {argument.name for argument in known.get(file, ())} or set(re.findall(
            r'<arg name="([^"]+)" default', (ROOT / 'launch' / file).read_text()))
        assert set(re.findall(r'(\S+):=', arguments)) <= names | {
            argument.name for argument in COMMON_ARGUMENTS}, file


def test_table_of_the_integration_page_is_that_of_the_arguments():
    rows = [f'| `{a.name}` | {f"`{a.default}`" if a.default else ""} | {a.description} |'
            for a in (*ONE_CAMERA_ARGUMENTS[:2], *SEVERAL_CAMERAS_ARGUMENTS[:2],
                      *COMMON_ARGUMENTS)]
    table = [line for line in INTEGRATION.splitlines() if re.match(r'\| `\w+` \|', line)]
    assert table == rows


def test_examples_of_the_integration_page_are_well_formed():
    for code in page_blocks('python'):
        compile(code, 'docs/integration.md', 'exec')
    for text in page_blocks('xml'):
        ElementTree.fromstring(text)
    for text in page_blocks('yaml'):
        assert yaml.safe_load(text)


def test_parameters_of_the_integration_page_exist():
    block = next(block for block in page_blocks('yaml') if 'cameras:' in block)
    parameters = yaml.safe_load(block)['/**']['ros__parameters']
    rows = [*PARAMETERS, *(row for name in parameters['cameras'] for row in camera_rows(name))]
    for name, value in parameters.items():
        row = next(row for row in rows if row.name == name)
        assert checked(row, value) in (value, tuple(value) if isinstance(value, list) else None)


def test_nav2_example_names_every_class_of_the_packaged_network():
    layer = next(block for block in page_blocks('yaml') if 'class_types' in block)
    camera = yaml.safe_load(layer)['local_costmap']['local_costmap']['ros__parameters'][
        'semantic_segmentation_layer']['camera']
    named = [name for kind in camera['class_types'] for name in camera[kind]['classes']]
    info = load_checkpoint(default_checkpoint()).info
    assert sorted(named) == sorted(legend_of(info).meanings.values())
    assert camera['drivable']['classes'] == [info.classes[i] for i in info.road_ids]
