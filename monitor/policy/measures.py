"""What can be ruled on: one row a measure, with its unit and how its samples are put together.

A row of `monitor/checks/` without a measure here is refused by tests, as is a row here that
nobody measures.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from monitor.judge.offer import Offer
from monitor.judge.offers import OFFERS
from monitor.policy.units import BLOCKS, RATIO, SECONDS, PolicyError

Subjects = Literal["node", "quorum", "journal", "ledger"]
"""Of what it is measured: each node, the references of each network, each network's journal of
transactions, each ledger."""
Kind = Literal["gauge", "ratio", "count", "stored"]
"""gauge: a value a sample. ratio: parts of a whole, both summed. count: how many, summed. stored:
one value that a journal or a ledger holds, already put together over a time of its own."""

GAUGE = ("max", "min", "mean", "p50", "p90", "p95", "p99", "last")
SUSTAINED = ("max", "min")
"""Aggregations for which so many samples in a row can be asked for."""
CANDIDATES_COUNT = 3


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is measured, under the name by which rules speak of it."""

    name: str
    check: str
    """The check, or the part of headwatch, that it comes from."""
    unit: str
    subjects: Subjects
    kind: Kind
    meaning: str
    aggregations: tuple[str, ...] = ()
    """The last word of a path; none for a ratio, whose path ends with its name."""

    @property
    def paths(self) -> tuple[str, ...]:
        """Everything that a rule may begin with."""
        return tuple(f"{self.name}.{word}" for word in self.aggregations) or (self.name,)


def _gauge(name: str, unit: str, meaning: str, subjects: Subjects = "node") -> Measure:
    return Measure(name, name.split(".", maxsplit=1)[0], unit, subjects, "gauge", meaning, GAUGE)


def _offered(offer: Offer[Any]) -> Measure:
    """What a check beside the required ones declares with its judge."""
    return Measure(
        offer.name, offer.check, offer.unit, offer.subjects, "gauge", offer.meaning, GAUGE
    )


def _ratio(name: str, meaning: str) -> Measure:
    return Measure(name, name.split(".", maxsplit=1)[0], RATIO, "node", "ratio", meaning)


def _transactions(name: str, meaning: str) -> Measure:
    return Measure(
        f"transactions.{name}",
        "transactions",
        "transactions",
        "journal",
        "stored",
        meaning,
        ("count",),
    )


IDENTITY_MISMATCH = _ratio(
    "identity.mismatch_ratio", "Rounds in which the node served another chain, of those seen"
)
HEAD_LAG = _gauge("head.lag_blocks", BLOCKS, "Blocks behind the references; negative is ahead")
HEAD_UNSEEN = _ratio(
    "head.unseen_ratio", "Rounds in which the node's head could not be seen, of all rounds"
)
STALL_MISSED = _gauge(
    "stall.missed_blocks", BLOCKS, "Blocks the references moved while the node stood still"
)
STALL_QUIET = _gauge(
    "stall.quiet_seconds", SECONDS, "Since the references last named a new block", "quorum"
)
FORK_DEPTH = _gauge(
    "fork.depth_blocks", BLOCKS, "Blocks since the node's chain parted from the references'"
)
REFERENCES_AGREEING = _gauge(
    "references.agreeing_operators",
    "operators",
    "Operators that agree on the head; no sample while there is no majority",
    "quorum",
)
RPC_LATENCY = _gauge(
    "rpc.latency_seconds",
    SECONDS,
    "How long a call took that travelled alone; one a round at least",
)
RPC_ERROR_RATIO = _ratio(
    "rpc.error_ratio", "Calls without a usable answer, of all calls; unsupported ones are none"
)
RPC_ERRORS = Measure(
    "rpc.errors",
    "rpc",
    "errors",
    "node",
    "count",
    "Calls without a usable answer; unsupported ones are none",
    ("count",),
)
INCLUSION = Measure(
    "transactions.inclusion_seconds",
    "transactions",
    SECONDS,
    "journal",
    "stored",
    "From first seen into a block, over a day; who still waits counts as so far",
    ("p50", "p95", "p99"),
)
OLDEST_WAITING = Measure(
    "transactions.oldest_waiting_seconds",
    "transactions",
    SECONDS,
    "journal",
    "stored",
    "Age of the oldest that is in no block; 0 s where none waits",
    ("max",),
)
DIFFERENCES = Measure(
    "ledger.differences",
    "ledger",
    "differences",
    "ledger",
    "stored",
    "Differences between what the rules say and what the chain holds",
    ("count",),
)

MEASURES: tuple[Measure, ...] = (
    *(IDENTITY_MISMATCH, HEAD_LAG, HEAD_UNSEEN, STALL_MISSED, STALL_QUIET, FORK_DEPTH),
    *(REFERENCES_AGREEING, RPC_LATENCY, RPC_ERROR_RATIO, RPC_ERRORS),
    *(_offered(offer) for offer in OFFERS),
    *(INCLUSION, OLDEST_WAITING),
    _transactions("live", "That are not final yet"),
    _transactions("waiting", "Of those, in no block"),
    _transactions("lost", "That nobody knows any more, and whose bytes are not known here"),
    _transactions("dropped", "That nobody knows any more"),
    _transactions("local_only", "That only the node they were sent to knows"),
    _transactions("reverted", "That failed in their block, over a day"),
    _transactions("replaced_by_others", "Whose nonce somebody else used, over a day"),
    _transactions("failed", "Live ones that are judged failed"),
    _transactions("degraded", "Live ones that are judged degraded"),
    DIFFERENCES,
)


def _by_path() -> Iterator[tuple[str, tuple[Measure, str]]]:
    for measure in MEASURES:
        for path in measure.paths:
            yield path, (measure, path.removeprefix(measure.name).removeprefix("."))


BY_PATH: Mapping[str, tuple[Measure, str]] = dict(_by_path())
"""Path -> its measure and its aggregation, which is empty for a ratio."""


def find(path: str) -> tuple[Measure, str]:
    """The measure and the aggregation of a path. Raises PolicyError with what may be meant."""
    if path in BY_PATH:
        return BY_PATH[path]
    stem, _, word = path.rpartition(".")
    for measure in MEASURES:
        if measure.name == path:
            message = f"expected {path} to be followed by one of {', '.join(measure.aggregations)}"
            raise PolicyError(message, hint=f"write {measure.paths[0]}")
        if measure.name == stem:
            known = ", ".join(measure.aggregations) or "nothing: it is a ratio"
            message = f"expected {stem} to be followed by {known}"
            raise PolicyError(message, word, f"write {measure.paths[0]}")
    message = "no such measure"
    raise PolicyError(message, path, _meant(path))


def _meant(path: str) -> str:
    """What may be meant by a path that there is not."""
    stem, _, word = path.rpartition(".")
    # A measure's name is more than its last word, which most of them share.
    names = difflib.get_close_matches(stem, [measure.name for measure in MEASURES])
    near = [f"{name}.{word}" for name in names if f"{name}.{word}" in BY_PATH]
    near = near or difflib.get_close_matches(path, BY_PATH, CANDIDATES_COUNT)
    if near:
        return f"did you mean {' or '.join(near)}?"
    room = path.split(".", maxsplit=1)[0]
    below = [measure.name for measure in MEASURES if measure.name.startswith(f"{room}.")]
    if below:
        return f"below {room} there is {', '.join(below)}"
    return "docs/gate.md has all of them"
