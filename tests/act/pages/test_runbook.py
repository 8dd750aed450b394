from __future__ import annotations

import pytest

from monitor.act.assets import INDEX, runbook_names, runbook_text
from monitor.act.pages.runbook import runbook_html
from tests.act.markup import Document

NAMES = ("HeadwatchNodeStalled", "HeadwatchNodeForked")


def links(html: str) -> list[str | None]:
    return [attributes.get("href") for tag, attributes in Document(html).tags if tag == "a"]


def test_runbook_shows_html_as_text() -> None:
    """A page is Markdown; a tag in it is words, and a script is none."""
    html = runbook_html("# A\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1))", NAMES)
    assert {tag for tag, _ in Document(html).tags} == {"h1", "p"}
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](HeadwatchNodeForked.md)", ["/runbook/HeadwatchNodeForked"]),
        ("[a](./HeadwatchNodeForked.md#impact)", ["/runbook/HeadwatchNodeForked#impact"]),
        ("see `HeadwatchNodeForked`", ["/runbook/HeadwatchNodeForked"]),
        ("[`HeadwatchNodeForked`](HeadwatchNodeStalled.md)", ["/runbook/HeadwatchNodeStalled"]),
        ("`HeadwatchNodeGone`", []),
        ("[a](../../docs/checks.md#head)", []),
        ("[a [b](b.md)](c.md)", []),
        ("[a](https://eips.ethereum.org/x)", ["https://eips.ethereum.org/x"]),
        ("[a](/incidents) [b](#b)", ["/incidents", "#b"]),
    ],
)
def test_runbook_links_lead_somewhere_or_are_words(text: str, expected: list[str]) -> None:
    """Other pages of the runbook are served here; other files of the repository are not."""
    html = runbook_html(text, NAMES)
    assert links(html) == expected
    assert Document(html).open == []
    assert "a" in Document(html).text or expected


def test_runbook_fetches_no_picture_and_has_no_inline_style() -> None:
    """The policy would refuse both."""
    html = runbook_html("![a picture](https://example.org/p.png)\n\n|a|b|\n|-:|:-|\n|1|2|", NAMES)
    assert "a picture" in html
    for tag, attributes in Document(html).tags:
        assert tag != "img"
        assert "style" not in attributes
        assert tag != "th" or attributes["scope"] == "col"


@pytest.mark.parametrize("name", [INDEX, *runbook_names()])
def test_runbook_of_the_repository_is_whole(name: str) -> None:
    """Every page has one first heading, its tags are closed, and its links lead to pages here."""
    text = runbook_text(name)
    assert text is not None
    html = runbook_html(text, runbook_names())
    document = Document(html)
    assert document.open == []
    assert sum(tag == "h1" for tag, _ in document.tags) == 1
    assert "<!--" not in html
    assert "&lt;!--" not in html
    for link in links(html):
        assert link is not None
        page = link.removeprefix("/runbook/").split("#")[0]
        assert link.startswith("https://") or page in runbook_names()
