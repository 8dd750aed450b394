"""A page of the runbook: Markdown as HTML, with no tag of its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.act.pages.band import Band

if TYPE_CHECKING:
    from markdown_it.token import Token


_COMMENT = re.compile(r"\A\s*<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class RunbookPage:
    """Everything that the template writes."""

    band: Band
    name: str
    """Empty on the page that lists the others."""
    body: str
    """HTML, made here."""


def runbook_html(text: str, names: Collection[str]) -> str:
    """Markdown (CommonMark and tables) as HTML.

    HTML in it is shown as text, but for a comment at its begin, which is left out. A link to
    another page of the runbook leads to it, and so does its name as code; one to another file of
    the repository is not here, and stays as its words.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(_COMMENT.sub("", text, count=1))
    for token in tokens:
        if token.type == "th_open":
            token.attrSet("scope", "col")
        _strip_style(token)
        token.children = None if token.children is None else _linked(token.children, names)
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html


def _strip_style(token: Token) -> None:
    """The alignment of a column comes as an inline style, which the policy forbids."""
    style = token.attrs.pop("style", None)
    if style == "text-align:right":
        token.attrSet("class", "right")


def _linked(tokens: Sequence[Token], names: Collection[str]) -> list[Token]:
    """The same without links that lead nowhere, and without pictures: nothing is fetched."""
    from markdown_it.token import Token

    kept: list[Token] = []
    depth = gone = 0
    for token in tokens:
        if token.type == "link_open":
            href = _address(str(token.attrGet("href") or ""), names)
            depth += 1
            gone += not href
            if not href:
                continue
            token.attrSet("href", href)
        elif token.type == "link_close":
            depth -= 1
            if gone:
                gone -= 1
                continue
        elif token.type == "image":
            kept.extend(token.children or ())
            continue
        elif token.type == "code_inline" and token.content in names and not depth:
            link = Token("link_open", "a", 1, attrs={"href": f"/runbook/{token.content}"})
            kept += (link, token, Token("link_close", "a", -1))
            continue
        kept.append(token)
    return kept


def _address(href: str, names: Collection[str]) -> str:
    """Where a link leads from here; empty: nowhere."""
    if href.startswith(("https://", "http://", "#", "/")):
        return href
    page, _, anchor = href.partition("#")
    name = page.removeprefix("./").removesuffix(".md")
    if name not in names:
        return ""
    return f"/runbook/{name}" + (f"#{anchor}" if anchor else "")
