"""How long both take, call by call, in turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from monitor.canary import rules
from monitor.canary.asking import WHOLE, Pair
from monitor.canary.comparison import Comparison
from monitor.canary.latency import pace
from monitor.canary.questions import Question
from monitor.rpc.errors import RpcError
from monitor.rpc.node import Node

PAIRS = 30
METHODS_MAX = 12
BUDGET_SECONDS = 120.0
"""Slow nodes get fewer pairs, and not a longer gate."""


async def latency(pair: Pair, asked: Sequence[Question], pairs: int = PAIRS) -> Comparison:
    """Call both in turn, first the one and then the other, one call at a time.

    Who goes first changes with every pair, so that neither always finds the machine warm.
    """
    chosen = asked[:METHODS_MAX]
    took: dict[str, list[tuple[float, float]]] = {one.method: [] for one in chosen}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(BUDGET_SECONDS):
            for turn in range(pairs + 1):
                for question in chosen:
                    found = await _pair(pair, question, is_reversed=bool(turn % 2))
                    # The first turn opens connections and warms caches.
                    if turn and found is not None:
                        took[question.method].append(found)
    return rules.latency([pace(method, some) for method, some in took.items() if some])


async def _pair(pair: Pair, question: Question, *, is_reversed: bool) -> tuple[float, float] | None:
    """(baseline, candidate) seconds; None where either gave no result."""
    nodes = (pair.baseline, pair.candidate)
    seconds: dict[str, float] = {}
    for node in reversed(nodes) if is_reversed else nodes:
        took = await _took(node, question)
        if took is None:
            return None
        seconds[node.label] = took
    return seconds[pair.baseline.label], seconds[pair.candidate.label]


async def _took(node: Node, question: Question) -> float | None:
    node.latencies.clear()
    node.sample(question.method)
    try:
        await node.ask(question.method, question.params, WHOLE)
    except RpcError:
        return None
    return node.latencies[-1][1] if node.latencies else None
