"""What is said of a slot, for people, and who said what that rests on. Pure.

A sentence for each condition of the decision table, with both of the values that disagree; an
`Evidence` for each endpoint that mattered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from monitor.model import Evidence, Unseen, short
from monitor.transactions.cases import Case
from monitor.transactions.signals import AccountSignals, presence_of, standing
from monitor.transactions.words import Receipt, State, View

GAS_A_TRANSACTION_MAX = 16_777_216
"""2^24: no transaction may have a higher gas limit (EIP-7825)."""


# -- amounts -------------------------------------------------------------------------------------


def gwei(wei: int) -> str:
    """A price of gas, exactly."""
    return f"{_scaled(wei, 9)} gwei"


def ether(wei: int) -> str:
    """An amount, exactly, in units of 10^18 wei."""
    return f"{_scaled(wei, 18)} ether"


def _scaled(wei: int, places: int) -> str:
    whole, rest = divmod(wei, 10**places)
    return f"{whole}.{rest:0{places}d}".rstrip("0").rstrip(".")


def count(number: int, thing: str) -> str:
    """`1 block`, `2 blocks`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


# -- sentences -----------------------------------------------------------------------------------


def weak_evidence(case: Case) -> str:
    """Row 0."""
    account = case.account
    fresh, need = len(account.operators), account.round_.need
    if fresh < need:
        return f"only {_of_operators(account, fresh)} could be asked, {need} must agree"
    if account.round_.head is None:
        return "the references agree on no head"
    if account.nonce is None:
        return "the references agree on no next nonce"
    what = "it is in a block" if case.is_used else "they have it"
    return f"for {_minutes(case)} the references have not said whether {what}"


def in_block(case: Case) -> str:
    """Rows 1 and 2."""
    receipt, final = case.signals.receipt, case.account.round_.final_number
    if receipt is None:
        return f"in block {case.slot.mined_number}, as last seen; not asked again in this round"
    verb = "mined" if receipt.is_success else "reverted"
    where = f"{verb} in block {receipt.number} ({short(receipt.block_hash)})"
    if case.is_final:
        return f"{where}, which is final"
    upto = "which blocks are final is not known" if final is None else f"final is block {final}"
    return f"{where}, {count(case.depth, 'block')} deep; {upto}"


def filled(case: Case) -> str:
    """Row 1, where what was mined does nothing but take the nonce."""
    receipt = case.signals.receipt
    where = "" if receipt is None else f" in block {receipt.number}, which is final"
    return f"cancelled: a transfer of nothing to the sender itself took the nonce{where}"


def local_lag(case: Case) -> str:
    """Row 3."""
    local, receipt = case.account.local, case.signals.receipt
    if local is None or receipt is None:
        return in_block(case)
    return f"mined in block {receipt.number}; the local node is at block {local.head.number}"


def local_fork(case: Case) -> str:
    """Row 4."""
    number = case.signals.local_number or 0
    without = _of_operators(case.account, case.outside_from(number))
    return f"in the local node's chain up to block {number}, and at {without} in no block up to it"


def reorg_running(case: Case) -> str:
    """Row 5."""
    blocks = " and ".join(short(block_hash) for block_hash in sorted(case.signals.blocks))
    return f"the references have it in different blocks: {blocks}"


def reorged_out(case: Case) -> str:
    """Row 6."""
    rounds = count(case.counters.unmined_rounds, "round")
    return f"it was in block {case.slot.mined_number}, and for {rounds} a quorum has it in none"


def nonce_taken(case: Case) -> str:
    """Row 7."""
    if case.account.nonce is None:
        return f"nonce {case.slot.nonce} was taken, as last seen; {weak_evidence(case)}"
    return (
        f"nonce {case.slot.nonce} is used, the network's next is {case.account.nonce}, and no "
        "known transaction of this nonce is in a block"
    )


def gap(case: Case) -> str:
    """Row 8, above a gap and in it."""
    lowest = case.gap
    if lowest is None or not case.slot.attempts:
        return f"nothing is known of nonce {case.slot.nonce}, and later ones wait for it"
    words = f"nonce {lowest.nonce} comes first, and of it nothing is live anywhere"
    return f"{words}; its bytes are in the journal" if lowest.has_raw else words


def blocked(case: Case) -> str:
    """Row 9."""
    return f"earlier ones are on their way: the network's next nonce is {case.account.nonce}"


def local_desync(case: Case) -> str:
    """Row 10."""
    local = case.account.local
    behind = None if local is None else local.nonce_latest
    return (
        f"queued at the local node, whose next nonce is {behind} while the network's is "
        f"{case.account.nonce}; no reference knows it"
    )


