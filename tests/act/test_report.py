from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.act.report import gate_json, gate_text, nested
from monitor.act.words import headline
from monitor.judge.verdict import verdict_of
from monitor.model import Evidence, Level, Verdict
from tests.act import snapshots

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "gate.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = Draft202012Validator(SCHEMA)


def document(verdict: Verdict) -> dict[str, object]:
    return gate_json(verdict, version="1.2.3")


def test_schema_is_itself_valid() -> None:
    """The committed schema is JSON Schema 2020-12, and closed at every level."""
    Draft202012Validator.check_schema(SCHEMA)
    objects = [SCHEMA, *SCHEMA["$defs"].values()]
    for part in objects:
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
            assert set(part["required"]) == set(part["properties"])


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
def test_json_in_every_situation_fits_the_schema(situation: str) -> None:
    """The document of every situation, after a trip through JSON, is what the schema promises."""
    text = json.dumps(document(snapshots.SITUATIONS[situation].verdict), allow_nan=False)
    assert list(VALIDATOR.iter_errors(json.loads(text))) == []


@pytest.mark.parametrize("level", Level)
def test_json_every_level_full_and_bare_fits_the_schema(level: Level) -> None:
    """Each level is allowed, with every field filled and with every optional one null."""
    stamp = snapshots.head_at(7).stamp
    evidence = (
        Evidence("local", "eth_chainId", "1", snapshots.NOW),
        Evidence("local", "quorum", "x", snapshots.NOW, stamp, "at most 3", 1e-6),
    )
    full = snapshots.finding(
        "head",
        "node:local",
        level,
        measured=-3.5,
        limit=2.0,
        unit="blocks",
        as_of=stamp,
        because=("stall", "node:local"),
        evidence=evidence,
    )
    bare = replace(snapshots.finding("stall", "node:local", level), since=None)
    verdict = verdict_of((full, bare), snapshots.NOW, (("sync", "node:local"),))
    found = json.loads(json.dumps(document(verdict)))
    assert list(VALIDATOR.iter_errors(found)) == []
    assert [f["level"] for f in found["findings"]] == [level.word] * 2
    assert found["findings"][1]["as_of"] is None
    assert found["skipped"] == [{"check": "sync", "subject": "node:local"}]


def test_schema_refuses_what_is_not_promised() -> None:
    """A missing field, an unknown field and an unknown word are errors."""
    good = json.loads(json.dumps(document(snapshots.healthy().verdict)))
    for bad in (
        {k: v for k, v in good.items() if k != "at"},
        {**good, "more": 1},
        {**good, "verdict": "maybe"},
        {**good, "at": "yesterday"},
    ):
        assert list(VALIDATOR.iter_errors(bad))


@pytest.mark.parametrize(
    ("situation", "word", "ok"),
    [("healthy", "pass", True), ("stalled", "fail", False), ("split", "inconclusive", False)],
)
def test_json_verdict_is_also_one_boolean(situation: str, word: str, ok: bool) -> None:
    """Consumers that read `data.ok` see true for a pass only: not knowing is not well."""
    found = document(snapshots.SITUATIONS[situation].verdict)
    assert (found["verdict"], found["data"]) == (word, {"ok": ok})


def test_text_first_line_is_the_verdict() -> None:
    """Who reads one line of a CI log has read the verdict."""
    first = gate_text(snapshots.stalled().verdict, colour=False).splitlines()[0]
    assert first == "FAIL  node local FAILED: stall (for 1 min 24 s)"


def test_text_consequence_is_nested_under_its_cause() -> None:
    """The lag that follows from the stall is indented below it, and only the cause has a remedy."""
    lines = gate_text(snapshots.stalled().verdict, colour=False).splitlines()
    stall = next(i for i, line in enumerate(lines) if line.startswith("failed    stall"))
    head = next(i for i, line in enumerate(lines) if line.startswith("   failed    head"))
    assert stall < head
    assert sum("remedy:" in line for line in lines) == 1
    assert any("measured 9 blocks, limit 2 blocks" in line for line in lines)
    assert any("p = 3.1e-09" in line for line in lines)


def test_text_every_finding_is_there_once() -> None:
    """Nothing is left out and nothing is told twice."""
    verdict = snapshots.stalled().verdict
    text = gate_text(verdict, colour=False)
    for finding in verdict.findings:
        assert text.count(finding.summary) >= 1
    assert text.count("ok        ") == sum(f.level == Level.OK for f in verdict.findings)


def test_text_colour_only_where_asked() -> None:
    """A log file gets no escape sequences; a terminal gets the same words."""
    verdict = snapshots.stalled().verdict
    assert "\x1b" not in gate_text(verdict, colour=False)
    assert "\x1b[1;31mFAIL\x1b[0m" in gate_text(verdict, colour=True)


def test_text_hostile_client_cannot_steer_the_terminal() -> None:
    """Escape sequences and line ends in a node's own words are made plain."""
    hostile = "serves chain 1 with \x1b[2Jevil\n::error::faked"
    finding = snapshots.finding("identity", "node:local", summary=hostile)
    text = gate_text(verdict_of((finding,), snapshots.NOW), colour=False)
    assert "\x1b" not in text
    assert "\n::error" not in text


def test_text_skipped_checks_are_named() -> None:
    """What was not asked is said, not left out."""
    verdict = verdict_of((), snapshots.NOW, (("sync", "node:local"),))
    assert "skipped   sync" in gate_text(verdict, colour=False)


def test_nested_circle_of_causes_tells_each_once() -> None:
    """Two findings that name each other are still both told."""
    one = snapshots.finding("head", "node:a", Level.FAILED, because=("stall", "node:a"))
    two = snapshots.finding("stall", "node:a", Level.FAILED, because=("head", "node:a"))
    assert {f.key for _, f in nested((one, two))} == {one.key, two.key}
    assert "FAILED" in headline(verdict_of((one, two), snapshots.NOW))


def test_text_finding_without_a_known_check_or_time_is_told_all_the_same() -> None:
    """What is missing is left out, not made up."""
    bare = replace(snapshots.finding("odd", "node:a", Level.FAILED), since=None)
    text = gate_text(verdict_of((bare,), snapshots.NOW), colour=False)
    assert "failed    odd  node:a  [ethereum]\n   odd is failed\n   reason fine" in text
    assert "remedy" not in text
