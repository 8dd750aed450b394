"""The PoCo ledger: a whole history replayed event after event, and predicted over columns.

The peer is the sequential replay of `monitor/poco`, which is the specification: the columns have no
figure unless their digest is the same. What is above a million contributions is columns that
nobody's events made, since making the events takes longer than all that is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from benchmarks.children import child, hear
from benchmarks.report import Figure, Result, Row, Say, Sizes, Target

CONTRIBUTIONS = (100_000, 200_000, 400_000, 1_000_000)
COLUMNS = (2_500_000, 5_000_000, 10_000_000)
TINY_COUNTS = 2
"""Of each of these, where only that it works is to be seen."""
EVENTS_A_SECOND = 200_000
GROWTH_MAX = 0.15
"""How far from twice the time twice the work may take."""
SECONDS_MAX, MEGABYTES_MAX = 60.0, 4096.0


async def run(sizes: Sizes, say: Say) -> list[Result]:
    """The events, then the columns."""
    return [await _events(sizes, say), await _columns(sizes, say)]


def _counts(counts: Sequence[int], sizes: Sizes) -> list[int]:
    wanted = counts if sizes.repeats > 1 else counts[:TINY_COUNTS]
    return [int(count * sizes.scale) for count in wanted]


async def _work(what: str, contributions: int, say: Say) -> dict[str, Any]:
    """Has one piece of work done by a process of its own."""
    say(f"ledger: {what} {contributions:,}")
    said: dict[str, Any] = {}
    async with child("-m", "benchmarks.ledger_work", what, str(contributions)) as process:
        while not said.get("is_done"):
            said = await hear(process)
    return said


async def _events(sizes: Sizes, say: Say) -> Result:
    counts = _counts(CONTRIBUTIONS, sizes)
    rows, replays, columns = [], [], []
    for count in counts:
        replay, gathered = await _work("replay", count, say), await _work("gather", count, say)
        assert replay["digest"] == gathered["digest"], "the columns differ from the replay"
        replays.append(replay)
        columns.append(gathered)
        rows.append(Row(f"replay, {count:,} contributions", _figures(replay, replays)))
        spent = gathered["cpu_seconds"] + gathered["predict_seconds"]
        extra: dict[str, Figure] = {
            "of which stages": gathered["predict_seconds"],
            "× replay": replay["cpu_seconds"] / spent,
        }
        rows.append(Row("the same over columns", {**_figures(gathered, columns), **extra}))
    stored = await _work("stored", counts[0], say)
    assert stored["digest"] == replays[0]["digest"], "what is decoded differs from what was stored"
    shares: dict[str, Figure] = {"of which decoding": stored["decode_seconds"]}
    row = Row(f"replay from stored logs, {counts[0]:,}", {**_figures(stored, []), **shares})
    rows.append(row)
    speed = replays[-1]["events"] / replays[-1]["cpu_seconds"]
    speed_stored = stored["events"] / stored["cpu_seconds"]
    targets = (
        Target(
            f"the same of {counts[0]:,} from stored logs",
            f">= {EVENTS_A_SECOND:,}",
            f"{speed_stored:,.0f}",
            speed_stored >= EVENTS_A_SECOND,
        ),
        Target(
            f"sequential replay of {counts[-1]:,} contributions, events/s of a core",
            f">= {EVENTS_A_SECOND:,}",
            f"{speed:,.0f}",
            speed >= EVENTS_A_SECOND,
        ),
        _linear("replay", [one["cpu_seconds"] for one in replays[:-1]]),
    )
    note = "× before: the time over that of the row of half as many"
    return Result("ledger: from decoded events", tuple(rows), note, targets)


def _figures(one: dict[str, Any], so_far: list[dict[str, Any]]) -> dict[str, Figure]:
    spent = one["cpu_seconds"] + one.get("predict_seconds", 0.0)
    before = so_far[-2] if len(so_far) > 1 else None
    figures: dict[str, Figure] = {
        "events": one["events"],
        "CPU s": spent,
        "events/s": one["events"] / spent,
        "MB": one["megabytes"],
    }
    if before is not None and one["events"] < 2.2 * before["events"]:
        figures["× before"] = spent / (before["cpu_seconds"] + before.get("predict_seconds", 0.0))
    return figures


async def _columns(sizes: Sizes, say: Say) -> Result:
    counts = _counts(COLUMNS, sizes)
    found = {count: await _work("columns", count, say) for count in counts}
    rows = []
    before: float | None = None
    for count, one in found.items():
        spent = one["cpu_seconds"]
        figures: dict[str, Figure] = {
            "CPU s": spent,
            "wall s": one["wall_seconds"],
            "M contributions/s": count / spent / 1e6,
            "MB": one["megabytes"],
            "× before": None if before is None else spent / before,
        }
        rows.append(Row(f"in process, {count:,} contributions", figures))
        before = spent
    count = counts[1]
    shared = await _work("cluster", count, say)
    assert shared["digest"] == found[count]["digest"], "the cluster's digits differ"
    wall: dict[str, Figure] = {"wall s": shared["wall_seconds"], "MB": shared["megabytes"]}
    rows.append(Row(f"Dask, 2 processes, {count:,} contributions", wall))
    last = found[counts[-1]]
    met = last["wall_seconds"] < SECONDS_MAX and last["megabytes"] < MEGABYTES_MAX
    targets = (
        Target(
            f"prediction of {counts[-1]:,} contributions",
            f"< {SECONDS_MAX:g} s, < {MEGABYTES_MAX:,.0f} MB",
            f"{last['wall_seconds']:.1f} s, {last['megabytes']:,.0f} MB",
            met,
        ),
        _linear("prediction", [one["cpu_seconds"] for one in found.values()]),
    )
    note = "scores, weights, rewards, kitty and balances; reading and gathering are not in it"
    return Result("ledger: from columns", tuple(rows), note, targets)


def _linear(what: str, seconds: list[float]) -> Target:
    """Whether twice the work takes twice the time; each of these is twice the one before."""
    ratios = [later / earlier for earlier, later in pairwise(seconds)]
    return Target(
        f"{what}: twice the work, times the time",
        f"2 ± {GROWTH_MAX:.0%}",
        ", ".join(f"{ratio:.2f}" for ratio in ratios),
        all(abs(ratio / 2 - 1) <= GROWTH_MAX for ratio in ratios),
    )
