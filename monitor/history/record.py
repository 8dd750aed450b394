"""The words of the past: frozen, with units, as pages and the API get them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.evidence import WORD_CHARACTERS_MAX, cut, written
from monitor.model import Action, Evidence, Key, Level


class HistoryError(Exception):
    """Something that had to be written could not be; `str()` is one line for a person."""


StepKind = Literal["opened", "changed", "closed"]

SUMMARY_CHARACTERS_MAX = 500
SAID_CHARACTERS_MAX = 300
EVIDENCE_COUNT_MAX = 6
"""With every text at its longest, that is about 4 kB."""
FORGOTTEN = "forgotten"
"""The reason of the last step of an incident whose subject is no longer configured."""


@dataclass(frozen=True, slots=True)
class Step:
    """One edge of an incident: its level became another."""

    at: float
    kind: StepKind
    level: Level
    before: Level
    reason: str
    summary: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """A finding from when it left OK until it was OK again."""

    id: int
    check: str
    subject: str
    network: str
    opened_at: float
    closed_at: float | None
    """None while it is open."""
    level: Level
    """The last that was not OK."""
    worst: Level
    reason: str
    summary: str
    """Of the last edge that did not close it, as `reason`."""
    because: Key | None
    silenced: bool
    """Whether a maintenance window kept people from being told of its opening."""
    steps: tuple[Step, ...] = ()
    """Oldest first; of very many the first and the newest."""


@dataclass(frozen=True, slots=True)
class Bar:
    """How a subject was during one stretch of time, by the worst of its checks each second."""

    starts_at: float
    seconds: float
    """Known seconds: those in which headwatch was there to judge, the sum of the four below."""
    ok_seconds: float
    unknown_seconds: float
    """Asked, and it could not be seen."""
    degraded_seconds: float
    failed_seconds: float

    @property
    def worst(self) -> Level:
        """The worst level that it came to."""
        if self.failed_seconds > 0:
            return Level.FAILED
        if self.degraded_seconds > 0:
            return Level.DEGRADED
        return Level.UNKNOWN if self.unknown_seconds > 0 else Level.OK


@dataclass(frozen=True, slots=True)
class Uptime:
    """The share of known seconds that were OK, to the hour; None where nothing is known.

    What could not be seen is not up: a node that answers nobody is not well. Seconds in which
    headwatch itself did not run are not known, and count for nobody.
    """

    day: float | None
    week: float | None
    month: float | None
    """Of 30 days, or of what is retained, if that is less."""


@dataclass(frozen=True, slots=True)
class LagPoint:
    """Where a node was in one minute, or, of more than a day ago, in one hour."""

    at: float
    head: int | None
    """The last that was seen."""
    lag_blocks: int | None
    """The largest, behind the reference; negative is ahead. None: not seen, or no reference."""
    network_head: int | None
    """The head that lag was measured from, the last."""


@dataclass(frozen=True, slots=True)
class Edge:
    """What is written of one action: bounded texts, and evidence as it is stored."""

    at: float
    kind: StepKind
    key: Key
    network: str
    level: Level
    before: Level
    reason: str
    summary: str
    because: Key | None
    evidence: str
    """JSON, of `evidence.written`."""
    silenced: bool


def edge_of(action: Action, *, silenced: bool) -> Edge:
    """What is remembered of an action."""
    finding = action.finding
    return Edge(
        at=action.at,
        kind=action.kind,
        key=action.key,
        network=finding.network,
        level=finding.level,
        before=action.before,
        reason=cut(finding.reason, WORD_CHARACTERS_MAX),
        summary=cut(finding.summary, SUMMARY_CHARACTERS_MAX),
        because=finding.because,
        evidence=written(
            finding.evidence,
            count_max=EVIDENCE_COUNT_MAX,
            characters_max=SAID_CHARACTERS_MAX,
        ),
        silenced=silenced,
    )


def level_of(word: str) -> Level:
    """A level by the word it is stored under."""
    return Level[word.upper()]
