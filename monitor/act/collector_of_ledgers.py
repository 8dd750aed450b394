"""The ledgers as metric families: what a snapshot says of them.

What was found at the last whole comparison is shown with its age; a ledger that was never compared
has none of these numbers, and one that left the configuration leaves no series behind.
"""

from __future__ import annotations

from typing import get_args

from monitor.act.collector_of_transactions import Put
from monitor.ledger.telling import CHECK, score_bands
from monitor.ledger.words import NRLC_PER_RLC
from monitor.model import LedgerFacts, LedgerTotals, Snapshot, ledger_subject
from monitor.poco.difference import Kind
from monitor.poco.v1.state import WorkOrderStatus

KINDS: tuple[Kind, ...] = get_args(Kind)
STATUSES = tuple(status.name.lower() for status in WorkOrderStatus if status.value)
OUTCOMES = ("accurate", "faulty", "returned", "open")


def put_ledgers(put: Put, snapshot: Snapshot) -> None:
    """What a snapshot says of the ledgers."""
    levels = {f.subject: f.level for f in snapshot.verdict.findings if f.check == CHECK}
    for facts in snapshot.ledgers:
        labels = (facts.network, facts.name)
        put("headwatch_ledger_running", facts.is_running, *labels)
        put(
            "headwatch_ledger_finding_level", levels.get(ledger_subject(facts.name)), CHECK, *labels
        )
        put("headwatch_ledger_reconcile_duration_seconds", facts.took_seconds, *labels)
        if facts.reconciled_at is not None:
            _put_whole(put, facts)
        if facts.totals is not None:
            _put_totals(put, facts.totals, labels)


def _put_whole(put: Put, facts: LedgerFacts) -> None:
    """What the last whole comparison saw; every kind from zero on, so that a rise is seen."""
    labels = (facts.network, facts.name)
    put("headwatch_ledger_reconciled_timestamp_seconds", facts.reconciled_at, *labels)
    for kind in KINDS:
        put("headwatch_ledger_differences", facts.differences.get(kind, 0), *labels, kind)
    put("headwatch_ledger_events", facts.events, *labels)
    if facts.block is not None:
        put("headwatch_ledger_block_number", facts.block.number, *labels)


def _put_totals(put: Put, totals: LedgerTotals, labels: tuple[str, str]) -> None:
    put("headwatch_ledger_accounts", totals.accounts, *labels)
    put("headwatch_ledger_paid_rlc", totals.paid / NRLC_PER_RLC, *labels)
    put("headwatch_ledger_slashed_rlc", totals.slashed_workers / NRLC_PER_RLC, *labels, "worker")
    put(
        "headwatch_ledger_slashed_rlc",
        totals.slashed_schedulers / NRLC_PER_RLC,
        *labels,
        "scheduler",
    )
    put("headwatch_ledger_kitty_rlc", totals.kitty / NRLC_PER_RLC, *labels)
    for status in STATUSES:
        put("headwatch_ledger_work_orders", totals.work_orders.get(status, 0), *labels, status)
    for outcome in OUTCOMES:
        put(
            "headwatch_ledger_contributions", totals.contributions.get(outcome, 0), *labels, outcome
        )
    for band, count in score_bands(totals.scores).items():
        put("headwatch_ledger_workers", count, *labels, band)
