"""The kernels alone, over ten million rows; the peer is `monitor/poco` row by row.

Each engine is a process of its own, `python -m benchmarks.kernels ENGINE ROWS REPEATS`. What it
finds of the rows that all of them do is compared: an engine that is fast and wrong has no figure.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from benchmarks.children import child, hear
from benchmarks.report import Figure, Result, Row, Say, Sizes, Target
from benchmarks.tracked import megabytes

if TYPE_CHECKING:
    import numpy as np

    Ints: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

ROWS, TEAM, WORKERS = 10_000_000, 5, 10_000
PLAIN_ROWS = 200_000
"""Of them, all that the peer does."""
PEER = "poco, plain Python"
ENGINES = {PEER: "plain", "numpy": "numpy", "numba": "numba"}
WANTED_ROWS_A_SECOND = 10_000_000
FOLD, SPLIT = "fold", "split"
Work: TypeAlias = dict[str, Callable[[], Sequence[Any]]]
"""Each kernel by its name, over what it is given."""


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """Each engine, one after the other."""
    rows = max(PLAIN_ROWS, int(ROWS * sizes.scale))
    found: dict[str, dict[str, Any]] = {}
    for name, engine in ENGINES.items():
        say(f"kernels: {name}, {rows:,} rows")
        count = PLAIN_ROWS if engine == "plain" else rows
        arguments = (engine, str(count), str(min(3, sizes.repeats)))
        async with child("-m", "benchmarks.kernels", *arguments) as process:
            found[name] = await hear(process)
    for name, one in found.items():
        assert one["digests"] == found[PEER]["digests"], f"{name} differs from {PEER}"
    return [_table(found, rows)]


def _table(found: dict[str, dict[str, Any]], rows: int) -> Result:
    speeds = {
        name: {work: one["rows"] / seconds for work, seconds in one["seconds"].items()}
        for name, one in found.items()
    }
    shown = []
    for name, each in speeds.items():
        figures: dict[str, Figure] = {}
        for work, speed in each.items():
            figures[f"{work}, M rows/s"] = speed / 1e6
            figures[f"× {work}"] = speed / speeds[PEER][work]
        figures["MB"] = found[name]["megabytes"]
        shown.append(Row(name, figures))
    targets = tuple(
        Target(
            f"{work}, numba, M rows/s of a core",
            f">= {WANTED_ROWS_A_SECOND / 1e6:g}",
            f"{speeds['numba'][work] / 1e6:.1f}",
            speeds["numba"][work] >= WANTED_ROWS_A_SECOND,
        )
        for work in (FOLD, SPLIT)
    )
    note = f"the peer does {PLAIN_ROWS:,} of them; checks of what is given are in the figures"
    return Result(f"kernels: {rows:,} rows", tuple(shown), note, targets)


def measured(engine: str, rows: int, repeats: int) -> dict[str, Any]:
    """Processor seconds of each kernel, and the digests of what it finds of PLAIN_ROWS."""
    make = _plain if engine == "plain" else partial(_columns, engine)
    digests = {name: _digest(call()) for name, call in make(PLAIN_ROWS).items()}
    seconds = {}
    for name, call in make(rows).items():
        spent = []
        for _ in range(repeats):
            began = time.process_time()
            call()
            spent.append(time.process_time() - began)
        seconds[name] = statistics.median(spent)
    return {"rows": rows, "seconds": seconds, "digests": digests, "megabytes": megabytes()}


class Given(NamedTuple):
    """So many contributions, in teams."""

    workers: Ints
    moves: np.ndarray[tuple[int], np.dtype[np.int8]]
    scores: Ints
    enclaves: np.ndarray[tuple[int], np.dtype[np.bool_]]
    pots: Ints
    ratios: Ints


def given(rows: int) -> Given:
    """Workers are sorted; amounts up to 10^17 nRLC, which is more than there is."""
    import numpy as np

    random, tasks = np.random.default_rng(1), rows // TEAM
    return Given(
        workers=np.arange(rows, dtype=np.int64) * WORKERS // rows,
        moves=np.where(random.random(rows) < 0.05, -1, 1).astype(np.int8),
        scores=random.integers(0, 1 << 20, rows),
        enclaves=random.random(rows) < 0.1,
        pots=random.integers(0, 10**17, tasks),
        ratios=random.integers(0, 101, tasks),
    )


def _columns(engine: Any, rows: int) -> Work:
    import numpy as np

    from monitor.ledger.kernels.balances import settled, sums_by_account
    from monitor.ledger.kernels.rewards import split_rewards
    from monitor.ledger.kernels.scores import fold_scores
    from monitor.ledger.kernels.weights import weights_of

    have = given(rows)
    offsets = np.arange(0, rows + 1, TEAM)
    weights = weights_of(have.scores, have.enclaves, engine=engine)
    accounts = have.scores % WORKERS
    return {
        FOLD: lambda: [fold_scores(have.workers, have.moves, engine=engine)],
        "weights": lambda: [weights_of(have.scores, have.enclaves, engine=engine)],
        SPLIT: lambda: split_rewards(have.pots, have.ratios, offsets, weights, engine=engine),
        "balances": lambda: [
            settled(sums_by_account(accounts, have.scores, WORKERS, engine=engine))
        ],
    }


def _plain(rows: int) -> Work:
    from monitor.poco.v1 import rules

    have: Any = given(rows)
    workers, moves, scores, enclaves, pots, ratios = (column.tolist() for column in have)
    weights = [rules.weight_of(score, flag) for score, flag in zip(scores, enclaves, strict=True)]

    def fold() -> list[list[int]]:
        now: dict[int, int] = {}
        found = []
        for worker, move in zip(workers, moves, strict=True):
            score = now.get(worker, 0)
            score = rules.raised_score(score) if move > 0 else rules.seized_score(score)
            now[worker] = score
            found.append(score)
        return [found]

    def split() -> list[list[int]]:
        rewards, rests = [], []
        for task, (pot, ratio) in enumerate(zip(pots, ratios, strict=True)):
            rest, share = pot, rules.workers_share(pot, ratio)
            team = weights[task * TEAM : (task + 1) * TEAM]
            total = sum(team)
            for weight in team:
                reward = rules.worker_reward(share, weight, total)
                rewards.append(reward)
                rest -= reward
            rests.append(rest)
        return [rewards, rests]

    def balances() -> list[list[int]]:
        sums = [0] * WORKERS
        for score in scores:
            sums[score % WORKERS] += score
        return [sums]

    return {
        FOLD: fold,
        "weights": lambda: [
            [rules.weight_of(score, flag) for score, flag in zip(scores, enclaves, strict=True)]
        ],
        SPLIT: split,
        "balances": balances,
    }


def _digest(columns: Sequence[Any]) -> str:
    import numpy as np

    found = hashlib.sha256()
    for column in columns:
        found.update(np.asarray(column, np.int64).tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    print(json.dumps(measured(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))), flush=True)
