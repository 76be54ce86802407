# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""README and docs: links, named files, generated parts, and code that does what it says."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import cv2
import pytest
import yaml

from fcn_seg_ros import diagnostic_keys
from fcn_seg_ros.node.parameters import PARAMETERS, camera_rows, checked

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / 'docs'))

from make_reference import GENERATED, PART, generate  # noqa: E402

README = ROOT / 'README.md'
PAGES = [README, ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').rglob('*.md'))]
RUN = [README, *sorted((ROOT / 'docs' / 'explanation').glob('*.md'))]


def blocks(page: Path, language: str) -> list[str]:
    """Return a page's blocks of code in a language."""
    return re.findall(rf'^```{language}\n(.*?)^```', page.read_text(), re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r'^```.*?^```', '', page.read_text(), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r'^#+ (.*)$', prose(page), re.MULTILINE)
    return {re.sub(r'[^\w\- ]', '', heading).strip().lower().replace(' ', '-')
            for heading in headings}


def test_readme_is_short_and_shows_a_mask():
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    picture = ROOT / re.findall(r'!\[[^]]+\]\(([^)]+)\)', text)[0]
    assert cv2.imread(str(picture)).shape == (300, 994, 3)
    assert picture.stat().st_size < 100_000
    assert text.index('Licence of the weights') < text.index('## ')


def test_links_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r'\]\((?!https?://)([^)\s]+)\)', prose(page)):
            path, _, anchor = target.partition('#')
            file = (page.parent / path).resolve() if path else page
            assert file.is_file(), f'{page}: {target}'
            assert not anchor or anchor in anchors(file), f'{page}: {target}'


def test_named_files_exist():
    folders = 'benchmarks|config|docs|fcn_seg_ros|foxglove|launch|rviz|test'
    named = {name for page in PAGES
             for name in re.findall(rf'`((?:{folders})/[^`\s]*)`', page.read_text())}
    assert not [name for name in named if not (ROOT / name).exists()]


def test_code_and_configuration_name_pages_that_exist():
    files = [path for folder in ('fcn_seg_ros', 'launch', 'config', 'test', 'benchmarks')
             for path in (ROOT / folder).rglob('*.*') if path.suffix in ('.py', '.yaml', '.xml')
             and path.stat().st_size < 1_000_000]
    for path in [*files, ROOT / 'Makefile', ROOT / 'package.xml']:
        for name in re.findall(r'\bdocs/[\w/-]+\.md', path.read_text()):
            assert (ROOT / name).is_file(), f'{path}: {name}'


def test_generated_parts_are_there_and_current():
    used = []
    for page in PAGES:
        text = page.read_text()
        used += [part[1] for part in PART.findall(text)]
        assert generate(text) == text, f'{page} is out of date: python docs/make_reference.py'
    assert sorted(used) == sorted(GENERATED)


@pytest.mark.parametrize('page', RUN, ids=lambda path: path.stem)
def test_python_prints_what_the_page_shows(page, tmp_path, monkeypatch, rendered_frames):
    monkeypatch.chdir(tmp_path)
    cv2.imwrite('photo.jpg', rendered_frames[0].image[..., ::-1])
    names: dict[str, object] = {}
    for code, shown in re.findall(r'^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```)?',
                                  page.read_text(), re.MULTILINE | re.DOTALL):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, page.name, 'exec'), names)
        assert not shown or printed.getvalue() == shown


def test_other_code_is_well_formed():
    for page in PAGES:
        for code in blocks(page, 'python'):
            compile(code, page.name, 'exec')
        for text in blocks(page, 'xml'):
            ElementTree.fromstring(text)
        for text in blocks(page, 'yaml'):
            assert yaml.safe_load(text)


def test_parameters_in_the_launch_page_exist():
    block = next(text for text in blocks(ROOT / 'docs/how-to/launch.md', 'yaml'))
    parameters = yaml.safe_load(block)['/**']['ros__parameters']
    rows = {row.name: row for row in (*PARAMETERS, *(
        row for name in parameters['cameras'] for row in camera_rows(name)))}
    for name, value in parameters.items():
        expected = tuple(value) if isinstance(value, list) else value
        assert checked(rows[name], value) == expected


def test_diagnostics_page_lists_every_key():
    text = (ROOT / 'docs/reference/diagnostics.md').read_text()
    for name, key in vars(diagnostic_keys).items():
        assert not name.isupper() or f'`{key}' in text, key
