"""What a replacement must pay, and what it may: exact arithmetic in wei. Pure.

A pool takes a second transaction of the same nonce only if it pays enough more. How much, each
client reckons in its own way; `bump` is what all of them take:

    geth        fee cap and tip cap +10 %, rounded down, and strictly more (core/txpool)
    reth        the same, rounded up; in older releases strictly more than that (pool/txpool.rs)
    erigon      the same, rounded down (txnprovider/txpool/pool.go)
    nethermind  the same, exactly +10 % only where that is more (CompareReplacedTxByFee.cs)
    besu        an effective price of more than +10 % at its own base fee, and a tip that is not
                lower (TransactionReplacementByFeeMarketRule.java)
    blobs       +100 % on all three caps (geth, reth, erigon, nethermind)

Besu's rule is the dear one: where the tip is small beside the base fee, a tenth of the price is
many times the tip. So its term counts only where a target is Besu.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.transactions.rules import Rules
from monitor.transactions.words import Market

PERCENT_MIN = 10
PERCENT_BLOB = 100
TRANSFER_GAS = 21_000
"""What a transfer without data costs (Yellow Paper, G_transaction)."""

Cap = Literal["fee_cap_max_wei", "market_multiple_max", "cost_max_wei", "budget_a_day_wei"]
"""The setting that is in the way, as `Rules` names it."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What a transaction offers for a unit of gas. Types 0 and 1: both caps are its gasPrice."""

    fee_cap_wei: int
    tip_cap_wei: int
    blob_fee_cap_wei: int | None = None
    """For a unit of blob gas; None without blobs."""


@dataclass(frozen=True, slots=True)
class CapBlocks:
    """A cap of the policy is below the least that is worth sending: nothing is signed."""

    cap: Cap
    wanted_wei: int
    """The least that is worth sending: for a unit of gas, or for all of it, as the cap counts."""
    allowed_wei: int | None
    """What the cap leaves; None: it is not configured, and without it nothing is signed."""

    @property
    def summary(self) -> str:
        if self.allowed_wei is None:
            return f"no cap configured: without {self.cap} nothing is signed"
        return (
            f"{self.cap} is in the way: at least {self.wanted_wei} wei would be needed, "
            f"{self.allowed_wei} wei are allowed"
        )


@dataclass(frozen=True, slots=True)
class Free:
    """Gas costs nothing on this chain: there is nothing to raise, only the same bytes again."""

    summary: str = "gas is free on this chain, and +10 % of 0 is 0: it can only be sent again"


def bump(
    old: Fees, market: Market, *, percent: int, is_blob: bool, for_besu: bool, is_legacy: bool
) -> Fees | Free:
    """The fees of a replacement that every pool takes, and that the market mines soon.

    The tip cap is the old one raised or the market's, whichever is more; beside it the fee cap
    bears twice the base fee: any of the next six blocks, however full. `percent` below 10 is 10.
    `is_legacy`: one price pays for both (types 0 and 1).
    """
    if old.fee_cap_wei == market.base_fee_wei == market.tip_wei == 0:
        return Free()
    raised = _raised(old, market, percent=percent, is_blob=is_blob, for_besu=for_besu)
    blob = _at_least(raised.blob_fee_cap_wei, 2 * market.blob_base_fee_wei)
    if is_legacy:
        price = max(raised.fee_cap_wei, 2 * market.base_fee_wei + market.tip_wei)
        return Fees(price, price, blob)
    tip = max(raised.tip_cap_wei, market.tip_wei)
    return Fees(max(raised.fee_cap_wei, 2 * market.base_fee_wei + tip), tip, blob)


def minimum_accepted(
    old: Fees, market: Market, *, percent: int, is_blob: bool, for_besu: bool, is_legacy: bool
) -> Fees:
    """The least that is worth sending: every pool takes it, and the next two blocks can.

    That is the raise alone or, if that is more, a low tip upon the base fee after a full block.
    With less, a replacement would be refused, or would be pooled and wait like the old one.
    """
    raised = _raised(old, market, percent=percent, is_blob=is_blob, for_besu=for_besu)
    lowest = _lowest(market)
    blob = _at_least(raised.blob_fee_cap_wei, _after_full_block(market.blob_base_fee_wei))
    fee = max(raised.fee_cap_wei, lowest.fee_cap_wei)
    if is_legacy:
        return Fees(fee, fee, blob)
    tip = max(raised.tip_cap_wei, lowest.tip_cap_wei)
    return Fees(fee, tip, blob)


def fill_fees(
    market: Market, rules: Rules, *, spent_today_wei: int, gas: int = TRANSFER_GAS
) -> Fees | CapBlocks:
    """The fees of what fills a nonce of which nothing is known: the market's, within the caps.

    Where the old transaction is known, use `bump`: a pool that holds it wants more.
    """
    wanted = Fees(2 * market.base_fee_wei + market.tip_wei, market.tip_wei)
    return capped(wanted, _lowest(market), gas, market, rules, spent_today_wei=spent_today_wei)


