"""Situations of ledgers: what a rule must see, and what it must leave in peace.

As those of `examples`, they know the metrics and not the expressions.
"""

from __future__ import annotations

from alerts.examples import FAILED, OK, UNKNOWN, Situation
from alerts.examples_of_transactions import Watched

MONEY = ("stake", "locked", "effect", "invariant")
REPUTATION = ("score", "weight", "contribution_score", "status")
KINDS = (*MONEY, *REPUTATION)


def _differing(**counts: int) -> dict[str, str]:
    """How many differences there are of each kind; every kind is shown, from zero on."""
    return {
        f'headwatch_ledger_differences{{kind="{kind}"}}': str(counts.get(kind, 0)) for kind in KINDS
    }


def _of_one_kind(alert: str, kinds: tuple[str, ...], another: str) -> tuple[Watched, ...]:
    """The alert of each of these kinds; with a second kind, and with none, it is not its turn."""
    return tuple(
        Watched(
            alert=alert,
            level=FAILED,
            signals=_differing(**{kind: 2}),
            near=(
                _differing(**{kind: 2, another: 1}),
                _differing(**{kind: 1, kinds[number - 1]: 1}),
                _differing(),
            ),
        )
        for number, kind in enumerate(kinds)
    )


RECONCILED: tuple[Watched, ...] = (
    *_of_one_kind("HeadwatchLedgerMoneyWrong", MONEY, "score"),
    *_of_one_kind("HeadwatchLedgerReputationWrong", REPUTATION, "stake"),
    *(
        Watched(
            alert="HeadwatchLedgerWrong",
            level=FAILED,
            signals=_differing(**counts),
            near=tuple(_differing(**{kind: 3}) for kind in KINDS),
        )
        for counts in (
            {"stake": 1, "locked": 1},
            {"score": 1, "weight": 4},
            {"effect": 1, "status": 1, "invariant": 2},
            # Nothing is shown that would explain it.
            {},
        )
    ),
    # What was seen when it was last compared whole is shown beside it, and told no more.
    Watched(alert="HeadwatchLedgerUnknown", level=UNKNOWN, signals=_differing(stake=1)),
    Watched(alert="HeadwatchLedgerUnknown", level=UNKNOWN),
)

# -- what is no finding --------------------------------------------------------------------------

_NAMED = 'network="x", ledger="workerdrops"'
_RUNNING = f"headwatch_ledger_running{{{_NAMED}}}"
_COMPARED = f"headwatch_ledger_reconciled_timestamp_seconds{{{_NAMED}}}"
_LEVEL = f'headwatch_ledger_finding_level{{check="ledger", {_NAMED}}}'
_ROUND = 'headwatch_round_timestamp_seconds{network="x"}'
_INTERVAL = 'headwatch_network_interval_seconds{network="x"}'
_MAINTAINED = 'headwatch_maintenance{network="x", reference="quorum"}'
_JUDGED = {_ROUND: "0+60x200", _INTERVAL: "12x200"}
_OLD = {_RUNNING: "0x200", _COMPARED: "600x200", **_JUDGED}
_LABELS = {"network": "x", "ledger": "workerdrops"}

LEDGER_SITUATIONS: tuple[Situation, ...] = (
    Situation(
        alert="HeadwatchLedgerStale",
        bad={
            **_OLD,
            # What was found is said again in every round, however old it is.
            _LEVEL: f"{OK}x200",
            # Another network, a node, another sidecar: none of them is this ledger's.
            'headwatch_maintenance{network="y", reference="quorum"}': "1x200",
            'headwatch_maintenance{network="x", node="local"}': "1x200",
            'headwatch_maintenance{network="x", reference="quorum", instance="b:9845"}': "1x200",
            'headwatch_ledger_reconciled_timestamp_seconds{network="x", ledger="b"}': "0+60x200",
        },
        labels=_LABELS,
        # Half an hour after it was compared; it fires when the hour is over.
        since=2460,
        good={
            _RUNNING: "0x200",
            # A chain makes a block final in some minutes: nothing is compared in between.
            _COMPARED: "0x29 1740x29 3480x29 5220x29",
            **_JUDGED,
        },
        good_at=6900,
    ),
    Situation(
        alert="HeadwatchLedgerStale",
        # It was never compared: nothing is shown of it but that it is configured.
        bad={_RUNNING: "1x200", **_JUDGED},
        labels=_LABELS,
        # It was tried and not seen: that is told as such.
        good={**_OLD, _LEVEL: f"{UNKNOWN}x200"},
        good_at=6900,
    ),
    Situation(
        alert="HeadwatchLedgerStale",
        # A process that was just started has compared nothing; the one before had.
        bad={_RUNNING: "0x200", _COMPARED: "600x15 _x185", **_JUDGED},
        labels=_LABELS,
        since=2460,
        # Nothing of the network is judged, which is told of the network.
        good={**_OLD, _ROUND: "0x200"},
        good_at=6900,
    ),
    Situation(
        alert="HeadwatchLedgerStale",
        good={**_OLD, _MAINTAINED: "1x200"},
        good_at=6900,
    ),
    Situation(
        alert="HeadwatchLedgerStale",
        # It left the configuration.
        good={_COMPARED: "600x20", **_JUDGED},
        good_at=6900,
    ),
)
