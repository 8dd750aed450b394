from __future__ import annotations

from dataclasses import replace

from monitor.act.target import debug_text, find, narrow
from monitor.model import NodeFacts
from tests.act import snapshots
from tests.act.conftest import Serve, Stage


def test_narrow_keeps_the_network_and_the_skipped_checks() -> None:
    """Thresholds belong to the target's network; what was skipped of it is still said."""
    healthy = snapshots.healthy("local", "spare")
    skipped = (("sync", "node:local"), ("sync", "node:spare"))
    whole = replace(healthy, verdict=replace(healthy.verdict, skipped=skipped))
    facts = find(whole, "spare")
    assert isinstance(facts, NodeFacts)
    part = narrow(whole, facts)
    assert part.verdict.skipped == (("sync", "node:spare"),)
    assert [network.name for network in part.networks] == ["ethereum"]
    assert {observation.node for observation in part.observations} == {"spare"}


async def test_probe_shows_one_target_only(serve: Serve) -> None:
    """The samples of a target are its own, and its verdict is of its own findings."""
    client = await serve(Stage(snapshots.stalled()))
    async with client.get("/probe?target=spare") as answer:
        text = await answer.text()
    assert 'node="spare"' in text
    assert 'node="local"' not in text
    assert 'headwatch_verdict{verdict="pass"} 1.0' in text
    async with client.get("/probe?target=ethereum/b") as answer:
        text = await answer.text()
    assert 'headwatch_reference_head_number{network="ethereum",reference="b"}' in text
    assert "headwatch_node_" not in text
    assert 'reference="a"' not in text


async def test_probe_debug_tells_everything_of_the_last_round(serve: Serve) -> None:
    """What was seen, what was made of it, and the raw exchange, in plain text."""
    client = await serve(Stage(snapshots.stalled()))
    async with client.get("/probe?target=local&debug=1") as answer:
        assert answer.content_type == "text/plain"
        text = await answer.text()
    for words in (
        "target    local (node of ethereum)",
        "http://10.0.0.7:8545/***",
        f"block {snapshots.TIP - 9} {snapshots.hash_of(snapshots.TIP - 9)}",
        "FAIL  node local FAILED: stall",
        '[{"result":"0x1"}]',
    ):
        assert words in text


async def test_probe_debug_of_what_could_not_be_seen_says_so(serve: Serve) -> None:
    """An absence is shown as one, with its reason."""
    client = await serve(Stage(snapshots.unreachable()))
    async with client.get("/probe?target=local&debug=true") as answer:
        assert "NOT SEEN, refused: the connection was refused" in await answer.text()


def test_debug_of_a_reference_tells_its_budget() -> None:
    """What a reference costs is part of why it was not asked."""
    healthy = snapshots.healthy()
    facts = find(healthy, "ethereum/a")
    assert facts is not None
    text = debug_text(healthy, replace(facts, client="", errors_total={}))
    assert "4100 of 50000 today" in text
    assert "client    not known" in text
    assert "errors    none" in text
    assert "LAST ANSWER" not in text
