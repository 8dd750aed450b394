"""What comes of each file, and of all of them together. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from monitor.canary.differences import Difference
from monitor.model import VerdictWord

Outcome = Literal["pass", "fail", "unknown", "skipped"]
OUTCOMES: tuple[Outcome, ...] = ("fail", "unknown", "skipped", "pass")
"""The worst first. `skipped`: the node has not the method, or somebody left the file out."""
ABSENT, LEFT_OUT = "absent", "left_out"
"""The two reasons for which a file is skipped."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One file, and what came of it."""

    method: str
    """The directory in which it lies."""
    name: str
    """The file's, without `.io`."""
    outcome: Outcome
    reason: str
    """A slug: stable, for machines."""
    summary: str
    """A sentence: for people."""
    line: int = 1
    """Of the request that decided, in the file."""
    differences: tuple[Difference, ...] = ()
    """`baseline` is what the file expects, and `candidate` what the node answered."""

    @property
    def id(self) -> str:
        return f"{self.method}/{self.name}"


@dataclass(frozen=True, slots=True)
class Conformance:
    """One run."""

    vectors: str
    """The directory, as it was named."""
    client: str = ""
    """What the node calls itself; empty where it does not say."""
    chain: str = ""
    """How the node's chain and that of the vectors lie to each other; empty if nobody knows."""
    blind: str = ""
    """Why no answer would have meant anything, so that none was asked for; else empty."""
    files: tuple[Tried, ...] = ()
    """By method and name."""

    def count(self, outcome: Outcome) -> int:
        return sum(one.outcome == outcome for one in self.files)


def word_of(found: Conformance, *, strict: bool = False) -> VerdictWord:
    """Any file that fails: fail. Else any of which nobody can say, or none passed: inconclusive.

    A method that the node has not is no failure, unless `strict`; what somebody left out never is.
    """
    outcomes = {one.outcome for one in found.files}
    is_absent = any(one.reason == ABSENT for one in found.files)
    if "fail" in outcomes or (strict and is_absent):
        return "fail"
    if found.blind or "unknown" in outcomes or "pass" not in outcomes:
        return "inconclusive"
    return "pass"


def by_method(files: Iterable[Tried]) -> dict[str, list[Tried]]:
    """The files of each method, in their order."""
    found: dict[str, list[Tried]] = {}
    for one in files:
        found.setdefault(one.method, []).append(one)
    return found
