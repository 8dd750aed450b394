"""A canary run, for machines and people: with both values, and what decides it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monitor.act.comparisons import (
    MARKS,
    comparison_json,
    comparison_lines,
    comparisons_headline,
    line_words,
    outcome_counts,
)
from monitor.act.report import gate_json, gate_text
from monitor.canary.comparison import (
    ACCEPTED,
    NOT_ASKED,
    OUTCOMES,
    Comparison,
    Line,
    Outcome,
    word_of,
)
from monitor.model import Level, Verdict
from tests.act import snapshots
from tests.act.reports.told import canary
from tests.act.test_report import VALIDATOR

LINE = Line("block 1: stateRoot", "0xa", "0xb")
FAILED = Comparison("consensus", "fail", "parted", "they part at block 1", (LINE,), 4)
WELL = Comparison("identity", "pass", "same_chain", "chain 1", (LINE,), 1)


def test_json_of_every_outcome_fits_the_schema() -> None:
    """Of a run with all of them, after a trip through JSON."""
    told = canary()
    made = gate_json(told.verdict, version="1", comparisons=told.comparisons)
    found = json.loads(json.dumps(made, allow_nan=False))
    assert list(VALIDATOR.iter_errors(found)) == []
    assert {one["outcome"] for one in found["comparisons"]} == set(OUTCOMES)
    assert found["data"] == {"ok": False}
    assert found["verdict"] == "fail"


def test_json_tells_both_values_on_one_printable_line() -> None:
    """A node's own words may hold anything."""
    one = comparison_json(replace(FAILED, lines=(Line("a\nb", "\x1b[31m", ""),)))
    assert one["evidence"] == [{"what": "a b", "baseline": "[31m", "candidate": ""}]
    assert (one["check"], one["outcome"], one["asked"]) == ("consensus", "fail", 4)


def many(outcome: Outcome, count: int) -> list[Comparison]:
    return [replace(FAILED, outcome=outcome, subject=f"method:{n}") for n in range(count)]


@pytest.mark.parametrize(
    ("found", "strict", "said"),
    [
        ([WELL, FAILED], False, "may not replace the baseline: consensus: they part at block 1"),
        (many("fail", 5), False, "; and 2 more"),
        ([WELL, replace(WELL, check="consensus")], False, "the candidate may replace the baseline"),
        (
            [WELL, replace(FAILED, outcome="warn")],
            False,
            "the candidate may replace the baseline, with 1 warning",
        ),
        (
            [WELL, *many("warn", 2), replace(FAILED, outcome="pass", reason=ACCEPTED)],
            False,
            "the candidate may replace the baseline, with 1 accepted and 2 warnings",
        ),
        ([WELL, *many("warn", 2)], True, "may not replace the baseline: consensus: they part"),
        ([replace(WELL, outcome="unknown")], False, "nobody can say whether the candidate may"),
        ([replace(FAILED, check="peers", outcome="unknown")], False, "peers: they part"),
        (
            [WELL, replace(WELL, check="consensus"), *many("unknown", 2)[:1], *many("warn", 1)],
            False,
            "nobody can say whether the candidate may replace the baseline: consensus: they part",
        ),
    ],
)
def test_headline_answers_the_question_and_says_why(
    found: list[Comparison], strict: bool, said: str
) -> None:
    """The worst three, and how many more there are; of a pass what is remarkable."""
    headline = comparisons_headline(word_of(found, strict=strict), found)
    assert said in headline
    if said.startswith("the candidate"):
        assert headline == said


def test_blind_headline_names_what_could_not_see_and_not_what_was_left_out() -> None:
    """What was not asked for another's sake says less than the other does."""
    found = [
        replace(WELL, outcome="unknown"),
        replace(FAILED, outcome="unknown", reason=NOT_ASKED),
        replace(FAILED, check="peers", outcome="unknown"),
    ]
    assert comparisons_headline("inconclusive", found).endswith(
        ": identity: chain 1; peers: they part at block 1"
    )


def test_text_has_a_tick_for_each_and_both_values_below_what_is_not_well() -> None:
    """The first line is the verdict; evidence of what is well is left to the JSON."""
    verdict = Verdict(snapshots.NOW, (), "fail", Level.FAILED)
    lines = gate_text(verdict, colour=False, comparisons=(WELL, FAILED)).splitlines()
    assert lines[0].startswith("FAIL  the candidate may not replace the baseline: consensus")
    assert "  ✓ identity   chain 1" in lines
    assert "  ✗ consensus  they part at block 1  [parted]" in lines
    assert lines[4].endswith("- block 1: stateRoot: baseline 0xa, candidate 0xb")
    assert lines[-1].endswith("1 fail, 1 pass")


@pytest.mark.parametrize(
    ("outcome", "is_told"),
    [("fail", True), ("warn", True), ("unknown", False), ("skipped", False), ("pass", False)],
)
def test_evidence_is_told_of_what_somebody_should_look_at(outcome: Outcome, is_told: bool) -> None:
    """A warning's too."""
    lines = list(comparison_lines([replace(FAILED, outcome=outcome)], colour=False))
    assert (len(lines) == 2) is is_told


def test_text_in_colour_paints_the_marks() -> None:
    """And nothing else has an escape sequence in it."""
    (line,) = comparison_lines([WELL], colour=True)
    assert line == "  \x1b[32m✓\x1b[0m identity  chain 1"
    assert set(MARKS) == set(OUTCOMES)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line("x", "1", "2"), "x: baseline 1, candidate 2"),
        (Line("x", "", "2"), "x: candidate 2"),
        (Line("x", "1", ""), "x: baseline 1"),
        (Line("x", "", ""), "x"),
    ],
)
def test_line_tells_the_values_that_there_are(line: Line, words: str) -> None:
    """A field that one of them lacks has one value."""
    assert line_words(line) == words


def test_counts_are_the_worst_first() -> None:
    """And name no outcome that did not occur."""
    assert outcome_counts([WELL, FAILED, FAILED]) == "2 fail, 1 pass"
    assert outcome_counts([]) == ""
