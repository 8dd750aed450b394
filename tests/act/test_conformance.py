"""What came of vectors, as people and programs read it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from monitor.act.conformance import (
    NAMED_MAX,
    SHOWN_MAX,
    conformance_headline,
    conformance_text,
    difference_words,
)
from monitor.act.reports.plain import as_json
from monitor.act.reports.told import Told
from monitor.canary.differences import Difference
from monitor.conformance.outcome import Conformance, Tried, word_of
from monitor.model import Level, Verdict
from tests.act import snapshots
from tests.act.reports.told import RUNS

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "gate.schema.json").read_text("utf-8"))
CHANGED = Difference("a.b", "changed", '"0x1"', '"0x2"')


def passed(name: str, method: str = "eth_a") -> Tried:
    return Tried(method, name, "pass", "same", "1 answer as expected")


def failed(name: str, *differences: Difference) -> Tried:
    return Tried("eth_a", name, "fail", "differs", "eth_a: differs", 3, differences)


def text(*files: Tried, colour: bool = False) -> str:
    found = Conformance("tests", "geth/v1", "its head is block 7", files=files)
    verdict = Verdict(snapshots.NOW, (), word_of(found), Level.OK)
    return conformance_text(verdict, found, colour=colour)


def test_text_is_a_line_a_method_and_what_failed_below_it() -> None:
    """The verdict first; of what failed the line in its file, the path and both values."""
    gone = Tried("eth_b", "gone", "skipped", "absent", "not there: eth_b")
    lines = text(passed("one"), failed("two", CHANGED), gone).splitlines()
    assert lines[:-1] == [
        "FAIL  1 fail, 1 skipped, 1 pass of 3 files: eth_a/two",
        "",
        "  ✗ eth_a  1 fail, 1 pass",
        "    ✗ two, line 3: eth_a: differs",
        '        - a.b: expected "0x1", answered "0x2"',
        "  - eth_b  1 skipped",
        "",
    ]
    assert lines[-1].endswith("  geth/v1, its head is block 7")


def test_text_of_what_all_passed_is_one_line_a_method() -> None:
    """Nobody need look at more."""
    lines = text(passed("one"), passed("two"), passed("one", "eth_longer")).splitlines()
    assert lines[0] == "PASS  3 pass of 3 files"
    assert lines[2:4] == ["  ✓ eth_a       2 pass", "  ✓ eth_longer  1 pass"]


def test_text_is_coloured_where_it_is_wanted() -> None:
    """And holds no escape sequence where it is not."""
    assert "\x1b[1;31mFAIL\x1b[0m" in text(failed("one"), colour=True)
    assert "\x1b[" not in text(failed("one"))


@pytest.mark.parametrize(
    ("count", "more"), [(SHOWN_MAX, None), (SHOWN_MAX + 1, "        - and 1 more")]
)
def test_text_shows_the_first_places_and_counts_the_rest(count: int, more: str | None) -> None:
    """A block whose every field differs does not fill the screen."""
    lines = text(failed("one", *[CHANGED] * count)).splitlines()
    assert sum("- a.b:" in line for line in lines) == SHOWN_MAX
    assert [line for line in lines if "more" in line] == ([] if more is None else [more])


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (CHANGED, 'a.b: expected "0x1", answered "0x2"'),
        (
            Difference("", "changed", "error 3", "a result"),
            "the answer: expected error 3, answered a result",
        ),
        (Difference("x", "added", "", "1"), "x: not expected, answered 1"),
        (Difference("x", "removed", "1", ""), "x: expected 1, and missing"),
    ],
)
def test_difference_is_told_with_both_values(one: Difference, said: str) -> None:
    """The place, what was expected and what came."""
    assert difference_words(one) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (NAMED_MAX, "3 fail of 3 files: eth_a/0, eth_a/1, eth_a/2"),
        (NAMED_MAX + 2, "5 fail of 5 files: eth_a/0, eth_a/1, eth_a/2 and 2 more"),
    ],
)
def test_headline_names_the_first_that_failed(count: int, said: str) -> None:
    """And counts the others."""
    found = Conformance("tests", files=tuple(failed(str(index)) for index in range(count)))
    assert conformance_headline("fail", found) == said


def test_headline_names_failures_before_what_could_not_be_seen() -> None:
    """Whatever the order of the files."""
    slow = Tried("eth_a", "a", "unknown", "timeout", "")
    found = Conformance("tests", files=(slow, failed("b")))
    assert conformance_headline("fail", found).endswith(": eth_a/b, eth_a/a")


def test_headline_of_vectors_that_were_not_put_says_why() -> None:
    """In one line."""
    found = Conformance("tests", blind="the node cannot be asked: connection refused")
    said = conformance_headline("inconclusive", found)
    assert said == "the vectors say nothing: the node cannot be asked: connection refused"


@pytest.mark.parametrize("run", ["conformance", "blind conformance"])
def test_document_keeps_its_schema_and_the_words_their_lines(run: str) -> None:
    """Whatever a node says."""
    told: Told = RUNS[run]
    jsonschema.validate(json.loads(as_json(told)), SCHEMA)
    assert told.conformance is not None
    said = conformance_text(told.verdict, told.conformance, colour=False)
    assert all(line.isprintable() for line in said.splitlines())
    assert told.headline.isprintable()