def local_only(case: Case) -> str:
    """Row 11."""
    why = "has no peers" if case.account.round_.local_peers == 0 else "is off the network"
    return f"{case.signals.local} at the local node, which {why}; no reference knows it"


def not_propagated(case: Case) -> str:
    """Row 12."""
    held = f"{case.signals.local} at the local node, first seen {int(case.age_blocks)} blocks ago"
    words = f"{held}; no reference knows it"
    return f"{words}, and {cap_low(case)}" if case.is_cap_low else words


def local_dropped(case: Case) -> str:
    """Row 13."""
    return f"{pooled(case)}; the local node lost it, and may hand out its nonce again"


def cap_low(case: Case) -> str:
    """Rows 12 and 14."""
    paid, market = case.transaction, case.market
    if paid is None or market is None:
        return "its fee cap is not known"
    return f"its fee cap {gwei(paid.fee_cap_wei)} is below the base fee {gwei(market.base_fee_wei)}"


def tip_low(case: Case) -> str:
    """Row 15."""
    tip, market = case.tip_effective_wei, case.market
    if tip is None or market is None:
        return "its tip is not known"
    return f"its tip comes to {gwei(tip)}, and the lowest recent ones to {gwei(market.tip_low_wei)}"


def unfunded(case: Case) -> str:
    """Row 16."""
    has, needs = case.account.balance_wei, case.cost_least_wei
    return f"the balance {ether(has or 0)} does not cover it: {ether(needs or 0)}"


def dropped(case: Case) -> str:
    """Row 17."""
    rounds = count(case.counters.absent_rounds, "round")
    without = _of_operators(case.account, len(case.signals.absentees))
    words = f"for {rounds} unknown to the local node and to {without}, and its nonce is free"
    if case.slot.has_raw:
        return words
    return f"{words}; its bytes cannot be had: the sender must sign nonce {case.slot.nonce} again"


def stuck(case: Case) -> str:
    """Row 18, with what it could be."""
    suspects = "; ".join(_suspects(case)) or "a private pool, a full block, or censorship"
    return f"{pooled(case)}, priced well, and not mined for {_minutes(case)}; to check: {suspects}"


def _suspects(case: Case) -> list[str]:
    paid, market = case.transaction, case.market
    if paid is None or market is None:
        return []
    found = []
    limit = min(market.gas_limit, GAS_A_TRANSACTION_MAX)
    if paid.gas > limit:
        found.append(f"its gas {paid.gas} is more than the {limit} that a transaction may have")
    if paid.blob_fee_cap_wei is not None and paid.blob_fee_cap_wei < market.blob_base_fee_wei:
        blob, base = gwei(paid.blob_fee_cap_wei), gwei(market.blob_base_fee_wei)
        found.append(f"its blob fee cap {blob} is below the blob base fee {base}")
    if paid.authorizations:
        found.append("it delegates accounts (EIP-7702), and pools hold one of these at a time")
    return found


def pending(case: Case) -> str:
    """Row 19."""
    if case.is_used:
        return f"its nonce is used; the network's next is {case.account.nonce}; looking for what by"
    if case.is_known_to_references:
        return pooled(case)
    if not case.slot.attempts:
        return f"no hash is known of nonce {case.slot.nonce}"
    where = "could not be asked" if case.signals.local is None else f"says {case.signals.local}"
    knows = "no reference knows it" if case.is_unknown_to_references else "references do not say"
    return f"on its way: the local node {where}, {knows}"


def pooled(case: Case) -> str:
    """Where the references have it."""
    return f"known to {_of_operators(case.account, len(case.signals.holders))}"


def _minutes(case: Case) -> str:
    return f"{int(case.age_seconds / 60)} min"


def _of_operators(account: AccountSignals, some: int) -> str:
    return f"{some} of {count(account.round_.operators, 'reference operator')}"


# -- evidence ------------------------------------------------------------------------------------


def views_of(account: AccountSignals) -> tuple[View, ...]:
    """Everybody who was seen, the local node first."""
    local = () if account.local is None else (account.local,)
    return (*local, *account.round_.references)


def quorum(account: AccountSignals) -> str:
    """The measure of everything here."""
    return f"{account.round_.need} of {account.round_.operators} operators must agree"


