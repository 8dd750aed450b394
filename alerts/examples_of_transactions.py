"""Situations of watched accounts: what a rule must see, and what it must leave in peace.

As those of `examples`, they know the metrics and not the expressions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts.examples import DEGRADED, FAILED, LEVELS, OK, UNKNOWN, Recorded, Situation

RISES = "rises"
"""What stands for the value of a counter that goes up by one with each sample."""
HOUR, QUARTER = 3600, 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """An account's level and what is counted beside it, and the alert that must tell of it."""

    alert: str
    level: int
    """Of its finding, as long as it is bad."""
    signals: Mapping[str, str] = field(default_factory=dict)
    """Series without the account's labels, and their value as long as it is bad."""
    lasts_seconds: int = 0
    """How long it is told after it is over: what is counted within a window."""
    told_at: tuple[int, ...] = ()
    """Levels at which it is told; that one alone where none is named."""
    near: tuple[Mapping[str, str], ...] = ()
    """At the same level: signals that come close, each set of another account."""

    @property
    def is_counted(self) -> bool:
        return RISES in self.signals.values()

    @property
    def silent_at(self) -> tuple[int, ...]:
        """The levels at which the same is not told."""
        return tuple(sorted({*LEVELS} - {*(self.told_at or (self.level,))}))


def _slots(state: str) -> str:
    return f'headwatch_tx_slots{{state="{state}"}}'


def _signed(result: str) -> str:
    return f'headwatch_tx_signed_total{{act="replace", result="{result}"}}'


def _closed(state: str) -> str:
    return f'headwatch_tx_closed_total{{state="{state}"}}'


GAP, STALE = "headwatch_tx_gap_nonces", "headwatch_tx_local_stale"
AHEAD, JOURNAL = "headwatch_tx_local_only_nonces", "headwatch_tx_journal_errors_total"
CAPPED, OVER_BUDGET = _signed("capped"), _signed("over_budget")


def _in_state(alert: str, level: int, *states: str) -> tuple[Watched, ...]:
    """The alert of transactions in a state: of each state that it is told of."""
    return tuple(
        Watched(alert=alert, level=level, signals={_slots(state): "1"}) for state in states
    )


