from __future__ import annotations

import json

from monitor.act.remembered import history_json, incidents_json
from monitor.history import LagPoint
from tests.act.pages.test_timeline import incident
from tests.act.snapshots import NOW, network_facts


def test_incident_is_told_in_words_and_times_of_the_api() -> None:
    """Levels are words, times RFC 3339, and an open one has no end."""
    document = incidents_json([incident(7, 600, None)])
    (told,) = json.loads(json.dumps(document))["incidents"]
    assert (told["id"], told["level"], told["worst"]) == (7, "degraded", "failed")
    assert (told["opened_at"], told["closed_at"]) == ("2026-11-18T10:56:40.000Z", None)
    assert told["because"] == {"check": "stall", "subject": "node:local"}
    assert told["silenced"] is True
    (step,) = told["steps"]
    assert (step["kind"], step["level"], step["before"]) == ("opened", "failed", "ok")
    assert step["evidence"][0]["said"] == "block 7"


def test_history_keeps_not_seen_apart_from_nothing() -> None:
    """A minute in which nothing was seen is null, not zero."""
    points = [LagPoint(NOW - 120, 100, 0, 100), LagPoint(NOW - 60, None, None, 101)]
    document = history_json(points, node="local", network=network_facts(), hours=24)
    assert document["at"] == [NOW - 120, NOW - 60]
    assert document["lag_blocks"] == [0, None]
    assert document["head"] == [100, None]
    assert document["network_head"] == [100, 101]
    assert (document["limit_blocks"], document["interval_seconds"]) == (2, 12.0)
