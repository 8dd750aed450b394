"""Can the references be believed: each of them, and all together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from monitor.judge.quorum import Witness
from monitor.judge.references import judge
from monitor.model import Evidence, Finding, Head, Level, short
from tests.judge.builders import (
    ELSEWHERE,
    NAMELESS,
    NOW,
    POLICY,
    QUORUM_SUBJECT,
    TIMEOUT,
    TIP,
    agreeing,
    block,
    hash_of,
    round_of,
    run,
    said,
    seen_head,
    witness,
)

LAG = POLICY.lag_blocks


def judged(one: Witness, *others: Witness, rules: object = None) -> Finding:
    """What is said of the first witness."""
    context = round_of(one, *others, rules=rules)
    (finding,) = judge([one.head], context, POLICY, NOW)
    assert finding.key == ("references", f"reference:net/{one.name}")
    return finding


def quorum(*witnesses: Witness) -> Finding:
    context = round_of(*witnesses)
    (finding,) = judge(context.trail, context, POLICY, NOW)
    assert finding.key == ("references", QUORUM_SUBJECT)
    return finding


def test_references_without_history_give_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], round_of(*agreeing()), POLICY, NOW) == ()


def test_references_that_the_round_does_not_know_give_no_finding() -> None:
    """A history of somebody who is no longer configured."""
    stranger = replace(said(seen_head(TIP)), node="net/gone")
    assert judge([stranger], round_of(*agreeing()), POLICY, NOW) == ()


@pytest.mark.parametrize(
    ("ahead", "level"), [(LAG - 1, Level.OK), (LAG, Level.DEGRADED), (10**6, Level.DEGRADED)]
)
def test_reference_above_its_only_companion_is_told_from_the_threshold_on(
    ahead: int, level: Level
) -> None:
    """With two operators the higher one is the lag head itself, and vouches for nobody."""
    asked = [block(TIP), block(TIP - 1), block(TIP - 2)]
    high = witness("high", seen_head(TIP + ahead), asked=asked)
    assert judged(high, witness("low", run(TIP))).level == level


@pytest.mark.parametrize(
    ("number", "level", "reason"),
    [
        (TIP + LAG - 1, Level.OK, "agrees"),
        (TIP + LAG, Level.DEGRADED, "ahead"),
        (TIP + 10**6, Level.DEGRADED, "ahead"),
        (TIP, Level.OK, "agrees"),
        (TIP - LAG + 1, Level.OK, "agrees"),
        (TIP - LAG, Level.DEGRADED, "behind"),
        (0, Level.DEGRADED, "behind"),
    ],
)
def test_reference_of_a_height_is_judged_by_the_lag_threshold(
    number: int, level: Level, reason: str
) -> None:
    """Beside two that agree, a third stands alone from the threshold on, up or down."""
    finding = judged(witness("x", run(number)), *agreeing(names="ab"))
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit) == (TIP - number, LAG)


@pytest.mark.parametrize(
    ("depth", "level", "reason"),
    [
        (1, Level.OK, "agrees"),
        (2, Level.OK, "agrees"),
        (3, Level.DEGRADED, "other_hash"),
        (9, Level.DEGRADED, "other_hash"),
    ],
)
def test_reference_of_another_hash_counts_below_the_tip(
    depth: int, level: Level, reason: str
) -> None:
    """A block in flight does not; a difference that reaches two below it does."""
    stray = witness("x", run(TIP, 12, branch="other", above=TIP - depth))
    finding = judged(stray, *agreeing(names="ab"))
    assert (finding.level, finding.reason) == (level, reason)
    if level != Level.OK:
        assert short(hash_of(TIP - 2)) in finding.summary
        assert short(hash_of(TIP - 2, "other")) in finding.summary


@pytest.mark.parametrize(
    ("asked", "level", "reason"),
    [
        ([], Level.OK, "answers"),
        ([block(TIP - 1)], Level.OK, "agrees"),
        ([block(TIP - 30)], Level.OK, "agrees"),
        ([block(TIP - 30, "other")], Level.DEGRADED, "other_hash"),
        ([block(TIP - 9), block(TIP - 30, "other")], Level.OK, "agrees"),
        ([block(TIP - 90)], Level.OK, "answers"),
    ],
)
def test_reference_whose_links_are_broken_is_compared_where_it_can_be(
    asked: Sequence[Head], level: Level, reason: str
) -> None:
    """The highest settled block that both name decides; where there is none, it just answers.

    A liar does not come to agree by naming too little of late.
    """
    others = [witness(name, run(TIP, 10), asked=[block(TIP - 30)]) for name in "ab"]
    finding = judged(witness("x", seen_head(TIP), asked=asked), *others)
    assert (finding.level, finding.reason) == (level, reason)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ([], "answers"),
        ([block(TIP, "other", above=TIP - 1)], "agrees"),
        ([block(TIP, "other", above=TIP - 2)], "other_hash"),
        ([block(TIP, "other", above=TIP - 2), block(TIP - 2)], "agrees"),
        ([block(TIP, "other"), block(TIP - 2, "other"), block(TIP - 9)], "other_hash"),
        ([block(TIP, "other"), block(TIP - 9)], "other_hash"),
    ],
)
def test_reference_above_the_agreed_block_is_compared_below_its_own_head(
    asked: Sequence[Head], reason: str
) -> None:
    """Two below the common height decides; unseen there, a block above that, then one below."""
    stray = witness("x", seen_head(TIP + 2, branch="other", above=TIP - 1), asked=asked)
    others = [witness(name, run(TIP, 12)) for name in "ab"]
    rules = replace(POLICY, lag_blocks=9)
    (finding,) = judge([stray.head], round_of(stray, *others), rules, NOW)
    assert finding.reason == reason


@pytest.mark.parametrize(
    ("one", "level", "reason"),
    [
        (witness("x", TIMEOUT), Level.UNKNOWN, "timeout"),
        (witness("x", TIMEOUT, identity=ELSEWHERE), Level.UNKNOWN, "timeout"),
        (witness("x", run(TIP), identity=None), Level.UNKNOWN, "identity_unseen"),
        (witness("x", run(TIP), identity=ELSEWHERE), Level.DEGRADED, "wrong_chain"),
        (witness("x", seen_head(TIP, final=TIP + 1)), Level.DEGRADED, "tags"),
    ],
)
def test_reference_that_is_not_counted_says_why(one: Witness, level: Level, reason: str) -> None:
    """Not seen is unknown; a word that is refused degrades it."""
    finding = judged(one, *agreeing())
    assert (finding.level, finding.reason, finding.measured) == (level, reason, None)


def test_reference_of_a_network_that_nobody_names_is_unknown() -> None:
    """Where no majority says which chain it is, none of them is to blame."""
    one = witness("x", run(TIP), identity=ELSEWHERE)
    finding = judged(one, witness("a", run(TIP)), rules=NAMELESS)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_identity")


def test_reference_without_a_majority_to_compare_with_answers() -> None:
    """With the others silent, it is the quorum that is unknown, not the one that speaks."""
    finding = judged(witness("x", run(TIP)), witness("a", TIMEOUT), witness("b", TIMEOUT))
    assert (finding.level, finding.reason) == (Level.OK, "answers")
    assert finding.as_of == block(TIP).stamp


@pytest.mark.parametrize(
    ("witnesses", "level", "reason", "measured"),
    [
        (agreeing(), Level.OK, "agreed", 3),
        (agreeing(names="a"), Level.OK, "agreed", 1),
        ((*agreeing(names="ab"), witness("x", TIMEOUT)), Level.OK, "agreed", 2),
        ((*agreeing(names="a"), witness("x", TIMEOUT)), Level.UNKNOWN, "too_few", 1),
        (
            tuple(witness(n, run(TIP, branch=n, above=5)) for n in "xyz"),
            Level.UNKNOWN,
            "split",
            3,
        ),
    ],
)
def test_quorum_is_ok_or_unknown_and_never_anybody_s_fault(
    witnesses: Sequence[Witness], level: Level, reason: str, measured: int
) -> None:
    """A strict majority is ok; anything else could not see. Measured are operators."""
    finding = quorum(*witnesses)
    assert (finding.level, finding.reason) == (level, reason)
    assert (finding.measured, finding.limit) == (measured, len(witnesses) // 2 + 1)
    assert len(finding.evidence) == len(witnesses)


def test_quorum_evidence_tells_what_each_reference_said() -> None:
    """Who was silent, who was not counted and why, and what the others named."""
    stranger = witness("s", run(TIP), identity=ELSEWHERE)
    finding = quorum(*agreeing(names="ab"), witness("x", TIMEOUT), stranger)
    by_source = {e.source: e for e in finding.evidence}
    silent: Evidence = by_source["net/x (op-x)"]
    assert (silent.said, silent.block) == (f"nothing: {TIMEOUT.detail}", None)
    assert "not counted: it serves chain 5" in by_source["net/s (op-s)"].said
    assert by_source["net/a (op-a)"].said == f"block {TIP}, {short(hash_of(TIP))}"