def capped(
    wanted: Fees,
    minimum: Fees,
    gas: int,
    market: Market,
    rules: Rules,
    *,
    spent_today_wei: int,
    blob_gas: int = 0,
) -> Fees | CapBlocks:
    """The wanted fees, lowered to the policy's caps; a cap below the minimum blocks instead.

    `gas` is the transaction's limit, `spent_today_wei` what was signed for the account this UTC
    day, at its caps. Fees for a unit of gas and of blob gas are under the same caps.
    """
    fee_cap_max = rules.fee_cap_max_wei
    least_wei = gas * minimum.fee_cap_wei + blob_gas * (minimum.blob_fee_cap_wei or 0)
    if fee_cap_max is None:
        return CapBlocks("fee_cap_max_wei", minimum.fee_cap_wei, None)
    if rules.budget_a_day_wei is None:
        return CapBlocks("budget_a_day_wei", least_wei, None)

    def of_market(price_wei: int) -> int:
        return max(rules.fee_floor_wei, rules.market_multiple_max * price_wei)

    fee_market = of_market(2 * market.base_fee_wei + market.tip_wei)
    blob_market = of_market(2 * market.blob_base_fee_wei)
    left_wei = max(0, rules.budget_a_day_wei - spent_today_wei)
    cost_max_wei = left_wei if rules.cost_max_wei is None else rules.cost_max_wei
    limits: tuple[tuple[Cap, int, int], ...] = (
        ("fee_cap_max_wei", minimum.fee_cap_wei, fee_cap_max),
        ("fee_cap_max_wei", minimum.blob_fee_cap_wei or 0, fee_cap_max),
        ("market_multiple_max", minimum.fee_cap_wei, fee_market),
        ("market_multiple_max", minimum.blob_fee_cap_wei or 0, blob_market),
        ("budget_a_day_wei", least_wei, left_wei),
        ("cost_max_wei", least_wei, cost_max_wei),
    )
    for cap, least, limit in limits:
        if least > limit:
            return CapBlocks(cap, least, limit)
    # What is spare above the minimum goes to the gas first, and to the blobs what that leaves.
    spare_wei = min(left_wei, cost_max_wei) - least_wei
    fee = min(wanted.fee_cap_wei, fee_cap_max, fee_market)
    fee = min(fee, minimum.fee_cap_wei + spare_wei // max(1, gas))
    blob = wanted.blob_fee_cap_wei
    if blob is not None:
        least = minimum.blob_fee_cap_wei or 0
        spare_wei -= gas * (fee - minimum.fee_cap_wei)
        blob = min(blob, fee_cap_max, blob_market, least + spare_wei // max(1, blob_gas))
    return Fees(fee, min(wanted.tip_cap_wei, fee), blob)


def _lowest(market: Market) -> Fees:
    """What one of the next two blocks may take: a low tip upon the base fee after a full block."""
    tip = min(market.tip_low_wei, market.tip_wei)
    return Fees(_after_full_block(market.base_fee_wei) + tip, tip)


def _raised(old: Fees, market: Market, *, percent: int, is_blob: bool, for_besu: bool) -> Fees:
    """The raise alone, as the pools demand it, whatever the market asks."""
    of_price = max(percent, PERCENT_MIN)
    of_caps = max(percent, PERCENT_BLOB) if is_blob else of_price
    tip = _more(old.tip_cap_wei, of_caps)
    if for_besu:
        # Blobs, too: of the price it wants a tenth more, and the double of the blob fee alone.
        tip = max(tip, _besu_tip(old, market.base_fee_wei, of_price))
    blob = old.blob_fee_cap_wei
    return Fees(
        fee_cap_wei=_more(old.fee_cap_wei, of_caps),
        tip_cap_wei=tip,
        blob_fee_cap_wei=None if blob is None else _more(blob, of_caps),
    )


def _besu_tip(old: Fees, base_fee_wei: int, percent: int) -> int:
    """The tip with which the effective price is `percent` higher, wherever Besu's base fee stands.

    At a base fee b it must exceed (1 + p) min(F, b + T) - b. That grows until b = F - T, and falls
    beyond; so the worst b that is a block away from ours decides: up or down an eighth (EIP-1559).
    """
    worst = old.fee_cap_wei - old.tip_cap_wei
    worst = min(max(worst, base_fee_wei - _ceil(base_fee_wei, 8)), _after_full_block(base_fee_wei))
    price = min(old.fee_cap_wei, worst + old.tip_cap_wei)
    return _more(price, percent) - worst


def _after_full_block(base_fee_wei: int) -> int:
    """The base fee after a full block: an eighth more (EIP-1559), rounded up."""
    return _ceil(9 * base_fee_wei, 8)


def _more(old_wei: int, percent: int) -> int:
    """The least that is strictly more than `percent` more: it passes any pool's rounding."""
    return old_wei * (100 + percent) // 100 + 1


def _at_least(blob_fee_cap_wei: int | None, least_wei: int) -> int | None:
    return None if blob_fee_cap_wei is None else max(blob_fee_cap_wei, least_wei)


def _ceil(dividend: int, divisor: int) -> int:
    return -(-dividend // divisor)
