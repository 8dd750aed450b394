"""The alerts of the ledgers that are reconciled, and of their reconciliation.

A ledger has one finding, whose reason is the kind of its differences where they are of one kind.
Prometheus sees its level and, beside it, how many differences there are of each kind: from both it
tells the same alert that is pushed. Differences of several kinds have an alert of their own, for
none of them alone says what happened.
"""

from __future__ import annotations

from monitor.act.rules import LEDGERS, Alert, Signal, of_ledger
from monitor.model import Level

LEDGER = "{{ $labels.ledger }} ({{ $labels.network }})"

MONEY = frozenset({"stake", "locked", "effect", "invariant"})
"""Kinds of differences in which RLC is where no rule put it."""
REPUTATION = frozenset({"score", "weight", "contribution_score", "status"})
"""Kinds in which what decides over later rewards is not what the rules make it."""
OF_ONE_KIND = Signal("count without (kind) (headwatch_ledger_differences > 0) == 1")
OF_SEVERAL = Signal("count without (kind) (headwatch_ledger_differences > 0) > 1")

STALE_SECONDS = 1800
"""From this age on a gate, too, takes what was found for nothing (`ledger.last`)."""


def of_kinds(kinds: frozenset[str]) -> Signal:
    """There are differences of one of these kinds, when it was last compared whole."""
    matched = "|".join(sorted(kinds))
    return Signal(f'headwatch_ledger_differences{{kind=~"{matched}"}} > 0', ("kind",))


LEDGER_ALERTS: tuple[Alert, ...] = (
    of_ledger(
        "HeadwatchLedgerMoneyWrong",
        level=Level.FAILED,
        clauses=(of_kinds(MONEY).seen, OF_SEVERAL.unseen),
        reasons=MONEY,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"RLC of ledger {LEDGER} is not where the rules put it",
        description="At a final block a stake, a reward or a sum on the chain is not what the "
        "events and the protocol's rules make it. Every event was asked for a second time before "
        "this was told. Somebody has RLC that is not theirs, or lacks some that is.",
    ),
    of_ledger(
        "HeadwatchLedgerReputationWrong",
        level=Level.FAILED,
        clauses=(of_kinds(REPUTATION).seen, OF_SEVERAL.unseen),
        reasons=REPUTATION,
        severity="critical",
        minutes=1,
        keep_minutes=5,
        summary=f"A score, a weight or a status of ledger {LEDGER} is not what the rules make it",
        description="At a final block the contracts hold another score, weight or status than the "
        "events and the protocol's rules make. No RLC is in the wrong place yet: the next reward "
        "that is weighed by it, or the next task that is settled, puts some there.",
    ),
    of_ledger(
        "HeadwatchLedgerWrong",
        level=Level.FAILED,
        # Also where none are shown: that would be a finding which nobody else tells of.
        clauses=(OF_ONE_KIND.unseen,),
        severity="critical",
        minutes=2,
        keep_minutes=5,
        summary=f"Ledger {LEDGER} is not what its rules make it, in several ways",
        description="At a final block differences of several kinds stand at once: one wrong number "
        "that others follow from, events that the contracts should have emitted, or contracts that "
        "are not what they were. Take it for money until you have read them.",
    ),
    of_ledger(
        "HeadwatchLedgerUnknown",
        level=Level.UNKNOWN,
        severity="warning",
        minutes=15,
        keep_minutes=5,
        summary=f"Whether ledger {LEDGER} is right cannot be seen",
        description="For a quarter of an hour it could not be compared: a node is behind, forked "
        "or pruned, leaves events out or does not answer, or the store cannot be used. Nothing is "
        "said against the ledger, and a difference would not be noticed.",
    ),
)

BOOKKEEPING_ALERTS: tuple[Alert, ...] = (
    Alert(
        name="HeadwatchLedgerStale",
        # What a process before a restart has seen counts. Where it was tried in vain, or where
        # nothing of the network is judged, other alerts say so.
        expr="headwatch_ledger_running\n"
        "unless time() - max_over_time(headwatch_ledger_reconciled_timestamp_seconds[30m]) "
        f"<= {STALE_SECONDS}\n"
        f"unless ignoring (check) {LEDGERS.level} == {Level.UNKNOWN:d}\n"
        "unless ignoring (ledger) time() - headwatch_round_timestamp_seconds "
        "> 60 + 2 * headwatch_network_interval_seconds\n" + LEDGERS.not_in_maintenance(),
        for_seconds=1_800,
        severity="warning",
        summary=f"Ledger {LEDGER} has not been compared for an hour",
        description="Rounds of its network go on, but no reconciliation has seen all of it for an "
        "hour, and none says why. What is shown of it is old, or there is nothing at all.",
        group=LEDGERS.group,
    ),
)
