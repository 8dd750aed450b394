"""What reports are drawn from: everything once, in one order, with one state each."""

from __future__ import annotations

import pytest

from monitor.act.reports.kinds import KINDS
from monitor.act.reports.told import STATES, Told
from monitor.judge.verdict import verdict_of
from tests.act import snapshots
from tests.act.reports.told import RUNS, troubled


def test_points_are_every_finding_and_every_rule_once() -> None:
    """Nothing is left out and nothing told twice."""
    told = troubled()
    points = list(told.points())
    assert len(points) == len(told.verdict.findings) + len(told.results)
    assert len({(point.suite, point.name) for point in points}) == len(points)


def test_state_of_a_point_is_what_it_means_for_the_verdict() -> None:
    """Blindness decides only where a required check, or a rule of severity error, is blind."""
    states = {(point.suite, point.name): point.state for point in troubled().points()}
    assert states["head", "node:local"] == "failed"
    assert states["peers", "node:local"] == "warned"
    assert states["fork", "node:local"] == "blind"
    assert states["txpool", "node:local"] == "unseen"
    assert states["identity", "node:local"] == "ok"
    assert [states[point.suite, point.name] for point in list(troubled().points())[-4:]] == [
        *("ok", "failed", "warned", "blind")
    ]


def test_worst_comes_first_and_what_is_well_not_at_all() -> None:
    """In the order of `STATES`."""
    states = [point.state for point in troubled().worst()]
    assert states == sorted(states, key=STATES.index)
    assert "ok" not in states
    assert RUNS["healthy"].worst() == ()


def test_point_lies_where_it_is_configured() -> None:
    """A subject at its entry, a rule at its own line; what is written nowhere at the first."""
    lines = {(point.suite, point.name): point.line for point in troubled().points()}
    assert lines["head", "node:local"] == 7
    assert [line for (suite, _), line in lines.items() if suite == "rules of deploy"] == [
        *(21, 22, 23, 24)
    ]
    assert {point.line for point in RUNS["blind"].points()} == {1}


def test_words_of_a_node_are_one_printable_line() -> None:
    """Whatever a node says, no report gets a line break or an escape from it."""
    for point in troubled().points():
        assert point.summary.isprintable()
        assert all(line.isprintable() for line in point.detail.splitlines())


def test_word_of_a_run_without_rules_is_the_verdict_s() -> None:
    """And with rules, theirs together."""
    empty = Told(verdict_of((), snapshots.NOW), "1")
    assert (empty.word, empty.results) == ("inconclusive", ())
    assert troubled().word == "fail"


def test_points_of_a_canary_run_are_its_comparisons() -> None:
    """What is skipped is told as such, and is nothing that anybody need look at."""
    told = RUNS["canary"]
    states = [(point.suite, point.state) for point in told.points()]
    assert states == [
        ("canary identity", "ok"),
        ("canary upgrades", "skipped"),
        ("canary consensus", "blind"),
        ("canary answers", "failed"),
        ("canary answers", "warned"),
        ("canary latency", "blind"),
    ]
    assert [point.state for point in told.worst()] == ["failed", "blind", "blind", "warned"]
    assert told.word == "fail"
    assert told.headline.startswith("the candidate may not replace the baseline: answers: differs")
    (answers, *_) = told.worst()
    assert (answers.name, answers.slug) == ("method:eth_call", "canary/answers_changed")
    assert answers.detail.startswith("eth_call ")


def test_points_of_vectors_are_every_file_where_it_lies() -> None:
    """A suite a method, a point a file; blindness is a point of its own."""
    points = {point.name: point for point in RUNS["conformance"].points()}
    assert {name: point.state for name, point in points.items()} == {
        "eth_a/bad": "failed",
        "eth_a/good": "ok",
        "eth_b/gone": "skipped",
        "eth_b/slow": "blind",
    }
    bad = points["eth_a/bad"]
    assert (bad.suite, bad.slug) == ("conformance eth_a", "conformance/differs")
    assert (bad.file, bad.line) == ("vectors/eth_a/bad.io", 7)
    assert "answered 0x2" in bad.detail
    (blind,) = RUNS["blind conformance"].points()
    assert (blind.state, blind.name) == ("blind", "vectors")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("junit", 'file="vectors/eth_a/bad.io" line="7"'),
        ("sarif", '"uri": "vectors/eth_a/bad.io"'),
        ("codequality", '"path": "vectors/eth_a/bad.io"'),
        ("annotations", "file=vectors/eth_a/bad.io,line=7,"),
        ("openmetrics", 'headwatch_gate_conformance_files{method="eth_a",outcome="fail"} 1\n'),
        ("openmetrics", 'headwatch_gate_conformance_files{method="eth_b",outcome="unknown"} 1\n'),
        ("markdown", "eth\\_a/bad"),
    ],
)
def test_report_of_vectors_points_into_the_file(kind: str, said: str) -> None:
    """So that whoever reads it is at the request; numbers are counted by method."""
    assert said in KINDS[kind].draw(RUNS["conformance"])
