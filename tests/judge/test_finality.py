"""What is final at the references, and what a node says of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.chains import ARBITRUM, ETHEREUM
from monitor.judge.finality import CONFIRMATIONS, OFFERS, STALLED_FACTOR, final_number, judge
from monitor.judge.profiles import Profile, policy
from monitor.judge.quorum import Round
from monitor.judge.seen import HeadSeen
from monitor.judge.tags import Compared, FinalitySeen, Tags, Wait, held_against
from monitor.model import BlockNumber, Finding, Level, Observation, Unseen, reference_label
from tests.judge.builders import (
    NETWORK,
    NOW,
    POLICY,
    TIMEOUT,
    TIP,
    agreeing,
    block,
    hash_of,
    round_of,
    said,
    seen_head,
    witness,
)

HEAD = block(TIP)
NEVER_SAID = Unseen("timeout", "no answer in 5 s")


def test_final_number_is_what_a_majority_of_operators_reaches() -> None:
    """Of 900, 800 and 700, two of three call 800 final; who is ahead alone decides nothing."""
    three = [
        witness(name, [said(seen_head(TIP, final=final))])
        for name, final in zip("abc", (900, 800, 700), strict=True)
    ]
    assert final_number(round_of(*three), HEAD) == 800


def test_final_number_of_an_operator_is_the_lowest_of_its_endpoints() -> None:
    """One operator is one vote, and what its endpoints say apart counts at its least."""
    mine = [witness("a", [said(seen_head(TIP, final=900))], operator="one")]
    mine += [witness("b", [said(seen_head(TIP, final=100))], operator="one")]
    other = witness("c", [said(seen_head(TIP, final=800))])
    assert final_number(round_of(*mine, other), HEAD) == 100


@pytest.mark.parametrize(("height", "final"), [(TIP, TIP - CONFIRMATIONS), (10, 0)])
def test_final_number_without_the_tag_is_some_blocks_below_the_head(
    height: int, final: int
) -> None:
    """A chain without finality has its depth; near the genesis nothing is below zero."""
    three = [witness(name, [said(seen_head(height))]) for name in "abc"]
    assert final_number(round_of(*three), block(height)) == final


def test_final_number_that_only_one_operator_names_is_not_known() -> None:
    """A single voice is no majority of three; nor is a tag that could not be asked for."""
    unsaid = HeadSeen(HEAD, NEVER_SAID)
    said_once = witness("a", [said(seen_head(TIP, final=900))])
    others = [witness(name, [said(unsaid)]) for name in "bc"]
    assert final_number(round_of(said_once, *others), HEAD) is None


def test_final_number_without_a_head_is_not_known() -> None:
    """Where there is no tag and no agreed head, nothing is final."""
    three = [witness(name, [said(seen_head(TIP))]) for name in "abc"]
    assert final_number(round_of(*three), None) is None
    silent = [witness(name, TIMEOUT) for name in "abc"]
    assert final_number(round_of(*silent), HEAD) is None


# -- the check -----------------------------------------------------------------------------------

HERE = round_of(*agreeing())
FINAL = TIP - 64
QUORUM = reference_label(NETWORK)
PATIENCE = POLICY.finality_seconds


def seen_final(
    latest: int = TIP,
    safe: int | Unseen | None = TIP - 32,
    final: int | None = FINAL,
    *,
    theirs: int | None = FINAL,
    held: Compared | None = None,
    **more: object,
) -> FinalitySeen:
    tags = Tags(
        block(latest),
        block(safe) if isinstance(safe, int) else safe,
        None if final is None else block(final),
    )
    number = None if theirs is None else BlockNumber(theirs)
    return FinalitySeen(NOW, tags, number, held, **more)  # type: ignore[arg-type]


def since(seconds: float, number: int = FINAL) -> Wait:
    return Wait(BlockNumber(number), NOW - seconds)


def judged(seen: FinalitySeen | Unseen, context: Round = HERE, *, node: str = "local") -> Finding:
    history = [Observation(node, "finality", NOW, 0.1, seen)]
    (finding,) = judge(history, context, POLICY, NOW)
    assert finding.check == "finality"
    return finding


def test_finality_without_history_gives_no_finding() -> None:
    """Nobody asked, nobody judged."""
    assert judge([], HERE, POLICY, NOW) == ()


def test_finality_that_was_not_seen_is_unknown() -> None:
    """A node that does not say what is final has not said that all is well."""
    assert (judged(TIMEOUT).level, judged(TIMEOUT).reason) == (Level.UNKNOWN, "timeout")


@pytest.mark.parametrize("node", ["local", QUORUM])
def test_finality_without_a_quorum_is_unknown(node: str) -> None:
    """Finality is what the network says, and nobody says it."""
    alone = round_of(*(witness(name, TIMEOUT) for name in "abc"))
    finding = judged(seen_final(), alone, node=node)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "no_quorum")


def test_finality_in_order_and_level_is_ok() -> None:
    """Three tags, and the measure of what is waited for: nothing."""
    finding = judged(seen_final())
    assert (finding.level, finding.reason) == (Level.OK, "in_order")
    assert (finding.measured, finding.limit, finding.unit) == (0.0, PATIENCE, "seconds")
    assert finding.summary == f"latest {TIP}, safe {TIP - 32}, finalized {FINAL}"


@pytest.mark.parametrize(
    ("profile", "seconds", "is_told"),
    [(ETHEREUM, 52.0, True), (ARBITRUM, 383.0, False), (ARBITRUM, 384.0, True)],
)
def test_finality_that_another_chain_brings_is_waited_for_a_step_of_it(
    profile: Profile, seconds: float, *, is_told: bool
) -> None:
    """How long a chain is silent says nothing of when a node learns what is final elsewhere."""
    seen = seen_final(behind=since(seconds))
    history = [Observation("local", "finality", NOW, 0.1, seen)]
    (finding,) = judge(history, HERE, policy(profile), NOW)
    assert (finding.reason == "finality_behind") is is_told
    assert finding.limit == policy(profile).finality_seconds
    assert f"{finding.limit:.4g} s ({profile.key}@" in (finding.evidence[0].threshold or "")


@pytest.mark.parametrize(
    ("latest", "safe", "final", "is_ok"),
    [
        (TIP, TIP, TIP, True),
        (TIP, FINAL, FINAL, True),
        (TIP, FINAL - 1, FINAL, False),
        (TIP, TIP + 1, FINAL, False),
        (TIP, None, TIP, True),
        (TIP, None, TIP + 1, False),
        (TIP, TIMEOUT, FINAL, True),
        (TIP, TIP - 32, None, True),
        (TIP, TIP + 1, None, False),
    ],
)
def test_tags_out_of_order_are_degraded(
    latest: int, safe: int | Unseen | None, final: int | None, *, is_ok: bool
) -> None:
    """Finalized at or below safe, and safe at or below latest, of those that are named."""
    finding = judged(seen_final(latest, safe, final))
    assert (finding.level == Level.OK) is is_ok
    assert is_ok or finding.reason == "tags_unordered"


@pytest.mark.parametrize("seconds", [0.0, PATIENCE - 1, PATIENCE, PATIENCE + 100])
@pytest.mark.parametrize(
    ("wait", "level", "reason"),
    [
        ("behind", Level.DEGRADED, "finality_behind"),
        ("ahead", Level.DEGRADED, "finalized_ahead"),
        ("back", Level.FAILED, "finalized_backwards"),
        ("back_safe", Level.DEGRADED, "safe_backwards"),
    ],
)
def test_finality_that_differs_is_told_once_it_has_lasted(
    wait: str, level: Level, reason: str, seconds: float
) -> None:
    """A step reaches one node before another: only what lasts is said."""
    finding = judged(seen_final(**{wait: since(seconds)}))  # type: ignore[arg-type]
    if seconds < PATIENCE:
        assert (finding.level, finding.reason) == (Level.OK, "in_order")
    else:
        assert (finding.level, finding.reason) == (level, reason)
        assert finding.measured == seconds


def test_finality_that_the_node_lost_is_said_as_such() -> None:
    """It names none while the references do."""
    finding = judged(seen_final(final=None, safe=None, behind=since(PATIENCE)))
    assert finding.reason == "finality_behind"
    assert finding.summary == f"the references call {FINAL} final and it names none"
    assert "finalized not named" in finding.evidence[0].said


def differing(allies: tuple[str, ...] = ()) -> FinalitySeen:
    return seen_final(held=Compared(block(FINAL, "mine"), hash_of(FINAL), allies))


def test_final_block_that_the_references_do_not_have_fails_at_once() -> None:
    """Whatever the tip is: only the tag need lie."""
    finding = judged(differing())
    assert (finding.level, finding.reason) == (Level.FAILED, "finalized_differs")
    assert judged(seen_final(held=Compared(block(FINAL), hash_of(FINAL), ()))).level == Level.OK


def test_final_block_that_a_reference_has_too_is_a_split_and_no_verdict() -> None:
    """Each calls another block final: which of them is wrong is not decided here."""
    finding = judged(differing(("op-c",)))
    assert (finding.level, finding.reason) == (Level.DEGRADED, "finalized_split")
    assert "op-c" in finding.summary


def test_final_block_that_differs_from_the_only_reference_s_is_degraded() -> None:
    """Either of the two may be wrong."""
    single = round_of(*agreeing(names="a"))
    finding = judged(differing(), single)
    assert (finding.level, finding.reason) == (Level.DEGRADED, "finalized_differs")


def test_final_block_that_became_another_fails() -> None:
    """Final means that this does not happen."""
    finding = judged(seen_final(is_replaced=True))
    assert (finding.level, finding.reason) == (Level.FAILED, "finalized_replaced")


def test_finality_with_several_faults_tells_the_worst() -> None:
    """A warning does not hide a failure that is looked for after it."""
    finding = judged(seen_final(safe=TIP + 1, back=since(PATIENCE), behind=since(PATIENCE)))
    assert finding.reason == "finalized_backwards"


@given(
    step_blocks=st.integers(1, 2000),
    step_seconds=st.floats(1.0, 900.0),
    poll_seconds=st.floats(0.5, 12.0),
    mine=st.floats(0.0, 20.0),
    theirs=st.floats(0.0, 20.0),
)
def test_finality_that_reaches_a_healthy_node_a_little_later_or_sooner_is_never_told(
    step_blocks: int, step_seconds: float, poll_seconds: float, mine: float, theirs: float
) -> None:
    """Steps long or short, seen by either first: within the chain's silence it is no finding."""

    def final(at: float, delay: float) -> int:
        return step_blocks * max(0, int((at - delay) / step_seconds))

    seen: FinalitySeen | None = None
    for turn in range(60):
        at = turn * poll_seconds
        number = final(at, mine)
        latest = number + 3 * step_blocks
        tags = Tags(block(latest), block(number + step_blocks), block(number))
        found = FinalitySeen(at, tags, BlockNumber(final(at, theirs)))
        seen = held_against(seen, found, HERE)
        assert judged(seen).reason == "in_order"


