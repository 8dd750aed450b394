"""What all files come to."""

from __future__ import annotations

import pytest

from monitor.conformance.outcome import (
    ABSENT,
    LEFT_OUT,
    Conformance,
    Outcome,
    Tried,
    by_method,
    word_of,
)

Came = tuple[Outcome, str]
PASS: Came = ("pass", "same")
FAIL: Came = ("fail", "differs")
BLIND: Came = ("unknown", "timeout")
GONE: Came = ("skipped", ABSENT)
LEFT: Came = ("skipped", LEFT_OUT)
OUTCOMES: tuple[Outcome, ...] = ("pass", "fail", "unknown", "skipped")


def tried(*outcomes: Came, blind: str = "") -> Conformance:
    """A run in which files came to this."""
    files = [
        Tried("eth_a", str(index), outcome, reason, "")
        for index, (outcome, reason) in enumerate(outcomes)
    ]
    return Conformance("tests", blind=blind, files=tuple(files))


@pytest.mark.parametrize(
    ("found", "word", "strict_word"),
    [
        (tried(PASS), "pass", "pass"),
        (tried(PASS, GONE), "pass", "fail"),
        (tried(PASS, LEFT), "pass", "pass"),
        (tried(PASS, FAIL), "fail", "fail"),
        (tried(FAIL, BLIND), "fail", "fail"),
        (tried(PASS, BLIND), "inconclusive", "inconclusive"),
        (tried(GONE), "inconclusive", "fail"),
        (tried(LEFT), "inconclusive", "inconclusive"),
        (tried(), "inconclusive", "inconclusive"),
        (tried(PASS, blind="gone"), "inconclusive", "inconclusive"),
    ],
)
def test_word_is_that_of_the_worst_file(found: Conformance, word: str, strict_word: str) -> None:
    """What is not there is no failure unless the gate is strict; nothing that passed is no pass."""
    assert word_of(found) == word
    assert word_of(found, strict=True) == strict_word


def test_files_are_counted_by_outcome() -> None:
    """Each once."""
    found = tried(PASS, FAIL, PASS, GONE)
    counts = [found.count(outcome) for outcome in OUTCOMES]
    assert counts == [2, 1, 0, 1]


def test_files_of_a_method_stay_in_their_order() -> None:
    """Methods in the order in which they are met."""
    files = [Tried(m, n, "pass", "same", "") for m, n in ("b1", "a1", "b2")]
    found = by_method(files)
    assert list(found) == ["b", "a"]
    assert [one.id for one in found["b"]] == ["b/1", "b/2"]
