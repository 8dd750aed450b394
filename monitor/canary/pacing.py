"""How long both take, call by call, in turn."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from monitor.canary import rules
from monitor.canary.asking import LIMITS, WHOLE, Pair
from monitor.canary.comparison import Comparison
from monitor.canary.latency import RATIO_MAX, pace
from monitor.canary.questions import Question
from monitor.rpc.errors import CallRejected, RpcError
from monitor.rpc.node import Node

PAIRS = 30
METHODS_MAX = 12
TIMED = replace(LIMITS, deadline_seconds=5.0)
"""A call that takes longer is not waited for: the candidate's counts as so long."""
NO_ANSWER = math.inf
BUDGET_SECONDS = 120.0
"""Slow nodes get fewer pairs, and not a longer gate."""


async def latency(
    pair: Pair,
    asked: Sequence[Question],
    pairs: int = PAIRS,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Comparison:
    """Call both in turn, first the one and then the other, one call at a time.

    Method by method, each with half of the time that is left at most, so that those that are
    judged have pairs enough, and one that is slow on both leaves some for the others.
    """
    chosen = asked[:METHODS_MAX]
    until = clock() + BUDGET_SECONDS
    took = {}
    for question in chosen:
        now = clock()
        took[question.method] = await _pairs(pair, question, pairs, now + (until - now) / 2, clock)
    paces = [pace(method, some) for method, some in took.items() if some]
    return rules.latency(paces, [method for method, some in took.items() if not some])


async def _pairs(
    pair: Pair, question: Question, count: int, until: float, clock: Callable[[], float]
) -> list[tuple[float, float]]:
    """(baseline, candidate) seconds, of so many pairs, or of as many as there is time for.

    Who goes first changes with every pair, so that neither always finds the machine warm.
    """
    found = []
    for turn in range(count + 1):
        if clock() >= until:
            break
        seconds = await _pair(pair, question, clock, is_reversed=bool(turn % 2))
        # The first turn opens connections and warms caches.
        if turn and seconds is not None:
            found.append(seconds)
    return found


async def _pair(
    pair: Pair, question: Question, clock: Callable[[], float], *, is_reversed: bool
) -> tuple[float, float] | None:
    """(baseline, candidate) seconds; None where that would say nothing of the candidate."""
    nodes = (pair.baseline, pair.candidate)
    took = {
        node.label: await _took(node, question, clock)
        for node in (reversed(nodes) if is_reversed else nodes)
    }
    mine, theirs = took[pair.baseline.label], took[pair.candidate.label]
    if mine is None or mine == NO_ANSWER or theirs is None:
        return None
    if theirs == NO_ANSWER:
        theirs = pair.candidate.limits.deadline_seconds
        # The baseline was nearly as long: by how much the candidate is longer nobody knows.
        return (mine, theirs) if theirs > RATIO_MAX * mine else None
    return mine, theirs


async def _took(node: Node, question: Question, clock: Callable[[], float]) -> float | None:
    """Seconds until the result, or `NO_ANSWER`; None of an error, which is quick."""
    node.sample(question.method)
    began = clock()
    try:
        await node.ask(question.method, question.params, WHOLE)
    except CallRejected:
        return None
    except RpcError:
        return NO_ANSWER
    return clock() - began
