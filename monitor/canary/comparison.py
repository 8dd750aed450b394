"""What one check of a canary run comes to, and what all of them come to together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.model import VerdictWord

Outcome = Literal["pass", "warn", "fail", "unknown", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("fail", "unknown", "warn", "skipped", "pass")
"""The worst first. `skipped` was not asked for, or cannot be: it says so, and decides nothing."""

TITLES: Mapping[str, str] = {
    "identity": "both serve the same chain",
    "upgrades": "the candidate is ready for the next hard fork",
    "consensus": "both have the same blocks",
    "methods": "no method that the baseline serves is gone",
    "answers": "both answer alike about the same block",
    "latency": "the candidate is not slower",
    "head": "the candidate keeps up with the chain",
    "peers": "the candidate has half the baseline's peers or more",
    "sync": "the candidate has caught up",
    "disk": "the candidate's disk will last",
    "transaction": "what is sent through the candidate reaches the others",
    "restart": "the candidate keeps its head over a restart",
}
"""The twelve checks, in the order in which they are made, and what each asserts."""
REQUIRED = frozenset({"identity", "consensus"})
"""Without these nothing that the others say means anything."""
CANDIDATE = "node:candidate"
ACCEPTED = "accepted"
"""The reason of a comparison that somebody lets pass."""
NOT_ASKED = "not_asked"
"""The reason of one that was not made: nobody wanted it, or another had made it pointless."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing on which they were compared, with the values of both."""

    what: str
    """A method with its block, a header field, a quantity with its unit."""
    baseline: str
    """Empty where there is none."""
    candidate: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one check found."""

    check: str
    """A key of `TITLES`."""
    outcome: Outcome
    reason: str
    """A slug: stable, for machines."""
    summary: str
    """A sentence: for people."""
    lines: tuple[Line, ...] = ()
    asked: int = 0
    """So many questions were put to both."""
    subject: str = CANDIDATE
    """`node:candidate`, or `method:NAME` where one method is told apart."""

    @property
    def is_blind(self) -> bool:
        """Whether it was made and could not see, and was not only left out for another's sake."""
        return self.outcome == "unknown" and self.reason != NOT_ASKED


def word_of(comparisons: Iterable[Comparison], *, strict: bool = False) -> VerdictWord:
    """Any fail: fail. Else any check that could not see, or a required one missing: inconclusive.

    Warnings pass, unless `strict`.
    """
    seen = tuple(comparisons)
    outcomes = {one.outcome for one in seen}
    if "fail" in outcomes or (strict and "warn" in outcomes):
        return "fail"
    judged = {one.check for one in seen if one.outcome in {"pass", "warn"}}
    return "pass" if "unknown" not in outcomes and judged >= REQUIRED else "inconclusive"