WATCHED: tuple[Watched, ...] = (
    *_in_state("HeadwatchTransactionLost", FAILED, "lost"),
    *_in_state("HeadwatchTransactionForked", FAILED, "local_fork"),
    Watched(
        alert="HeadwatchNonceGap",
        level=FAILED,
        signals={GAP: "1", _slots("lost"): "0"},
        near=({GAP: "0", _slots("gap"): "3"}, {GAP: "1", _slots("lost"): "1"}),
    ),
    Watched(
        alert="HeadwatchNonceReused",
        level=FAILED,
        signals={STALE: "1"},
        near=({STALE: "0"},),
    ),
    Watched(
        alert="HeadwatchTransactionReplaced",
        level=OK,
        told_at=LEVELS,
        signals={_closed("replaced_other"): RISES},
        lasts_seconds=HOUR,
        near=({_closed("replaced_same"): RISES},),
    ),
    *_in_state("HeadwatchNonceTaken", DEGRADED, "nonce_taken"),
    Watched(
        alert="HeadwatchNonceAhead",
        level=OK,
        told_at=LEVELS,
        signals={AHEAD: "1", _slots("local_only"): "0"},
        near=(
            {AHEAD: "0"},
            {AHEAD: "2", _slots("local_only"): "1"},
            {AHEAD: "2", _slots("local_desync"): "1"},
            {AHEAD: "2", _slots("not_propagated"): "1"},
        ),
    ),
    *_in_state("HeadwatchTransactionLocalOnly", DEGRADED, "local_only", "local_desync"),
    *_in_state("HeadwatchTransactionNotPropagated", DEGRADED, "not_propagated"),
    *_in_state("HeadwatchTransactionReorged", DEGRADED, "reorged_out"),
    Watched(
        alert="HeadwatchTransactionReverted",
        level=OK,
        told_at=LEVELS,
        signals={_slots("reverted"): "1"},
        near=({_slots("mined"): "1"},),
    ),
    Watched(
        alert="HeadwatchTransactionReverted",
        level=OK,
        told_at=LEVELS,
        signals={_closed("final_reverted"): RISES},
        lasts_seconds=QUARTER,
        near=({_closed("final_ok"): RISES},),
    ),
    *_in_state("HeadwatchTransactionUnfunded", DEGRADED, "unfunded"),
    *(
        Watched(
            alert="HeadwatchTransactionStuck",
            level=DEGRADED,
            signals={_slots(state): "1", CAPPED: "7", OVER_BUDGET: "7"},
            near=(
                {_slots(state): "1", CAPPED: RISES},
                {_slots(state): "1", OVER_BUDGET: RISES},
            ),
        )
        for state in ("underpriced_cap", "underpriced_tip", "stuck_other")
    ),
    *_in_state("HeadwatchTransactionDropped", DEGRADED, "dropped"),
    Watched(
        alert="HeadwatchTransactionCapped",
        level=DEGRADED,
        signals={CAPPED: RISES, _slots("underpriced_tip"): "1"},
        near=({_signed("failed"): RISES}, {_signed("signed"): RISES}, {CAPPED: "7"}),
    ),
    *(
        Watched(
            alert="HeadwatchTransactionBudgetExhausted",
            level=level,
            told_at=(DEGRADED, FAILED),
            signals={OVER_BUDGET: RISES, _slots("underpriced_tip"): "1"},
            near=({CAPPED: RISES}, {OVER_BUDGET: "7"}),
        )
        for level in (DEGRADED, FAILED)
    ),
    Watched(
        alert="HeadwatchJournalFailing",
        level=OK,
        told_at=LEVELS,
        signals={JOURNAL: RISES},
        lasts_seconds=QUARTER,
        near=({JOURNAL: "7"},),
    ),
    *_in_state("HeadwatchEvidenceWeak", UNKNOWN, "evidence_weak"),
    # What no other alert explains: nothing is counted that would.
    Watched(
        alert="HeadwatchAccountFailed",
        level=FAILED,
        signals={GAP: "0", STALE: "0"},
        near=({_closed("replaced_other"): RISES},),
    ),
    Watched(
        alert="HeadwatchAccountDegraded",
        level=DEGRADED,
        signals={_slots("gap"): "1"},
        near=({CAPPED: RISES}, {OVER_BUDGET: RISES}),
    ),
    Watched(alert="HeadwatchAccountUnknown", level=UNKNOWN, signals={_slots("pending"): "1"}),
)

# -- what is no finding --------------------------------------------------------------------------

_REFUSED = 'headwatch_tx_sends_total{network="x", node="x/a", act="rebroadcast", reaction='
_PAYER = 'network="x", account="payer"'
_LEVEL = f'headwatch_account_finding_level{{check="transactions", {_PAYER}}}'
_REPLACED = f'headwatch_tx_closed_total{{{_PAYER}, state="replaced_other"}}'
_REVERTED = f'headwatch_tx_closed_total{{{_PAYER}, state="final_reverted"}}'
_COUNT = f"headwatch_tx_inclusion_seconds_count{{{_PAYER}}}"
_IN_TIME = f'headwatch_tx_inclusion_seconds_bucket{{{_PAYER}, le="120.0"}}'
_LATE = f'headwatch_tx_inclusion_seconds_bucket{{{_PAYER}, le="300.0"}}'
_MAINTAINED = 'headwatch_maintenance{network="x", reference="quorum"}'

