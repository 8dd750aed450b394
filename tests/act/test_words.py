from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.act.words import (
    amount,
    clock_time,
    count_levels,
    duration,
    headline,
    measure,
    plain,
    rfc3339,
    since_of,
    subject_words,
)
from monitor.judge.verdict import verdict_of
from monitor.model import Finding, Level
from tests.act import snapshots


def _nodes(count: int, level: Level = Level.OK) -> tuple[Finding, ...]:
    return tuple(snapshots.finding("head", f"node:n{i}", level) for i in range(count))


@pytest.mark.parametrize(
    ("findings", "expected"),
    [
        (_nodes(1), "node n0 is on the network's chain"),
        (_nodes(2), "both nodes are on the network's chain"),
        (_nodes(5), "all 5 nodes are on the network's chain"),
        (
            (*_nodes(1), replace(snapshots.finding("head", "node:x"), network="other")),
            "both nodes are on their networks' chains",
        ),
        (
            (*_nodes(2), snapshots.finding("stall", "node:n0", Level.DEGRADED)),
            "both nodes are on the network's chain, with 1 warning",
        ),
        (_nodes(1, Level.FAILED), "node n0 FAILED: head"),
        (
            _nodes(5, Level.FAILED),
            "node n0 FAILED: head; node n1 FAILED: head; node n2 FAILED: head; and 2 more",
        ),
        (_nodes(1, Level.UNKNOWN), "node n0 cannot be judged: head"),
        ((), "nothing has been judged yet"),
    ],
)
def test_headline_says_who_and_what(findings: tuple[Finding, ...], expected: str) -> None:
    """The verdict in one sentence, for one node and for many."""
    assert headline(verdict_of(findings, snapshots.NOW)) == expected


def test_headline_strict_says_why_nothing_failed() -> None:
    """Under `--strict` a verdict fails by a warning, which is not called a failure."""
    verdict = verdict_of(_nodes(1, Level.DEGRADED), snapshots.NOW, strict=True)
    assert headline(verdict) == "node n0 DEGRADED, which fails a strict gate: head"


def test_headline_split_names_the_references() -> None:
    """What cannot be judged because of the references is told as the references' matter."""
    sentence = headline(snapshots.split().verdict)
    assert sentence == "the references of ethereum cannot be believed"


def test_since_failure_is_its_oldest_and_pass_its_newest() -> None:
    """A failure lasts since it began, a pass since the last thing came right."""
    old = snapshots.finding("head", "node:a", Level.FAILED, since=10.0)
    new = snapshots.finding("fork", "node:a", Level.FAILED, since=20.0)
    assert since_of(verdict_of((old, new), 30.0)) == 10.0
    well = tuple(replace(finding, level=Level.OK) for finding in (old, new))
    assert since_of(verdict_of(well, 30.0)) == 20.0
    assert since_of(verdict_of((), 30.0)) is None


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.0, "0.0 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (192, "3 min 12 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (7500, "2 h 5 min"),
        (86_400 * 3 + 3600 * 4, "3 d 4 h"),
        (-5.0, "-5.0 s"),
    ],
)
def test_duration_takes_the_two_largest_units(seconds: float, expected: str) -> None:
    """A length of time as a person says it."""
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (1.0, "blocks", "1 block"),
        (9.0, "blocks", "9 blocks"),
        (3.14159, "seconds", "3.142 seconds"),
        (2.0, "", "2"),
    ],
)
def test_amount_agrees_with_its_number(value: float, unit: str, expected: str) -> None:
    """One block, nine blocks; fractions only where there are any."""
    assert amount(value, unit) == expected


def test_times_are_utc_and_total() -> None:
    """Every number a block may carry as its time is written, also where no calendar has it."""
    assert rfc3339(0.0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(2.0**255) == "5.7896e+76 s"
    assert clock_time(0.0, 60.0) == "00:00:00 UTC"
    assert clock_time(0.0, 86_400.0) == "1970-01-01 00:00:00 UTC"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("node:local", "node local"),
        ("reference:ethereum/a", "reference a of ethereum"),
        ("reference:ethereum/quorum", "the references of ethereum"),
        ("monitor", "monitor"),
        ("account:scheduler", "account scheduler"),
        (f"tx:0x{'ab' * 32}", "transaction 0xababab…ababab"),
    ],
)
def test_subject_is_named_as_a_person_would(subject: str, expected: str) -> None:
    """No colon and no slash in a sentence."""
    assert subject_words(subject) == expected


def test_measure_without_a_limit_or_a_number_says_less() -> None:
    """Only what was measured is said to be."""
    nothing = snapshots.finding("head", "node:a")
    assert measure(nothing) == ""
    some = replace(nothing, measured=2.0, unit="blocks")
    assert measure(some) == "measured 2 blocks"
    assert measure(replace(some, limit=3.0)) == "measured 2 blocks, limit 3 blocks"


def test_plain_is_one_printable_line() -> None:
    """Control characters and line ends become single spaces."""
    assert plain(" a\x1b[2J\r\n b\t") == "a [2J b"


def test_plain_is_no_command_of_a_log() -> None:
    """GitHub's runner obeys one anywhere in a line."""
    assert plain("a ##[error]b ###[c]") == "a ## [error]b ### [c]"


def test_levels_are_counted_worst_first() -> None:
    """The worst stands at the front; levels nobody has are left out."""
    found = (*_nodes(2), *_nodes(1, Level.FAILED))
    assert list(count_levels(found).items()) == [(Level.FAILED, 1), (Level.OK, 2)]
