"""What several were asked and each answered, and what is said where nothing was seen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from monitor.judge.quorum import Round
from monitor.model import Evidence, Finding, Level, Observation, Unseen, subject_of

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """One reference's answer to a question that was put to all."""

    source: str
    """The label of the reference."""
    operator: str
    client: str
    """The client's family; empty where unknown."""
    seen: T | Unseen


def agreed(answers: Sequence[Answer[T]], need: int) -> T | None:
    """What a strict majority of the operators says; None where there is none.

    `need` is `Round.need`: silence counts against, and operators that say two things say none.
    """
    said: dict[str, list[T]] = {}
    for answer in answers:
        if not isinstance(answer.seen, Unseen):
            said.setdefault(answer.operator, []).append(answer.seen)
    votes = [values[0] for values in said.values() if all(v == values[0] for v in values)]
    return next((vote for vote in votes if votes.count(vote) >= need), None)


def parts_of(answers: Sequence[Answer[T]], part: Callable[[T], U]) -> tuple[Answer[U], ...]:
    """The same answers, less what is not compared."""
    return tuple(
        Answer(
            one.source,
            one.operator,
            one.client,
            one.seen if isinstance(one.seen, Unseen) else part(one.seen),
        )
        for one in answers
    )


@dataclass(frozen=True, slots=True)
class Word:
    """What a check says of what was seen, before it is said of whom and by what evidence."""

    level: Level
    reason: str
    summary: str
    measured: float | None = None
    limit: float | None = None
    unit: str = ""


def spoken(
    check: str, newest: Observation[Any], context: Round, method: str, word: Word, *said: str
) -> Finding:
    """The finding of a word, with each thing that was `said` by the node as its evidence."""
    return Finding(
        check=check,
        subject=subject_of(newest.node),
        network=context.network,
        level=word.level,
        reason=word.reason,
        summary=word.summary,
        measured=word.measured,
        limit=word.limit,
        unit=word.unit,
        evidence=tuple(Evidence(newest.node, method, one, newest.at) for one in said),
    )


def unseen(check: str, newest: Observation[Any], context: Round, method: str) -> Finding:
    """The finding of a check whose newest observation is an `Unseen`: UNKNOWN, and why."""
    seen = newest.seen
    assert isinstance(seen, Unseen), "the judge has looked"
    word = Word(Level.UNKNOWN, seen.reason, f"not seen: {seen.detail}")
    return spoken(check, newest, context, method, word, seen.detail)
