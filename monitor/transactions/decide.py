"""What is true of an account's transactions now: the decision table, row by row. Pure.

`TABLE` is the table of docs/transactions.md in its order, and the first row that matches wins. A
row of that table that has two faces (well and reverted, with bytes and without) stands here once
for each, under one number. Its conditions are in `conditions`, its sentences in `sentences`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from monitor.model import Level
from monitor.transactions import accounts
from monitor.transactions import conditions as when
from monitor.transactions.cases import Case, Gap, counted
from monitor.transactions.rules import Rules
from monitor.transactions.sentences import SAID
from monitor.transactions.signals import AccountSignals, fold, fold_slot
from monitor.transactions.words import (
    DESTRUCTIVE,
    AccountCounters,
    AccountDecision,
    AccountRound,
    Act,
    Consumer,
    Counters,
    Decision,
    Slot,
    State,
)

OK, UNKNOWN, DEGRADED, FAILED = Level.OK, Level.UNKNOWN, Level.DEGRADED, Level.FAILED
AGAIN = Act.REBROADCAST
"""Identical bytes to the references."""
RESEND, REPLACE, FILL = Act.RESEND, Act.REPLACE, Act.FILL


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number, its condition, and what follows."""

    number: str
    when: Callable[[Case], bool]
    state: State
    level: Level
    acts: tuple[Act, ...] = ()
    """What would help, where `HELPS_WHEN` does not object."""


TABLE = (
    Row("0", when.blind_and_unknown, State.EVIDENCE_WEAK, UNKNOWN, (AGAIN,)),
    Row("0", when.blind, State.EVIDENCE_WEAK, UNKNOWN),
    Row("1", when.final_reverted, State.FINAL_REVERTED, DEGRADED, (Act.EXPLAIN_REVERT,)),
    Row("1", when.final_cancelled, State.CANCELLED, OK),
    Row("1", when.final_ok, State.FINAL_OK, OK),
    Row("2", when.reverted_deep, State.REVERTED, DEGRADED, (Act.EXPLAIN_REVERT,)),
    Row("2", when.reverted, State.REVERTED, OK),
    Row("2", when.mined, State.MINED, OK),
    Row("3", when.local_lag, State.LOCAL_LAG, OK),
    Row("4", when.local_fork, State.LOCAL_FORK, FAILED, (AGAIN,)),
    Row("5", when.reorg_running, State.REORG_RUNNING, OK),
    Row("6", when.reorged_out, State.REORGED_OUT, DEGRADED, (AGAIN, RESEND)),
    Row("7", when.nonce_taken, State.NONCE_TAKEN, DEGRADED, (Act.FIND_CONSUMER,)),
    Row("8", when.gap_itself, State.GAP, FAILED, (FILL,)),
    Row("8", when.above_gap_with_bytes, State.GAP, DEGRADED),
    Row("8", when.above_gap, State.GAP, FAILED),
    Row("9", when.blocked, State.BLOCKED, OK),
    Row("10", when.local_desync, State.LOCAL_DESYNC, DEGRADED, (AGAIN,)),
    Row("11", when.local_only, State.LOCAL_ONLY, DEGRADED, (AGAIN,)),
    Row("12", when.refused_as_underpriced, State.NOT_PROPAGATED, DEGRADED, (REPLACE, AGAIN)),
    Row("12", when.not_propagated, State.NOT_PROPAGATED, DEGRADED, (AGAIN,)),
    Row("13", when.local_dropped, State.LOCAL_DROPPED, OK, (RESEND,)),
    Row("14", when.low_cap_for_long, State.UNDERPRICED_CAP, DEGRADED, (REPLACE, AGAIN, RESEND)),
    Row("14", when.low_cap, State.UNDERPRICED_CAP, OK, (RESEND,)),
    Row("15", when.low_tip, State.UNDERPRICED_TIP, DEGRADED, (REPLACE, AGAIN, RESEND)),
    Row("16", when.unfunded, State.UNFUNDED, DEGRADED),
    Row("17", when.lost, State.LOST, FAILED, (FILL,)),
    Row("17", when.dropped, State.DROPPED, DEGRADED, (AGAIN, RESEND)),
    Row("18", when.stuck_other, State.STUCK_OTHER, DEGRADED, (AGAIN, RESEND)),
    Row("0", when.no_next_nonce, State.EVIDENCE_WEAK, UNKNOWN),
    Row("0", when.presence_unanswered, State.EVIDENCE_WEAK, UNKNOWN, (AGAIN,)),
    Row("0", when.receipts_unanswered, State.EVIDENCE_WEAK, UNKNOWN),
    Row("19", when.unseen_locally, State.PENDING, OK, (AGAIN,)),
    Row("19", when.otherwise, State.PENDING, OK),
)


def _may_be_replaced(case: Case) -> bool:
    """A quorum has it or, as in row 12, a quorum has nothing: one reference alone moves nobody."""
    return case.is_pooled_by_quorum or case.is_unknown_to_references


def _may_be_filled(case: Case) -> bool:
    """Known transactions wait for it, and everybody has said for long that nothing is there."""
    is_old = case.age_seconds > case.rules.bump_after_seconds
    return case.is_next and case.is_followed and case.signals.is_deserted and is_old


