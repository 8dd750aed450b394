"""The metrics of the ledgers: a part of the table in `metrics`.

A ledger is named by its name in the configuration; accounts and work orders are no labels at all.
Amounts are RLC, exact up to 2^53 nRLC of them: for a board, not for accounts.
"""

from __future__ import annotations

from monitor.act.metric import Metric

_LEDGER = ("network", "ledger")

LEDGER_METRICS: tuple[Metric, ...] = (
    Metric(
        "headwatch_ledger_finding_level",
        "gauge",
        "What was found of a ledger: 0 ok, 1 unknown, 2 degraded, 3 failed.",
        ("check", *_LEDGER),
    ),
    Metric(
        "headwatch_ledger_running",
        "gauge",
        "Whether the ledger is being reconciled at this moment; there for every ledger of the "
        "configuration.",
        _LEDGER,
    ),
    Metric(
        "headwatch_ledger_differences",
        "gauge",
        "Places in which the ledger is not what its rules say, by kind, when it was last compared "
        "whole.",
        (*_LEDGER, "kind"),
    ),
    Metric(
        "headwatch_ledger_reconciled_timestamp_seconds",
        "gauge",
        "When the ledger was last compared whole, since the Unix epoch.",
        _LEDGER,
    ),
    Metric(
        "headwatch_ledger_reconcile_duration_seconds",
        "gauge",
        "How long the last reconciliation took, whether it saw everything or not.",
        _LEDGER,
    ),
    Metric(
        "headwatch_ledger_block_number",
        "gauge",
        "Height of the block at which the ledger was last compared whole.",
        _LEDGER,
    ),
    Metric(
        "headwatch_ledger_events",
        "gauge",
        "Events of the contracts from which the ledger was computed.",
        _LEDGER,
    ),
    Metric("headwatch_ledger_accounts", "gauge", "Accounts of the ledger.", _LEDGER),
    Metric(
        "headwatch_ledger_paid_rlc",
        "gauge",
        "RLC paid to workers and schedulers out of work orders that were completed.",
        _LEDGER,
    ),
    Metric(
        "headwatch_ledger_slashed_rlc",
        "gauge",
        "RLC of stakes that were seized: of workers that were wrong or silent, of schedulers whose "
        "work orders were claimed.",
        (*_LEDGER, "role"),
    ),
    Metric(
        "headwatch_ledger_kitty_rlc",
        "gauge",
        "RLC that the contract holds of schedulers' seized stakes, for later work orders.",
        _LEDGER,
    ),
    Metric(
        "headwatch_ledger_work_orders", "gauge", "Work orders, by status.", (*_LEDGER, "status")
    ),
    Metric(
        "headwatch_ledger_contributions",
        "gauge",
        "Contributions: accurate, faulty, returned (their work order was claimed) or open.",
        (*_LEDGER, "outcome"),
    ),
    Metric(
        "headwatch_ledger_workers",
        "gauge",
        "Workers by score, in the bands that weigh the same.",
        (*_LEDGER, "score"),
    ),
)