TRANSACTION_SITUATIONS: tuple[Situation, ...] = (
    Situation(
        alert="HeadwatchErrorUnrecognised",
        bad={f'{_REFUSED}"unrecognised"}}': "_x5 1x30"},
        labels={
            "network": "x",
            "node": "x/a",
            "act": "rebroadcast",
            "reaction": "unrecognised",
        },
        since=300,
        good={f'{_REFUSED}"known"}}': "0+1x90", f'{_REFUSED}"unrecognised"}}': "2x90"},
        good_at=4800,
    ),
    Situation(
        alert="HeadwatchProposalsFailing",
        bad={'headwatch_tx_proposals_total{outcome="failed"}': "0+1x60"},
        labels={"outcome": "failed"},
        since=60,
        good={
            'headwatch_tx_proposals_total{outcome="failed"}': "7x60",
            'headwatch_tx_proposals_total{outcome="sent"}': "0+1x60",
        },
    ),
    Situation(
        alert="HeadwatchTransactionsHalted",
        bad={'headwatch_tx_mode{mode="halted"}': "1x90"},
        labels={"mode": "halted"},
        good={
            'headwatch_tx_mode{mode="halted"}': "1x50 0x40",
            'headwatch_tx_mode{mode="dry_run"}': "1x90",
        },
    ),
    Situation(
        alert="HeadwatchTransactionReplaced",
        # The first thing that is counted of the account, by a process that was just started.
        bad={
            _LEVEL: "_x5 0x60",
            _REPLACED: "_x5 1x60",
        },
        labels={"check": "transactions", "network": "x", "account": "payer"},
        since=300,
        # What was counted more than an hour ago is no news.
        good={_LEVEL: "0x80", _REPLACED: "3x80"},
        good_at=4000,
    ),
    Situation(
        alert="HeadwatchTransactionReverted",
        good={_LEVEL: "0x40", _REVERTED: "3x40"},
        good_at=1200,
    ),
    *(
        # What fails is the journal, and that is told.
        Situation(
            alert=alert,
            good={
                _LEVEL: f"{level}x40",
                JOURNAL: "0+1x40",
            },
            good_at=1200,
        )
        for alert, level in (
            ("HeadwatchAccountFailed", FAILED),
            ("HeadwatchAccountDegraded", DEGRADED),
            ("HeadwatchAccountUnknown", UNKNOWN),
        )
    ),
    Situation(
        alert="HeadwatchInclusionBudgetBurningFast",
        bad={_COUNT: "0+4x120", _IN_TIME: "0+1x120", _LATE: "0+4x120"},
        labels={"network": "x", "account": "payer"},
        value="75%",
        # Ten transactions must have been seen: each window reckons them from two samples on.
        since=180,
        good={_COUNT: "0+10x120", _IN_TIME: "0+3x120", _LATE: "0+10x120"},
    ),
    Situation(
        alert="HeadwatchInclusionBudgetBurningFast",
        # Nine in an hour say nothing, however late they all were.
        good={_COUNT: "0 0+1x8 8x60", _IN_TIME: "0x70"},
        good_at=600,
    ),
    Situation(
        alert="HeadwatchInclusionBudgetBurningFast",
        good={_COUNT: "0+4x60", _IN_TIME: "0+1x60", _MAINTAINED: "1x60"},
    ),
    Situation(
        alert="HeadwatchInclusionBudgetBurningSlow",
        bad={
            _COUNT: "0+100x120",
            _IN_TIME: "0+65x120",
            # Another network, a node, another sidecar: none of them is this account's.
            'headwatch_maintenance{network="y", reference="quorum"}': "1x120",
            'headwatch_maintenance{network="x", node="local"}': "1x120",
            'headwatch_maintenance{network="x", reference="quorum", instance="b:9845"}': "1x120",
        },
        labels={"network": "x", "account": "payer"},
        value="35%",
        since=60,
        good={_COUNT: "0+100x120", _IN_TIME: "0+75x120"},
    ),
)

TRANSACTIONS_RECORDED: tuple[Recorded, ...] = tuple(
    Recorded(
        record=f"account:headwatch_tx_inclusion_seconds:ratio_rate{window}",
        series={_COUNT: "0+4x60", _IN_TIME: "0+3x60", _LATE: "0+4x60"},
        labels={"network": "x", "account": "payer"},
        value=0.25,
        nothing={_COUNT: "0+4x60", _LATE: "0+4x60"},
    )
    for window in ("5m", "30m", "1h", "6h")
)
