"""The lag of a node as a line that needs no script. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from monitor.history import LagPoint

WIDTH = 480
HEIGHT = 100
GAP_SECONDS = 600.0
"""Where nothing was seen for longer, the line is broken and not drawn across."""
HEADROOM = 1.25
"""The limit stays below the upper edge by so much, also where nothing comes near it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve in a box of `WIDTH` by `HEIGHT`, with the words that tell what it shows."""

    path: str
    """Empty where nothing is known."""
    limit_y: float
    top: str
    """What the upper edge stands for."""
    words: str


def lag_line(
    points: Sequence[LagPoint], *, now: float, span_seconds: float, limit_blocks: int
) -> Line:
    """The largest lag of each moment of the time until now; ahead counts as level."""
    seen = [(p.at, max(0, p.lag_blocks)) for p in points if p.lag_blocks is not None]
    most = max((lag for _, lag in seen), default=0)
    top = max(limit_blocks * HEADROOM, most)
    thinned = _thinned(seen, now - span_seconds, span_seconds)
    parts: list[str] = []
    before: float | None = None
    for at, lag in thinned:
        x = (at - (now - span_seconds)) / span_seconds * WIDTH
        y = HEIGHT - lag / top * HEIGHT
        # A point by itself is a line of no length, which round ends make visible.
        is_apart = before is None or at - before > GAP_SECONDS
        parts.append(f"M{x:.4g} {y:.4g}h0" if is_apart else f"L{x:.4g} {y:.4g}")
        before = at
    if not seen:
        words = "nothing is known of its lag"
    else:
        words = f"at most {most} block{'s' * (most != 1)} behind, limit {limit_blocks}"
    return Line("".join(parts), HEIGHT - limit_blocks / top * HEIGHT, f"{top:.4g}", words)


def _thinned(
    seen: Sequence[tuple[float, int]], begin: float, span_seconds: float
) -> list[tuple[float, int]]:
    """At most a point for two units of width: the largest of each, so that no peak is lost."""
    places = WIDTH // 2
    largest: dict[int, tuple[float, int]] = {}
    for at, lag in seen:
        place = int((at - begin) / span_seconds * places)
        if not 0 <= place <= places:
            continue
        if place not in largest or lag > largest[place][1]:
            largest[place] = (at, lag)
    return [largest[place] for place in sorted(largest)]
