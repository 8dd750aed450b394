"""Has the node stopped, or has the network gone quiet: the order of the questions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.judge.stall import Advance, judge, last_advance
from monitor.model import Finding, Level, Observation
from tests.judge.builders import (
    NOW,
    POLICY,
    QUORUM_SUBJECT,
    TIMEOUT,
    TIP,
    agreeing,
    block,
    round_of,
    run,
    said,
    seen_head,
    witness,
)

LAG = POLICY.lag_blocks
QUORUM_LABEL = "net/quorum"
Seen = Observation[HeadSeen]


def standing(number: int, seconds: float) -> list[Seen]:
    """A node that named this head `seconds` ago first, and names it still."""
    return [said(seen_head(number), NOW - seconds), said(seen_head(number), NOW)]


def trail_of(*points: tuple[int, float]) -> list[Seen]:
    """Elections: (height, seconds ago); a negative height was none."""
    return [said(seen_head(n) if n >= 0 else TIMEOUT, NOW - ago, QUORUM_LABEL) for n, ago in points]


def judged(history: Sequence[Seen], context: Round) -> Finding:
    (finding,) = judge(history, context, POLICY, NOW)
    return finding


def test_stall_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


@pytest.mark.parametrize(
    ("history", "advance"),
    [
        ([], None),
        ([said(TIMEOUT)], None),
        ([said(seen_head(5), 1)], Advance(block(5), 1)),
        ([said(seen_head(4), 1), said(seen_head(5), 2)], Advance(block(5), 2)),
        ([said(seen_head(5), 1), said(seen_head(5), 2)], Advance(block(5), 1)),
        ([said(seen_head(5), 1), said(TIMEOUT, 2), said(seen_head(5), 3)], Advance(block(5), 1)),
        ([said(seen_head(5), 1), said(TIMEOUT, 2)], Advance(block(5), 1)),
        ([said(seen_head(5, branch="x"), 1), said(seen_head(5), 2)], Advance(block(5), 2)),
        ([said(seen_head(6), 1), said(seen_head(5), 2)], Advance(block(5), 2)),
    ],
)
def test_last_advance_is_when_the_newest_head_was_first_seen(
    history: Sequence[Seen], advance: Advance | None
) -> None:
    """Not seeing is not moving; a reorg to another hash, or downwards, is."""
    assert last_advance(history) == advance


def test_stall_of_a_node_that_was_not_seen_is_unknown() -> None:
    """Whoever does not answer may be moving."""
    finding = judged([said(seen_head(TIP)), said(TIMEOUT)], round_of(*agreeing()))
    assert finding.key == ("stall", "node:local")
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "timeout")


def test_stall_without_a_quorum_is_unknown() -> None:
    """Without references nobody can say who stands."""
    finding = judged(standing(TIP, 1e6), round_of(*(witness(n, TIMEOUT) for n in "abc")))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")


@pytest.mark.parametrize(
    ("behind", "level"),
    [(0, Level.OK), (LAG - 1, Level.OK), (LAG, Level.FAILED), (LAG + 1, Level.FAILED)],
)
def test_stall_of_a_node_is_measured_by_how_far_the_references_moved(
    behind: int, level: Level
) -> None:
    """The node stands where the references were; they moved by the threshold: it stalled."""
    trail = trail_of((TIP - behind, 30), (TIP, 0))
    finding = judged(standing(TIP - behind, 30), round_of(*agreeing(), trail=trail))
    assert finding.level == level
    assert finding.reason == ("moving" if level == Level.OK else "stalled")
    assert (finding.measured, finding.limit) == (behind, LAG)
    assert f"moved {behind} blocks" in finding.evidence[1].said


def test_stall_of_a_node_that_lags_and_moves_is_none() -> None:
    """Being far behind is not standing still: that is the other check's."""
    trail = trail_of((TIP - 1, 12), (TIP, 0))
    finding = judged(standing(TIP - 50, 12), round_of(*agreeing(), trail=trail))
    assert (finding.level, finding.measured) == (Level.OK, 1)


def test_stall_of_a_node_ahead_of_references_that_catch_up_is_none() -> None:
    """The references moved a hundred blocks, up to where the node stands: it waits for them."""
    trail = trail_of((TIP - 100, 60), (TIP, 0))
    finding = judged(standing(TIP, 60), round_of(*agreeing(), trail=trail))
    assert (finding.level, finding.measured) == (Level.OK, 0)


@pytest.mark.parametrize(
    ("trail", "measured"),
    [
        (trail_of((TIP - 9, 99), (TIP - 5, 31), (TIP - 4, 29.9), (TIP - 1, 20)), 4),
        (trail_of((TIP - 9, 40), (-1, 29.9), (TIP - 3, 25), (-1, 20)), 3),
        (trail_of((TIP - 5, 30), (TIP, 29)), 5),
        (trail_of((TIP - 5, 30.1)), 0),
        ([], 0),
    ],
)
def test_stall_counts_from_the_election_at_the_time_the_node_stopped(
    trail: Sequence[Seen], measured: int
) -> None:
    """The election of the round that saw its head first, which comes a moment after the answers.

    The one before is a whole poll older: on a chain with a block a poll, a node that moves far
    behind would seem to stand. A round without an election says nothing, and the next one does.
    """
    finding = judged(standing(TIP - 7, 30), round_of(*agreeing(), trail=trail))
    assert finding.measured == measured


def test_stall_with_one_reference_only_degrades() -> None:
    """One reference may be the one that is wrong."""
    trail = trail_of((TIP - 5, 30), (TIP, 0))
    finding = judged(standing(TIP - 5, 30), round_of(*agreeing(names="a"), trail=trail))
    assert (finding.level, finding.reason) == (Level.DEGRADED, "stalled")


def test_stall_seen_by_a_minority_only_degrades() -> None:
    """The lag head moved and the majority's head did not: nobody has failed yet."""
    witnesses = [witness(f"r{i}", run(TIP if i < 2 else TIP - 5)) for i in range(5)]
    trail = trail_of((TIP - 5, 30))
    finding = judged(standing(TIP - 5, 30), round_of(*witnesses, trail=trail))
    assert (finding.level, finding.reason) == (Level.DEGRADED, "stalled")


@pytest.mark.parametrize(
    ("seconds", "level", "reason"),
    [
        (0, Level.OK, "moving"),
        (POLICY.stall_seconds - 0.125, Level.OK, "moving"),
        (POLICY.stall_seconds, Level.DEGRADED, "network_quiet"),
        (POLICY.stall_seconds + 7200, Level.DEGRADED, "network_quiet"),
    ],
)
def test_stall_of_the_quorum_is_a_quiet_network_after_the_long_quantile(
    seconds: float, level: Level, reason: str
) -> None:
    """A chain that halts degrades the network and never fails anybody."""
    context = round_of(*agreeing(), trail=trail_of((TIP - 1, seconds + 12), (TIP, seconds)))
    finding = judged(context.trail, context)
    assert finding.key == ("stall", QUORUM_SUBJECT)
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit) == (seconds, POLICY.stall_seconds)
    assert finding.evidence[0].threshold == POLICY.stall_words
    # The nodes stand as long, and are well.
    assert judged(standing(TIP, seconds), context).level == Level.OK


def test_stall_of_the_quorum_that_was_not_elected_is_unknown() -> None:
    """A round without an election says nothing of the network's pace."""
    context = round_of(*(witness(n, TIMEOUT) for n in "abc"), trail=trail_of((TIP, 10)))
    finding = judged(context.trail, context)
    assert finding.key == ("stall", QUORUM_SUBJECT)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")
