from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monitor.act.report import gate_json
from monitor.act.state import state_bytes, state_json
from monitor.judge.seen import HeadSeen
from monitor.maintenance import Window
from monitor.model import BlockNumber, Level, Snapshot
from tests.act import snapshots

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "state.schema.json").read_text(encoding="utf-8"))
GATE = json.loads((DOCS / "gate.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def document(snapshot: Snapshot, *windows: Window) -> Any:
    """As a reader gets it: after a trip through JSON."""
    return json.loads(json.dumps(state_json(snapshot, windows), allow_nan=False))


def test_schema_is_itself_valid_and_closed() -> None:
    """The committed schema is JSON Schema 2020-12, and every field of it is always there."""
    Draft202012Validator.check_schema(SCHEMA)
    for name, part in {"": SCHEMA, **SCHEMA["$defs"]}.items():
        if part.get("type") == "object" and name != "checks":
            assert part["additionalProperties"] is False
            assert set(part["required"]) == set(part["properties"])


@pytest.mark.parametrize("name", ["time", "key", "subject", "stamp", "finding", "evidence"])
def test_schema_shares_its_words_with_the_gate(name: str) -> None:
    """A finding is the same in both documents, so that one reader reads both."""
    assert SCHEMA["$defs"][name] == GATE["$defs"][name]


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
def test_document_in_every_situation_fits_the_schema(situation: str) -> None:
    """Whatever was seen or not, the document is what the schema promises."""
    assert list(VALIDATOR.iter_errors(document(snapshots.SITUATIONS[situation]))) == []


def test_document_of_a_fleet_fits_the_schema() -> None:
    """Two hundred nodes are all there, in the order of the configuration."""
    told = document(snapshots.fleet())
    assert list(VALIDATOR.iter_errors(told)) == []
    assert [node["name"] for node in told["nodes"]] == [f"node-{n:03d}" for n in range(200)]


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
def test_text_is_the_document_on_one_line(situation: str) -> None:
    """Written in pieces, it is what an encoder writes of the whole."""
    snapshot = snapshots.SITUATIONS[situation]
    text = state_bytes(snapshot, ())
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    whole = json.dumps(state_json(snapshot, ()), separators=(",", ":"), allow_nan=False)
    assert text.decode().removesuffix("\n") == whole


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
def test_findings_are_those_of_the_gate(situation: str) -> None:
    """The state tells no other story than the verdict."""
    snapshot = snapshots.SITUATIONS[situation]
    told, gate = document(snapshot), gate_json(snapshot.verdict, version="x")
    assert told["findings"] == json.loads(json.dumps(gate["findings"]))
    assert (told["verdict"], told["at"]) == (gate["verdict"], gate["at"])


def test_node_that_lags_says_how_far() -> None:
    """Head, lag and the level of each check stand beside the node's name."""
    local, spare = document(snapshots.stalled())["nodes"]
    assert (local["head"], local["lag_blocks"], local["lag_seconds"]) == (
        snapshots.TIP - 9,
        9,
        108,
    )
    assert local["level"] == "failed"
    assert local["checks"] == {
        "fork": "ok",
        "head": "failed",
        "identity": "ok",
        "stall": "failed",
    }
    assert (spare["level"], spare["lag_blocks"], spare["unseen"]) == ("ok", 0, None)


def test_node_that_was_not_seen_has_no_numbers() -> None:
    """What could not be seen is null, and why stands beside it."""
    (local,) = document(snapshots.unreachable())["nodes"]
    gone = ("head", "hash", "lag_blocks", "lag_seconds", "age_seconds")
    assert [local[field] for field in gone] == [None] * 5
    assert local["unseen"] == {"reason": "refused", "detail": "the connection was refused"}
    assert local["level"] == "unknown"


def test_references_that_split_leave_no_head_of_the_network() -> None:
    """Without agreement the network has no head, and no reference has a vote."""
    told = document(snapshots.split())
    (network,) = told["networks"]
    assert (network["head"], network["confidence"], network["voters"]) == (None, None, [])
    assert not any(reference["votes"] for reference in told["references"])
    assert told["nodes"][0]["lag_blocks"] is None
    agreed = document(snapshots.healthy())
    assert all(reference["votes"] for reference in agreed["references"])
    assert agreed["networks"][0]["head"] == snapshots.TIP


def test_silenced_endpoint_is_marked_and_stays_bad() -> None:
    """Maintenance keeps people from being told; it changes nothing of what is measured."""
    told = document(replace(snapshots.stalled(), silenced=frozenset({"node:local"})))
    assert [node["silenced"] for node in told["nodes"]] == [True, False]
    assert told["nodes"][0]["level"] == "failed"


def test_before_the_first_round_nothing_is_claimed() -> None:
    """Not yet judged is unknown, and no time is made up."""
    told = document(snapshots.beginning())
    assert (told["ready"], told["since"], told["networks"][0]["round_at"]) == (False, None, None)
    assert told["nodes"][0]["level"] == "unknown"
    assert told["headline"] == "nothing has been judged yet"


def test_client_that_says_anything_is_made_plain() -> None:
    """What a node says of itself is one short line of plain characters."""
    healthy = snapshots.healthy()
    facts = replace(snapshots.node_facts(client='\x1b[2J" <b>' + "x" * 500))
    told = document(replace(healthy, endpoints=(*healthy.endpoints[:-1], facts)))
    assert list(VALIDATOR.iter_errors(told)) == []
    assert "\x1b" not in told["nodes"][0]["client"]


def test_height_of_256_bits_is_told() -> None:
    """A node may name any number at all; the document survives it."""
    healthy = snapshots.healthy()
    head = replace(
        snapshots.head_at(snapshots.TIP), number=BlockNumber(2**256 - 1), timestamp=2**256 - 1
    )
    lie = snapshots.observed("local", "head", HeadSeen(head, None))
    told = document(replace(healthy, observations=(*healthy.observations[:3], lie)))
    assert list(VALIDATOR.iter_errors(told)) == []
    assert told["nodes"][0]["head"] == 2**256 - 1


def test_no_url_and_no_key_is_in_the_document() -> None:
    """The document is served to whoever asks: it carries no address of an endpoint."""
    text = json.dumps(document(snapshots.stalled()))
    assert "://" not in text
    assert "10.0.0.7" not in text


def test_skipped_checks_are_named() -> None:
    """A check that an endpoint does not support is said to be skipped."""
    healthy = snapshots.healthy()
    verdict = replace(healthy.verdict, skipped=(("sync", "node:local"),))
    told = document(replace(healthy, verdict=verdict))
    assert told["skipped"] == [{"check": "sync", "subject": "node:local"}]
    assert list(VALIDATOR.iter_errors(told)) == []


def test_level_of_the_document_is_the_worst() -> None:
    """One degraded finding degrades the whole, although it passes."""
    warned = snapshots.finding("head", "node:local", Level.DEGRADED, "behind")
    told = document(snapshots.with_finding(snapshots.healthy(), warned))
    assert (told["verdict"], told["level"]) == ("pass", "degraded")


def test_windows_are_told_with_what_they_cover_and_whether_they_hold_now() -> None:
    """Active ones and planned ones look alike, and each says which it is."""
    now = snapshots.NOW
    active = Window("w1", now - 60, now + 60, (), ("local",), "new disks", "ada")
    planned = Window("weekly", now + 3600, now + 7200, ("ethereum",), (), "", "configuration")
    told = document(snapshots.healthy(), active, planned)
    assert list(VALIDATOR.iter_errors(told)) == []
    assert [window["active"] for window in told["windows"]] == [True, False]
    assert told["windows"][0] == {
        "id": "w1",
        "active": True,
        "starts_at": "2026-11-18T11:05:40.000Z",
        "ends_at": "2026-11-18T11:07:40.000Z",
        "networks": [],
        "nodes": ["local"],
        "reason": "new disks",
        "actor": "ada",
        "ended_by": "",
    }
