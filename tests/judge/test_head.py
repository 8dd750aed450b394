"""How far behind: the lag threshold from both sides, and who is believed about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.head import is_jump, judge, lag_of, lag_seconds_of
from monitor.judge.profiles import ETHEREUM_2018, JUMP_BLOCKS, poisson_tail, policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.model import Finding, Level, Reference, Unseen
from tests.judge.builders import (
    NOW,
    POLICY,
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
AHEAD = POLICY.lag_blocks + POLICY.confirmations


def judged(seen: HeadSeen | Unseen, context: Round) -> Finding:
    (finding,) = judge([said(seen)], context, POLICY, NOW)
    assert finding.key == ("head", "node:local")
    return finding


def test_head_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_head_that_was_not_seen_is_unknown() -> None:
    """Not old, not zero: unknown, with the reason of the failure."""
    finding = judged(TIMEOUT, round_of(*agreeing()))
    assert (finding.level, finding.reason, finding.measured) == (Level.UNKNOWN, "timeout", None)
    assert finding.evidence[0].said == TIMEOUT.detail


def test_head_without_a_quorum_is_unknown() -> None:
    """Without references nothing is behind; the sentence still names the block."""
    finding = judged(seen_head(TIP), round_of(*(witness(n, TIMEOUT) for n in "abc")))
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")
    assert finding.as_of == block(TIP).stamp
    assert f"at block {TIP}" in finding.summary


@pytest.mark.parametrize(
    ("lag", "level", "reason"),
    [
        (0, Level.OK, "in_step"),
        (LAG - 1, Level.OK, "in_step"),
        (LAG, Level.FAILED, "behind"),
        (LAG + 1, Level.FAILED, "behind"),
        (TIP, Level.FAILED, "behind"),
        (-1, Level.OK, "in_step"),
        (1 - AHEAD, Level.OK, "in_step"),
        (-AHEAD, Level.DEGRADED, "ahead"),
        (-AHEAD - 1, Level.DEGRADED, "ahead"),
    ],
)
def test_head_at_a_lag_is_judged_by_the_threshold(lag: int, level: Level, reason: str) -> None:
    """The threshold itself is behind, one block less is not; far ahead only degrades."""
    finding = judged(seen_head(TIP - lag), round_of(*agreeing()))
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit, finding.unit) == (lag, LAG, "blocks")
    where = "behind" if lag > 0 else "ahead of" if lag else "level with"
    assert where in finding.summary
    if lag:
        assert f"{abs(lag)} blocks ({12 * abs(lag)} s)" in finding.summary


@pytest.mark.parametrize(
    ("heights", "level"),
    [
        ((TIP,), Level.DEGRADED),
        ((TIP, TIP), Level.FAILED),
        ((TIP, TIP - LAG), Level.DEGRADED),
        ((TIP, TIP - 1), Level.DEGRADED),
        ((TIP, TIP, TIP - LAG), Level.FAILED),
        ((TIP, TIP - LAG, TIP - LAG), Level.OK),
        ((TIP, TIP, TIP - LAG, TIP - LAG, TIP - LAG), Level.DEGRADED),
    ],
)
def test_head_behind_fails_only_where_a_majority_has_reached_so_far(
    heights: tuple[int, ...], level: Level
) -> None:
    """Two witnesses degrade; a strict majority of several operators fails; one never does."""
    context = round_of(*(witness(f"r{i}", run(n)) for i, n in enumerate(heights)))
    assert judged(seen_head(TIP - LAG), context).level == level


@pytest.mark.parametrize("number", [TIP + 10**6, 5, TIP])
def test_head_beside_one_liar_among_three_stays_ok(number: int) -> None:
    """A million ahead, far behind or on another branch: the node's level is that of the others."""
    liar = witness("liar", run(number, branch="other", above=0))
    assert judged(seen_head(TIP), round_of(liar, *agreeing(names="ab"))).level == Level.OK


def test_head_evidence_names_who_was_asked_and_the_p_value() -> None:
    """poisson: the probability of such a lag on a healthy node; slots: the bound is none."""
    rules = policy(ETHEREUM_2018)
    context = round_of(*agreeing())
    (behind,) = judge([said(seen_head(TIP - 6))], context, rules, NOW)
    (level,) = judge([said(seen_head(TIP))], context, rules, NOW)
    assert behind.level == Level.FAILED
    assert behind.evidence[1].p_value == poisson_tail(6, 3 / 14.55)
    assert level.evidence[1].p_value is None
    assert judged(seen_head(TIP - 6), context).evidence[1].p_value is None
    assert behind.evidence[1].threshold == rules.lag_words
    assert "op-a, op-b, op-c" in behind.evidence[1].source
    assert behind.evidence[0].source == "local"


def test_lag_of_a_head_is_signed() -> None:
    """Positive is behind, in blocks and in seconds of block time."""
    reference = round_of(*agreeing()).reference
    assert isinstance(reference, Reference)
    assert [lag_of(block(n), reference) for n in (TIP - 3, TIP, TIP + 3)] == [3, 0, -3]
    assert [lag_seconds_of(block(n), reference) for n in (TIP - 1, TIP + 1)] == [12, -12]


@pytest.mark.parametrize(
    ("before", "after", "jumps"),
    [
        (0, JUMP_BLOCKS, False),
        (0, JUMP_BLOCKS + 1, True),
        (JUMP_BLOCKS + 1, 0, True),
        (JUMP_BLOCKS, 0, False),
        (5, None, False),
        (None, 5, False),
    ],
)
def test_jump_is_a_move_of_more_blocks_than_the_policy_allows(
    before: int | None, after: int | None, *, jumps: bool
) -> None:
    """Up or down; who was not seen has not moved."""
    history = [said(TIMEOUT if n is None else seen_head(n)) for n in (before, after)]
    assert is_jump(history, POLICY) is jumps
    assert not is_jump(history[:1], POLICY)
    assert not is_jump([], POLICY)


def test_head_judges_the_newest_answer_only() -> None:
    """Nothing older can veto fresh evidence."""
    history = [said(seen_head(5)), said(TIMEOUT), said(seen_head(TIP))]
    (finding,) = judge(history, round_of(*agreeing()), POLICY, NOW)
    assert finding.level == Level.OK
    (blind,) = judge([*history, said(TIMEOUT)], round_of(*agreeing()), POLICY, NOW)
    assert blind.level == Level.UNKNOWN
    assert replace(finding, since=1.0).key == finding.key
