"""What a pool asks itself before it takes one more: kind, nonce, money, delegation, room. Pure.

Sources: geth legacypool.go (add, checkDelegationLimit) and blobpool.go; Erigon txpool/pool.go
(validateTx, addLocked); Nethermind TxPool.AddCore and its filters; reth pool/txpool.rs; Besu
LayeredPendingTransactions and TransactionAddedResult.java.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.transactions.fakepool.contents import Contents, Place
from tests.transactions.fakepool.refusals import Refusal, Refused
from tests.transactions.fakepool.replacement import PERCENT, PERCENT_BLOB, may_replace, needed
from tests.transactions.fakepool.signed import BLOB, Signed

_SUB_POOL_FULL: Mapping[Place, Refusal] = {
    "pending": Refusal.PENDING_FULL,
    "parked": Refusal.BASE_FEE_FULL,
    "queued": Refusal.QUEUED_FULL,
}


def admit(
    pool: Contents, tx: Signed, old: Signed | None, *, is_own: bool
) -> tuple[Signed, ...] | None:
    """Whom it pushes out, `old` not counted; None: itself, without a word. Raises Refused."""
    _check_kind(pool, tx, old)
    _check_nonce(pool, tx, is_own=is_own)
    _check_stack(pool, tx, old, is_own=is_own)
    _check_delegation(pool, tx, old)
    return _make_room(pool, tx, old, is_own=is_own)


def _check_kind(pool: Contents, tx: Signed, old: Signed | None) -> None:
    """An account has blob transactions or others, not both."""
    others = [other for other in pool.of(tx.sender) if (other.type == BLOB) != (tx.type == BLOB)]
    if others and pool.dialect.minds(Refusal.TYPE_CONFLICT):
        raise Refused(Refusal.TYPE_CONFLICT)
    if old in others and pool.dialect.client not in {"anvil", "hardhat"}:
        by_normal = old.type == BLOB and pool.dialect.minds(Refusal.BLOB_BY_NORMAL)
        raise Refused(Refusal.BLOB_BY_NORMAL if by_normal else Refusal.REPLACE)
    if old is None or old in others:
        return
    base_fee = pool.head.base_fee_wei
    client, pooled = pool.dialect.client, len(pool.of(tx.sender))
    if not may_replace(client, old, tx, base_fee_wei=base_fee, pooled=pooled):
        least = needed(old.fee_cap_wei, PERCENT_BLOB if old.type == BLOB else PERCENT)
        in_blobs = old.type == BLOB and pool.dialect.minds(Refusal.REPLACE_BLOB)
        refusal = Refusal.REPLACE_BLOB if in_blobs else Refusal.REPLACE
        raise Refused(refusal, fee_cap=tx.fee_cap_wei, needed=least, nonce=tx.nonce)


def _check_nonce(pool: Contents, tx: Signed, *, is_own: bool) -> None:
    ahead = tx.nonce - pool.accounts[tx.sender].nonce
    gap = pool.next_nonce(tx.sender)
    limit, settings = pool.dialect.nonces_ahead_max, pool.settings
    if pool.dialect.client == "nethermind":
        limit = settings.account_max
    if tx.nonce > gap and not settings.takes_future and pool.dialect.minds(Refusal.NONCE_HIGH):
        raise Refused(Refusal.NONCE_HIGH)
    if limit is not None and ahead > limit:
        raise Refused(Refusal.NONCE_DISTANT)
    if pool.dialect.client == "nethermind":
        # What comes by RPC is always allowed; a peer's only while there is room.
        minds = not is_own and pool.is_full
    else:
        minds = tx.type == BLOB and pool.dialect.minds(Refusal.NONCE_GAP)
    if minds and tx.nonce > gap:
        raise Refused(Refusal.NONCE_GAP, nonce=tx.nonce, gap=gap)


def _check_stack(pool: Contents, tx: Signed, old: Signed | None, *, is_own: bool) -> None:
    """What the account has pooled already: their cost (geth), their number."""
    pooled = [other for other in pool.of(tx.sender) if other is not old]
    count, limit = len(pooled), pool.settings.account_max
    counts = tx.type == BLOB if pool.dialect.client == "geth" else not is_own
    if (
        limit is not None
        and count >= limit
        and counts
        and pool.dialect.minds(Refusal.ACCOUNT_LIMIT)
    ):
        raise Refused(Refusal.ACCOUNT_LIMIT, count=count)
    queued = sum(other.cost_wei for other in pooled)
    balance, cost = pool.accounts[tx.sender].balance_wei, tx.cost_wei
    if queued + cost > balance and pool.dialect.minds(Refusal.FUNDS_QUEUED):
        overshot = queued + cost - balance
        numbers = {"balance": balance, "queued": queued, "cost": cost, "overshot": overshot}
        raise Refused(Refusal.FUNDS_QUEUED, **numbers)


def _check_delegation(pool: Contents, tx: Signed, old: Signed | None) -> None:
    """EIP-7702: of an account with a delegate, one at a time and in order."""
    minds = pool.dialect.minds
    pooled = pool.transactions()
    reserved = {authority for other in pooled for authority in other.authorities}
    account = pool.accounts[tx.sender]
    if account.is_delegated or tx.sender in reserved:
        if old is None and pool.of(tx.sender) and minds(Refusal.IN_FLIGHT):
            raise Refused(Refusal.IN_FLIGHT)
        if tx.nonce != account.nonce and minds(Refusal.OUT_OF_ORDER):
            raise Refused(Refusal.OUT_OF_ORDER)
    if not minds(Refusal.AUTHORITY):
        return
    for authority in tx.authorities:
        theirs = sum(other.sender == authority for other in pooled)
        if pool.dialect.client == "erigon":
            is_reserved = authority in reserved
        else:
            is_reserved = theirs > (0 if pool.dialect.client == "nethermind" else 1)
        if is_reserved:
            raise Refused(Refusal.AUTHORITY)


def _make_room(
    pool: Contents, tx: Signed, old: Signed | None, *, is_own: bool
) -> tuple[Signed, ...] | None:
    """Whom it pushes out; None: itself, without a word. Raises Refused where it has to say."""
    if old is not None or not pool.is_full:
        return ()
    base_fee = pool.head.base_fee_wei
    place = _place_of_new(pool, tx)
    kind = pool.dialect.when_full
    rivals = [t for t, p in pool.places() if kind != "sub_pool" or p == place]
    limit = pool.settings.slots_max or 0
    if len(rivals) < limit:
        return ()
    worst = min(rivals, key=lambda t: (t.tip_wei(base_fee), t.fee_cap_wei), default=None)
    mine = (tx.tip_wei(base_fee), tx.fee_cap_wei)
    if worst is None or mine <= (worst.tip_wei(base_fee), worst.fee_cap_wei):
        _turn_away(pool, place, is_own=is_own)
        return None
    if pool.settings.has_throttle and kind == "underpriced":
        raise Refused(Refusal.POOL_FULL)
    if place == "queued" and pool.place(worst.hash) == "pending" and kind == "underpriced":
        raise Refused(Refusal.FUTURE_FOR_PENDING)
    return (worst,)


def _turn_away(pool: Contents, place: Place, *, is_own: bool) -> None:
    """The newcomer is the worst of all."""
    match pool.dialect.when_full:
        case "underpriced":
            raise Refused(Refusal.UNDERPRICED)
        case "full":
            raise Refused(Refusal.POOL_FULL)
        case "sub_pool":
            raise Refused(_SUB_POOL_FULL[place])
        case "dropped":
            if not is_own and pool.dialect.minds(Refusal.UNDERPRICED):
                raise Refused(Refusal.UNDERPRICED)


def _place_of_new(pool: Contents, tx: Signed) -> Place:
    if tx.nonce > pool.next_nonce(tx.sender):
        return "queued"
    is_below = tx.fee_cap_wei < pool.head.base_fee_wei
    return "parked" if is_below and pool.dialect.below_base_fee == "parked" else "pending"
