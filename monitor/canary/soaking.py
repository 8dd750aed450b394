"""The heads and peers of all, for as long as the soak lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from monitor.canary.asking import Pair
from monitor.canary.lags import Sample
from monitor.model import Unseen
from monitor.rpc import decode
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Node

SAMPLES_MIN = 6
"""Where no time is given; two of them may not be taken for all."""
LOOKS_MORE = 2
"""Further polls where the last one did not see what it should: one lost answer must not leave an
hour without its end."""
SAMPLES_MAX = 20_000
"""Of a longer soak the oldest are left out."""


async def soak(
    pair: Pair,
    *,
    seconds: float,
    poll_seconds: float,
    clock: Callable[[], float],
    progress: Callable[[float], None] = lambda seconds: None,
) -> tuple[Sample, ...]:
    """Poll all of them together, `SAMPLES_MIN` times and for `seconds` at least.

    And a little longer, where the last poll did not see the candidate and another.
    """
    began = clock()
    samples: list[Sample] = []

    async def poll() -> None:
        started = clock()
        samples.append(await _sample(pair, started))
        del samples[:-SAMPLES_MAX]
        progress(clock() - began)
        await asyncio.sleep(max(0.0, poll_seconds - (clock() - started)))

    while len(samples) < SAMPLES_MIN or clock() - began < seconds:
        await poll()
    for _ in range(LOOKS_MORE):
        if samples[-1].candidate_lag is None:
            await poll()
    return tuple(samples)


async def _sample(pair: Pair, now: float) -> Sample:
    heights = await asyncio.gather(*(_height(node) for node in pair.all))
    peers = await asyncio.gather(*(_peers(node) for node in (pair.baseline, pair.candidate)))
    return Sample(
        now,
        heights[0],
        heights[1],
        tuple(one for one in heights[2:] if one is not None),
        *peers,
    )


async def _height(node: Node) -> int | None:
    try:
        header = await node.ask("eth_getBlockByNumber", ("latest", False), decode.header)
    except RpcError:
        return None
    return None if header is None else header.head().number


async def _peers(node: Node) -> int | Unseen:
    try:
        count = await node.ask("net_peerCount", (), decode.quantity)
    except RpcError as error:
        return error.unseen()
    return int(count, 16)
