# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""Every command alike: help and typos at once, suggestions, missing packages, Ctrl-C."""

from __future__ import annotations

import importlib
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from test_converted import without

from fcn_seg_ros import __version__
from fcn_seg_ros.__main__ import COMMANDS
from fcn_seg_ros.cli import EXECUTABLES
from fcn_seg_ros.cli.common import typed_prefix
from fcn_seg_ros.cli.extras import MODULES, remedy
from fcn_seg_ros.cli.progress import progress_bar
from fcn_seg_ros.errors import did_you_mean

ROOT = Path(__file__).resolve().parent.parent
# Arguments with which a command gets to work.
AT_WORK = {
    'seg_node': ['--ros-args', '-p', 'device:=cpu'], 'play': ['rendered', '--wait-timeout', '9'],
    'demo': ['--out', '{tmp}/out'], 'train': ['--train', 'rendered', '--out', '{tmp}/out'],
    'evaluate': ['rendered'], 'segment': ['{tmp}', '--mask', '{tmp}/m'],
    'benchmark': ['--no-peers'], 'export': ['--format', 'onnx', '--out', '{tmp}/x.onnx'],
    'fit_statistics': ['{tmp}/none', 'rendered'],
    'calibrate_ground': ['rendered'], 'compare': ['{tmp}', '{tmp}'],
    'pick': ['rendered', '--frames', '9', '--out', '{tmp}/out'],
    'check_dataset': ['--train', 'rendered?drives=200'], 'completion': ['bash']}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the package with arguments."""
    return subprocess.run([sys.executable, '-m', 'fcn_seg_ros', *arguments], cwd=ROOT, text=True,
                          capture_output=True, check=False)


def parser_of(command: str):
    """Return a command's parser."""
    return importlib.import_module(f'fcn_seg_ros.cli.{command}').build_parser()


@pytest.mark.parametrize('arguments', [[], *([name] for name in COMMANDS)])
def test_help_and_typos_come_at_once(arguments):
    """Within a second of CPU time: what else the machine does is no matter of ours."""
    for given, status in (([*arguments, '--help'], 0), ([*arguments, '--hlp'], 2),
                          ([*arguments, '--version'], 0)):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run(*given)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert done.returncode == status, done.stderr
        assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
    assert __version__ in done.stdout


@pytest.mark.parametrize(('arguments', 'words'), [
    (['trian'], ['unknown command trian; did you mean train?']),
    (['nonsense'], ['unknown command nonsense (see ']),
    (['--verison'], ['unknown option --verison; did you mean --version?']),
    (['evaluate', 'rendered', '--splt', 'x'], ['evaluate: error: unknown option --splt; did you '
                                               'mean --split?']),
    (['train', '--lerning-rate=1'], ['did you mean --learning-rate?']),
    (['segment', 'x', '--prec', 'fp32'], ['unknown option --prec; did you mean --precision?'])])
