"""Whose clock is off: the host's, ours, or the block producers'."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.clock import METHOD, OFFERS, ClockSeen, judge, own_skew
from monitor.model import Finding, Level, Observation, Unseen, reference_label
from tests.judge.builders import NETWORK, NOW, POLICY, agreeing, round_of

ROUND = round_of(*agreeing())
QUORUM = reference_label(NETWORK)
VALUE = {offer.name: offer.read for offer in OFFERS}


def found(seen: ClockSeen | Unseen, label: str = "local") -> Finding:
    """What is said of a node, or of the references together."""
    (finding,) = judge([Observation(label, "clock", NOW, 0.0, seen)], ROUND, POLICY, NOW)
    assert finding.check == "clock"
    assert finding.subject == ("node:local" if label == "local" else f"reference:{QUORUM}")
    return finding


def test_judge_of_nothing_says_nothing() -> None:
    """Nobody was asked yet."""
    assert judge([], ROUND, POLICY, NOW) == ()


def test_judge_of_what_could_not_be_seen_is_unknown() -> None:
    """The reason is that of the observation."""
    finding = found(Unseen("unsupported", "no dates"))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "unsupported")
    assert finding.evidence[0].method == METHOD


@pytest.mark.parametrize(
    ("skew", "own", "level"),
    [
        (0.0, 0.0, Level.OK),
        (4.9, 0.0, Level.OK),
        (5.0, 0.0, Level.DEGRADED),
        (-5.0, 0.0, Level.DEGRADED),
        (-4.9, 0.0, Level.OK),
        (60.0, 60.0, Level.OK),
        (0.0, 60.0, Level.DEGRADED),
        (65.0, 60.0, Level.DEGRADED),
        (60.0, None, Level.OK),
        (None, 60.0, Level.OK),
    ],
)
def test_host_is_compared_with_the_references_and_not_with_us(
    skew: float | None, own: float | None, level: Level
) -> None:
    """Our clock may be the one that is off; without references nobody knows whose it is."""
    finding = found(ClockSeen(skew, own, -3.0))
    assert (finding.level, finding.reason) == (level, "skewed" if level else "in_step")
    assert finding.limit == 5.0
    if skew is not None and own is not None:
        assert finding.measured == skew - own


@pytest.mark.parametrize(
    ("skew", "words"), [(7.5, "7.5 s ahead of"), (-90.0, "90 s behind")], ids=["ahead", "behind"]
)
def test_finding_of_a_skewed_host_says_which_way(skew: float, words: str) -> None:
    """Who looks knows whether to turn it back or forth."""
    assert found(ClockSeen(skew, 0.0, None)).summary == (
        f"the clock of its host is {words} the references'"
    )


@pytest.mark.parametrize(
    ("own", "level"),
    [
        (0.0, Level.OK),
        (3.0, Level.OK),
        (-3.0, Level.OK),
        (3.1, Level.DEGRADED),
        (-3.1, Level.DEGRADED),
        (None, Level.OK),
    ],
)
def test_own_clock_is_compared_with_most_of_the_references(own: float | None, level: Level) -> None:
    """Two seconds, and the second that dates are cut to."""
    finding = found(ClockSeen(None, own, -3.0), QUORUM)
    assert (finding.level, finding.reason) == (level, "own_clock" if level else "in_step")
    assert (finding.measured, finding.limit, finding.unit) == (own, 3.0, "seconds")
    if level:
        word = "behind" if own and own > 0 else "ahead of"
        assert finding.summary.startswith(f"headwatch's own clock is 3.1 s {word} the references'")


@pytest.mark.parametrize("label", ["local", QUORUM])
@pytest.mark.parametrize(
    ("ahead", "own", "level"),
    [
        (15.0, None, Level.OK),
        (15.1, None, Level.DEGRADED),
        (16.0, 1.0, Level.OK),
        (14.0, -2.0, Level.DEGRADED),
        (None, 0.0, Level.OK),
    ],
)
def test_head_of_the_future_is_told_of_whoever_shows_it(
    label: str, ahead: float | None, own: float | None, level: Level
) -> None:
    """By the references' clocks where they are known."""
    finding = found(ClockSeen(None, own, ahead), label)
    assert (finding.level, finding.reason) == (level, "future_head" if level else "in_step")
    if level:
        assert finding.limit == 15.0
        assert "in the future" in finding.summary


def test_clock_is_told_before_the_head() -> None:
    """A skew is the cause, where there is one."""
    assert found(ClockSeen(20.0, 0.0, 20.0)).reason == "skewed"
    assert found(ClockSeen(None, 20.0, 60.0), QUORUM).reason == "own_clock"


def test_finding_of_clocks_in_step_says_how_well_that_is_known() -> None:
    """Where no dates are, nothing is claimed of clocks."""
    assert found(ClockSeen(0.5, 0.25, -3.0)).summary == (
        "the clock of the host is within 0.2 s of the references'"
    )
    assert found(ClockSeen(None, None, -3.0)).summary.startswith("no dates to compare the clock")
    said = found(ClockSeen(0.5, 0.25, -3.0)).evidence[0].said
    assert said == "host +0.5 s, references +0.2 s, head -3.0 s"


@pytest.mark.parametrize(
    ("skews", "need", "expected"),
    [
        ([], 1, None),
        ([("a", 7.0)], 1, 7.0),
        ([("a", 7.0)], 2, None),
        ([("a", 0.0), ("b", 1.0), ("c", 900.0)], 2, 1.0),
        ([("a", 0.0), ("b", 100.0), ("c", 900.0)], 2, None),
        ([("a", 0.0), ("b", 3.0)], 2, 1.5),
        ([("a", 0.0), ("b", 4.1)], 2, None),
        ([("a", 500.0), ("a", 500.0), ("b", 0.0), ("c", 0.5)], 2, 0.5),
        ([("a", 0.0), ("a", 2.0), ("b", 1.0)], 2, 1.0),
    ],
)
def test_own_skew_is_what_most_operators_say(
    skews: list[tuple[str, float]], need: int, expected: float | None
) -> None:
    """One operator is one voice; clocks that lie apart say nothing together."""
    assert own_skew(skews, need) == expected


@given(
    st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=5),
    st.lists(st.floats(-1e6, 1e6), max_size=1),
)
def test_own_skew_cannot_be_moved_by_a_minority(honest: list[float], liars: list[float]) -> None:
    """A liar moves it within what the honest say, or nowhere."""
    voices = [(f"op{i}", s) for i, s in enumerate([*honest, *liars])]
    skew = own_skew(voices, len(voices) // 2 + 1)
    if len(honest) > len(liars) + 1 and skew is not None:
        assert min(honest) <= skew <= max(honest)


def test_offers_have_no_number_where_clocks_are_not_known() -> None:
    """A node's skew is of the references'; ours is offered of the references together."""
    host, own = VALUE["clock.skew_seconds"], VALUE["clock.own_skew_seconds"]
    assert host is not None
    assert own is not None
    assert (host(ClockSeen(3.0, 1.0, None)), own(ClockSeen(None, 1.0, None))) == (2.0, 1.0)
    assert (host(ClockSeen(3.0, None, None)), own(ClockSeen(None, None, 1.0))) == (None, None)
