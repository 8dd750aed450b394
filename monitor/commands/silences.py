"""How long a healthy chain is silent, and how often: the distribution behind the stall threshold.

Plain text, since it is read in terminals, in issues and in logs.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from monitor.judge.profiles import (
    STALL_BUDGET_DAYS,
    Policy,
    down_in_a_row,
    gap_p_value,
    stall_seconds,
)

BAR_COLUMNS = 40
RARE_A_MONTH = 0.01
"""What comes less often than this has no bar."""
ROWS = 10
ROWS_BEYOND = 2
"""Of a distribution that never ends, so many rows are shown after the threshold."""


class Silence(NamedTuple):
    """Gaps of a healthy chain, as a node sees them, of at least this length."""

    seconds: float
    a_month: float | None
    """How many in 30 days; None where it is no statistic."""
    is_threshold: bool


def silences(rules: Policy) -> tuple[Silence, ...]:
    """Lengths from the shortest to a little beyond the stall threshold, which is one of them."""
    profile, limit = rules.profile, rules.stall_seconds
    interval, arrival = profile.interval_seconds, profile.arrival_seconds
    if profile.model in {"slots", "rota"}:
        turns = round((limit - arrival) / interval)
        lengths = [arrival + turn * interval for turn in range(1, turns)]
    else:
        # Where a silence on record is the threshold, the statistic is still what there is to see.
        statistic = stall_seconds(replace(profile, silence_seconds=0.0))
        step = statistic / (ROWS - ROWS_BEYOND)
        lengths = [length for row in range(ROWS) if (length := row * step) != limit]
    found = [*((length, False) for length in lengths), (limit, True)]
    return tuple(Silence(s, _a_month(rules, s), is_limit) for s, is_limit in sorted(found))


def _a_month(rules: Policy, seconds: float) -> float | None:
    # A length is a sum of turns: what rounding takes from it is given back.
    p = gap_p_value(rules.profile, seconds * (1 + 1e-12))
    return None if p is None else p * rules.profile.blocks_a_day * STALL_BUDGET_DAYS


def plot(rules: Policy) -> list[str]:
    """A line for each length: a bar on a logarithmic scale, the number, and the threshold."""
    rows = silences(rules)
    if any(row.a_month is None for row in rows):
        return _turns(rules, rows)
    title = "silences in 30 healthy days that last at least so long (bars are logarithmic)"
    drawn = [title]
    most = max(row.a_month or 0.0 for row in rows)
    for row in rows:
        count = row.a_month or 0.0
        share = math.log(max(count, RARE_A_MONTH) / RARE_A_MONTH) / math.log(most / RARE_A_MONTH)
        bar = "#" * round(BAR_COLUMNS * share)
        drawn.append(_line(row, f"{bar:<{BAR_COLUMNS}} {number(count):>12}"))
    return drawn


def _turns(rules: Policy, rows: tuple[Silence, ...]) -> list[str]:
    """A rota: how long it is silent with so many authorities down, side by side."""
    down = down_in_a_row(rules.profile)
    title = (
        f"silences while up to {down} of {rules.profile.authorities} authorities are down in a row"
    )
    drawn = [title]
    for count, row in enumerate(rows):
        words = f"{count} down" if count <= down else "more than it bears"
        drawn.append(_line(row, f"{'#' * (count + 1):<{len(rows)}} {words:<18}"))
    return drawn


def _line(row: Silence, text: str) -> str:
    mark = "<- network quiet" if row.is_threshold else ""
    return f"{row.seconds:>8.4g} s  {text}  {mark}".rstrip()


def number(count: float) -> str:
    """How many in 30 days, in as many digits as a person reads."""
    if count >= 100:  # noqa: PLR2004 - three digits and more are counted whole
        return f"{count:,.0f}"
    return f"{count:.2g}" if count >= RARE_A_MONTH else f"< {RARE_A_MONTH:g}"
