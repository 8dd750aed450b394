"""The rules of `monitor.poco.v1.rules` row by row, over integers that have no bound."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import settings

from monitor.ledger.kernels.compiled import Engine
from monitor.poco.v1 import rules

ENGINES: tuple[Engine, ...] = ("numba", "numpy")
untimed = settings(deadline=None)
"""The first example compiles."""


def scores(workers: Sequence[int], moves: Sequence[int]) -> list[int]:
    """The score after each row."""
    now: dict[int, int] = {}
    found = []
    for worker, move in zip(workers, moves, strict=True):
        score = now.get(worker, 0)
        if move:
            score = rules.raised_score(score) if move > 0 else rules.seized_score(score)
        now[worker] = score
        found.append(score)
    return found


def weight(score: int, is_enclave: bool) -> int:
    return rules.weight_of(score, is_enclave)


def split(pot: int, ratio: int, weights: Sequence[int]) -> tuple[list[int], int]:
    """The rewards, and what is left."""
    share, total = rules.workers_share(pot, ratio), sum(weights)
    rewards = [rules.worker_reward(share, each, total) for each in weights]
    return rewards, pot - sum(rewards)


def kitty(forfeits: Sequence[int], draws: Sequence[bool]) -> list[int]:
    """What is drawn at each end."""
    held, drawn = 0, []
    for forfeit, draw in zip(forfeits, draws, strict=True):
        held += forfeit
        taken = rules.kitty_share(held) if draw and held else 0
        held -= taken
        drawn.append(taken)
    return drawn
