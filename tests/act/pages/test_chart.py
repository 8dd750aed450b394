from __future__ import annotations

import re

from monitor.act.pages.chart import GAP_SECONDS, HEIGHT, WIDTH, Line, lag_line
from monitor.history import LagPoint
from tests.act.snapshots import NOW

DAY_SECONDS = 86_400.0


def point(ago_seconds: float, lag: int | None) -> LagPoint:
    return LagPoint(NOW - ago_seconds, 100, lag, 100)


def drawn(points: list[LagPoint], limit: int = 2) -> Line:
    return lag_line(points, now=NOW, span_seconds=DAY_SECONDS, limit_blocks=limit)


def test_line_of_nothing_says_so() -> None:
    """Where nothing was seen no line lies on the ground, as if all had been well."""
    for points in ([], [point(60, None)]):
        line = drawn(points)
        assert (line.path, line.words) == ("", "nothing is known of its lag")


def test_line_keeps_the_limit_below_its_edge() -> None:
    """The limit is seen also where nothing came near it, and where all went beyond it."""
    low, high = drawn([point(60, 0)]), drawn([point(60, 40)])
    assert 0 < low.limit_y < HEIGHT
    assert 0 < high.limit_y < HEIGHT
    assert high.words == "at most 40 blocks behind, limit 2"
    assert high.top == "40"


def test_line_is_broken_where_nothing_was_seen() -> None:
    """A gap is not drawn across."""
    near = [point(7200, 0), point(7200 - 60, 0), point(7200 - 400, 0)]
    line = drawn([*near, point(7200 - 400 - GAP_SECONDS - 1, 0)])
    assert line.path.count("M") == 2


def test_line_loses_no_peak_to_its_width() -> None:
    """Of the points that share a place the worst is drawn."""
    points = [point(seconds, 9 if seconds == 43_200 else 0) for seconds in range(0, 86_400, 60)]
    line = drawn(points)
    heights = [float(y) for y in re.findall(r"[ML][\d.e+-]+ ([\d.e+-]+)", line.path)]
    assert len(heights) <= WIDTH // 2 + 1
    assert min(heights) == 0
    assert all(0 <= y <= HEIGHT for y in heights)


def test_line_takes_ahead_for_level_and_old_for_gone() -> None:
    """A node that is ahead is not behind; what is older than the span is not drawn."""
    line = drawn([point(2 * DAY_SECONDS, 50), point(60, -3)])
    assert line.path == f"M{480 - 60 / DAY_SECONDS * WIDTH:.4g} 100h0"