def test_typos_are_one_line_with_a_suggestion(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert all(word in done.stderr for word in words)


@pytest.mark.parametrize('command', COMMANDS)
def test_no_option_may_be_abbreviated(command, capsys):
    main = importlib.import_module(f'fcn_seg_ros.cli.{command}').main
    assert not parser_of(command).allow_abbrev
    if command != 'seg_node':  # its main ends the process
        assert main(['--versio']) == 2
        assert 'did you mean --version?' in capsys.readouterr().err


def test_suggestions_are_few():
    assert did_you_mean('--net', ['--network-height', '--node']) == (
        '; did you mean --network-height?')
    assert did_you_mean('--zzz', ['--a', '--b']) == ''


@pytest.mark.parametrize(('program', 'prefix'), [
    ('/ws/install/fcn_seg_ros/lib/fcn_seg_ros/train', 'ros2 run fcn_seg_ros '),
    ('/usr/local/bin/train', ''), ('/usr/local/bin/fcn_seg_ros', 'fcn_seg_ros ')])
def test_examples_are_shown_as_they_are_typed(program, prefix, monkeypatch):
    assert typed_prefix(program) == prefix
    monkeypatch.setattr(sys, 'argv', [program])
    assert f'\n  {prefix}train --out runs/first --resume' in parser_of('train').epilog
    assert typed_prefix(f'{ROOT}/fcn_seg_ros/__main__.py').endswith(' -m fcn_seg_ros ')


def test_python_is_called_as_the_shell_finds_it(monkeypatch):
    python = Path(sys.executable)
    monkeypatch.setenv('PATH', str(python.parent))
    assert typed_prefix(f'{ROOT}/fcn_seg_ros/__main__.py') == f'{python.name} -m fcn_seg_ros '


def examples() -> list[tuple[str, list[str]]]:
    """Return the commands in all helps, as a shell splits them."""
    found = []
    for command in EXECUTABLES:
        text = parser_of(command).epilog.partition('\n\n')[0].replace('\\\n', ' ')
        for line in text.splitlines():
            words = shlex.split(line, comments=True)
            if words and words != ['examples:']:
                found.append((line.strip(), words))
    return found


@pytest.mark.parametrize(('line', 'words'), examples(), ids=range(len(examples())))
def test_examples_paste_into_a_shell(line, words):
    """Each parses, and nothing in it means something else to a shell."""
    if words[0] == 'torchrun':
        words = words[words.index('fcn_seg_ros') + 1:]
    command, *arguments = words
    if '--ros-args' in arguments:
        arguments = []
    parser_of(command).parse_args(arguments)
    assert not re.search(r'[?*&;]', re.sub(r"'[^']*'", '', line)), line


def test_help_needs_no_extra():
    """As after `pip install .` without any."""
    modules = tuple({module for extra in MODULES.values() for module in extra})
    done = without(f"""
import importlib
for command in {[name for name in COMMANDS]}:
    parser = importlib.import_module(f'fcn_seg_ros.cli.{{command}}').build_parser()
    print(len(parser.format_help()) > 200)
""", *modules)
    assert done.stdout.split() == ['True'] * len(COMMANDS), done.stderr


@pytest.mark.parametrize(('extra', 'command'), [
    *(('cpu', command) for command in EXECUTABLES), ('train', 'train'), ('export', 'export'),
    ('export', 'benchmark'), ('train', 'check_dataset'), ('drives', 'play')])
def test_a_missing_extra_is_one_line(extra, command, tmp_path):
    """Whatever a command lacks first, it names the extra to install."""
    arguments = [word.format(tmp=tmp_path) for word in AT_WORK[command]]
    if extra == 'drives':
        (tmp_path / 'a.mp4').write_bytes(b'video')
        arguments = [f'{tmp_path}/a.mp4']
    if extra == 'train' and command == 'check_dataset':
        arguments.append('--speed')
    done = without(f'from fcn_seg_ros.cli.{command} import main\nsys.exit(main({arguments!r}))',
                   *MODULES[extra])
    own = {'train': 'train', 'export': 'export', 'benchmark': 'export'}.get(command, extra)
    assert done.returncode == 2, done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith(f'{command}: error: ') and line.endswith(f"pip install '.[{own}]')")


def test_extras_bring_what_they_name():
    """The modules of extras.py come from the distributions of setup.py."""
    text = (ROOT / 'setup.py').read_text()
    names = {'cv2': 'opencv-python-headless', 'PIL': 'pillow', 'yaml': 'PyYAML',
             'backports': 'backports.zstd', 'torch_pruning': 'torch-pruning'}
    for modules in MODULES.values():
        assert all(names.get(module, module) in text for module in modules)
    assert remedy('torch', 'export').endswith("pip install '.[export]'")
    assert remedy('torch', 'train') == remedy('lightning', 'train') == remedy('numpy', 'train')
    assert remedy('numpy', 'play').endswith("pip install '.[cpu]'")
    assert 'setup.bash' in remedy('rclpy', 'play') and remedy('fcn_seg_ros', 'play') == ''


@pytest.mark.parametrize('command', [name for name in EXECUTABLES if name != 'fit_statistics'])
@pytest.mark.parametrize('moment', ['fcn_seg_ros.processes', 'numpy.core', 'cv2'])
def test_ctrl_c_while_libraries_load(command, moment, tmp_path):
    """Whatever module is being imported: one line, and the status of an interrupt."""
    arguments = [word.format(tmp=tmp_path) for word in AT_WORK[command]]
    with subprocess.Popen(
            [sys.executable, '-X', 'importtime', '-m', 'fcn_seg_ros', command, *arguments],
            cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=os.environ | {'PYTHONUNBUFFERED': '1'}) as process:
        assert process.stderr is not None
        seen = any(line.rstrip().endswith(moment) for line in process.stderr)
        process.send_signal(signal.SIGINT)
        rest = [line for line in process.stderr if not line.startswith('import time')]
    if not seen:
        pytest.skip(f'{command} has done its work without {moment}')
    assert 'Traceback' not in ''.join(rest), rest
    # A node ends of a signal as asked: status 0. A shell shows the signal itself as 130.
    assert process.returncode in (130, -signal.SIGINT, *[0] * (command == 'seg_node')), rest
    if process.returncode:
        assert 'interrupted' in rest[-1]


@pytest.mark.parametrize('shell', ['bash', 'zsh'])
def test_completion_knows_every_command_and_option(shell):
    script = run('completion', shell).stdout
    for command in EXECUTABLES:
        for option in parser_of(command)._option_string_actions:
            assert option in script, (command, option)
    if shell == 'bash':
        words = subprocess.run(
            ['bash', '-c', f'{script}\nCOMP_WORDS=(evaluate --spl); COMP_CWORD=1\n'
             '_shtab_evaluate\necho "${COMPREPLY[@]}"'], capture_output=True, text=True)
        assert words.stdout.split() == ['--split'], words.stderr


def test_progress_in_a_pipe_is_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr('fcn_seg_ros.cli.progress.LINE_EVERY_S', 0.0)
    with progress_bar('segment', 4) as done:
        done()
        done(3)
    assert re.fullmatch(r'segment: 1 of 4, [\d.]+/s, 0:00:0\d left\n'
                        r'segment: 4 of 4, [\d.]+/s, 0:00:00 left\n', capsys.readouterr().err)
