"""Amounts, times and tables as the ledger's texts write them. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

RLC_DECIMALS = 9
NRLC_PER_RLC = 10**RLC_DECIMALS


def rlc(nrlc: int, unit: str = " RLC") -> str:
    """An amount of RLC with all its 9 decimals: `1,234.500000000 RLC`; exact, never a float."""
    whole, part = divmod(abs(nrlc), NRLC_PER_RLC)
    return f"{'-' if nrlc < 0 else ''}{whole:,}.{part:0{RLC_DECIMALS}}{unit}"


def signed_rlc(nrlc: int, unit: str = " RLC") -> str:
    """The same with its sign, as a change: `+0.000000001 RLC`; no change is `0.000000000 RLC`."""
    return f"{'+' if nrlc > 0 else ''}{rlc(nrlc, unit)}"


def moment(timestamp: int) -> str:
    """A block's time in UTC; one that no calendar has is written as seconds."""
    try:
        read = datetime.datetime.fromtimestamp(timestamp, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return f"{timestamp} s"
    return f"{read:%Y-%m-%d %H:%M:%S} UTC"


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: `1 account`, `2,000 accounts`; `many` where it is not one and s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def table(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Lines of columns two blanks apart, the first row their names; columns in `right` end level.

    A column that is empty in every row but the first is left out.
    """
    if len(rows) > 1:
        used = [place for place in range(len(rows[0])) if any(row[place] for row in rows[1:])]
    else:
        used = list(range(len(rows[0])))
    widths = {place: max(len(row[place]) for row in rows) for place in used}
    return [
        "  ".join(
            row[place].rjust(widths[place]) if place in right else row[place].ljust(widths[place])
            for place in used
        ).rstrip()
        for row in rows
    ]
