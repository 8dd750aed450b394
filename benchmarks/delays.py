"""How long each chain's faults go unnoticed: from the fault to the open finding, by simulation.

The seeded world of the tests plays them in simulated time: blocks at gaps drawn from the profile,
each on every endpoint after a delay of its own, a round every poll, the real elections, judges and
fold. A fault begins at any moment between two rounds. Nothing depends on the machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.report import Result, Row, Say, Sizes
from monitor.judge.profiles import PROFILES, Profile
from monitor.lab.scenarios.reorgs import DEPTHS, WARNED_BLOCKS
from tests.world import Fault, World
from tests.world_faults import FAULTS, WARM_BLOCKS

SEEDS = 25
PATIENCE = 3
"""How many times the longest threshold a fault may go unnoticed before that is an error."""
PATIENCE_BLOCKS = 100
UNITS = ("blocks", "seconds")
UNPLAYED = {
    "lost-transactions": "as `private-fork`; payments, which are lost on it, are not simulated",
    "references-hanging": "as `references-down`, and the deadline of a call later",
    "garbage": "as `unreachable`; what an answer is made of is not simulated",
    **dict.fromkeys(
        ("throttled", "hanging", "slowloris", "truncated", "process-stopped"),
        "as `unreachable`, and the deadline of a call later where no answer comes",
    ),
    "batch-partial": "nothing opens",
    "provider-backwards": "as `liar-behind`, once its head has gone back by the lag threshold",
    "reference-throttled": "as `reference-down`",
    "restart": "nothing opens: a start is over before it counts",
    "late-joiner": "as `lag`, from the first round on",
    **dict.fromkeys(
        ("chain-reorg-1", "websocket-duplicates", "websocket-out-of-order", "indexing-at-the-tip"),
        "nothing opens: it is counted, or only looks like trouble",
    ),
    **dict.fromkeys(
        (*(f"chain-reorg-{depth}" for depth in DEPTHS if depth >= WARNED_BLOCKS), "own-reorg"),
        "in the round in which a head does not link to the one before, and told in the next",
    ),
    **dict.fromkeys(
        ("finalized-hash-differs", "tags-unordered"),
        "at the pace of the check `finality`, 12 seconds, and a round later",
    ),
    **dict.fromkeys(
        ("finality-stalled", "finality-backwards"),
        "once it has lasted as long as a silence of the chain that is told, or as a node may learn "
        "late what is final (see profiles.md)",
    ),
    **dict.fromkeys(
        ("websocket-deaf", "websocket-gaps"),
        "after the time that the lag threshold takes, and two rounds",
    ),
    "chain-finality-stalled": "when three times the blocks have passed that finality takes",
    "provider-limits": "after ten calls, and two rounds",
    "slow": "after twenty calls of a method, once three of ten in five minutes were slow",
    **dict.fromkeys(("clock-skewed", "own-clock", "future-head"), "two rounds"),
    **dict.fromkeys(
        ("says-synced-while-behind", "syncing-far-behind"),
        "as `lag`; what the node says of it at the pace of the check `sync`, 15 seconds, twice",
    ),
    **dict.fromkeys(
        ("no-peers", "bad-block-canonical"),
        "at the pace of the checks `peers` and `bad_blocks`, a minute, and a round later",
    ),
    **dict.fromkeys(
        ("wrong-state", "wrong-logs", "receipts-missing-log", "upgrade-unknown"),
        "at the pace of the checks `state`, `logs` and `upgrade`, ten minutes, and a round later",
    ),
    "retention-shrunk": "at the pace of the check `retention`, an hour, and a round later",
}
"""The lab's scenarios that this world cannot play, and what can be said of them all the same."""


@dataclass(frozen=True, slots=True)
class Delay:
    """What passed until a finding was open."""

    blocks: int
    """Of the chain, wherever they had arrived."""
    seconds: float


