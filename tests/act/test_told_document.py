"""A gate's document, written and read back: nothing is lost, and nothing else is believed."""

from __future__ import annotations

import json

import pytest

from monitor.act.report import gate_json
from monitor.act.reports.told import Told
from monitor.act.told_document import DocumentError, read
from tests.act import rulings
from tests.act.reports.told import RUNS
from tests.act.snapshots import SITUATIONS

PLAIN = [n for n, told in RUNS.items() if not told.comparisons and told.conformance is None]
"""Runs in which nodes were judged: a sidecar compares no candidates."""


def written(told: Told) -> bytes:
    return json.dumps(gate_json(told.verdict, version=told.version, ruling=told.ruling)).encode()


@pytest.mark.parametrize("run", PLAIN)
def test_document_read_back_is_the_same_document(run: str) -> None:
    """Every report that is drawn from it is the one that the sidecar would draw."""
    told = RUNS[run]
    verdict, ruling = read(written(told))
    assert read(written(Told(verdict, told.version, ruling))) == (verdict, ruling)
    assert (verdict.level, verdict.skipped) == (told.verdict.level, told.verdict.skipped)
    assert [f.key for f in verdict.findings] == [f.key for f in told.verdict.findings]
    points = [(p.suite, p.name, p.state, p.summary, p.detail) for p in told.points()]
    again = Told(verdict, told.version, ruling, comparisons=told.comparisons)
    assert [(p.suite, p.name, p.state, p.summary, p.detail) for p in again.points()] == points


@pytest.mark.parametrize("situation", SITUATIONS)
def test_document_of_every_situation_is_read(situation: str) -> None:
    """Whatever a sidecar shows."""
    told = Told(SITUATIONS[situation].verdict, "1.2.3")
    verdict, ruling = read(written(told))
    assert ruling is None
    assert verdict.word == told.word


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>502 Bad Gateway</html>", "no verdict of headwatch: "),
        (b"{}", "no verdict of headwatch: "),
        (b"[" * 100_000, "no verdict of headwatch: "),
        (b"\xff", "no verdict of headwatch: "),
    ],
    ids=["html", "empty", "deep", "binary"],
)
def test_answer_that_is_no_verdict_is_refused(body: bytes, said: str) -> None:
    """In one line; a page of a proxy passes for nothing."""
    with pytest.raises(DocumentError, match=said) as caught:
        read(body)
    assert str(caught.value).isprintable()


def test_word_of_the_checks_is_theirs_beside_a_rule_that_is_broken() -> None:
    """What the document calls its verdict is the word of both."""
    checks = RUNS["healthy"].verdict
    verdict, ruling = read(written(Told(checks, "1.2.3", rulings.ruling("fail", rulings.BROKEN))))
    assert (verdict, ruling and ruling.word) == (checks, "fail")


@pytest.mark.parametrize("word", ["fail", "inconclusive"])
def test_verdict_that_does_not_follow_from_what_was_found_is_refused(word: str) -> None:
    """A version that judges otherwise cannot be told of as if it were this one."""
    document = json.loads(written(RUNS["healthy"])) | {"verdict": word}
    with pytest.raises(DocumentError, match=f"it says {word}, and its checks and rules come to pa"):
        read(json.dumps(document).encode())


def test_rule_of_another_version_is_refused() -> None:
    """A measure that this one does not know cannot be told of."""
    document = json.loads(written(RUNS["troubled"]))
    document["rules"][0]["rule"] = "moon.phase.max < 3"
    with pytest.raises(DocumentError, match="a rule that this version cannot read"):
        read(json.dumps(document).encode())
