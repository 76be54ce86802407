# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Write the generated parts of the documentation from the tables in the code.

    python docs/make_reference.py

A page marks such a part by ``<!-- generated: NAME -->`` and ``<!-- end generated -->``.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent), str(DOCS.parent / 'benchmarks')]

import fleet  # noqa: E402

from fcn_seg_ros import node  # noqa: E402
from fcn_seg_ros.cli import EXECUTABLES  # noqa: E402
from fcn_seg_ros.cli.common import typed_examples  # noqa: E402
from fcn_seg_ros.datasets import registry as datasets_registry  # noqa: E402
from fcn_seg_ros.datasets.options import COMMON, KINDS, option_rows  # noqa: E402
from fcn_seg_ros.images.encodings import ENCODINGS  # noqa: E402
from fcn_seg_ros.inference.backends import registry as backends_registry  # noqa: E402
from fcn_seg_ros.launching.arguments import (  # noqa: E402
    CAMERA_ARGUMENTS,
    CAMERAS_ARGUMENTS,
    OWN_ARGUMENTS,
)
from fcn_seg_ros.models.checkpoint_file import read_checkpoint  # noqa: E402
from fcn_seg_ros.models.checkpoint_info import CheckpointInfo  # noqa: E402
from fcn_seg_ros.models.encoders import find_encoder, list_encoders  # noqa: E402
from fcn_seg_ros.node.outputs.registry import topic_table  # noqa: E402
from fcn_seg_ros.node.parameters import CAMERA_PARAMETERS, PARAMETERS, Row  # noqa: E402
from fcn_seg_ros.resources import CHECKPOINTS, find_checkpoint  # noqa: E402

COMMANDS = (*EXECUTABLES, 'completion')
PART = re.compile(r'(<!-- generated: (\w+) -->\n).*?(<!-- end generated -->)', re.DOTALL)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [columns, ['---'] * len(columns), *rows]
    return '\n'.join(f'| {" | ".join(str(word).replace("|", "&#124;") for word in line)} |'
                     for line in lines)


def code(words: Iterable[object]) -> str:
    """Return words as code, with commas."""
    return ', '.join(f'`{word}`' for word in words)


def markdown(text: str) -> str:
    """Return a docstring's text as Markdown, its examples as blocks of code."""
    parts = inspect.cleandoc(text).replace('``', '`').split('\n\n')
    return '\n\n'.join(f'```pycon\n{part}\n```' if part.startswith('>>>') else part
                       for part in parts)


def default_of(value: Any) -> str:
    """Return a parameter's default as a YAML file has it."""
    shown = f'{value}'.lower() if isinstance(value, bool) else f'{value}'
    return f'`{shown}`'.replace('``', "`''`").replace("['", '[').replace("']", ']')


def parameters(rows: Sequence[Row] = PARAMETERS) -> str:
    """Return the table of the node's parameters."""
    return table(('parameter', 'default', 'range', 'at run time', 'meaning'), (
        (f'`{row.name}`', default_of(row.default), range_of(row), 'yes' if row.run_time else 'no',
         row.description) for row in rows))


def range_of(row: Row) -> str:
    """Return what a parameter may be."""
    if row.choices:
        return code(choice or "''" for choice in row.choices)
    if not row.range:
        return ''
    special = ''.join(f'{value:g}, ' for value in row.special)
    return f'{special}{row.range[0]:,.10g} to {row.range[1]:,.10g}'


def launch_arguments() -> str:
    """Return the table of the launch files' own arguments."""
    return table(('argument', 'default', 'meaning'), (
        (f'`{row.name}`', f'`{row.default}`' if row.default else '', row.description)
        for row in (*CAMERA_ARGUMENTS, *CAMERAS_ARGUMENTS, *OWN_ARGUMENTS)))


def diagnostic_levels() -> str:
    """Return the table of levels, which is in the docstring of the module that decides them."""
    head = '| level | when |'
    text, = (path.read_text() for path in Path(node.__file__).parent.glob('*.py')
             if head in path.read_text())
    return markdown(text[text.index(head):].split('\n\n')[0])


def command(name: str) -> Any:
    """Return the module of a command."""
    return importlib.import_module(f'fcn_seg_ros.cli.{name}')


def commands() -> str:
    """Return a section for each command: description, options, examples."""
    parts = []
    for name in COMMANDS:
        module = command(name)
        options = [action for action in module.build_parser()._actions
                   if action.dest not in ('help', 'version')]
        parts += [f'## `{name}`', block(module.DESCRIPTION), *(
            [table(('option', 'meaning'), map(option_row, options))] if options else []),
            block(typed_examples(module.EPILOG, 'fcn_seg_ros '))]
    return '\n\n'.join(parts)


def block(text: str) -> str:
    """Return a text as it stands on a terminal."""
    return f'```text\n{text.strip()}\n```'


def option_row(action: argparse.Action) -> tuple[str, str]:
    """Return an option as `--name VALUE`, and its help with the default."""
    names = ', '.join(action.option_strings) or str(action.metavar or action.dest)
    value = ''
    if action.option_strings and action.nargs != 0:
        value = f' {action.metavar or action.dest.upper()}'
        value = f' {{{",".join(map(str, action.choices))}}}' if (
            action.choices and not action.metavar) else value
        value += ' ...' if action.nargs == '+' else ''
    text = (action.help or '').replace('%%', '%')
    if 'default' not in text and action.default not in (None, False, argparse.SUPPRESS, []):
        text += f' (default: {action.default})'
    return f'`{names}{value}`', text.replace('<', '&lt;').replace('*', '\\*')


