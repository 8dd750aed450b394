"""version: what a node runs, beside what is known of its client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from monitor.judge.quorum import client_family
from monitor.judge.release import Feed
from monitor.judge.version import METHOD, VersionSeen, seen_of
from monitor.probes.asked import Asked
from monitor.rpc import decode

Known = Callable[[str], Awaitable[Feed | None]]
"""What is known of a client's family; None where no feed of it is configured."""


async def nothing(family: str) -> Feed | None:
    """Where no feed is configured."""
    del family
    return None


async def probe(asked: Asked[VersionSeen], known: Known = nothing) -> VersionSeen:
    """`web3_clientVersion` (execution-apis), and the feed of that client. Raises RpcError."""
    said = await asked.node.ask(METHOD, (), decode.text)
    client = asked.node.url.scrub(said)
    feed = await known(client_family(client))
    # Many advisories take their time, and other nodes are asked meanwhile.
    return await asyncio.to_thread(seen_of, client, feed, asked.clock())
