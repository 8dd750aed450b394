"""The conditions of the decision table, one small function each, in the table's order. Pure.

How they are to be read. N is the slot's nonce, nl the account's next nonce by `latest` and np by
`pending`, L the local node, R the fresh references, P whether a node has any of the slot's
attempts, F and T the caps of fee and tip, B the base fee. What R says is what `need` operators say;
P_R ≥ 1 is any of them, P_R = 0 is a quorum that says no while nobody says yes. A question without
an answer is never a no: where a row needs the no, it does not match. A condition may rely on the
rows above it not having matched. `cases` has the words, `signals` the votes.
"""

from __future__ import annotations

from monitor.model import Hash32
from monitor.transactions.cases import Case
from monitor.transactions.words import Slot, State

REORG_ROUNDS = 2
"""A block that a quorum lacks for so many rounds is not the network's (rows 4 and 6)."""
REORGED_ROUNDS_MAX = 8
"""From then on it is a transaction like any other: pooled, dropped or lost (rows 10 to 19)."""

# -- 0: is there anything to stand on? -----------------------------------------------------------


def blind_and_unknown(case: Case) -> bool:
    """0: fewer than a quorum are fresh, and none of these has the lowest: it may be sent again."""
    is_unknown = bool(case.slot.attempts) and not case.is_known_to_references
    return case.account.is_blind and case.is_lowest and is_unknown


def blind(case: Case) -> bool:
    """0: fewer than a quorum are fresh."""
    return case.account.is_blind


# -- 1 to 3: in a block of the network -----------------------------------------------------------


def final_reverted(case: Case) -> bool:
    """1: receipt at quorum, at or below the final block, status 0."""
    receipt = case.signals.receipt
    return receipt is not None and case.is_final and not receipt.is_success


def final_cancelled(case: Case) -> bool:
    """1: the same with status 1, of an attempt that does nothing but take the nonce."""
    receipt = case.signals.receipt
    return receipt is not None and case.is_final and _is_filler(case.slot, receipt.hash)


def final_ok(case: Case) -> bool:
    """1: receipt at quorum, at or below the final block, status 1."""
    return case.is_final


def reverted(case: Case) -> bool:
    """2: receipt at quorum, not final, status 0; or it was so, and nobody was asked since."""
    receipt = case.signals.receipt
    if receipt is None:
        return case.is_as_before and case.slot.state is State.REVERTED
    return not receipt.is_success


def reverted_deep(case: Case) -> bool:
    """2: the same, and as deep as it is to be told."""
    return reverted(case) and case.depth >= case.rules.revert_alert_blocks


def mined(case: Case) -> bool:
    """2: receipt at quorum, not final, status 1; or it was so, and nobody was asked since.

    Unless L has not got there: that is row 3, of which this row would leave nothing.
    """
    return _is_mined(case) and not local_lag(case)


def local_lag(case: Case) -> bool:
    """3: receipt at R only, because L's head is below its block."""
    receipt, local = case.signals.receipt, case.account.local
    if receipt is None:
        return case.is_as_before and case.slot.state is State.LOCAL_LAG
    return receipt.is_success and local is not None and local.head.number < receipt.number


def _is_mined(case: Case) -> bool:
    receipt = case.signals.receipt
    return case.is_as_before if receipt is None else receipt.is_success


def _is_filler(slot: Slot, tx_hash: Hash32) -> bool:
    """Whether an attempt was signed to take the nonce; the sender may have done so, too."""
    attempt = next((one for one in slot.attempts if one.hash == tx_hash), None)
    if attempt is None or attempt.kind in {"cancel", "fill"}:
        return attempt is not None
    meant = [one.transaction for one in slot.attempts if one.transaction is not None]
    was_payment = any(not transaction.is_cancellation for transaction in meant)
    is_empty = attempt.transaction is not None and attempt.transaction.is_cancellation
    return is_empty and was_payment


# -- 4 to 6: not, or not surely, in a block of the network ---------------------------------------


def local_fork(case: Case) -> bool:
    """4: in a block at L only; a quorum, as high as L or higher, has it in none; nl_R ≤ N.

    For 2 rounds: two blocks of one height are an everyday race. Where the network has used the
    nonce for something else, row 7 has more to say.
    """
    return case.is_forked is True and case.counters.forked_rounds >= REORG_ROUNDS


def reorg_running(case: Case) -> bool:
    """5: R give different block hashes, and no quorum gives one (or rows 1 to 3 had matched)."""
    return len(case.signals.blocks) > 1


def reorged_out(case: Case) -> bool:
    """6: had a receipt, now none at a quorum for 2 rounds, nl_R ≤ N. Said for a few blocks."""
    rounds = case.counters.unmined_rounds
    return case.is_unmined is True and REORG_ROUNDS <= rounds <= REORGED_ROUNDS_MAX


# -- 7 to 9: the nonce ---------------------------------------------------------------------------


def nonce_taken(case: Case) -> bool:
    """7: nl_R > N, no receipt for any known hash, 3 rounds; it stays so until the nonce is free."""
    if case.slot.state is State.NONCE_TAKEN and not case.is_free:
        return True
    return case.is_taken is True and case.counters.taken_rounds >= case.rules.taken_rounds


def gap_itself(case: Case) -> bool:
    """8: nl_R ≤ N, and nothing is known of N: a slot that is to be filled."""
    return not case.slot.attempts and case.is_free and case.account.is_dead(case.slot.nonce)