def of_blocks(case: Case) -> tuple[Evidence, ...]:
    """Who has it in which block."""
    found = []
    for view in views_of(case.account):
        where = standing(view, case.slot)
        if where is None:
            continue
        if isinstance(where, Receipt):
            status = "success" if where.is_success else "reverted"
            said = f"{where.hash} in block {where.number} {where.block_hash}, {status}"
        else:
            said = "in a block" if where == "mined" else "in no block"
        found.append(_evidence(view, "eth_getTransactionReceipt", said, quorum(case.account)))
    return tuple(found)


def of_pools(case: Case) -> tuple[Evidence, ...]:
    """Who has it pooled."""
    found = []
    for view in views_of(case.account):
        pool = case.account.pool if view is case.account.local else {}
        has = presence_of(view, case.slot.attempts, pool)
        if has is not None:
            method = "eth_getTransactionByHash"
            found.append(_evidence(view, method, has, quorum(case.account)))
    return tuple(found)


def of_counts(account: AccountSignals) -> tuple[Evidence, ...]:
    """Who has counted how far."""
    return tuple(
        _evidence(
            view,
            "eth_getTransactionCount",
            f"latest {_number(view.nonce_latest)}, pending {_number(view.nonce_pending)}",
            quorum(account),
        )
        for view in views_of(account)
    )


def of_balances(case: Case) -> tuple[Evidence, ...]:
    """Who has seen how much on the account."""
    return tuple(
        _evidence(view, "eth_getBalance", ether(view.balance_wei), quorum(case.account))
        for view in case.account.round_.references
        if isinstance(view.balance_wei, int)
    )


def of_fees(case: Case) -> tuple[Evidence, ...]:
    """What inclusion costs."""
    market, round_ = case.market, case.account.round_
    if market is None:
        return ()
    said = (
        f"base fee {gwei(market.base_fee_wei)}, tips {gwei(market.tip_low_wei)} (10th percentile) "
        f"and {gwei(market.tip_wei)} (50th)"
    )
    stamp = None if round_.head is None else round_.head.stamp
    return (Evidence(round_.network, "eth_feeHistory", said, round_.at, stamp),)


def _number(value: int | Unseen) -> str:
    return f"unseen ({value.reason})" if isinstance(value, Unseen) else str(value)


def _evidence(view: View, method: str, said: str, threshold: str) -> Evidence:
    return Evidence(view.label, method, said, view.at, view.head.stamp, threshold)


# -- what is said of which state -----------------------------------------------------------------


def _of_counts(case: Case) -> tuple[Evidence, ...]:
    return of_counts(case.account)


def _of_pools_and_counts(case: Case) -> tuple[Evidence, ...]:
    return (*of_pools(case), *of_counts(case.account))


def _of_pools_and_fees(case: Case) -> tuple[Evidence, ...]:
    return (*of_pools(case), *of_fees(case))


Sayings = tuple[Callable[[Case], str], Callable[[Case], tuple[Evidence, ...]]]
SAID: Mapping[State, Sayings] = {
    State.EVIDENCE_WEAK: (weak_evidence, _of_counts),
    State.FINAL_OK: (in_block, of_blocks),
    State.FINAL_REVERTED: (in_block, of_blocks),
    State.CANCELLED: (filled, of_blocks),
    State.MINED: (in_block, of_blocks),
    State.REVERTED: (in_block, of_blocks),
    State.LOCAL_LAG: (local_lag, of_blocks),
    State.LOCAL_FORK: (local_fork, of_blocks),
    State.REORG_RUNNING: (reorg_running, of_blocks),
    State.REORGED_OUT: (reorged_out, of_blocks),
    State.NONCE_TAKEN: (nonce_taken, lambda case: (*of_blocks(case), *of_counts(case.account))),
    State.GAP: (gap, _of_counts),
    State.BLOCKED: (blocked, _of_counts),
    State.LOCAL_DESYNC: (local_desync, _of_pools_and_counts),
    State.LOCAL_ONLY: (local_only, _of_pools_and_counts),
    State.NOT_PROPAGATED: (not_propagated, of_pools),
    State.LOCAL_DROPPED: (local_dropped, of_pools),
    State.UNDERPRICED_CAP: (cap_low, _of_pools_and_fees),
    State.UNDERPRICED_TIP: (tip_low, _of_pools_and_fees),
    State.UNFUNDED: (unfunded, of_balances),
    State.DROPPED: (dropped, _of_pools_and_counts),
    State.LOST: (dropped, _of_pools_and_counts),
    State.STUCK_OTHER: (stuck, _of_pools_and_fees),
    State.PENDING: (pending, of_pools),
}
"""The sentence and the evidence of each state that the table can name."""