def checkpoint() -> str:
    """Return what the metadata holds."""
    fields = dataclasses.fields(CheckpointInfo)
    text = markdown(CheckpointInfo.__doc__ or '').split('\n\n', 1)[1]
    return text + '\n\n' + table(('key', 'type', 'default'), (
        (f'`{field.name}`', f'`{field.type}`', '' if field.default is dataclasses.MISSING
         else f'`{field.default!r}`') for field in fields))


def packaged() -> str:
    """Return what the packaged networks are."""
    infos = {name: read_checkpoint(find_checkpoint(name)).info for name in CHECKPOINTS}
    keys = ('decoder', 'encoder', 'classes', 'network_pixels', 'threshold', 'temperature',
            'licence', 'git_commit')
    return table(('', *(f'`{name}`' for name in infos)), (
        (f'`{key}`', *(shown(getattr(info, key)) for info in infos.values())) for key in keys))


def shown(value: Any) -> str:
    """Return a value of the metadata for people."""
    if isinstance(value, tuple):
        return ', '.join(map(str, value))
    return f'{value:.3f}' if isinstance(value, float) else str(value)


def datasets() -> str:
    """Return the kinds of datasets."""
    return table(('kind', 'what', 'licence', 'own options'), (
        (f'`{name}{":PATH" if kind.has_root else ""}`', kind.title, kind.licence,
         code(field.name for field in dataclasses.fields(kind.Options)))
        for name, kind in datasets_registry._KINDS.items()))


def dataset_options() -> str:
    """Return a table of options for each kind that has some, and one for all kinds."""
    parts = [f'`{row.syntax}`: {row.what}.\n\n' + option_table(option_rows(row.options))
             for row in KINDS.values() if dataclasses.fields(row.options)]
    return '\n\n'.join([*parts, 'All kinds:\n\n' + option_table(COMMON.items())])


def option_table(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of options."""
    return table(('option', 'meaning'), ((f'`{name}`', text) for name, text in rows))


def encoders() -> str:
    """Return the table of encoders."""
    return table(('encoder', 'parameters, M', 'GMAC at 384x1248', 'input convention', 'licence'), (
        (f'`{row.name}`', f'{row.parameters:g}', f'{row.gmac:g}', f'`{row.input_convention}`',
         row.licence) for row in map(find_encoder, list_encoders())))


def backends() -> str:
    """Return the table of backends."""
    return table(('backend', 'precisions on a CPU', 'on a GPU', 'needs', 'taken because'), (
        (f'`{row.name}`', code(row.cpu), code(row.cuda), code(row.needs or ['torch']), row.why)
        for row in backends_registry._TABLE))


def python_api() -> str:
    """Return signature and docstring of everything that the package exports."""
    package = importlib.import_module('fcn_seg_ros')
    return '\n\n'.join(api_entry(name, getattr(package, name))
                       for name in sorted(getattr(package, '__all__', ())) if name[0] != '_')


def api_entry(name: str, thing: Any) -> str:
    """Return a class with its public methods, or a function."""
    parts = [f'## `{name}`', signature(name, thing), markdown(thing.__doc__ or '')]
    for method, member in inspect.getmembers(thing) if inspect.isclass(thing) else ():
        doc = inspect.getdoc(member)
        if method[0] == '_' or not doc or method not in vars(thing):
            continue
        if inspect.isfunction(member):
            parts += [f'### `{name}.{method}`', signature(method, member), markdown(doc)]
        elif hasattr(member, '__get__') and not isinstance(member, type):
            parts += [f'### `{name}.{method}`', markdown(doc)]
    return '\n\n'.join(part for part in parts if part)


def signature(name: str, thing: Any) -> str:
    """Return the signature as a block of code, a default that is an object as `...`."""
    found = inspect.signature(thing)
    parameters = [item if isinstance(item.default, (str, int, float, type(None), type))
                  else item.replace(default=...)
                  for item in found.parameters.values() if item.name != 'self']
    text = f'{name}{found.replace(parameters=parameters)}'.replace('Ellipsis', '...')
    text = re.sub(r"(: |-> )'([^']*)'", r'\1\2', text)
    return block(textwrap.fill(text, 96, subsequent_indent='    '))


GENERATED: dict[str, Callable[[], str]] = {
    'parameters': parameters,
    'camera_parameters': lambda: parameters(CAMERA_PARAMETERS),
    'launch_arguments': launch_arguments,
    'diagnostic_levels': diagnostic_levels,
    'outputs': lambda: '\n'.join(topic_table('<cam>')),
    'encodings': lambda: code(ENCODINGS),
    'commands': commands,
    'checkpoint': checkpoint,
    'packaged': packaged,
    'datasets': datasets,
    'dataset_options': dataset_options,
    'encoders': encoders,
    'backends': backends,
    'python_api': python_api,
    'fleet': lambda: fleet.tables(fleet.Fleet()),
}


def generate(page: str) -> str:
    """Return a page with its generated parts updated."""
    return PART.sub(lambda part: f'{part[1]}\n{GENERATED[part[2]]()}\n\n{part[3]}', page)


def main() -> None:
    """Write every page that is out of date."""
    for path in sorted(DOCS.rglob('*.md')):
        page = path.read_text()
        new = generate(page)
        if new != page:
            path.write_text(new)
            print(f'wrote {path.relative_to(DOCS.parent)}')


if __name__ == '__main__':
    main()
