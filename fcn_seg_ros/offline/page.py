# Copyright 2026 fcn_seg_ros maintainers
# SPDX-License-Identifier: Apache-2.0
"""
Self-contained HTML pages: no network, no script, light and dark, readable on a phone.

Whatever comes from a recording (names of topics, paths, reasons) goes through ``escaped``. Besides,
a content security policy in the page forbids scripts and requests.
"""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence

from fcn_seg_ros.offline.page_style import STYLE

#: A text from outside, in a cell.
_LONGEST = 500
# Characters that change the direction of the text around them.
_TURNING = ('LRE', 'RLE', 'LRO', 'RLO', 'PDF', 'LRI', 'RLI', 'FSI', 'PDI')
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def escaped(words: object) -> str:
    """Return a text from outside for HTML: in one line, printable, at most 500 characters."""
    text = str(words)
    if len(text) > _LONGEST:
        text = f'{text[:_LONGEST // 2]} ... {text[-_LONGEST // 2:]}'
    return html.escape(''.join(map(_plain, text)))


def code(words: object) -> str:
    """Return a name from outside, marked as one and kept apart from the text around it."""
    return f'<code>{escaped(words)}</code>'


def document(title: str, lead: str, parts: Iterable[str], footer: str) -> bytes:
    """Return a page; ``lead``, ``parts`` and ``footer`` are HTML, ``title`` is text."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escaped(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escaped(title)}</h1>
<p class="lead">{lead}</p>
</header>
<main>
{''.join(part for part in parts if part)}</main>
<footer><p>{footer}</p></footer>
</body>
</html>
""".encode()


def section(title: str, *parts: str) -> str:
    """Return a section of HTML parts under a heading."""
    return f'<section>\n<h2>{escaped(title)}</h2>\n{"".join(parts)}</section>\n'


def tiles(facts: Iterable[tuple[str, str, str]]) -> str:
    """Return the few figures that matter: name, value and a remark of each, as text."""
    cells = ''.join(
        f'<div><dt>{escaped(name)}</dt><dd><span class="value">{escaped(value)}</span>'
        f'<br><span class="note">{escaped(note)}</span></dd></div>\n'
        for name, value, note in facts)
    return f'<dl class="tiles">\n{cells}</dl>\n'


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str,
          texts: Collection[int] = (0,)) -> str:
    """
    Return a table; the columns ``texts`` hold words, the others numbers.

    The caption is not shown right below a heading, which says the same.
    """
    def cell(value: object, is_text: bool) -> str:
        # Names with dots may break there.
        return re.sub(r'([._/])', r'\1<wbr>', escaped(value)) if is_text else escaped(value)
    kinds = ['' if index in texts else ' class="number"' for index in range(len(columns))]
    head = ''.join(f'<th scope="col"{kind}>{escaped(name)}</th>'
                   for kind, name in zip(kinds, columns, strict=True))
    body = ''.join('<tr>' + ''.join(f'<td{kind}>{cell(value, not kind)}</td>' for kind, value
                                    in zip(kinds, row, strict=True)) + '</tr>\n' for row in rows)
    return (f'<div class="wide" role="region" aria-label="{escaped(caption)}" tabindex="0"><table>'
            f'<caption>{escaped(caption)}</caption>\n'
            f'<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n')


def folded(summary: str, *parts: str) -> str:
    """Return HTML parts that are shown on a click."""
    return f'<details><summary>{escaped(summary)}</summary>\n{"".join(parts)}</details>\n'


def pictures(shown: Iterable[tuple[bytes, str, str]]) -> str:
    """Return JPEG pictures side by side, each with a text in its place and a caption (HTML)."""
    figures = ''.join(
        f'<figure><img src="data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" '
        f'alt="{escaped(alt)}"><figcaption>{caption}</figcaption></figure>\n'
        for jpeg, alt, caption in shown)
    return f'<div class="pictures">\n{figures}</div>\n'


def _plain(character: str) -> str:
    """Return a character, or its escape if it breaks or turns the line or cannot be encoded."""
    if (unicodedata.category(character) in ('Cc', 'Cs', 'Zl', 'Zp')
            or unicodedata.bidirectional(character) in _TURNING):
        return character.encode('unicode_escape').decode()
    return character
