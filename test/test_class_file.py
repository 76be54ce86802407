# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""The classes file and its faults."""

import pytest

from fcn_seg_ros.datasets.class_file import parse_classes, read_class_file
from fcn_seg_ros.errors import InputError

TWO = ('classes:\n- {name: road, colour: [1, 2, 3], road: true}\n'
       '- {name: car, colour: [4, 5, 6]}\n')


def test_names_colours_roads_and_sources(tmp_path):
    path = tmp_path / 'classes.yaml'
    path.write_bytes(b'\xef\xbb\xbf' + b"""\
classes:
- {name: road, colour: [128, 64, 128], road: true, ids: [7], from: [lane marking, asphalt]}
- {name: car, colour: [0, 0, 142], ids: [26, 27], colours: [[0, 0, 1], [0, 0, 2]], from: [vehicle]}
- {name: bus, colour: [0, 60, 100], ids: [300], from: [vehicle]}
ignore: {ids: [0], colours: [[0, 0, 0]], from: [unlabelled]}
""")
    found = read_class_file(path)
    assert found.names == ('road', 'car', 'bus') and found.road_ids == (0,)
    assert found.palette == ((128, 64, 128), (0, 0, 142), (0, 60, 100))
    assert found.mask_values() == {255: 255, 0: 255, 7: 0, 26: 1, 27: 1, 300: 2}
    assert found.mask_colours() == {(0, 0, 0): 255, (0, 0, 1): 1, (0, 0, 2): 1}
    assert [found.members(name) for name in ('asphalt', 'car', 'vehicle', 'unlabelled', 'sky')] == [
        (0,), (1,), (1, 2), (), ()]


def test_without_values_in_masks_they_are_the_numbers_and_the_colours_drawn():
    found = parse_classes(TWO, 'FILE')
    assert found.mask_values() == {0: 0, 1: 1, 255: 255}
    assert found.mask_colours() == {(1, 2, 3): 0, (4, 5, 6): 1}


@pytest.mark.parametrize(('text', 'words'), [
    ('', 'expected a list `classes`, found None'),
    ('classes: [', 'expected YAML'),
    ('a: &a [*a]', 'an alias that holds itself'),
    (TWO + 'roads: 1', "to have only classes, ignore, found 'roads'"),
    (TWO.replace('car', 'no'), "class 1: a name to be a text of at most 100 characters, in quotes"),
    (TWO.replace('car', 'road'), "each name once, found 'road' 2 times"),
    (TWO.replace('road: true', 'road: 1'), "class 'road': road to be true or false, found 1"),
    (TWO.replace('true', 'false'), '`road: true` in some of the 2 classes, found it in 0'),
    (TWO.replace('[4, 5, 6]', '[4, 5, 256]'), "class 'car': colour to be [red, green, blue]"),
    (TWO.replace(', colour: [4, 5, 6]', ''), "class 'car': colour to be [red, green, blue]"),
    (TWO.replace('[4, 5, 6]', '[4, 5, 6], id: 3'), "found 'id'"),
    (TWO.replace('[4, 5, 6]', '[4, 5, 6], ids: 3'), 'ids to be a list, found 3'),
    (TWO.replace('[4, 5, 6]', '[4, 5, 6], ids: [-1]'), 'ids: each to be an integer from 0'),
    (TWO.replace('[4, 5, 6]', '[4, 5, 6], ids: [2, 2]'), 'each mask value once, found 2 2 times'),
    (TWO.replace('[4, 5, 6]', '[4, 5, 6], from: [road]'), "name of class 'road' in no `from`"),
    (TWO.replace('[4, 5, 6]', '[4, 5, 6], from: [sky]') + 'ignore: {from: [sky]}',
     "'sky' in a class or in ignore"),
    (TWO + 'ignore: [sky]', 'ignore with ids, colours, from'),
    (TWO[:TWO.index('- {name: car')], '2 to 200 classes, found 1'),
])
def test_a_fault_is_one_line_that_names_it(text, words):
    with pytest.raises(InputError, match=r'^FILE: expected ') as caught:
        parse_classes(text, 'FILE')
    assert words in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_missing_file_and_other_bytes_are_named(tmp_path):
    with pytest.raises(InputError, match=r'none\.yaml: expected a classes file, found nothing'):
        read_class_file(tmp_path / 'none.yaml')
    (tmp_path / 'latin.yaml').write_bytes('name: Straße'.encode('latin-1'))
    with pytest.raises(InputError, match=r'latin\.yaml: expected a classes file in UTF-8'):
        read_class_file(tmp_path / 'latin.yaml')
