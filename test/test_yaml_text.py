# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""YAML that somebody else wrote: what it holds, or one line."""

import pytest

from fcn_seg_ros.errors import InputError
from fcn_seg_ros.training.config import read_config
from fcn_seg_ros.yaml_text import parse_yaml

# 9**9 values in 300 bytes; their text would fill the memory.
BOMB = '[&a [x]' + ''.join(
    f', &{name} [{", ".join([f"*{below}"] * 9)}]'
    for below, name in zip('abcdefghi', 'bcdefghij', strict=True)) + ']'


def test_aliases_merges_and_marks_are_read():
    text = 'a: &a {x: 1}\nb: {<<: *a, y: 2}\nc: [*a, *a]\n'
    expected = {'a': {'x': 1}, 'b': {'x': 1, 'y': 2}, 'c': [{'x': 1}, {'x': 1}]}
    assert parse_yaml(text, 'FILE') == expected
    assert parse_yaml(b'\xef\xbb\xbf' + text.encode(), 'FILE') == expected
    assert parse_yaml('', 'FILE') is None


@pytest.mark.parametrize(('text', 'words'), [
    (BOMB, 'aliases of more than'),
    ('&a [*a]', 'an alias that holds itself'),
    ('a: 1\nb: 2\na: 3', 'the key a twice'),
    ('[' * 4000, 'recursion'),
    ('when: 2026-99-99', 'month must be in 1..12'),
    ('x: ' + '9' * 5000, 'limit'),
    ('x: !!timestamp "?"', 'NoneType'),
    ('x: !!bool "?"', "'?'"),
    ('x: !!python/name:os.system', 'could not determine a constructor'),
    (b'x: \xff', 'invalid start byte'),
])
def test_a_fault_is_one_line_that_names_the_file(text, words):
    with pytest.raises(InputError, match=r'^FILE: expected YAML, found a fault') as caught:
        parse_yaml(text, 'FILE')
    assert words in str(caught.value) and '\n' not in str(caught.value)


@pytest.mark.parametrize(('text', 'words'), [
    (f'learning_rate: {BOMB}', 'aliases of more than'),
    ('learning_rate: 0x' + '9' * 400, 'learning_rate: expected a value like 0.001'),
    ('accumulate: 1000000000000000000000', 'accumulate: expected at most 1000000000'),
    ('epochs: 1\nepochs: 60', 'the key epochs twice'),
    ('skip_scales: [1e300, 1]', 'skip_scales: expected two numbers from -1e6 to 1e6'),
])
def test_a_configuration_says_its_fault_in_one_line(tmp_path, text, words):
    path = tmp_path / 'run.yaml'
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_config(path)
    assert str(caught.value).startswith(f'{path}: ') and words in str(caught.value)
