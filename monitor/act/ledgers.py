"""What `/api/v1/ledger` says of the ledgers. Pure."""

from __future__ import annotations

from dataclasses import asdict

from monitor.act.report import finding_json
from monitor.act.words import rfc3339
from monitor.ledger.telling import CHECK, score_bands
from monitor.model import Finding, LedgerFacts, LedgerTotals, Level, Snapshot, ledger_subject

SCHEMA = "headwatch.ledgers/1"


def ledgers_json(snapshot: Snapshot) -> dict[str, object]:
    """Every ledger by name; amounts are decimal strings in nRLC."""
    findings = {f.subject: f for f in snapshot.verdict.findings if f.check == CHECK}
    return {
        "schema": SCHEMA,
        "at": rfc3339(snapshot.at),
        "ledgers": [
            _ledger(facts, findings.get(ledger_subject(facts.name))) for facts in snapshot.ledgers
        ],
    }


def _ledger(facts: LedgerFacts, finding: Finding | None) -> dict[str, object]:
    level = Level.UNKNOWN if finding is None else finding.level
    return {
        "name": facts.name,
        "network": facts.network,
        "node": facts.node,
        "protocol": facts.protocol,
        "contract": facts.contract,
        "level": level.word,
        "finding": None if finding is None else finding_json(finding),
        "running": facts.is_running,
        "reconciled_at": None if facts.reconciled_at is None else rfc3339(facts.reconciled_at),
        "took_seconds": facts.took_seconds,
        "block": None if facts.block is None else asdict(facts.block),
        "events": facts.events,
        "differences": dict(sorted(facts.differences.items())),
        "totals": None if facts.totals is None else _totals(facts.totals),
    }


def _totals(totals: LedgerTotals) -> dict[str, object]:
    return {
        "paid": str(totals.paid),
        "slashed_workers": str(totals.slashed_workers),
        "slashed_schedulers": str(totals.slashed_schedulers),
        "kitty": str(totals.kitty),
        "accounts": totals.accounts,
        "work_orders": dict(sorted(totals.work_orders.items())),
        "contributions": dict(sorted(totals.contributions.items())),
        "workers_by_score": score_bands(totals.scores),
    }