PROMISE = POLICY.profile.finality_blocks or 0


@pytest.mark.parametrize(
    ("lag", "level", "reason"),
    [
        (PROMISE, Level.OK, "finalizing"),
        (STALLED_FACTOR * PROMISE - 1, Level.OK, "finalizing"),
        (STALLED_FACTOR * PROMISE, Level.DEGRADED, "finality_stalled"),
    ],
)
def test_finality_of_the_network_stalls_where_the_inactivity_leak_begins(
    lag: int, level: Level, reason: str
) -> None:
    """Six epochs of 32 slots on Ethereum."""
    finding = judged(seen_final(theirs=TIP - lag), node=QUORUM)
    assert (finding.level, finding.reason, finding.measured) == (level, reason, lag)
    assert finding.limit == 192


def test_finality_of_a_network_that_promises_none_is_measured_and_not_judged() -> None:
    """Without a number of the protocol there is no limit that is not a guess."""
    history = [Observation(QUORUM, "finality", NOW, 0.1, seen_final(theirs=1))]
    (finding,) = judge(history, HERE, policy(ARBITRUM), NOW)
    assert (finding.level, finding.measured, finding.limit) == (Level.OK, TIP - 1, None)


def test_finality_that_no_majority_names_is_unknown_for_the_network() -> None:
    """Some say it, some were not seen."""
    finding = judged(seen_final(theirs=None), node=QUORUM)
    assert (finding.level, finding.reason) == (Level.UNKNOWN, "final_unseen")
    assert judged(seen_final(theirs=None)).level == Level.OK


def test_offers_of_finality_read_what_is_there_and_nothing_else() -> None:
    """A tag that was not named has no number; who is ahead has a negative one."""

    def numbers(seen: FinalitySeen) -> list[float | None]:
        return [None if offer.read is None else offer.read(seen) for offer in OFFERS]

    full = seen_final(theirs=FINAL - 10, behind=since(5))
    assert numbers(full) == [32.0, 64.0, -10.0, 5.0, 74.0]
    bare = seen_final(safe=TIMEOUT, final=None, theirs=None)
    assert numbers(bare) == [None, None, None, 0.0, None]
    assert numbers(seen_final(theirs=None))[2] is None
