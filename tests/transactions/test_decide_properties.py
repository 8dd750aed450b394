"""What holds of every round, however strange: laws of deciding and planning."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.model import Level
from monitor.transactions.accounts import Nonces
from monitor.transactions.cases import Case
from monitor.transactions.decide import decide, judge
from monitor.transactions.plan import Past, Step, Withheld, plan
from monitor.transactions.rules import Rules
from monitor.transactions.signals import fold, fold_slot
from monitor.transactions.words import (
    DESTRUCTIVE,
    TERMINAL,
    AccountDecision,
    AccountRound,
    Act,
    Counters,
    Decision,
    Market,
    Receipt,
    Slot,
    State,
    View,
)
from tests.transactions.arbitrary import HASHES, Scene, liars, policies, scenes
from tests.transactions.builders import GWEI, MARKET, NOW, RULES, TIMEOUT, TIP

ABSENCES = {State.DROPPED, State.LOST, State.NONCE_TAKEN, State.GAP}
"""States that claim that something is not there."""

OF_THE_ACCOUNT = {"nonce_reused", "conflict", "local_ahead"}
"""Conditions S1 to S3, which no slot has."""


def decided(scene: Scene, round_: AccountRound | None = None) -> AccountDecision:
    return decide(scene.slots, scene.memory, scene.before, round_ or scene.round, RULES)


def fresh_operators(round_: AccountRound) -> set[str]:
    return {view.operator for view in round_.references}


@given(scenes)
@settings(max_examples=200)
def test_decide_answers_for_every_slot_whatever_is_said(scene: Scene) -> None:
    """Nothing that endpoints say makes it fail; each slot has one decision, in whole words."""
    decision = decided(scene)
    assert set(decision.slots) == {slot.id for slot in scene.slots}
    assert all(one.summary and "None" not in one.summary for one in decision.slots.values())
    worst = max((one.level for one in decision.slots.values()), default=Level.OK)
    assert decision.level >= worst
    assert decision.level == worst or decision.reason in OF_THE_ACCOUNT


@given(scenes)
@settings(max_examples=200)
def test_weak_evidence_destroys_nothing(scene: Scene) -> None:
    """Without a quorum of two fresh operators and a head nothing is signed, nor is it planned."""
    decision, round_ = decided(scene), scene.round
    is_few = len(fresh_operators(round_)) < round_.need
    is_weak = round_.head is None or is_few or round_.operators == 1
    for slot in scene.slots:
        one = decision.slots[slot.id]
        assert one.is_weak is is_weak
        if is_weak:
            assert not set(one.acts) & DESTRUCTIVE
            bold = replace(one, acts=tuple(DESTRUCTIVE))
            steps, _ = planned(slot, bold, Past(), WILLING)
            assert not {step.act for step in steps} & DESTRUCTIVE


@given(scenes)
@settings(max_examples=300)
def test_slot_closes_only_with_the_receipt_of_a_quorum_in_a_final_block(scene: Scene) -> None:
    """A terminal state has `need` operators that name one block, at or below the final one."""
    decision, final = decided(scene), scene.round.final_number
    for slot in scene.slots:
        one = decision.slots[slot.id]
        if one.state not in TERMINAL:
            continue
        assert one.receipt is not None
        assert final is not None
        assert one.receipt.number <= final
        naming = {
            view.operator
            for view in scene.round.references
            for attempt in slot.attempts
            if isinstance(said := view.receipts.get(attempt.hash), Receipt)
            and said.block_hash == one.receipt.block_hash
            and said.is_success == one.receipt.is_success
        }
        assert len(naming) >= scene.round.need


@given(scenes)
@settings(max_examples=200)
def test_acts_are_of_the_lowest_nonce_but_for_lost_blocks(scene: Scene) -> None:
    """Rows 1 to 7 are of each slot; all other acts are of the lowest, new bytes of the next."""
    decision = decided(scene)
    for slot in scene.slots:
        one = decision.slots[slot.id]
        if one.acts and int(one.row) not in range(1, 8):
            assert slot.nonce == decision.lowest
        if set(one.acts) & DESTRUCTIVE:
            assert slot.nonce == decision.nonce_network


@given(scenes)
@settings(max_examples=200)
def test_unanswered_questions_are_never_an_absence(scene: Scene) -> None:
    """Where no reference says anything of presence, nothing is dropped, lost, taken or missing."""
    silent = tuple(
        replace(
            view,
            presence=dict.fromkeys(HASHES, TIMEOUT),
            receipts=dict.fromkeys(HASHES, TIMEOUT),
            nonce_pending=TIMEOUT,
        )
        for view in scene.round.references
    )
    decision = decided(scene, replace(scene.round, references=silent))
    for slot in scene.slots:
        state = decision.slots[slot.id].state
        # A slot without a hash has nothing to ask for, and a nonce that was taken stays taken.
        is_exempt = not slot.attempts or slot.state is State.NONCE_TAKEN is state
        assert state not in ABSENCES or is_exempt
    assert decision.gap_nonces == ()


@given(scenes, liars, liars)
@settings(max_examples=300)
def test_one_operator_of_three_destroys_and_closes_nothing(
    scene: Scene, honest: View, liar: View
) -> None:
    """What two that agree would not do is not done, whatever the third says."""
    both = tuple(replace(honest, label=f"net/{name}", operator=name) for name in "ab")
    alone = replace(scene.round, references=both, operators=3, need=2)
    without = decided(scene, alone)
    having = decided(scene, replace(alone, references=(*both, liar)))
    for slot in scene.slots:
        calm, stirred = without.slots[slot.id], having.slots[slot.id]
        assert set(stirred.acts) & DESTRUCTIVE <= set(calm.acts) & DESTRUCTIVE
        if stirred.state in TERMINAL | {State.MINED, State.REVERTED, State.NONCE_TAKEN}:
            assert (stirred.state, stirred.receipt) == (calm.state, calm.receipt)
    assert having.nonce_network == without.nonce_network


@given(scenes)
@settings(max_examples=300)
def test_shared_decision_is_that_of_the_table(scene: Scene) -> None:
    """Slots that merely wait share one decision; each would have come to the same by itself."""
    decision, account = decided(scene), fold(scene.round)
    ordered = sorted(scene.slots, key=lambda slot: slot.nonce)
    nonces = Nonces(account, ordered, scene.before)
    for slot in ordered:
        case = Case(
            slot=slot,
            rules=RULES,
            account=account,
            signals=fold_slot(slot, account),
            counters=scene.memory.get(slot.id, Counters()),
            gap=nonces.gap_below(slot),
            is_lowest=slot.nonce == nonces.lowest,
            is_followed=nonces.is_followed(slot),
        )
        alone = judge(case)
        assert decision.slots[slot.id] == alone
        nonces.passed(slot, alone)


@given(scenes)
@settings(max_examples=200)
def test_order_in_which_slots_and_endpoints_come_is_no_matter(scene: Scene) -> None:
    """The same round told backwards is the same decision, but for the order of the evidence."""
    one = decided(scene)
    turned = replace(scene.round, references=tuple(reversed(scene.round.references)))
    other = decided(replace(scene, slots=tuple(reversed(scene.slots))), turned)
    assert (one.level, one.reason, one.gap_nonces) == (other.level, other.reason, other.gap_nonces)
    for slot in scene.slots:
        mine, theirs = one.slots[slot.id], other.slots[slot.id]
        assert (mine.row, mine.state, mine.acts) == (theirs.row, theirs.state, theirs.acts)
        assert Counter(mine.evidence) == Counter(theirs.evidence)


@given(scenes)
@settings(max_examples=200)
def test_same_round_again_changes_nothing(scene: Scene) -> None:
    """Asking more often than blocks come makes nothing more certain."""
    once = decided(scene)
    memory = {slot_id: one.counters for slot_id, one in once.slots.items()}
    assert decided(replace(scene, memory=memory, before=once.counters)) == once


# -- planning ------------------------------------------------------------------------------------

WILLING = Rules(
    replace=True, cancel=True, fill=True, fee_cap_max_wei=100 * GWEI, budget_a_day_wei=10**18
)
"""A policy that allows everything."""
QUESTIONS = {Act.FIND_CONSUMER, Act.EXPLAIN_REVERT}
wishes = st.lists(st.sampled_from(sorted(set(Act) - {Act.PROPOSE})), unique=True).map(tuple)
pasts = st.builds(
    Past,
    last_sent_at=st.none() | st.floats(NOW - 3600.0, NOW),
    rebroadcasts=st.integers(0, 10**6),
    sent_last_hour=st.integers(0, 25),
    bumps=st.integers(0, 8),
    last_bump_number=st.none() | st.integers(TIP - 5, TIP),
)
circumstances = st.tuples(st.sampled_from((MARKET, None)), st.booleans(), st.booleans())


def planned(
    slot: Slot, decision: Decision, past: Past, rules: Rules, **changes: Any
) -> tuple[tuple[Step, ...], tuple[Withheld, ...]]:
    """With a market, a height and a signer, acting, unless it is said otherwise."""
    usual: dict[str, Any] = {
        "market": MARKET,
        "number": TIP,
        "has_signer": True,
        "dry_run": False,
        "halted": False,
    }
    return plan(slot, decision, past, rules, NOW, **(usual | changes))


@given(scenes, wishes, pasts, policies, circumstances)
@settings(max_examples=300)
def test_plan_does_or_withholds_each_act_and_signs_only_what_is_allowed(
    scene: Scene,
    wanted: tuple[Act, ...],
    past: Past,
    rules: Rules,
    around: tuple[Market | None, bool, bool],
) -> None:
    """Every act has a step or a reason; signing needs certainty, permission, key and market."""
    market, has_signer, is_weak = around
    for slot in scene.slots:
        decision = Decision("14", State.UNDERPRICED_CAP, Level.OK, "", wanted, is_weak=is_weak)
        steps, withheld = planned(slot, decision, past, rules, market=market, has_signer=has_signer)
        followed = [step for step in steps if step.act is not Act.PROPOSE]
        assert len(followed) + len(withheld) == len(set(wanted) - QUESTIONS)
        assert not {step.act for step in steps} & QUESTIONS
        assert not followed or past.sent_last_hour + len(followed) <= rules.actions_an_hour_max
        for step in steps:
            if step.act in DESTRUCTIVE:
                assert has_signer
                assert market is not None
                assert not is_weak
                assert past.bumps < rules.bumps_max
                assert getattr(rules, step.act.value)
                assert rules.fee_cap_max_wei is not None


@given(scenes, wishes, pasts)
def test_switches_stop_everything(scene: Scene, wanted: tuple[Act, ...], past: Past) -> None:
    """Halted, or in a dry run, nothing is done; and a dry run withholds what would be done."""
    for slot in scene.slots:
        decision = Decision("14", State.UNDERPRICED_CAP, Level.OK, "", wanted)
        steps, withheld = planned(slot, decision, past, WILLING)
        none, dry = planned(slot, decision, past, WILLING, dry_run=True)
        assert none == ()
        assert sum(one.reason == "dry_run" for one in dry) == len(steps)
        assert len(dry) == len(steps) + len(withheld)
        none, still = planned(slot, decision, past, WILLING, halted=True)
        assert none == ()
        assert {one.reason for one in still} <= {"halted"}
