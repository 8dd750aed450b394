"""Slots, views and rounds: the words that the tests of deciding and planning share.

One account, whose transaction of nonce 7 is the lowest. Three operators, a, b and c, with one
reference each, of which two must agree. Everybody is at block 1000, and agrees, unless it is said
otherwise. A view says of its own accord that it has nothing: `absent`, no receipt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from monitor.model import Address, BlockNumber, Hash32, Head, Unseen, Wei
from monitor.transactions.decide import decide
from monitor.transactions.rules import Rules
from monitor.transactions.words import (
    AccountCounters,
    AccountDecision,
    AccountRound,
    Attempt,
    AttemptKind,
    Counters,
    Decision,
    Market,
    PoolEntry,
    Presence,
    Receipt,
    Slot,
    State,
    Transaction,
    View,
)

NOW = 1_795_000_000.0
TIP = 1000
NONCE = 7
GWEI = 10**9
ETHER = 10**18
INTERVAL = 12.0
SENDER = Address("0x" + "5e" * 20)
PAYEE = Address("0x" + "0a" * 20)
RULES = Rules()
TIMEOUT = Unseen("timeout", "no answer in 5 s")
MARKET = Market(
    base_fee_wei=10 * GWEI,
    tip_low_wei=GWEI,
    tip_wei=2 * GWEI,
    gas_limit=30_000_000,
    blob_base_fee_wei=GWEI,
)
OPERATORS = ("a", "b", "c")


def hash_of(word: object) -> Hash32:
    return Hash32("0x" + hashlib.sha256(str(word).encode()).hexdigest())


def head_at(number: int, branch: str = "main") -> Head:
    return Head(
        number=BlockNumber(number),
        hash=hash_of(f"{branch} {number}"),
        parent_hash=hash_of(f"{branch} {number - 1}"),
        timestamp=int(NOW) - 12 * (TIP - number) if abs(number) < 2 * TIP else int(NOW),
    )


def payment(word: object = "tx 7", *, nonce: int = NONCE, **changes: Any) -> Transaction:
    """One ether to PAYEE, priced well: cap 30 gwei, tip 2 gwei."""
    made = Transaction(
        hash=hash_of(word),
        type=2,
        chain_id=1,
        sender=SENDER,
        nonce=nonce,
        to=PAYEE,
        value_wei=Wei(ETHER),
        gas=21_000,
        fee_cap_wei=30 * GWEI,
        tip_cap_wei=2 * GWEI,
        blob_fee_cap_wei=None,
        data=b"",
    )
    return replace(made, **changes)


def cancellation(word: object = "cancel 7", *, nonce: int = NONCE) -> Transaction:
    return payment(word, nonce=nonce, to=SENDER, value_wei=0)


def attempt(
    transaction: Transaction | None = None,
    *,
    kind: AttemptKind = "observed",
    has_raw: bool = True,
    tx_hash: Hash32 | None = None,
) -> Attempt:
    """Of a payment; with `tx_hash` of one whose bytes were never seen."""
    if tx_hash is not None:
        return Attempt(tx_hash, kind, NOW - 60.0, None, has_raw=False)
    known = transaction or payment()
    return Attempt(known.hash, kind, NOW - 60.0, known, has_raw)


def slot_of(*attempts: Attempt, nonce: int = NONCE, age_blocks: int = 5, **changes: Any) -> Slot:
    """A slot with one payment, first seen five blocks ago."""
    made = Slot(
        id=nonce,
        chain_id=1,
        sender=SENDER,
        nonce=nonce,
        attempts=attempts or (attempt(payment(f"tx {nonce}", nonce=nonce)),),
        state=State.PENDING,
        since=NOW - INTERVAL * age_blocks,
        first_seen_at=NOW - INTERVAL * age_blocks,
        first_seen_number=TIP - age_blocks,
    )
    return replace(made, **changes)


def empty_slot(nonce: int = NONCE) -> Slot:
    """A slot that is to be filled: nothing is known of its nonce."""
    return replace(slot_of(nonce=nonce), attempts=())


def queue(first: int = NONCE, count: int = 3) -> tuple[Slot, ...]:
    """Slots of consecutive nonces."""
    return tuple(slot_of(nonce=nonce) for nonce in range(first, first + count))


def receipt_of(
    word: object = "tx 7", *, number: int = TIP, branch: str = "main", is_success: bool = True
) -> Receipt:
    return Receipt(
        hash=hash_of(word),
        number=number,
        block_hash=head_at(number, branch).hash,
        is_success=is_success,
        gas_used=21_000,
    )


Has = Presence | Unseen | Receipt | None
"""What a view says of a hash; a receipt: that it is mined; None: it was not asked.

