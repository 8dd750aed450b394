"""The band at the top of every page, and the maintenance that is said below it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor import __version__
from monitor.act.pages.cards import since_words
from monitor.act.words import (
    causes_of,
    clock_time,
    count_levels,
    duration,
    headline,
    since_of,
    subject_words,
)
from monitor.model import Snapshot, Verdict, VerdictWord, node_subject

if TYPE_CHECKING:
    from monitor.maintenance import Window

TITLES: dict[VerdictWord, str] = {"pass": "Pass", "fail": "Fail", "inconclusive": "Inconclusive"}
WINDOWS_MAX = 6
"""Windows that a page names; `/api/v1/maintenance` has all."""
PLANNED_SECONDS_MAX = 86_400.0
"""A window that begins later is not yet news."""


@dataclass(frozen=True, slots=True)
class Band:
    """What stands at the top: read from across the room."""

    word: VerdictWord
    """Its colour."""
    title: str
    headline: str
    lead: str
    since: str
    counts: tuple[tuple[str, str], ...]
    """(level, how many in words), worst first."""
    at: str
    at_seconds: float
    version: str
    refresh_seconds: int
    path: str
    """Of this page, with the parameters that choose what is on it."""

    @property
    def joint(self) -> str:
        """What another parameter is added with."""
        return "&" if "?" in self.path else "?"


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One maintenance window, in words."""

    is_active: bool
    reason: str
    actor: str
    what: str
    until: str
    """`until 12:00:00 UTC, for another 55 min`, or when it begins."""


def band_of(snapshot: Snapshot, *, path: str, refresh_seconds: int) -> Band:
    """The verdict of everything."""
    verdict, now = snapshot.verdict, snapshot.at
    return Band(
        word=verdict.word,
        title=TITLES[verdict.word],
        headline=sentence(headline(verdict)),
        lead=_lead(verdict),
        since=since_words(since_of(verdict), now),
        counts=counts_of(verdict),
        at=clock_time(now, now),
        at_seconds=now,
        version=__version__,
        refresh_seconds=refresh_seconds,
        path=path,
    )


def counts_of(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """How many findings stand at each level, worst first."""
    return tuple(
        (level.word, f"{count} {level.word}")
        for level, count in count_levels(verdict.findings).items()
    )


def sentence(words: str) -> str:
    """With a capital; the rest stays, since names of nodes are as they are."""
    return words[:1].upper() + words[1:]


def _lead(verdict: Verdict) -> str:
    causes = () if verdict.word == "pass" else causes_of(verdict)
    return sentence(causes[0].summary) if len(causes) == 1 else ""


def window_rows(windows: Sequence[Window], now: float) -> tuple[WindowRow, ...]:
    """The windows that are active, then those that begin within a day."""
    near = [w for w in windows if w.is_active(now) or 0 <= w.starts_at - now < PLANNED_SECONDS_MAX]
    return tuple(_window_row(window, now) for window in near[:WINDOWS_MAX])


def _window_row(window: Window, now: float) -> WindowRow:
    is_active = window.is_active(now)
    if is_active:
        until = f"until {clock_time(window.ends_at, now)}, for another "
        until += duration(window.ends_at - now)
    else:
        until = f"from {clock_time(window.starts_at, now)}, for "
        until += duration(window.ends_at - window.starts_at)
    things = [f"network {name}" for name in window.networks]
    things += [subject_words(node_subject(name)) for name in window.nodes]
    return WindowRow(
        is_active=is_active,
        reason=window.reason,
        actor=window.actor,
        what=", ".join(things) or "everything",
        until=until,
    )