def above_gap_with_bytes(case: Case) -> bool:
    """8: nl_R < N, and of a nonce in [nl_R, N) nothing is live; its bytes are being sent again."""
    return case.is_later and case.gap is not None and case.gap.has_raw


def above_gap(case: Case) -> bool:
    """8: nl_R < N, and of a nonce in [nl_R, N) nothing is live anywhere."""
    return case.is_later and case.gap is not None


def blocked(case: Case) -> bool:
    """9: nl_R < N, predecessors live."""
    return case.is_later


# -- 10 to 13: who has it ------------------------------------------------------------------------


def local_desync(case: Case) -> bool:
    """10: nl_R = N, P_R = 0, P_L = queued, nl_L < nl_R."""
    local, network = case.account.local, case.account.nonce
    behind = None if local is None else local.nonce_latest
    return (
        _is_held_locally(case)
        and case.signals.local == "queued"
        and isinstance(behind, int)
        and network is not None
        and behind < network
    )


def local_only(case: Case) -> bool:
    """11: nl_R = N, P_R = 0, P_L = pending, L is not synced or has no peers."""
    round_ = case.account.round_
    return _is_held_locally(case) and (round_.local_synced is False or round_.local_peers == 0)


def not_propagated(case: Case) -> bool:
    """12: nl_R = N, P_R = 0, P_L = pending, older than 2 blocks; L is synced, or may be."""
    return _is_held_locally(case) and case.age_blocks > case.rules.propagate_blocks


def refused_as_underpriced(case: Case) -> bool:
    """12 → 14: the same, and F < B for long: what a reference would say of it is known."""
    return not_propagated(case) and case.is_cap_low and _is_to_be_bumped(case)


def _is_held_locally(case: Case) -> bool:
    """nl_R = N, P_R = 0, P_L = pending; or queued, for another reason than in row 10."""
    held = case.signals.local in {"pending", "queued"}
    return case.is_next and case.is_unknown_to_references and held


def local_dropped(case: Case) -> bool:
    """13: nl_R = N, P_R ≥ 1, P_L = absent.

    Harmless, so only where nothing is wrong besides: a transaction that is too cheap is often gone
    from L just because of that, and rows 14, 15, 16 and 18 must not be hidden by it.
    """
    troubles = (low_cap, low_tip, unfunded, stuck_other)
    is_lost = case.signals.local == "absent"
    return _is_pooled(case) and is_lost and not any(trouble(case) for trouble in troubles)


# -- 14 to 18: what keeps it out of a block ------------------------------------------------------


def low_cap(case: Case) -> bool:
    """14: P_R ≥ 1, F < B."""
    return _is_pooled(case) and case.is_cap_low


def low_cap_for_long(case: Case) -> bool:
    """14: the same, age > bump_after."""
    return low_cap(case) and _is_to_be_bumped(case)


def low_tip(case: Case) -> bool:
    """15: P_R ≥ 1, F ≥ B, min(T, F - B) < p10 of recent tips, age > bump_after."""
    return _is_pooled(case) and case.is_tip_low and _is_to_be_bumped(case)


def unfunded(case: Case) -> bool:
    """16: balance_R < Σ(value + gas · F) over live nonces ≤ N.

    From nl_R on, and later ones are blocked (row 9): N is the only one. Of several attempts the
    least counts, since any of them may be mined.
    """
    has, needs = case.account.balance_wei, case.cost_least_wei
    return case.is_next and has is not None and needs is not None and has < needs


def dropped(case: Case) -> bool:
    """17: nl_R = N, absent at L and R, 3 rounds."""
    rounds = case.counters.absent_rounds
    return case.is_absent is True and rounds >= case.rules.dropped_rounds


def lost(case: Case) -> bool:
    """17: the same, and its bytes cannot be had."""
    return dropped(case) and not case.slot.has_raw


def stuck_other(case: Case) -> bool:
    """18: P_R ≥ 1, fees fine, age > stuck_after."""
    is_fine = case.tip_effective_wei is not None and not case.is_tip_low
    return _is_pooled(case) and is_fine and _is_stuck(case)


def _is_pooled(case: Case) -> bool:
    """nl_R = N, P_R ≥ 1."""
    return case.is_next and case.is_known_to_references


def _is_to_be_bumped(case: Case) -> bool:
    return case.age_seconds > case.rules.bump_after_seconds


def _is_stuck(case: Case) -> bool:
    return case.age_seconds > case.rules.stuck_after_seconds


# -- 19: otherwise -------------------------------------------------------------------------------


def no_next_nonce(case: Case) -> bool:
    """0 again: receipts could be read, and R agree on no next nonce: rows 6 to 18 are closed."""
    return case.account.nonce is None


def presence_unanswered(case: Case) -> bool:
    """0 again: nl_R = N, older than stuck_after, and R do not say whether they have it."""
    is_said = case.is_known_to_references or case.is_unknown_to_references
    return case.is_next and bool(case.slot.attempts) and not is_said and _is_stuck(case)


def receipts_unanswered(case: Case) -> bool:
    """0 again: nl_R > N, older than stuck_after, and R do not say whether it is in a block."""
    return case.is_used and case.is_taken is None and _is_stuck(case)


def unseen_locally(case: Case) -> bool:
    """19: nl_R = N, P_R = 0 for 2 blocks, and L does not say: sending it again does no harm."""
    is_silent = case.is_unknown_to_references and case.signals.local is None
    return case.is_next and is_silent and case.age_blocks > case.rules.propagate_blocks


def otherwise(case: Case) -> bool:
    """19."""
    del case
    return True
