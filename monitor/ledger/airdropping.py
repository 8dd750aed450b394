"""The transfers of a distribution fetched and judged: who got what of an equal split.

Asked are the token's `Transfer` events from the payer in a range of blocks, whose last one is
believed as a ledger's is (`pinning`). What the payer hands to a contract that pays on is that
contract's to pay: then the contract is the payer to name. Where anything is wrong the logs are
asked for again, in smaller pieces and from a reference, before that is told.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from monitor.ledger.abi import ADDRESS_BYTES, WORD_BYTES, BadWords, Getter
from monitor.ledger.calls import FIRST, Call, call_many
from monitor.ledger.confirming import LOGS_DIFFER, LOGS_TRUNCATED, pieces
from monitor.ledger.errors import CouldNotSee, NotAHub
from monitor.ledger.fetching import Fetcher
from monitor.ledger.job import Seat, Step, Tell
from monitor.ledger.logs import BadLogs, Log, rows
from monitor.ledger.pinning import Referee, pin, still
from monitor.ledger.sync import require_one_chain, seated, silent
from monitor.ledger.v1.discovery import chain_of
from monitor.ledger.words import counted, table
from monitor.model import Address, BlockStamp, Hash32
from monitor.poco.airdrop import AirdropReport, Payment, Shares, Transfer, shares, verify
from monitor.rpc.node import Limits, Node

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA = "headwatch.airdrop/1"
TRANSFER = bytes.fromhex("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef")
"""`Transfer(address indexed from, address indexed to, uint256 value)` (ERC-20)."""
TOPICS_OF_TRANSFER = 3
DECIMALS = Getter("decimals()", bytes.fromhex("313ce567"), 1)
"""ERC-20: how many digits of an amount are behind the point; a `uint8`."""
DECIMALS_MAX = 77
"""More than an amount of 256 bits has."""
WRONG_SHOWN_MAX = 100
_TOTAL = re.compile(r"([0-9]{1,60})(?:\.([0-9]{1,80}))?")


@dataclass(frozen=True, slots=True)
class Drop:
    """A distribution, and whom it is asked of."""

    node: Seat
    token: Address
    payer: Address
    wallets: tuple[Address, ...]
    total: str
    """In whole tokens, such as `2000` or `0.5`."""
    first: int
    last: int
    """Blocks; both are included."""
    references: tuple[Seat, ...] = ()
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class AirdropOutcome:
    """What a distribution came to."""

    drop: Drop
    chain_id: int
    block: BlockStamp
    """The last one that was looked at."""
    decimals: int
    shares: Shares
    report: AirdropReport


async def verify_airdrop(
    drop: Drop, tell: Tell = silent, *, clock: Callable[[], float] = time.monotonic
) -> AirdropOutcome:
    """Compare what was paid with the equal split.

    Raises CouldNotSee, NotAHub where the token is none, and ValueError for a list or a total that
    cannot be shared out.
    """
    async with seated(drop.node, drop.references, drop.limits, clock) as (node, referees):
        tell(Step("looking for the block"))
        chain_id = await chain_of(node, pace=FIRST)
        await require_one_chain(referees, chain_id)
        at = await pin(node, str(drop.last), referees, confirmations=0)
        decimals = await _decimals(node, drop.token, at)
        split = shares(units_of(drop.total, decimals), drop.wallets)
        logs = await _logs(Fetcher(node), drop, tell)
        report = verify(drop.payer, split.expected, map(_transfer, rows(logs)))
        if not report.is_exact:
            await _confirm(drop, logs, node, referees, tell)
        await still(node, referees, at)
    return AirdropOutcome(drop, chain_id, at, decimals, split, report)


def units_of(total: str, decimals: int) -> int:
    """An amount of whole tokens in the token's smallest units; ValueError for what is none."""
    found = _TOTAL.fullmatch(total)
    if found is None:
        message = f"expected an amount in whole tokens, such as 2000 or 0.5, found {total[:80]!r}"
        raise ValueError(message)
    whole, part = found[1], (found[2] or "").rstrip("0")
    if len(part) > decimals:
        message = f"{total[:80]} has more decimals than the token, which has {decimals}"
        raise ValueError(message)
    return int(whole + part.ljust(decimals, "0"))


async def _decimals(node: Node, token: Address, at: BlockStamp) -> int:
    (answer,) = await call_many(node, [Call(token, DECIMALS.calldata())], at)
    try:
        (decimals,) = DECIMALS.read(answer or b"")
    except BadWords as error:
        message = f"{token} is no token at block {at.number}: {error}"
        raise NotAHub(message) from None
    if decimals > DECIMALS_MAX:
        message = f"{token} is no token: its {DECIMALS.name} answered {decimals}"
        raise NotAHub(message)
    return decimals


async def _logs(fetcher: Fetcher, drop: Drop, tell: Tell) -> pa.RecordBatch:
    tell(Step(f"fetching transfers from {fetcher.node.label}"))
    payer = bytes.fromhex(drop.payer[2:]).rjust(WORD_BYTES, b"\0")
    return await fetcher.all((drop.token,), (TRANSFER,), drop.first, drop.last, topic1=(payer,))