def _may_be_resent(case: Case) -> bool:
    """The local node lacks it; of one that has just lost its block that need not be known."""
    local = case.signals.local
    return local == "absent" or (local is None and case.is_unmined is True)


HELPS_WHEN: Mapping[Act, Callable[[Case], bool]] = {
    REPLACE: _may_be_replaced,
    FILL: _may_be_filled,
    RESEND: _may_be_resent,
}
"""What an act needs besides its row. No destructive act helps on weak evidence, whatever it says.

A lie of one operator among three can thus keep these acts back; it can bring none about."""

NEVER = Counters()
"""Of a slot that no decision has seen yet."""
CONSUMED: Mapping[State, Level] = {
    State.REPLACED_SAME: OK,
    State.CANCELLED: OK,
    State.REPLACED_OTHER: FAILED,
}
"""How bad it is who took a nonce (row 7)."""


def decide(
    slots: Sequence[Slot],
    counters: Mapping[int, Counters],
    account_counters: AccountCounters,
    round_: AccountRound,
    rules: Rules,
) -> AccountDecision:
    """What is true of one account's live slots in this round, and what would help.

    `counters`, by slot id, and `account_counters` are those that the last decision returned; none
    after a start. Acts are said of the network's next nonce only; a block that was lost (rows 4
    and 6) may concern several slots, which are sent in the order of their nonces.
    """
    account = fold(round_)
    ordered = sorted(slots, key=lambda slot: slot.nonce)
    nonces = accounts.Nonces(account, ordered, account_counters)
    alike: dict[tuple[Gap | None, Counters], Decision] = {}
    decisions = {}
    for slot in ordered:
        gap, before = nonces.gap_below(slot), counters.get(slot.id, NEVER)
        is_lowest = slot.nonce == nonces.lowest
        decision = None
        is_plain = not is_lowest and _is_plain(slot, account, before)
        if is_plain:
            decision = alike.get((gap, before))
        if decision is None:
            case = Case(
                slot=slot,
                rules=rules,
                account=account,
                signals=fold_slot(slot, account),
                counters=before,
                gap=gap,
                is_lowest=is_lowest,
                is_followed=nonces.is_followed(slot),
            )
            decision = judge(case)
            if is_plain:
                alike[gap, before] = decision
        decisions[slot.id] = decision
        nonces.passed(slot, decision)
    return accounts.judge(account, ordered, decisions, nonces, account_counters)


def _is_plain(slot: Slot, account: AccountSignals, before: Counters) -> bool:
    """Whether the decision is that of any such slot: it waits, and nothing is said or counted.

    Ten thousand queued transactions are judged at the price of one. Rows 1 to 7 cannot match, for
    nobody has it in a block; rows 10 to 18 cannot, for its nonce is not the next.
    """
    return (
        (account.is_blind or account.nonce is None or slot.nonce > account.nonce)
        and slot.mined_hash is None
        and slot.state is not State.NONCE_TAKEN
        and bool(slot.attempts)
        and not (before.absent_rounds or before.taken_rounds)
        and not (before.unmined_rounds or before.forked_rounds)
        and account.mentioned.isdisjoint(attempt.hash for attempt in slot.attempts)
    )


def judge(case: Case) -> Decision:
    """The first row that matches, and what follows from it."""
    case = replace(case, counters=counted(case))
    row = next(row for row in TABLE if row.when(case))
    say, prove = SAID[row.state]
    return Decision(
        row=row.number,
        state=row.state,
        level=row.level,
        summary=say(case),
        acts=tuple(act for act in row.acts if _helps(act, case)),
        evidence=prove(case),
        counters=case.counters,
        receipt=None if case.account.is_blind else case.signals.receipt,
        is_weak=case.account.is_weak,
    )


def _helps(act: Act, case: Case) -> bool:
    if act in DESTRUCTIVE and case.account.is_weak:
        return False
    return act not in HELPS_WHEN or HELPS_WHEN[act](case)


def consumed_unnamed(slot: Slot) -> State:
    """What became of a slot whose nonce was taken, finally, by what nobody can show (row 7).

    It may have been the same payment; whoever is owed it must look, and that is not said to be so.
    """
    is_wanted = any(attempt.kind != "fill" for attempt in slot.attempts)
    return State.REPLACED_OTHER if is_wanted else State.REPLACED_SAME


def consumed(slot: Slot, consumer: Consumer) -> State:
    """What became of a slot whose nonce this transaction took (row 7); closes it once final.

    A slot that was only to be filled is served by whatever fills it. MINED, which closes nothing:
    it is an attempt of the slot itself, and its receipt decides.
    """
    taken = consumer.transaction
    if any(attempt.hash == taken.hash for attempt in slot.attempts):
        return State.MINED
    wanted = [attempt for attempt in slot.attempts if attempt.kind != "fill"]
    meant = [attempt.transaction for attempt in wanted if attempt.kind == "observed"]
    if any(one is not None and one.purpose == taken.purpose for one in meant):
        return State.REPLACED_SAME
    if taken.is_cancellation:
        return State.CANCELLED
    return State.REPLACED_OTHER if wanted else State.REPLACED_SAME
