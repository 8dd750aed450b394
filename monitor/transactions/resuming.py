"""Sends again, byte for byte, what was to be sent when the last process ended.

Whoever died between an intent and its outcome does not know whether the bytes left. Many endpoints
are asked at once; at one endpoint, an account's transactions come in the order of their nonces, so
that none of them stands behind a gap.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from monitor.endpoint import Endpoint
from monitor.model import Address
from monitor.transactions.journal import Intent
from monitor.transactions.sending import Sent
from monitor.transactions.words import Act

log = logging.getLogger("headwatch")

RESUMED_AT_ONCE = 16


async def resume(
    intents: Iterable[Intent],
    endpoints: Mapping[str, Endpoint],
    send: Callable[[Endpoint, bytes, Act, int], Awaitable[Sent]],
    may: Callable[[], bool],
) -> bool:
    """Send what goes to these endpoints, by label; False where something was held back.

    `may` is asked before each: what is held back stays intended. Raises what `send` raises, once
    nothing is on its way any more.
    """
    chains: dict[tuple[Address, str], list[Intent]] = defaultdict(list)
    for intent in intents:
        if intent.node in endpoints:
            chains[intent.sender, intent.node].append(intent)
    places = asyncio.Semaphore(RESUMED_AT_ONCE)

    async def follow(chain: Sequence[Intent], endpoint: Endpoint) -> bool:
        for intent in sorted(chain, key=lambda one: (one.nonce, one.id)):
            async with places:
                if not may():
                    return False
                sent = await send(endpoint, intent.raw, Act(intent.act), intent.id)
            log.info("%s to %s again: %s", intent.hash, intent.node, sent.reaction.value)
        return True

    ended = await asyncio.gather(
        *(follow(chain, endpoints[node]) for (_, node), chain in chains.items()),
        return_exceptions=True,
    )
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return all(ended)