def _transfer(log: Log) -> Transfer:
    """Raises BadLogs for what is no transfer of an ERC-20."""
    if len(log.topics) != TOPICS_OF_TRANSFER or len(log.data) != WORD_BYTES:
        message = (
            f"log {log.log_index} of block {log.block} is no Transfer of an ERC-20: it has "
            f"{len(log.topics)} topics and {len(log.data)} bytes"
        )
        raise BadLogs(message)
    _, sender, recipient = (Address("0x" + topic[-ADDRESS_BYTES:].hex()) for topic in log.topics)
    amount = int.from_bytes(log.data)
    transaction = Hash32("0x" + log.transaction.hex())
    return Transfer(sender, recipient, amount, log.block, log.log_index, transaction)


async def _confirm(
    drop: Drop, logs: pa.RecordBatch, node: Node, referees: Sequence[Referee], tell: Tell
) -> None:
    """Ask for the logs again before anything wrong is told. Raises CouldNotSee."""
    reach = pieces(drop.last - drop.first + 1, logs.num_rows)
    await _require_equal(drop, logs, Fetcher(node, reach), LOGS_TRUNCATED, tell)
    for _, reference in referees:
        try:
            await _require_equal(drop, logs, Fetcher(reference, reach), LOGS_DIFFER, tell)
        except CouldNotSee as error:
            if error.reason == LOGS_DIFFER:
                raise
            # It is asked beside the node, and one that does not answer contradicts nobody.
            continue
        return


async def _require_equal(
    drop: Drop, logs: pa.RecordBatch, fetcher: Fetcher, reason: str, tell: Tell
) -> None:
    again = await _logs(fetcher, drop, tell)
    if not again.equals(logs):
        detail = (
            f"{fetcher.node.label} has {counted(again.num_rows, 'transfer')} of the payer in "
            f"blocks {drop.first} to {drop.last}, asked in smaller pieces, where there were "
            f"{logs.num_rows}: logs are left out; ask another node"
        )
        raise CouldNotSee(reason, detail)


# -- what is handed out --------------------------------------------------------------------------


def airdrop_json(outcome: AirdropOutcome) -> Mapping[str, object]:
    """The JSON document; amounts are decimal strings in the token's smallest units."""
    drop, report = outcome.drop, outcome.report
    return {
        "schema": SCHEMA,
        "verdict": "pass" if report.is_exact else "fail",
        "chain_id": outcome.chain_id,
        "block": asdict(outcome.block),
        "from_block": drop.first,
        "token": drop.token,
        "decimals": outcome.decimals,
        "payer": drop.payer,
        "wallets": len(drop.wallets),
        "each": str(outcome.shares.each),
        "remainder": str(outcome.shares.remainder),
        "expected": str(report.expected),
        "paid": str(report.paid),
        "standings": dict(report.counts),
        "payments": [_payment_json(payment) for payment in report.payments],
    }


def _payment_json(payment: Payment) -> Mapping[str, object]:
    return {
        "wallet": payment.wallet,
        "standing": payment.standing,
        "expected": str(payment.expected),
        "paid": str(payment.paid),
        "delta": str(payment.delta),
        "transfers": [
            {
                "amount": str(each.amount),
                "block": each.block,
                "log_index": each.log_index,
                "transaction": each.transaction,
            }
            for each in payment.transfers
        ],
    }


def airdrop_text(outcome: AirdropOutcome) -> str:
    """What a person reads: the verdict, the split, and every wallet that is not as it should be."""
    drop, report, split = outcome.drop, outcome.report, outcome.shares
    wrong = report.wrong
    if report.is_exact:
        headline = "PASS: every wallet has its share, to the last unit, and nobody else has any"
    else:
        headline = f"FAIL: not as it should be: {counted(len(wrong), 'wallet')}"

    def tokens(units: int) -> str:
        return amount_text(units, outcome.decimals)

    over = counted(split.remainder, "unit")
    lines = [
        headline,
        f"{drop.payer} in blocks {drop.first:,} to {drop.last:,} on chain {outcome.chain_id}",
        f"{drop.total} tokens to {counted(len(drop.wallets), 'wallet')}",
        f"{tokens(split.each)} each, {over} over",
        f"expected {tokens(report.expected)}, paid {tokens(report.paid)}",
        ", ".join(f"{count:,} {standing}" for standing, count in sorted(report.counts.items())),
    ]
    if wrong:
        head = ("wallet", "what", "expected", "paid", "delta", "transactions")
        shown = [_row(payment, tokens) for payment in wrong[:WRONG_SHOWN_MAX]]
        lines += ["", *table([head, *shown], right=frozenset({2, 3, 4}))]
    if len(wrong) > WRONG_SHOWN_MAX:
        lines.append(f"and {len(wrong) - WRONG_SHOWN_MAX:,} more: --json has them all")
    return "\n".join(lines) + "\n"


def amount_text(units: int, decimals: int) -> str:
    """An amount with all its decimals, exact: `6.430868167`."""
    whole, part = divmod(abs(units), 10**decimals)
    behind = f".{part:0{decimals}}" if decimals else ""
    return f"{'-' if units < 0 else ''}{whole:,}{behind}"


def _row(payment: Payment, tokens: Callable[[int], str]) -> tuple[str, ...]:
    return (
        payment.wallet,
        payment.standing,
        tokens(payment.expected),
        tokens(payment.paid),
        tokens(payment.delta),
        " ".join(_once(each.transaction for each in payment.transfers)),
    )


def _once(names: Iterable[str]) -> Iterable[str]:
    return dict.fromkeys(names)