Builders take one word, said of the payment of nonce 7, or a mapping by hash.
"""


def view(
    label: str,
    has: Any = "absent",
    *,
    operator: str = "",
    nonce: int | Unseen = NONCE,
    pending: int | Unseen | None = None,
    number: int = TIP,
    branch: str = "main",
    balance: int | Unseen | None = 2 * ETHER,
    pool: Sequence[PoolEntry] | Unseen | None = None,
) -> View:
    """What one endpoint says; `has` is said of the payment of nonce 7, or of each hash given.

    Its pending count is the latest one and what it has pooled, unless one is given.
    """
    said: Mapping[Hash32, Has] = has if isinstance(has, Mapping) else {hash_of("tx 7"): has}
    presence: dict[Hash32, Presence | Unseen] = {}
    receipts: dict[Hash32, Receipt | Unseen | None] = {}
    pooled = 0
    for tx_hash, one in said.items():
        if one is None:
            continue
        presence[tx_hash] = "mined" if isinstance(one, Receipt) else one
        if one != "mined":
            receipts[tx_hash] = one if isinstance(one, Receipt | Unseen) else None
        pooled += one == "pending"
    if pending is None:
        pending = nonce if isinstance(nonce, Unseen) else nonce + pooled
    return View(
        label=label,
        operator=operator or label,
        at=NOW,
        head=head_at(number, branch),
        nonce_latest=nonce,
        nonce_pending=pending,
        presence=presence,
        receipts=receipts,
        pool=tuple(pool) if isinstance(pool, Sequence) else pool,
        balance_wei=balance,
    )


def references(*has: Any, **changes: Any) -> tuple[View, ...]:
    """The views of a, b and c; one word is said by all of them."""
    words = has * len(OPERATORS) if len(has) == 1 else has
    return tuple(
        view(f"net/{name}", one, operator=name, **changes)
        for name, one in zip(OPERATORS, words, strict=False)
    )


def local(has: Any = "pending", **changes: Any) -> View:
    """The local node's view; its pool could be listed, and lists what it says it has pooled."""
    said = has if isinstance(has, Mapping) else {hash_of("tx 7"): has}
    listed = [
        PoolEntry(tx_hash, NONCE + place, one)
        for place, (tx_hash, one) in enumerate(said.items())
        if one in {"pending", "queued"}
    ]
    return view("local", has, **({"pool": listed, "balance": None} | changes))


def round_of(
    *views: View, local: View | Unseen = TIMEOUT, number: int | None = TIP, **changes: Any
) -> AccountRound:
    """A round in which these references, of three, answered; block 900 is final."""
    made = AccountRound(
        at=NOW,
        network="net",
        alias="till",
        address=SENDER,
        interval_seconds=INTERVAL,
        head=None if number is None else head_at(number),
        need=2,
        operators=3,
        final_number=900,
        references=views,
        local=local,
        local_synced=True,
        local_peers=25,
        market=MARKET,
    )
    return replace(made, **changes)


def decided(
    slots: Slot | Sequence[Slot],
    round_: AccountRound,
    *,
    counters: Counters | None = None,
    rules: Rules = RULES,
    before: AccountCounters | None = None,
) -> AccountDecision:
    """What is decided of an account; `counters` are those of its lowest slot."""
    several = (slots,) if isinstance(slots, Slot) else tuple(slots)
    remembered = {} if counters is None else {several[0].id: counters}
    return decide(several, remembered, before or AccountCounters(), round_, rules)


def verdict(
    slot: Slot,
    round_: AccountRound,
    *,
    counters: Counters | None = None,
    rules: Rules = RULES,
    others: Sequence[Slot] = (),
) -> Decision:
    """What is decided of one slot, others beside it."""
    several = (slot, *others)
    return decided(several, round_, counters=counters, rules=rules).slots[slot.id]


def after(rounds: int, of: str, *, number: int = TIP - 1) -> Counters:
    """Counters after so many rounds of one kind, counted last at `number`."""
    return Counters(number, **{f"{of}_rounds": rounds})


def outcome(decision: Decision) -> tuple[str, State]:
    return decision.row, decision.state


OLD = 30
"""Blocks, at 12 s six minutes: older than `bump_after_seconds`."""
STUCK = 151
"""Blocks, half an hour: older than `stuck_after_seconds`."""
ONE_OPERATOR: dict[str, Any] = {"operators": 1, "need": 1}
"""A round of a network with one reference operator."""
LOW_CAP = payment(fee_cap_wei=9 * GWEI, tip_cap_wei=GWEI)
LOW_TIP = payment(fee_cap_wei=30 * GWEI, tip_cap_wei=GWEI - 1)
POOLED = references("pending")
"""Everybody has it, at nonce 7."""
