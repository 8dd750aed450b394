"""What somebody has accepted decides nothing, is shown, and counts again by itself."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from monitor.accepting import accept, accept_comparisons, notes, notes_on_comparisons
from monitor.act.words import headline
from monitor.canary.comparison import Comparison, Outcome
from monitor.config import ConfigError
from monitor.config.accepted import DAYS_MAX, Accepted, load_accepted
from monitor.judge.verdict import ACCEPTED, verdict_of
from monitor.model import Level
from tests.act import snapshots

NOW = snapshots.NOW
TODAY = datetime.datetime.fromtimestamp(NOW, datetime.UTC).date()
NODE = "node:local"


def entry(check: str = "head", *reasons: str, days: int = 0, subject: str = NODE) -> Accepted:
    until = TODAY + datetime.timedelta(days=days)
    return Accepted(check=check, subject=subject, why="known", until=until, reasons=reasons)


FOUND = verdict_of((snapshots.finding("head", NODE, Level.FAILED, "behind"),), NOW)


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (entry(), "pass"),
        (entry("head", "behind"), "pass"),
        (entry("head", "behind", "ahead"), "pass"),
        (entry("head", "ahead"), "fail"),
        (entry("stall"), "fail"),
        (entry(subject="node:other"), "fail"),
        (entry(days=-1), "fail"),
        (entry(days=1), "pass"),
    ],
    ids=["any", "reason", "reasons", "other reason", "other check", "other node", "over", "ahead"],
)
def test_finding_is_accepted_by_its_key_its_reason_and_until_its_day(
    one: Accepted, word: str
) -> None:
    """The last day counts whole; the day after, the finding is what it was."""
    assert accept([one], FOUND).word == word


def test_accepted_finding_says_what_it_was_why_and_until_when() -> None:
    """Nobody takes it for health."""
    (shown,) = accept([entry()], FOUND).findings
    assert (shown.level, shown.reason) == (Level.OK, ACCEPTED)
    assert shown.summary.startswith(f"failed and accepted until {TODAY}, known: ")
    assert shown.evidence == FOUND.findings[0].evidence
    said = headline(accept([entry()], FOUND))
    assert said == "node local passes, with 1 accepted finding"


def test_accepting_one_of_two_leaves_the_other() -> None:
    """A verdict is made anew of what is left; strict as it was."""
    both = verdict_of(
        (
            snapshots.finding("head", NODE, Level.FAILED, "behind"),
            snapshots.finding("peers", NODE, Level.DEGRADED, "few_peers"),
        ),
        NOW,
    )
    assert accept([entry()], both).word == "pass"
    assert accept([entry()], both, strict=True).word == "fail"
    assert accept([entry(), entry("peers")], both, strict=True).word == "pass"
    assert accept([entry("peers")], both).word == "fail"


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("reasons", [(), ("no_answer",)])
def test_finding_that_was_not_seen_cannot_be_accepted(
    level: Level, reasons: tuple[str, ...]
) -> None:
    """What somebody knew and let pass is no answer to what nobody could look at."""
    found = verdict_of((snapshots.finding("fork", NODE, level, "no_answer"),), NOW)
    given = accept([entry("fork", *reasons)], found)
    is_bad = level > Level.UNKNOWN
    assert (given.findings[0].reason == ACCEPTED) is is_bad
    assert given.word == ("pass" if is_bad else found.word)
    assert found.word == "inconclusive" or level != Level.UNKNOWN


def test_notes_do_not_call_gone_what_was_not_seen() -> None:
    """A node that did not answer this time may be as wrong as before."""
    found = verdict_of((snapshots.finding("head", NODE, Level.UNKNOWN, "timeout"),), NOW)
    assert list(notes([entry(), entry("head", "behind")], found)) == []
    unseen = entry("answers", subject=METHOD)
    assert list(notes_on_comparisons([unseen], [compared("unknown")], NOW)) == []


def test_notes_name_what_is_over_and_what_is_not_needed_any_more() -> None:
    """A file of exceptions must not only grow."""
    said = list(notes([entry(), entry(days=-1), entry("stall"), entry("head", "ahead")], FOUND))
    assert said == [
        f"head of {NODE} was accepted until {TODAY - datetime.timedelta(days=1)}: it counts again",
        f"stall of {NODE} is accepted and was not found: take it out of the file",
        f"head of {NODE} is accepted and was not found: take it out of the file",
    ]


METHOD = "method:eth_call"


def compared(outcome: Outcome, reason: str = "changed") -> Comparison:
    return Comparison("answers", outcome, reason, "eth_call differs", subject=METHOD)


@pytest.mark.parametrize(
    ("one", "found", "outcome"),
    [
        (entry("answers", subject=METHOD), compared("fail"), "pass"),
        (entry("answers", subject=METHOD), compared("warn"), "pass"),
        (entry("answers", "changed", subject=METHOD), compared("fail"), "pass"),
        (entry("answers", "other", subject=METHOD), compared("fail"), "fail"),
        (entry("answers", subject="method:eth_other"), compared("fail"), "fail"),
        (entry("methods", subject=METHOD), compared("fail"), "fail"),
        (entry("answers", days=-1, subject=METHOD), compared("fail"), "fail"),
        (entry("answers", subject=METHOD), compared("unknown"), "unknown"),
        (entry("answers", subject=METHOD), compared("skipped"), "skipped"),
    ],
)
def test_comparison_is_accepted_by_the_same_file(
    one: Accepted, found: Comparison, outcome: str
) -> None:
    """One method's difference, until its day; what was not seen cannot be accepted."""
    (shown,) = accept_comparisons([one], [found], NOW)
    assert shown.outcome == outcome
    if outcome == "pass":
        assert shown.reason == ACCEPTED
        assert f"ed and accepted until {TODAY}, known: eth_call differs" in shown.summary


