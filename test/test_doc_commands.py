# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every command in README, docs and ``--help`` is one that its program takes."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest

from fcn_seg_ros.cli.common import typed_examples
from fcn_seg_ros.cli.extras import MODULES
from fcn_seg_ros.launching.arguments import ONE_CAMERA_ARGUMENTS, SEVERAL_CAMERAS_ARGUMENTS
from fcn_seg_ros.node.parameters import PARAMETERS

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'docs'))

from make_reference import COMMANDS, command  # noqa: E402

PAGES = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').rglob('*.md'))]
# Programs that are not ours, and words of the shell.
FOREIGN = {'.', 'cd', 'docker', 'git', 'label-studio', 'ls', 'mkdir', 'printf', 'rosdep', 'sed',
           'fastdds', 'unzip'}
# A shell expands these outside of quotes; zsh refuses a pattern that matches nothing.
QUOTED = re.compile(r"""'[^']*'|"[^"]*"|\$\([^)]*\)| #.*""")
PATTERN = re.compile(r'[?*()\[\]]')


def commands_of(text: str) -> list[list[str]]:
    """Return the commands in lines of shell, as words."""
    lines = text.replace('\\\n', ' ').splitlines()
    found = []
    for line in lines:
        assert not PATTERN.search(QUOTED.sub('', line)), f'needs quotes: {line}'
        lexer = shlex.shlex(line, posix=True, punctuation_chars='&;|')
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ';']:
            if word in ('&&', ';', '|'):
                found.append(words)
                words = []
            else:
                words.append(word)
    return [words for words in found if words]


def in_pages() -> list[list[str]]:
    """Return the commands in blocks of shell."""
    return [words for page in PAGES
            for block in re.findall(r'^ *```bash\n(.*?)^ *```', page.read_text(), re.M | re.S)
            for words in commands_of(block)]


def in_prose() -> list[list[str]]:
    """Return the commands of this package that pages mention in sentences and tables."""
    fenced = r'^ *```.*?^ *```|<!-- generated.*?end generated -->'
    text = '\n'.join(re.sub(fenced, '', page.read_text(), flags=re.M | re.S) for page in PAGES)
    words = [mention.split() for mention in re.findall(r'`([^`]+)`', text)]
    return [each for each in words if len(each) > 1 and each[0] in COMMANDS]


def in_docstrings() -> list[list[str]]:
    """Return the commands in the docstrings of benchmarks and launch files."""
    files = [*sorted((ROOT / 'benchmarks').glob('*.py')), *sorted((ROOT / 'launch').glob('*.py'))]
    return [words for path in files for block in re.findall(
        r'^    ((?:python benchmarks/|ros2 launch ).*(?:\n     +\S.*)*)$', path.read_text(), re.M)
        for words in commands_of(re.sub(r'\n +', ' ', block))]


def in_help() -> list[list[str]]:
    """Return the examples of every ``--help``."""
    return [words for name in COMMANDS for words in commands_of(typed_examples(
        command(name).EPILOG, 'fcn_seg_ros ').partition('examples:\n')[2].split('\n\n')[0])]


@pytest.mark.parametrize('commands', [in_pages, in_docstrings, in_help])
def test_programs_take_the_commands(commands):
    found = commands()
    assert len(found) > 10
    for words in found:
        check(words)


def test_prose_names_options_that_exist():
    found = in_prose()
    assert len(found) > 10
    for name, *rest in found:
        known = command(name).build_parser()._option_string_actions
        for word in rest:
            assert not word.startswith('--') or word.partition('=')[0] in known, (name, word)


def check(words: list[str]) -> None:
    """Raise where a program of ours would not take these words, or the program is unknown."""
    program, *rest = words
    if program == 'export':  # the shell's
        assert '=' in rest[0], words
        return
    if program == 'eval':
        rest = shlex.split(rest[0].removeprefix('$(').removesuffix(')'))
        program = rest.pop(0)
    if program in ('make', 'pip', 'python', 'python3', 'torchrun', 'ros2'):
        {'make': check_make, 'pip': check_pip, 'ros2': check_ros2}.get(program, check_python)(rest)
    elif program in COMMANDS:
        parse(program, rest)
    elif program == 'fcn_seg_ros':
        parse(rest[0], rest[1:])
    else:
        assert program in FOREIGN, words


def parse(name: str, arguments: list[str]) -> None:
    """Parse arguments as an executable does, its own and ROS's."""
    ours, _, ros = ' '.join(map(shlex.quote, arguments)).partition('--ros-args')
    if shlex.split(ours) != ['--help']:
        command(name).build_parser().parse_args(shlex.split(ours))
    for parameter in re.findall(r"-p '?([\w.]+):=", ros):
        check_parameter(parameter)


def check_parameter(name: str) -> None:
    assert name.split('.')[-1] in {row.name for row in PARAMETERS} | {'topic'}, name


def check_make(words: list[str]) -> None:
    makefile = (ROOT / 'Makefile').read_text()
    for word in words:
        name, is_variable, _ = word.partition('=')
        pattern = rf'^{name} \?=' if is_variable else rf'^{name}:'
        assert re.search(pattern, makefile, re.MULTILINE), word


def check_pip(words: list[str]) -> None:
    for extra in re.findall(r'\w+', ' '.join(re.findall(r'\[(.*?)\]', ' '.join(words)))):
        assert extra in (*MODULES, 'gpu'), extra


def check_python(words: list[str]) -> None:
    """Check ``-m fcn_seg_ros NAME ...`` and ``benchmarks/FILE.py ...``; other modules pass."""
    script = next((word for word in words if word.endswith('.py')), None)
    if script:
        source = (ROOT / script).read_text()
        for option in [word for word in words if word.startswith('--')]:
            assert f"'{option}'" in source, f'{script} {option}'
    elif 'fcn_seg_ros' in words:
        name, *rest = words[words.index('fcn_seg_ros') + 1:]
        if name != '--help':
            parse(name, rest)
    else:
        assert '-m' in words, words


def check_ros2(words: list[str]) -> None:
    verb, *rest = words
    if verb == 'launch' and rest[0] == 'fcn_seg_ros':
        check_launch(rest[1], rest[2:])
    elif verb == 'run' and rest[0] == 'fcn_seg_ros':
        parse(rest[1], rest[2:])
    elif verb == 'param' and rest[:2] == ['set', '/seg_node']:
        check_parameter(rest[2])
    else:
        assert verb in ('launch', 'run', 'bag', 'param', 'service', 'topic', 'pkg'), words


def check_launch(file: str, arguments: list[str]) -> None:
    """Check that a launch file is there and has the arguments."""
    text = (ROOT / 'launch' / file).read_text()
    table = SEVERAL_CAMERAS_ARGUMENTS if 'multi' in file else ONE_CAMERA_ARGUMENTS
    names = {row.name for row in table} | set(re.findall(r'<arg name="([^"]+)"', text))
    for argument in arguments:
        name, given, _ = argument.partition(':=')
        assert name in names if given else argument == '--show-args', argument


def test_a_wrong_command_is_found():
    for line in ('segment photos --msk out', 'make demmo', 'ros2 launch fcn_seg_ros no.launch.py',
                 'ros2 launch fcn_seg_ros seg.launch.py treshold:=1', 'unknown --option',
                 'python benchmarks/measure_start.py --no-such', 'ros2 param set /seg_node tre 1',
                 "pip install '.[trian]'", 'export --format onnx', 'evaluate rendered?drives=2'):
        with pytest.raises((AssertionError, ValueError, OSError, SystemExit)):
            check(commands_of(line)[0])
