"""What the API says of the ledgers."""

from __future__ import annotations

import json

from monitor.act.ledgers import ledgers_json
from tests.act.ledgers import HUB, NAME, OTHER, TOTALS, two_ledgers
from tests.act.snapshots import NETWORK, TIP


def test_ledgers_are_told_with_finding_block_and_exact_amounts() -> None:
    """Amounts are decimal strings, for a number of JSON is no safe place for money."""
    document = json.loads(json.dumps(ledgers_json(two_ledgers())))
    assert document["schema"] == "headwatch.ledgers/1"
    wrong = document["ledgers"][0]
    assert (wrong["name"], wrong["network"], wrong["contract"]) == (NAME, NETWORK, HUB)
    assert (wrong["level"], wrong["finding"]["measured"]) == ("failed", 3.0)
    assert wrong["block"]["number"] == TIP - 64
    assert wrong["differences"] == {"invariant": 1, "stake": 2}
    assert wrong["totals"]["paid"] == str(TOTALS.paid)
    assert wrong["totals"]["workers_by_score"]["3-4"] == 1
    assert wrong["totals"]["work_orders"] == {"active": 2, "claimed": 8, "completed": 160}


def test_ledger_that_was_never_compared_has_nulls() -> None:
    """Nothing is made up for what was not seen."""
    fresh = ledgers_json(two_ledgers())["ledgers"][1]  # type: ignore[index]
    assert (fresh["name"], fresh["level"], fresh["running"]) == (OTHER, "unknown", True)
    unseen = ("finding", "reconciled_at", "took_seconds", "block", "totals")
    assert [fresh[name] for name in unseen] == [None] * len(unseen)
