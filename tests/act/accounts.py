"""Watched accounts by hand: what is shown of them, their journal, and somebody who takes orders."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor.model import (
    AccountFacts,
    Address,
    Evidence,
    Hash32,
    Level,
    SlotFacts,
    Snapshot,
    Wei,
    account_subject,
    transaction_subject,
)
from monitor.transactions.journal import Change, Journal, Note, Sighting
from monitor.transactions.orders import Delivery, Ordered, OrderError
from monitor.transactions.words import Slot, State, Transaction
from tests.act import snapshots
from tests.act.snapshots import NETWORK, NOW, TIP, finding, hash_of

ALIAS, OTHER = "scheduler", "worker-pool"
SENDER = Address("0x" + "5c" * 20)
RECIPIENT = Address("0x" + "70" * 20)
GWEI = 10**9
HOSTILE = '<img src=x onerror="alert(1)">\x1b[31m'
"""What a node may say of itself, or of a transaction."""


def tx_hash(nonce: int, attempt: int = 0) -> Hash32:
    return Hash32("0x" + hashlib.sha256(f"{nonce} {attempt}".encode()).hexdigest())


def raw_of(nonce: int, attempt: int = 0) -> bytes:
    """Bytes that stand for a transaction: neither journal nor pages decode them."""
    return b"\x02" + bytes.fromhex(tx_hash(nonce, attempt)[2:]) * 3


def transaction(nonce: int, attempt: int = 0) -> Transaction:
    """Two ether, at a price that every further attempt raises."""
    return Transaction(
        hash=tx_hash(nonce, attempt),
        type=2,
        chain_id=1,
        sender=SENDER,
        nonce=nonce,
        to=RECIPIENT,
        value_wei=Wei(2 * 10**18),
        gas=21_000,
        fee_cap_wei=(30 + 10 * attempt) * GWEI,
        tip_cap_wei=(2 + attempt) * GWEI,
        blob_fee_cap_wei=None,
        data=b"",
    )


def sighting(nonce: int, attempt: int = 0, *, source: str = "tap") -> Sighting:
    one = transaction(nonce, attempt)
    return Sighting(
        network=NETWORK,
        chain_id=1,
        alias=ALIAS,
        sender=SENDER,
        nonce=nonce,
        hash=one.hash,
        transaction=one,
        raw=raw_of(nonce, attempt),
        source=source,
        number=TIP - 30,
    )


def change(slot: Slot, state: State, row: str, level: Level, summary: str) -> Change:
    return Change(
        slot_id=slot.id,
        state=state,
        at=NOW - 200,
        row=row,
        level=level,
        summary=summary,
        evidence=(
            Evidence("local", "txpool_contentFrom", "pending", NOW - 201),
            Evidence(
                f"{NETWORK}/a",
                "eth_getTransactionByHash",
                "null",
                NOW - 201,
                None,
                "known to some reference after 2 blocks",
            ),
        ),
    )


async def written(
    path: Path, *, beat_at: float = NOW - 5, said: str = "connection reset by peer"
) -> Path:
    """A journal: nonce 16 is done, 17 not passed on and sent again, 18 blocked, 19 but a hash.

    What 17 holds is public, since a reference took it; 18 and 19 are known here alone. `said` is
    why the other reference did not take it.
    """
    journal = Journal(path, clock=lambda: NOW)
    await journal.open()
    done = await journal.observe(sighting(16), NOW - 900)
    await journal.close_slot(
        done.id,
        State.FINAL_OK,
        consumer_hash=tx_hash(16),
        number=TIP - 60,
        block_hash=hash_of(TIP - 60),
        summary="final",
        at=NOW - 100,
    )
    stuck = await journal.observe(sighting(17), NOW - 400)
    blocked = await journal.observe(sighting(18), NOW - 300)
    await journal.observe(
        replace(sighting(19), transaction=None, raw=None, source="local"), NOW - 20
    )
    told = "pending on local for 16 blocks, and no reference knows it"
    await journal.entered([change(stuck, State.NOT_PROPAGATED, "12", Level.DEGRADED, told)])
    await journal.entered([change(blocked, State.BLOCKED, "9", Level.OK, "waits for nonce 17")])
    sends = (("ethereum/a", "accepted", ""), ("ethereum/b", "transport", said))
    for node, reaction, message in sends:
        action = await journal.intend(tx_hash(17), node, "rebroadcast", NOW - 190)
        await journal.conclude(action, reaction, message, NOW - 189)
    await journal.seen([Note(stuck.id, "local", f"{tx_hash(17)}: pending", TIP, NOW - 199)])
    await journal.beat(NETWORK, TIP, beat_at)
    await journal.close()
    return path


def slot_facts(nonce: int, state: State, level: Level, summary: str, age: float) -> SlotFacts:
    return SlotFacts(
        nonce=nonce,
        hash=tx_hash(nonce),
        state=state.value,
        level=level,
        summary=summary,
        first_seen_at=NOW - age,
        since=NOW - age / 2,
    )


def stuck_account() -> AccountFacts:
    """The 2018 case: pending on its own node, unknown to everybody else."""
    return AccountFacts(
        alias=ALIAS,
        network=NETWORK,
        node="local",
        round_at=NOW - 3,
        states={"not_propagated": 1, "blocked": 1, "pending": 1},
        oldest_pending_seconds=400.0,
        nonces={
            ("local", "latest"): 17,
            ("local", "pending"): 20,
            **{(f"{NETWORK}/{name}", "latest"): 17 for name in "abc"},
            **{(f"{NETWORK}/{name}", "pending"): 17 for name in "abc"},
        },
        local_only=3,
        budget_spent_wei=12 * 10**15,
        budget_limit_wei=5 * 10**16,
        slots=(
            slot_facts(
                *(17, State.NOT_PROPAGATED, Level.DEGRADED),
                "pending on local for 16 blocks, and no reference knows it; rebroadcast: ethereum/a"
                " accepted, ethereum/b transport",
                400.0,
            ),
            slot_facts(18, State.BLOCKED, Level.OK, "waits for nonce 17", 300.0),
            slot_facts(19, State.PENDING, Level.OK, "not looked at yet", 20.0),
        ),
    )


def quiet_account() -> AccountFacts:
    """Nothing is on its way."""
    return AccountFacts(
        alias=OTHER,
        network=NETWORK,
        node="local",
        round_at=NOW - 21,
        nonces={("local", "latest"): 4, ("local", "pending"): 4, (f"{NETWORK}/a", "latest"): 4},
    )


def watched(snapshot: Snapshot | None = None) -> Snapshot:
    """Healthy nodes, one account in trouble and one at rest."""
    account = finding(
        "transactions",
        account_subject(ALIAS),
        Level.DEGRADED,
        "not_propagated",
        summary="1 of 3 transactions is not passed on: nonce 17",
        measured=3.0,
        unit="transactions",
        since=NOW - 200.0,
        evidence=(Evidence("local", "eth_getTransactionCount(pending)", "20", NOW - 3),),
    )
    told = finding(
        "transactions",
        transaction_subject(tx_hash(17)),
        Level.DEGRADED,
        "not_propagated",
        summary="nonce 17: pending on local for 16 blocks, and no reference knows it",
        since=NOW - 200.0,
        because=account.key,
    )
    well = finding(
        "transactions", account_subject(OTHER), summary="nothing is on its way", reason="ok"
    )
    found = snapshot or snapshots.healthy("local", "spare")
    for one in (account, told, well):
        found = snapshots.with_finding(found, one)
    return replace(found, accounts=(stuck_account(), quiet_account()), transactions_mode="acting")


@dataclass
class Clerk:
    """Takes every order and remembers it; with `trouble`, none."""

    trouble: OrderError | None = None
    given: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)

    async def register(
        self, *, raw: bytes | None, hash_: str | None, network: str | None
    ) -> Ordered:
        return self._take("register", "", raw=raw, hash=hash_, network=network)

    async def rebroadcast(self, name: str) -> Ordered:
        return self._take("rebroadcast", name)

    async def replace(
        self, name: str, *, fee_cap_wei: int | None, tip_cap_wei: int | None, dry_run: bool
    ) -> Ordered:
        return self._take("replace", name, cap=fee_cap_wei, tip=tip_cap_wei, dry_run=dry_run)

    async def cancel(
        self, name: str, *, fee_cap_wei: int | None, tip_cap_wei: int | None, dry_run: bool
    ) -> Ordered:
        return self._take("cancel", name, cap=fee_cap_wei, tip=tip_cap_wei, dry_run=dry_run)

    async def propose(self, name: str) -> Mapping[str, object]:
        self._take("propose", name)
        return {"schema": "headwatch.proposal/1", "nonce": 17, "fee_cap_wei": 44 * GWEI}

    async def halt(self) -> None:
        self._take("halt", "")

    async def resume(self) -> None:
        self._take("resume", "")

    def _take(self, act: str, name: str, **more: object) -> Ordered:
        self.given.append((act, {"name": name, **more}))
        if self.trouble is not None:
            raise self.trouble
        is_priced = act in {"replace", "cancel"}
        return Ordered(
            act=act,
            network=NETWORK,
            alias=ALIAS,
            nonce=17,
            hash=None if more.get("dry_run") else tx_hash(17, int(is_priced)),
            deliveries=(
                Delivery(f"{NETWORK}/a", "accepted", ""),
                Delivery("local", "transport", f"connection reset {HOSTILE}"),
            )
            if act != "register" and not more.get("dry_run")
            else (),
            fee_cap_wei=44 * GWEI if is_priced else None,
            tip_cap_wei=3 * GWEI if is_priced else None,
            summary=f"{act}: done",
        )
