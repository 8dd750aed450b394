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


def unseen(check: str, newest: Observation[Any], context: Round, method: str) -> Finding:
    """The finding of a check whose newest observation is an `Unseen`: UNKNOWN, and why."""
    seen = newest.seen
    assert isinstance(seen, Unseen), "the judge has looked"
    return Finding(
        check=check,
        subject=subject_of(newest.node),
        network=context.network,
        level=Level.UNKNOWN,
        reason=seen.reason,
        summary=f"not seen: {seen.detail}",
        evidence=(Evidence(newest.node, method, seen.detail, newest.at),),
    )
