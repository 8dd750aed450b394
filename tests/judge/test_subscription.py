"""When a websocket is down, deaf or leaves heads out, and when it only looks so."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from monitor.judge.subscription import METHOD, OFFERS, SubscriptionSeen, judge
from monitor.model import Finding, Level, Observation, Unseen
from tests.judge.builders import NOW, POLICY, agreeing, round_of

State = Literal["live", "deaf", "down"]
ROUND = round_of(*agreeing())
LIVE = SubscriptionSeen("live", 600.0, None, 24.0, 3.0, 20, 0, 1, 2, 3, "")


def found(seen: SubscriptionSeen | Unseen) -> Finding:
    """What is said of it."""
    (finding,) = judge([Observation("local", "subscription", NOW, 0, seen)], ROUND, POLICY, NOW)
    assert (finding.check, finding.subject) == ("subscription", "node:local")
    return finding


def test_judge_of_nothing_says_nothing() -> None:
    """A node without a websocket has no finding."""
    assert judge([], ROUND, POLICY, NOW) == ()


def test_judge_of_what_could_not_be_seen_is_unknown() -> None:
    """The reason is that of the observation."""
    finding = found(Unseen("unsupported", "none"))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "unsupported")


def test_socket_that_tells_of_heads_is_live() -> None:
    """What came twice or late is in the evidence, and no trouble."""
    finding = found(LIVE)
    assert (finding.level, finding.reason, finding.measured) == (Level.OK, "live", None)
    (evidence,) = finding.evidence
    assert evidence.method == METHOD
    assert evidence.said == (
        "live; last head: 3 s ago; 0 gaps in 20 heads; 1 twice, 2 late; dialled again 3 times"
    )


@pytest.mark.parametrize(
    ("state", "seconds", "level", "reason"),
    [
        ("down", 24.0, Level.OK, "dialling"),
        ("down", 24.1, Level.DEGRADED, "down"),
        ("live", 24.1, Level.OK, "live"),
        ("deaf", 24.1, Level.OK, "live"),
    ],
)
def test_socket_that_is_down_is_told_after_the_time_of_a_deaf_one(
    state: State, seconds: float, level: Level, reason: str
) -> None:
    """A socket that is opened again at once is no news; being in another state is no outage."""
    seen = replace(LIVE, state=state, in_state_seconds=seconds, error="closed (1006)")
    finding = found(seen)
    assert (finding.level, finding.reason) == (level, reason)
    if reason == "down":
        assert finding.summary == "the websocket has been down for 24.1 s: closed (1006)"
        assert (finding.measured, finding.limit, finding.unit) == (24.1, 24.0, "seconds")


def test_socket_that_was_never_open_is_down_without_a_reason() -> None:
    """Nothing was said yet of why."""
    seen = replace(LIVE, state="down", in_state_seconds=100.0, age_seconds=None)
    finding = found(seen)
    assert finding.summary == "the websocket has been down for 100 s"
    assert "last head: none" in finding.evidence[0].said


@pytest.mark.parametrize("state", ["live", "deaf"])
@pytest.mark.parametrize(
    ("behind", "level"),
    [(None, Level.OK), (0.0, Level.OK), (24.0, Level.OK), (24.1, Level.DEGRADED)],
)
def test_socket_is_deaf_when_http_has_left_it_behind(
    state: State, behind: float | None, level: Level
) -> None:
    """Whether it is being dialled again or not: what counts is that heads are missing."""
    finding = found(replace(LIVE, state=state, behind_seconds=behind))
    assert (finding.level, finding.reason) == (level, "deaf" if level else "live")
    assert finding.measured == behind


@pytest.mark.parametrize(
    ("heads", "gaps", "level"),
    [
        (20, 4, Level.OK),
        (20, 5, Level.DEGRADED),
        (9, 8, Level.OK),
        (10, 2, Level.OK),
        (10, 3, Level.DEGRADED),
    ],
)
def test_socket_that_leaves_out_more_than_one_head_in_five_has_gaps(
    heads: int, gaps: int, level: Level
) -> None:
    """One gap is what catching up leaves, however long it is."""
    finding = found(replace(LIVE, heads=heads, gaps=gaps))
    assert (finding.level, finding.reason) == (level, "gaps" if level else "live")
    if level:
        assert (finding.measured, finding.limit, finding.unit) == (gaps / heads, 0.2, "ratio")


def test_offers_are_what_was_counted() -> None:
    """A socket that told nothing yet has no age."""
    seen = replace(LIVE, gaps=4)
    values = {o.name: o.read(seen) for o in OFFERS if o.read is not None}
    assert values == {
        "subscription.age_seconds": 3.0,
        "subscription.gaps_count": 4.0,
        "subscription.duplicate_heads": 1.0,
        "subscription.late_heads": 2.0,
    }
    silent = replace(LIVE, age_seconds=None)
    assert next(o.read(silent) for o in OFFERS if o.read is not None) is None