def delay_of(profile: Profile, fault: Fault, seed: int) -> Delay:
    """Let a healthy world fall ill; raises RuntimeError where nobody notices."""
    world = World(profile, seed, clients=fault.clients)
    world.pass_blocks(WARM_BLOCKS)
    while not world.is_healthy:
        world.step()
    rules = world.policy
    began = world.pass_seconds(world.phase_seconds)
    number = world.chain.number
    fault.begin(world)
    blocks = PATIENCE_BLOCKS + rules.confirmations + rules.lag_blocks
    limit = PATIENCE * (rules.stall_seconds + blocks * profile.interval_seconds)
    while world.now < began + limit:
        world.step()
        if all(world.level(key) == level for key, level in fault.findings):
            return Delay(world.chain.number - number, world.now - began)
    message = f"{fault.name} was not noticed\n{world.story}"
    raise RuntimeError(message)


def delays(profile: Profile, fault: Fault, seeds: int) -> list[Delay]:
    """One for each seed."""
    return [delay_of(profile, fault, seed) for seed in range(seeds)]


def cell(found: Sequence[Delay], unit: str) -> str:
    """The median and the worst; seconds to two digits, or whole where there are more."""
    values = [delay.blocks if unit == "blocks" else delay.seconds for delay in found]
    return f"{_figure(statistics.median(values))} / {_figure(max(values))}"


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def measured(sizes: Sizes, say: Say) -> list[Result]:
    """Two tables, in blocks and in seconds: a row for each fault, a column for each chain."""
    full = sizes.repeats > 1
    seeds, profiles = (SEEDS, list(PROFILES.values())) if full else (1, [*PROFILES.values()][:2])
    found: dict[tuple[str, str], list[Delay]] = {}
    for fault in FAULTS:
        say(f"detection: {fault.name}")
        for profile in profiles:
            found[fault.name, profile.key] = delays(profile, fault, seeds)
    return [
        Result(
            title_of(unit),
            tuple(
                Row(
                    fault.name,
                    {p.key: cell(found[fault.name, p.key], unit) for p in profiles},
                )
                for fault in FAULTS
            ),
            f"median / worst of {seeds} seeds",
        )
        for unit in UNITS
    ]


def title_of(unit: str) -> str:
    """Of the table in blocks, or in seconds."""
    return f"detection: {unit} of the chain from the fault to the open finding"


def page(text: str, results: Sequence[Result] = (), place: Mapping[str, str] | None = None) -> str:
    """docs/detection.md with its lists made anew, and with its figures where they were measured."""
    parts = {"faults": _faults(), "unplayed": _unplayed()}
    if place is not None:
        tables = {result.title: result for result in results}
        parts["delays"] = _delays([tables[title_of(unit)] for unit in UNITS], place["date"])
    for name, lines in parts.items():
        start, end = f"<!-- {name}: written by benchmarks/delays.py -->", f"<!-- /{name} -->"
        before, _, rest = text.partition(start)
        text = "\n".join([before + start, *lines, end]) + rest.partition(end)[2]
    return text


def _faults() -> Iterator[str]:
    yield from ("| fault | what happens | noticed when this is open |", "|---|---|---|")
    for fault in FAULTS:
        yield f"| `{fault.name}` | {fault.title} | {_findings(fault)} |"


def _findings(fault: Fault) -> str:
    """One finding for those of a kind."""
    kinds = sorted({(key[0], _whose(key[1]), level.word) for key, level in fault.findings})
    return ", ".join(f"`{check}` of {whose}: {level}" for check, whose, level in kinds)


def _whose(subject: str) -> str:
    if subject.startswith("node:"):
        return "the node"
    return "all references together" if subject.endswith("/quorum") else "the reference"


def _unplayed() -> Iterator[str]:
    yield from (f"- `{name}`: {why}" for name, why in UNPLAYED.items())


def _delays(results: Sequence[Result], date: str) -> Iterator[str]:
    """Four tables: in blocks and in seconds, the chains of today and those of 2018."""
    yield f"Measured {date}, headwatch {version('headwatch')}: {results[0].note}."
    past = [key for key in PROFILES if key.endswith("-2018")]
    eras = {"today": [key for key in PROFILES if key not in past], "2018": past}
    for unit, result in zip(UNITS, results, strict=True):
        for era, keys in eras.items():
            yield from ("", f"### In {unit}, the chains of {era}", "")
            yield f"| | {' | '.join(f'`{key}`' for key in keys)} |"
            yield "|---" * (len(keys) + 1) + "|"
            for row in result.rows:
                yield f"| `{row.name}` | {' | '.join(str(row.figures[key]) for key in keys)} |"
