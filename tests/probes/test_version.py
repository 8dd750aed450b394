"""What a node says it runs, beside what is known of that client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitor.judge.release import Feed
from monitor.judge.version import VersionSeen
from monitor.model import Unseen
from monitor.probes import version
from monitor.probes.asked import Asked, Panel
from monitor.rpc.errors import MalformedAnswer, MethodAbsent
from monitor.rpc.node import Node
from tests.judge.builders import NOW, POLICY, agreeing, round_of, run
from tests.rpc.canned import Canned, Refusal

FEED = Feed("geth", Unseen("timeout", "no answer"))


def asked_of(node: Node) -> Asked[VersionSeen]:
    return Asked(
        node=node,
        panel=Panel(()),
        round=round_of(*agreeing()),
        policy=POLICY,
        heads=run(1000),
        before=(),
        clock=lambda: NOW,
    )


async def test_version_is_asked_and_its_clients_feed_is_looked_up(
    server: Canned, node: Node
) -> None:
    """By the family that it names; the time is that of the answer."""
    server.version = "Geth/v1.16.2-stable-2bd6bd01/linux-amd64/go1.24.4"
    asked: list[str] = []

    async def known(family: str) -> Feed | None:
        asked.append(family)
        return replace(FEED, client=family)

    seen = await version.probe(asked_of(node), known)
    assert (seen.client, seen.feed, seen.at) == (server.version, FEED, NOW)
    assert seen.version is not None
    assert asked == ["geth"]
    assert len(server.calls) == 1


async def test_version_without_feeds_is_what_was_said(server: Canned, node: Node) -> None:
    """Nothing is known, which is not that all is well."""
    seen = await version.probe(asked_of(node))
    assert (seen.client, seen.feed, seen.newer, seen.advisories) == (
        *(server.version, None, None, None),
    )


async def test_version_is_said_without_parts_of_the_nodes_address(
    server: Canned, node: Node
) -> None:
    """A gateway may echo a key; and what it says is on one line."""
    key = node.url.reveal().rstrip("/")
    server.version = f"Geth/v1.16.2\n{key}"
    seen = await version.probe(asked_of(node))
    assert key not in seen.client
    assert "\n" not in seen.client


async def test_version_that_is_refused_or_no_text_is_raised(server: Canned, node: Node) -> None:
    """Who does not have the method is skipped; who answers nonsense is malformed."""
    server.answers = {
        "web3_clientVersion": Refusal("the method web3_clientVersion does not exist", -32601)
    }
    with pytest.raises(MethodAbsent):
        await version.probe(asked_of(node))
    server.answers = {"web3_clientVersion": 7}
    with pytest.raises(MalformedAnswer):
        await version.probe(asked_of(node))
