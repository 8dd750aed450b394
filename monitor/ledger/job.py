"""What a reconciliation needs to know, and what it answers where it is a process of its own.

`python -m monitor.ledger.child` reads one `Request` as JSON from its standard input, up to the end
of the file, and writes one `Outcome` as JSON, a line, on its standard output; then it ends with 0.
Whatever could be foreseen is such an outcome. Any other exit code, and nothing on the output, is an
error of ours, whose traceback is on the standard error. Steps of long work are lines there too.

    process = await create_subprocess_exec(sys.executable, "-m", CHILD, stdin=PIPE, stdout=PIPE)
    written, _ = await process.communicate(request_json(Request(job)))
    outcome = outcome_of(written)

It may be killed at any instant: the store is whole, and the next one goes on where it was. URLs are
whole on its standard input, which nobody else sees, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from monitor.ledger.plain import dump, load
from monitor.ledger.report import Verdict
from monitor.model import Address, BlockStamp, LedgerTotals
from monitor.poco.difference import Difference
from monitor.rpc.node import Limits
from monitor.url import Url

CHILD = "monitor.ledger.child"
"""The module that is run."""
DIFFERENCES_MAX = 200
"""So many are handed on; the report on disk has them all."""
NOT_A_HUB, BROKEN_STORE = "not_a_hub", "broken_store"
"""Reasons for which no node is to blame: the address, or what lies on disk, must be corrected."""

FINALIZED: Final = "finalized"
"""The block at which a ledger is compared where no other is named."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An endpoint, and how it is called."""

    label: str
    url: Url
    operator: str = ""
    """Of a reference: one vote each."""


@dataclass(frozen=True, slots=True)
class Job:
    """One ledger, at one block."""

    name: str
    """As people call it; of one-off use the hub's address."""
    protocol: str
    contract: Address
    """The hub."""
    node: Seat
    references: tuple[Seat, ...] = ()
    folder: Path | None = None
    """Where its events are kept; None: in a folder that goes when the job is done."""
    at: str = FINALIZED
    """`finalized`, `safe`, `latest`, a number, or a hash."""
    from_block: int | None = None
    """The first block that may hold its events; None: it is looked for."""
    chain_id: int | None = None
    """The chain that the node must be on; None: whichever it is on."""
    confirmations: int = 0
    """Blocks below the head that stand for `finalized` where a node knows no such tag."""
    limits: Limits = field(default_factory=Limits)


class Step(NamedTuple):
    """Where a long job stands."""

    doing: str
    """For a person: `fetching events`, `reading the contracts`."""
    done: int = 0
    total: int = 0
    """0: nobody knows."""
    unit: str = ""
    """Of both: `blocks`, `calls`."""


Tell = Callable[[Step], None]
"""Who is told of each step."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the child is asked."""

    job: Job
    report: Path | None = None
    """Where the whole report is written (`docs/ledger.schema.json`), at once or not at all. An
    outcome without a report leaves what is there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reconciliation came to. Amounts are nRLC."""

    verdict: Verdict
    reason: str | None = None
    """A slug where the verdict is `inconclusive`, such as `behind`, `forked`, `pruned`, `timeout`,
    `logs_truncated`, and `NOT_A_HUB` or `BROKEN_STORE`; else None."""
    detail: str = ""
    """For a person, one line: what could not be seen; empty where everything was."""
    chain_id: int | None = None
    block: BlockStamp | None = None
    """At which everything was read; None where none was pinned."""
    events: int = 0
    """That the ledger was computed from."""
    events_new: int = 0
    """Of these, how many were fetched this time."""
    differences_count: int = 0
    differences_by_kind: Mapping[str, int] = field(default_factory=dict)
    """Kinds of which there are none are absent."""
    differences: tuple[Difference, ...] = ()
    """The first `DIFFERENCES_MAX`."""
    totals: LedgerTotals | None = None
    """What the ledger comes to by its rules; None where it was not computed."""


def request_json(request: Request) -> bytes:
    """What the child reads. It has URLs in it, whole."""
    return dump(Request, request)


def request_of(raw: bytes) -> Request:
    """A request as the child reads it. Raises PlainError, which repeats nothing of a URL."""
    return load(Request, raw)


def outcome_json(outcome: Outcome) -> bytes:
    """What the child writes."""
    return dump(Outcome, outcome)


def outcome_of(raw: bytes) -> Outcome:
    """What the child wrote. Raises PlainError where that is no outcome."""
    return load(Outcome, raw)
