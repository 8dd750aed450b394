"""Whether a client's pool takes a second transaction of the same nonce.

Sources: geth legacypool/list.go and blobpool/blobpool.go; reth pool/txpool.rs and config.rs; Erigon
txpool/pool.go, addLocked; Nethermind CompareReplacedTxByFee.cs and CompareReplacedBlobTx.cs; Besu
TransactionReplacementByGasPriceRule.java and ...ByFeeMarketRule.java; anvil and EDR as they answer.
"""

from __future__ import annotations

from tests.transactions.fakepool.refusals import Client
from tests.transactions.fakepool.signed import BLOB, DYNAMIC, Signed

PERCENT = 10
PERCENT_BLOB = 100


def may_replace(
    client: Client, old: Signed, new: Signed, *, base_fee_wei: int, pooled: int = 1
) -> bool:
    """Whether `new` pays enough more than `old`, by this client's reckoning.

    Both are of one kind, with blobs or without; `pooled` are the sender's transactions there.
    """
    match client:
        case "geth":
            return _geth(old, new)
        case "reth":
            return _reth(old, new)
        case "erigon":
            return _erigon(old, new, pooled)
        case "nethermind":
            return _nethermind(old, new)
        case "besu":
            return _besu(old, new, base_fee_wei)
        case "anvil":
            return new.fee_cap_wei > old.fee_cap_wei
        case "hardhat":
            return all(theirs >= needed(ours, PERCENT) for ours, theirs in _caps(old, new)[:2])


def needed(value: int, percent: int) -> int:
    """So many per cent more, rounded up."""
    return -(-value * (100 + percent) // 100)


def _floor(value: int, percent: int) -> int:
    return value * (100 + percent) // 100


def _percent(transaction: Signed) -> int:
    return PERCENT_BLOB if transaction.type == BLOB else PERCENT


def _caps(old: Signed, new: Signed) -> list[tuple[int, int]]:
    """Fee cap, tip cap and, of blob transactions, blob fee cap: the old and the new."""
    pairs = [(old.fee_cap_wei, new.fee_cap_wei), (old.tip_cap_wei, new.tip_cap_wei)]
    if old.type == BLOB:
        pairs.append((old.blob_fee_cap_wei or 0, new.blob_fee_cap_wei or 0))
    return pairs


def _geth(old: Signed, new: Signed) -> bool:
    """Every cap strictly more, and by the percentage, rounded down."""
    percent = _percent(old)
    return all(
        theirs > ours and theirs >= _floor(ours, percent) for ours, theirs in _caps(old, new)
    )


def _reth(old: Signed, new: Signed) -> bool:
    """Rounded up; the tip counts only where both have one, and legacy transactions have none."""
    percent = _percent(old)
    if new.fee_cap_wei < needed(old.fee_cap_wei, percent):
        return False
    have_tips = min(old.type, new.type) >= DYNAMIC and old.tip_cap_wei and new.tip_cap_wei
    if have_tips and new.tip_cap_wei < needed(old.tip_cap_wei, percent):
        return False
    return old.type != BLOB or (new.blob_fee_cap_wei or 0) >= needed(
        old.blob_fee_cap_wei or 0, percent
    )


def _erigon(old: Signed, new: Signed, pooled: int) -> bool:
    """Rounded down; a higher value makes the tip's threshold so many times as high."""
    percent = _percent(new)
    tip = _floor(old.tip_cap_wei, percent) * (pooled if new.value_wei > old.value_wei else 1)
    if new.tip_cap_wei < tip or new.fee_cap_wei < _floor(old.fee_cap_wei, percent):
        return False
    return new.type != BLOB or (new.blob_fee_cap_wei or 0) >= _floor(
        old.blob_fee_cap_wei or 0, percent
    )


def _nethermind(old: Signed, new: Signed) -> bool:
    """Exactly a tenth more is enough where a tenth is something; what pays nothing gives way."""
    if old.type == BLOB:
        doubled = all(theirs >= 2 * ours for ours, theirs in _caps(old, new))
        return doubled and len(new.blob_hashes) >= len(old.blob_hashes)
    if old.fee_cap_wei == 0:
        return True
    if new.fee_cap_wei < old.fee_cap_wei + old.fee_cap_wei // PERCENT:
        return False
    # Of a legacy transaction both caps are its price, so the tip's rule is the price's.
    more = old.tip_cap_wei // PERCENT
    wanted = old.tip_cap_wei + more
    return new.tip_cap_wei > wanted or (new.tip_cap_wei == wanted and more > 0)


def _besu(old: Signed, new: Signed, base_fee_wei: int) -> bool:
    """Of two with a price, the price; else the price at the base fee. Both strictly more."""
    if old.type < DYNAMIC and new.type < DYNAMIC:
        return new.fee_cap_wei > _floor(old.fee_cap_wei, PERCENT)
    if old.type == BLOB and (new.blob_fee_cap_wei or 0) < 2 * (old.blob_fee_cap_wei or 0):
        return False
    ours, theirs = old.price_wei(base_fee_wei), new.price_wei(base_fee_wei)
    our_tip = max(0, old.tip_wei(base_fee_wei))
    their_tip = max(0, new.tip_wei(base_fee_wei))
    if theirs == 0:
        return False
    if theirs * 100 > ours * (100 + PERCENT):
        return their_tip >= our_tip
    return theirs == ours and their_tip * 100 > our_tip * (100 + PERCENT)
