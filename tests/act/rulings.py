"""Rulings by hand: what came of a gate in the situations that are told."""

from __future__ import annotations

from monitor.model import VerdictWord
from monitor.policy.evaluation import Result, Ruling
from monitor.policy.rules import Options, parse

LAG = parse("head.lag_blocks.max < 3")
ERRORS = parse("rpc.error_ratio < 1%")
LATENCY = parse("rpc.latency_seconds.p95 < 500ms", Options(severity="warn", over_seconds=120.0))
LEDGER = parse("ledger.differences.count == 0", Options(network="ethereum"))

HELD = Result(LAG, "pass", "held", 1.0, "node:local", 12)
BROKEN = Result(ERRORS, "fail", "broken", 0.025, "node:local", 12)
WARNED = Result(LATENCY, "fail", "broken", 0.8125, "node:local", 1)
BLIND = Result(LEDGER, "inconclusive", "no_data", None, "ledger:drop", 0, "never\nreconciled")
NOWHERE = Result(LEDGER, "inconclusive", "not_measured", None, "", 0, "no ledger is configured")


def ruling(word: VerdictWord, *results: Result, is_aborted: bool = False) -> Ruling:
    """A gate that came to this."""
    return Ruling("deploy", word, results, is_aborted)