def test_notes_on_comparisons_are_those_on_findings() -> None:
    """What is over, and what was not found."""
    entries = [
        entry("answers", subject=METHOD),
        entry("answers", days=-1, subject=METHOD),
        entry("latency"),
    ]
    yesterday = TODAY - datetime.timedelta(days=1)
    assert list(notes_on_comparisons(entries, [compared("fail")], NOW)) == [
        f"answers of {METHOD} was accepted until {yesterday}: it counts again",
        f"latency of {NODE} is accepted and was not found: take it out of the file",
    ]


def test_file_is_read(tmp_path: Path) -> None:
    """As written in the documentation."""
    path = tmp_path / "accepted.yaml"
    path.write_text(
        "accepted:\n"
        f'  - {{check: head, subject: "{NODE}", why: known, until: "{TODAY}", reasons: [behind]}}\n'
    )
    assert load_accepted(path, NOW) == (entry("head", "behind"),)


def test_file_that_is_not_there_is_told_with_where_one_is_shown(tmp_path: Path) -> None:
    """And not with the command that writes a configuration."""
    path = tmp_path / "accepted.yaml"
    for said in ("there is no such file", "is empty"):
        with pytest.raises(ConfigError) as caught:
            load_accepted(path, NOW)
        assert str(caught.value) == f"{path}: {said}; docs/gate.md shows what one looks like"
        path.write_text("# nothing yet\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accepted: 3\n", ":1: accepted: expected a list"),
        ("other: []\n", ":1: accepted: missing"),
        ("accepted: [3]\n", ":1: accepted[0]: expected a mapping (check, subject, why"),
        ("accepted:\n  - {check: head}\n", ":2: accepted[0].subject: missing"),
        (
            'accepted:\n  - {chek: head, subject: s, why: w, until: "2026-11-30"}\n',
            "unknown setting; did you mean 'check'?",
        ),
        (
            'accepted:\n  - {check: head, subject: s, why: w, until: "soon"}\n',
            ":2: accepted[0].until: expected a date in quotes",
        ),
        (
            'accepted:\n  - {check: head, subject: s, why: w, until: "2099-01-01"}\n',
            ":2: accepted[0].until: expected a day up to ",
        ),
        (
            'accepted:\n  - {check: head, subject: s, why: "", until: "2026-11-30"}\n',
            ":2: accepted[0].why: expected",
        ),
    ],
    ids=["no list", "nothing", "no mapping", "missing", "misspelt", "no date", "too long", "why"],
)
def test_file_that_is_wrong_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    """Every mistake in one line: what was expected, what was found."""
    path = tmp_path / "accepted.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_accepted(path, NOW)
    assert said in str(caught.value)
    assert DAYS_MAX == 366
