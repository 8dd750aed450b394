from __future__ import annotations

import json
from dataclasses import replace

import pytest

from monitor.act.state import state_bytes, state_json
from monitor.maintenance import Window
from monitor.model import Level
from monitor.status.document import DocumentError, NoNodeError, narrowed, read_json, state_of
from tests.act import snapshots
from tests.status.stage import body_of, state


@pytest.mark.parametrize("situation", snapshots.SITUATIONS)
def test_document_of_every_situation_is_read(situation: str) -> None:
    """What the sidecar writes, the terminal reads."""
    snapshot = snapshots.SITUATIONS[situation]
    read = state(snapshot)
    assert read.verdict == snapshot.verdict.word
    assert read.now == snapshots.NOW
    assert len(read.findings) == len(snapshot.verdict.findings)


def test_text_of_a_node_is_made_plain() -> None:
    """Escape sequences and line ends in whatever a node says end here, in keys as well."""
    evil = snapshots.finding("head", "node:local", summary="ok\x1b[2J\nFAIL \u202eevil\x9b31m")
    document = json.loads(body_of(snapshots.with_finding(snapshots.healthy(), evil)))
    document["nodes"][0]["checks"] = {"head\x1b[0m": "failed"}
    read = state_of(document)
    texts = [*(f.summary for f in read.findings), *read.nodes[0].bad_checks]
    assert "head [0m" in texts
    assert all(text.isprintable() for text in texts)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"at": NaN}', "not JSON"),
        (b'{"head": ' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "not a state document"),
    ],
)
def test_answer_that_is_no_document_is_refused_in_words(body: bytes, said: str) -> None:
    """Whatever listens at the address, the end is a sentence and not a traceback."""
    with pytest.raises(DocumentError, match=said):
        read_json(body)


def test_document_of_another_schema_is_refused_with_the_field() -> None:
    """A field that is missing or wrong is named; nothing is guessed."""
    good = state_json(snapshots.healthy(), ())
    with pytest.raises(DocumentError, match=r"\$\.schema"):
        state_of({**good, "schema": "headwatch.state/2"})
    with pytest.raises(DocumentError, match="expected a text, found int"):
        state_of({**good, "headline": 7})
    with pytest.raises(DocumentError, match="nodes"):
        state_of({key: value for key, value in good.items() if key != "nodes"})


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("part", ["", "findings", "windows"])
def test_time_that_no_clock_can_show_is_refused(part: str, moment: str) -> None:
    """RFC 3339 can write it, and in UTC it is in no year there is."""
    windows = (Window("w1", snapshots.NOW, snapshots.NOW + 60, (), (), "r", "a"),)
    document = json.loads(state_bytes(snapshots.stalled(), windows))
    place = document[part][0] if part else document
    for field in {"at", "since", "ends_at"} & set(place):
        held, place[field] = place[field], moment
        with pytest.raises(DocumentError, match="beyond every calendar"):
            state_of(document)
        place[field] = held
    state_of(document)


def test_text_that_no_encoding_has_is_no_crash() -> None:
    """JSON can name half a character, and so can whoever listens there."""
    good = json.loads(body_of(snapshots.healthy()))
    with pytest.raises(DocumentError):
        state_of({**good, "schema": "\ud800"})
    assert state_of({**good, "headline": "a\ud800b"}).headline.encode()


@pytest.mark.parametrize("skipped", [None, 7, "text", ["text"], [{"subject": "node:spare"}]])
def test_part_that_is_not_shown_may_be_of_any_shape(skipped: object) -> None:
    """What nobody decodes can break nothing."""
    document = {**json.loads(body_of(snapshots.healthy())), "skipped": skipped}
    assert narrowed(document, "local")["skipped"] == []


def test_height_of_256_bits_is_read() -> None:
    """A node may name any number at all."""
    document = json.loads(body_of(snapshots.healthy()))
    document["nodes"][0]["head"] = 2**256 - 1
    assert state_of(read_json(json.dumps(document).encode())).nodes[0].head == 2**256 - 1


def test_narrowed_to_a_healthy_node_passes_although_another_fails() -> None:
    """The verdict is of the node that was asked for, and nothing of the other is left."""
    document = json.loads(body_of(snapshots.stalled()))
    spare = state_of(narrowed(document, "spare"))
    assert (spare.verdict, [node.name for node in spare.nodes]) == ("pass", ["spare"])
    assert "local" not in json.dumps(narrowed(document, "spare"))
    local = state_of(narrowed(document, "local"))
    assert local.verdict == "fail"
    assert "node local FAILED: stall" in local.headline


def test_narrowed_still_needs_the_references() -> None:
    """Without a quorum nothing can be said of a node, so it is no pass."""
    document = json.loads(body_of(snapshots.split()))
    assert state_of(narrowed(document, "local")).verdict == "inconclusive"


def test_narrowed_before_the_first_round_is_inconclusive() -> None:
    """Not judged is not passed."""
    document = json.loads(body_of(snapshots.beginning()))
    assert state_of(narrowed(document, "local")).since is None
    assert state_of(narrowed(document, "local")).verdict == "inconclusive"


def test_narrowed_to_nobody_names_those_there_are() -> None:
    """A mistyped name is answered with a few that exist, not with two hundred."""
    document = json.loads(body_of(snapshots.fleet(20)))
    with pytest.raises(NoNodeError, match=r"no node lokal; there are node-000, .* and 12 more"):
        narrowed(document, "lokal")
    with pytest.raises(NoNodeError, match="there are no nodes"):
        narrowed({**document, "nodes": []}, "lokal")


def test_finding_comes_back_in_the_words_of_the_house() -> None:
    """Key, level, cause and time survive the trip, so that the judges' rules apply."""
    snapshot = snapshots.stalled()
    back = {f.finding.key: f.finding for f in state(snapshot).findings}
    for finding in snapshot.verdict.findings:
        shown = replace(
            finding, measured=None, limit=None, unit="", as_of=None, evidence=(), level=Level.OK
        )
        assert replace(back[finding.key], level=Level.OK) == shown
        assert back[finding.key].level == finding.level
