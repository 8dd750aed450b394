"""The bars of a day, as the few strokes that an SVG needs for them. Pure.

A taller bar is a worse one, so that they are read without colours. Bars that follow each other at
one level are one stroke, dashed by the style sheet: a quiet day is 8 bytes, and two hundred nodes
fit on a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from monitor.act.words import clock_time, duration
from monitor.model import Level

if TYPE_CHECKING:
    from monitor.history import Bar

COUNT = 48
SPAN_SECONDS = 86_400.0
SPAN_WORDS = "last 24 h"
WIDTH = 2
"""Of a bar with its gap: 96 by 10 units keep their shape when they are drawn twice as large."""
HEIGHTS = {Level.OK: 4, Level.UNKNOWN: 6, Level.DEGRADED: 8, Level.FAILED: 10}
"""Of ten; the style sheet has the same widths of strokes, in the same names."""


@dataclass(frozen=True, slots=True)
class Strip:
    """All bars of one subject."""

    paths: tuple[tuple[str, str], ...]
    """(level, path), worst first."""
    words: str
    """The same, for who does not look."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One bar that says by itself what it means."""

    level: str
    path: str
    words: str


NOTHING = Strip((), "nothing is known of the last 24 h")


def strip_of(bars: Sequence[Bar | None]) -> Strip:
    """The bars, oldest first, as one stroke for each run of a level."""
    runs: dict[Level, list[tuple[int, int]]] = {}
    start = 0
    for place in range(1, len(bars) + 1):
        level = _level(bars[start])
        if place < len(bars) and _level(bars[place]) == level:
            continue
        if level is not None:
            runs.setdefault(level, []).append((start, place))
        start = place
    if not runs:
        return NOTHING
    paths = tuple((level.word, _path(level, runs[level])) for level in sorted(runs, reverse=True))
    return Strip(paths, _words(bars))


def slots_of(bars: Sequence[Bar | None], now: float) -> tuple[Slot, ...]:
    """Each bar by itself, with its time and what happened in it."""
    return tuple(
        Slot(bar.worst.word, _path(bar.worst, [(place, place + 1)]), _slot_words(bar, now))
        for place, bar in enumerate(bars)
        if bar is not None
    )


def share_words(share: float | None) -> str:
    """`100 %`, `99.98 %`; a second of failure is never rounded away. Empty where unknown."""
    if share is None:
        return ""
    # Cut, not rounded; the millionth is for shares that no float holds exactly.
    percent = int(share * 10_000 + 1e-6) / 100
    return f"{percent:.2f}".rstrip("0").rstrip(".") + " %"


def _level(bar: Bar | None) -> Level | None:
    return None if bar is None else bar.worst


def _path(level: Level, runs: Sequence[tuple[int, int]]) -> str:
    """Lines along the middle of the bars, whose width is their height; from one to the next."""
    path, end = "", 0
    for begin, until in runs:
        moved = (begin - end) * WIDTH
        path += f"m{moved} 0" if path else f"M{moved} {10 - HEIGHTS[level] // 2}"
        path += f"h{(until - begin) * WIDTH}"
        end = until
    return path


def _words(bars: Sequence[Bar | None]) -> str:
    known = [bar for bar in bars if bar is not None]
    seconds = sum(bar.seconds for bar in known)
    parts = _parts(
        failed=sum(bar.failed_seconds for bar in known),
        degraded=sum(bar.degraded_seconds for bar in known),
        unknown=sum(bar.unknown_seconds for bar in known),
    )
    said = ", ".join(parts) or "ok"
    # Bars begin at full half hours, so the newest one and the oldest are in part still empty.
    if seconds < SPAN_SECONDS * 0.9:
        return f"{SPAN_WORDS}, of which {duration(seconds)} are known: {said}"
    return f"{SPAN_WORDS}: {said}"


def _slot_words(bar: Bar, now: float) -> str:
    parts = _parts(
        failed=bar.failed_seconds, degraded=bar.degraded_seconds, unknown=bar.unknown_seconds
    )
    return f"from {clock_time(bar.starts_at, now)}: {', '.join(parts) or 'ok'}"


def _parts(**seconds: float) -> list[str]:
    return [f"{level} for {duration(value)}" for level, value in seconds.items() if value > 0]
