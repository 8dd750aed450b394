"""A page for every alert, whose commands and queries are ones that exist."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest

from alerts.files import runbook_index
from monitor.act.alerts import ALERTS, BY_NAME
from monitor.act.server import application
from monitor.cli import parser
from tests.act.conftest import Stage, view_of
from tests.alerts.promql import complaints

FOLDER = Path(__file__).parents[2] / "alerts" / "runbook"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("Headwatch*.md")}
HEADINGS = ["Meaning", "Impact", "Diagnosis", "Mitigation"]
LINES_MAX = 80
FOREIGN = re.compile(r"(prometheus|alertmanager|scrape)_\w+|ALERTS")
"""Series of Prometheus and Alertmanager themselves."""


def blocks(text: str, language: str) -> list[str]:
    """The lines of every block of this language; one that goes on is one line."""
    found = re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)
    return [line for block in found for line in re.sub(r" \\\n *", " ", block).splitlines()]


def test_every_alert_has_its_page_and_no_page_is_an_orphan() -> None:
    """A page is added, renamed and removed together with its alert."""
    assert set(PAGES) == {alert.name for alert in ALERTS}
    others = {path.name for path in FOLDER.iterdir()} - {f"{name}.md" for name in PAGES}
    assert others == {"README.md"}


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_has_the_four_headings_and_something_below_each(name: str) -> None:
    """Whoever is woken finds the same four answers in the same order, and no book."""
    text = PAGES[name]
    assert text.startswith(f"# {name}\n")
    parts = re.split(r"(?m)^## (.+)$", text)[1:]
    assert parts[0::2] == HEADINGS
    assert all(len(part.split()) >= 8 for part in parts[1::2])
    assert len(text.splitlines()) <= LINES_MAX
    assert "```" in parts[5], "a diagnosis has something to type"


def test_pages_are_not_copies_of_each_other() -> None:
    """A paragraph that stands in two pages says nothing about either."""
    seen: dict[str, str] = {}
    for name, text in PAGES.items():
        for paragraph in text.split("\n\n"):
            if len(paragraph.split()) >= 20 and not paragraph.startswith("```"):
                assert paragraph not in seen, f"{name} and {seen[paragraph]}: {paragraph}"
                seen[paragraph] = name


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_names_only_alerts_that_exist(name: str) -> None:
    """Nobody is sent to a page that is not there, or to the one that they read."""
    others = set(re.findall(r"\bHeadwatch[A-Z]\w+", PAGES[name].split("\n", 1)[1]))
    assert others <= set(BY_NAME)
    assert others - {name} == others or name == "HeadwatchWatchdog"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_queries_are_promql_over_what_is_exported(name: str) -> None:
    """A query that is pasted gives what it says: its metrics and labels exist."""
    for query in blocks(PAGES[name], "promql"):
        if not FOREIGN.search(query):
            assert not list(complaints(_without_habits(query))), query


def _without_habits(query: str) -> str:
    """People look at gauges with functions that no rule uses."""
    return re.sub(r"\b(deriv|changes)\((.+)\[\w+\]\)", r"\2", query)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_commands_are_understood(name: str) -> None:
    """Every command of ours parses, and every address of ours is one that is served."""
    for line in blocks(PAGES[name], "sh"):
        words = shlex.split(line.split("|")[0].strip(), comments=True) if _is_whole(line) else []
        if words[:1] == ["headwatch"]:
            assert callable(parser().parse_args(words[1:]).command), line
        for url in re.findall(r"http://127\.0\.0\.1:9845(/[^\s'?]*)", line):
            assert url in served(), line


@cache
def served() -> set[str]:
    """The addresses of the server."""
    routes = application(view_of(Stage())).router.routes()
    return {route.resource.canonical for route in routes if route.resource is not None}


def _is_whole(line: str) -> bool:
    """Whether quotes are closed on this line: a body of JSON goes on over two."""
    return line.count("'") % 2 == 0


def test_index_is_the_table() -> None:
    """The list of pages is complete, the worst first."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == runbook_index()
    assert sorted(re.findall(r"\]\((Headwatch\w+)\.md\)", text)) == sorted(PAGES)
