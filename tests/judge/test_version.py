"""What is said of the version that a node runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.pattern import Pattern
from monitor.judge.release import Advisory, Feed, Release, version_of
from monitor.judge.version import DAY_SECONDS, OFFERS, VersionSeen, judge, seen_of
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, TIMEOUT, agreeing, round_of


def release(name: str, days: float) -> Release:
    version = version_of(name)
    assert version is not None
    return Release(name, version, NOW - days * DAY_SECONDS)


def advisory(uid: str, severity: str, check: str, fixed: str = "v1.16.4") -> Advisory:
    return Advisory(uid, "DoS by a message", severity, fixed, Pattern(check))


RELEASES = tuple(release(f"v1.16.{n}", 10 * (10 - n)) for n in range(9, 3, -1))
"""1.16.9, ten days old, to 1.16.4, sixty days old."""
FEED = Feed("geth", RELEASES, releases_max=3, days_max=40.0)
LOW = advisory("GETH-1", "Low", r"Geth\/v1\.16\.(6|7|8)-.*")
CRITICAL = advisory("GETH-2", "Critical", r"Geth\/v1\.16\.8-")


def running(patch: int | str) -> str:
    return f"Geth/v1.16.{patch}-stable-2bd6bd01/linux-amd64/go1.24.4"


def judged(seen: VersionSeen | Unseen) -> Finding:
    observation: Observation[VersionSeen] = Observation("local", "version", NOW, 0.1, seen)
    (finding,) = judge([observation], round_of(*agreeing()), POLICY, NOW)
    assert finding.key == ("version", "node:local")
    assert finding.level != Level.FAILED
    return finding


def numbers(seen: VersionSeen) -> list[float | None]:
    return [offer.read(seen) for offer in OFFERS if offer.read is not None]


def test_version_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_version_that_was_not_said_is_unknown() -> None:
    """Not having answered is not being old."""
    finding = judged(TIMEOUT)
    assert (finding.level, finding.reason, finding.measured) == (Level.UNKNOWN, "timeout", None)


@pytest.mark.parametrize(
    ("patch", "level", "reason", "behind", "days"),
    [
        (10, Level.OK, "newest", 0.0, 0.0),
        (9, Level.OK, "newest", 0.0, 0.0),
        (8, Level.OK, "recent", 1.0, 10.0),
        (6, Level.OK, "recent", 3.0, 30.0),
        (5, Level.DEGRADED, "behind", 4.0, 40.0),
        (3, Level.DEGRADED, "behind", 6.0, 60.0),
    ],
    ids=["ahead", "newest", "one", "most", "too many", "more"],
)
def test_version_is_behind_with_too_many_newer_ones(
    patch: int, level: Level, reason: str, behind: float, days: float
) -> None:
    """Three are allowed; how many and since when is measured all the same."""
    seen = seen_of(running(patch), FEED, NOW)
    finding = judged(seen)
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit, finding.unit) == (behind, 3.0, "releases")
    assert numbers(seen) == [behind, days * DAY_SECONDS, 0.0]


@pytest.mark.parametrize(
    ("days_max", "level"), [(30.0, Level.OK), (29.9, Level.DEGRADED), (0.0, Level.DEGRADED)]
)
def test_version_is_behind_when_a_newer_one_is_old(days_max: float, level: Level) -> None:
    """It counts from the first that is newer, and not from the newest."""
    finding = judged(seen_of(running(6), replace(FEED, days_max=days_max), NOW))
    assert finding.level == level
    assert finding.summary == "1.16.6 is 3 releases behind v1.16.9, and has been behind for 30 days"


def test_version_that_is_unfinished_is_behind_the_finished_one() -> None:
    """A development build of 1.16.9 is older than 1.16.9."""
    seen = seen_of("Geth/v1.16.9-unstable-2bd6bd01/linux", FEED, NOW)
    assert judged(seen).summary.startswith("1.16.9, unfinished is 1 release behind v1.16.9")


def test_release_that_is_dated_in_the_future_is_behind_by_no_days() -> None:
    """A clock that is wrong makes no negative number."""
    seen = seen_of(running(8), replace(FEED, releases=(release("v1.16.9", -1),)), NOW)
    assert numbers(seen) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("patch", "count", "said"),
    [
        (9, 0.0, ""),
        (7, 1.0, "known vulnerabilities: GETH-1 (Low)"),
        (8, 2.0, "known vulnerabilities: GETH-2 (Critical), GETH-1 (Low)"),
    ],
)
def test_version_with_advisories_is_vulnerable_and_never_failed(
    patch: int, count: float, said: str
) -> None:
    """The worst is named first, with its severity; the evidence has what it is and where fixed."""
    seen = seen_of(running(patch), replace(FEED, advisories=(LOW, CRITICAL)), NOW)
    finding = judged(seen)
    assert numbers(seen)[2] == count
    assert (finding.reason == "vulnerable") is bool(said)
    if said:
        assert (finding.level, finding.summary) == (Level.DEGRADED, said)
        evidence = finding.evidence[1]
        assert evidence.source == "advisories of geth"
        assert evidence.said.endswith(", fixed in v1.16.4)")


def test_advisories_beyond_three_are_counted() -> None:
    """A severity in words that nobody knows comes first; all are in the evidence."""
    strange = advisory("GETH-3", "Apocalyptic", "Geth", fixed="")
    seen = seen_of(running(8), replace(FEED, advisories=(LOW, CRITICAL, strange, LOW)), NOW)
    finding = judged(seen)
    assert finding.summary.endswith(
        "GETH-3 (Apocalyptic), GETH-2 (Critical), GETH-1 (Low) and 1 more"
    )
    assert len(finding.evidence) == 5
    assert finding.evidence[1].said == "GETH-3: DoS by a message (Apocalyptic)"


@pytest.mark.parametrize(
    ("supported", "level"), [(">=1.16.9", Level.OK), (">1.16.9", Level.DEGRADED)]
)
def test_version_below_what_is_supported_is_at_its_end(supported: str, level: Level) -> None:
    """Also where nothing is newer."""
    finding = judged(seen_of(running(9), replace(FEED, supported=supported), NOW))
    assert finding.level == level
    if level == Level.DEGRADED:
        assert finding.reason == "end_of_life"
        assert finding.summary == "1.16.9 is not supported any more: >1.16.9 is"


@pytest.mark.parametrize(
    ("client", "feed", "reason", "known"),
    [
        (running(9), None, "no_feed", [None, None, None]),
        ("Geth", FEED, "unreadable", [None, None, 0.0]),
        (running(9), replace(FEED, releases=TIMEOUT), "feed_unseen", [None, None, 0.0]),
        (running(9), replace(FEED, advisories=TIMEOUT), "feed_unseen", [0.0, 0.0, None]),
        (
            running(3),
            replace(FEED, advisories=TIMEOUT),
            "feed_unseen",
            [6.0, 60 * DAY_SECONDS, None],
        ),
    ],
    ids=["no feed", "no version", "no releases", "no advisories", "old, no advisories"],
)
def test_what_was_not_read_is_unknown(
    client: str, feed: Feed | None, reason: str, known: list[float | None]
) -> None:
    """And no number stands for it: an empty list is another thing than none."""
    seen = seen_of(client, feed, NOW)
    finding = judged(seen)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, reason)
    assert numbers(seen) == known


def test_what_is_known_against_a_version_counts_whatever_else_is_not() -> None:
    """A feed that is down hides no advisory, and no end of support."""
    feed = Feed("geth", TIMEOUT, advisories=(LOW,), supported=">=1.17")
    assert judged(seen_of(running(8), feed, NOW)).reason == "vulnerable"
    assert judged(seen_of(running(9), feed, NOW)).reason == "end_of_life"
    # An advisory may be about what has no version that can be read.
    feed = replace(feed, advisories=(advisory("GETH-4", "High", "^Geth$"),))
    assert judged(seen_of("Geth", feed, NOW)).reason == "vulnerable"
