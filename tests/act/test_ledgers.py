"""What the API says of the ledgers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator

from monitor.act.ledgers import ledgers_json
from monitor.model import LedgerFacts, Snapshot
from monitor.poco.difference import Kind
from tests.act import snapshots
from tests.act.ledgers import HUB, NAME, OTHER, TOTALS, compared, fresh, kept, two_ledgers
from tests.act.snapshots import NETWORK, TIP

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "ledgers.schema.json").read_text(encoding="utf-8"))
STATE = json.loads((DOCS / "state.schema.json").read_text(encoding="utf-8"))
COUNTED = frozenset({"differences", "work_orders", "contributions", "workers_by_score"})
"""Objects whose keys are what there is any of."""


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


def test_schema_is_itself_valid_and_closed() -> None:
    """The committed schema is JSON Schema 2020-12, and every field of it is always there."""
    Draft202012Validator.check_schema(SCHEMA)
    for part in objects(SCHEMA):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"])


def objects(part: Any, name: str = "") -> list[Any]:
    """All schemas of objects with fixed fields, at any depth."""
    if not isinstance(part, dict):
        return []
    below = [found for key, each in part.items() for found in objects(each, key)]
    return below + ([part] if part.get("type") == "object" and name not in COUNTED else [])


@pytest.mark.parametrize("name", ["time", "key", "subject", "stamp", "finding", "evidence"])
def test_schema_shares_its_words_with_the_state(name: str) -> None:
    """A finding is the same in every document, so that one reader reads all."""
    assert SCHEMA["$defs"][name] == STATE["$defs"][name]


def test_schema_knows_every_kind_of_difference() -> None:
    """What the rules may find is what the schema names."""
    differences = SCHEMA["$defs"]["ledger"]["properties"]["differences"]
    assert differences["propertyNames"]["enum"] == list(get_args(Kind))


@pytest.mark.parametrize(
    "snapshot",
    [
        two_ledgers(),
        kept(snapshots.healthy(), (compared(), None)),
        kept(snapshots.healthy(), (compared(totals=None), None)),
        snapshots.healthy(),
    ],
    ids=["wrong and fresh", "compared", "without totals", "none"],
)
def test_document_in_every_situation_fits_the_schema(snapshot: Snapshot) -> None:
    """Whatever was compared or not, the document is what the schema promises."""
    told = json.loads(json.dumps(ledgers_json(snapshot), allow_nan=False))
    assert list(Draft202012Validator(SCHEMA).iter_errors(told)) == []


@pytest.mark.parametrize(
    "odd",
    [fresh(""), compared(differences={"luck": 1}), compared(differences={"stake": 0})],
    ids=["no name", "a kind of its own", "a kind without any"],
)
def test_document_of_what_cannot_be_does_not_fit_the_schema(odd: LedgerFacts) -> None:
    """The schema refuses what no sidecar says."""
    told = json.loads(json.dumps(ledgers_json(kept(snapshots.healthy(), (odd, None)))))
    assert not Draft202012Validator(SCHEMA).is_valid(told)
