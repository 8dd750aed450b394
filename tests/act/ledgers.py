"""Ledgers by hand, in the situations that pages and metrics are made for."""

from __future__ import annotations

from dataclasses import replace

from monitor.judge.verdict import verdict_of
from monitor.model import (
    Address,
    Evidence,
    Finding,
    LedgerFacts,
    LedgerTotals,
    Level,
    Snapshot,
    ledger_subject,
)
from tests.act import snapshots
from tests.act.snapshots import NETWORK, NOW, TIP, finding, head_at

NAME, OTHER = "workerdrops", "beta"
HUB = Address("0x" + "0d" * 20)
WORKER = "0x" + "5c" * 20
TOTALS = LedgerTotals(
    paid=2_400_000_000_001,
    slashed_workers=30_000_000_000,
    slashed_schedulers=13_500_000_000,
    kitty=13_500_000_000,
    accounts=312,
    work_orders={"completed": 160, "claimed": 8, "active": 2},
    contributions={"accurate": 1540, "faulty": 3, "returned": 40, "open": 6},
    scores=(0, 0, 1, 3, 16, 17),
)
WHY = f"stake of {WORKER}: predicted 4.950000000 RLC, stored 4.950000001 RLC"


def compared(name: str = NAME, **more: object) -> LedgerFacts:
    """A ledger that was compared whole a minute ago."""
    plain = LedgerFacts(
        name=name,
        network=NETWORK,
        node="local",
        protocol="poco-v1",
        contract=HUB,
        reconciled_at=NOW - 60,
        took_seconds=4.2,
        block=head_at(TIP - 64).stamp,
        events=12_345,
        totals=TOTALS,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def wrong(name: str = NAME) -> LedgerFacts:
    """One with three differences."""
    return compared(name, differences={"stake": 2, "invariant": 1})


def fresh(name: str = OTHER) -> LedgerFacts:
    """One that was never compared, and is now."""
    return LedgerFacts(name, NETWORK, "local", "poco-v1", HUB, is_running=True)


def ledger_finding(name: str, level: Level, reason: str = "stake", **more: object) -> Finding:
    return finding("ledger", ledger_subject(name), level, reason, **more)


def differing(name: str = NAME) -> Finding:
    return ledger_finding(
        name,
        Level.FAILED,
        reason="differences",
        summary=f"block {TIP - 64}: 3 differences (1 invariant, 2 stake); the first: {WHY}",
        measured=3.0,
        limit=0.0,
        unit="differences",
        as_of=head_at(TIP - 64).stamp,
        evidence=(
            Evidence("contracts", "stake", WHY, NOW - 60),
            Evidence("contracts", "invariant", "the sum of all accounts is 1 nRLC more", NOW - 60),
        ),
    )


def kept(snapshot: Snapshot, *pairs: tuple[LedgerFacts, Finding | None]) -> Snapshot:
    """The same with these ledgers and what was found of them."""
    findings = [*snapshot.verdict.findings, *(found for _, found in pairs if found)]
    return replace(
        snapshot,
        verdict=verdict_of(findings, snapshot.at),
        ledgers=tuple(facts for facts, _ in pairs),
    )


def two_ledgers() -> Snapshot:
    """One that differs, and one that was never compared."""
    return kept(snapshots.healthy(), (wrong(), differing()), (fresh(), None))
