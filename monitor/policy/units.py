"""Quantities as people write them: `500ms`, `2m`, `1%`, `3 blocks`, `30 gwei`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

SECONDS, RATIO, GWEI, BLOCKS = "seconds", "ratio", "gwei", "blocks"
"""Units in which measures are held; a measure that only counts is in what it counts."""
UNITS: Mapping[str, tuple[str, Fraction]] = {
    "ms": (SECONDS, Fraction(1, 1000)),
    "s": (SECONDS, Fraction(1)),
    "m": (SECONDS, Fraction(60)),
    "h": (SECONDS, Fraction(3600)),
    "%": (RATIO, Fraction(1, 100)),
    "gwei": (GWEI, Fraction(1)),
    "blocks": (BLOCKS, Fraction(1)),
    "block": (BLOCKS, Fraction(1)),
}
"""What is written -> the unit it is held in, and how much of it."""
WRITTEN: Mapping[str, str] = {
    SECONDS: "ms, s, m or h, as in 500ms",
    RATIO: "%, as in 1%",
    GWEI: "gwei, as in 30gwei",
    BLOCKS: "blocks or nothing, as in 3",
}
NEEDED = (SECONDS, GWEI)
"""Units without which a number says nothing."""
WHOLE = 1
"""A ratio of so much or more needs its `%`: whoever writes 1 may mean all, or one in a hundred."""
DIGITS_MAX = 15
"""More than a float holds exactly."""
_QUANTITY = re.compile(rf"(-?[0-9]{{1,{DIGITS_MAX}}}(?:\.[0-9]{{1,{DIGITS_MAX}}})?)\s*([a-z%]*)")


class PolicyError(Exception):
    """The operator erred: what was expected, what was found, and the remedy."""

    def __init__(self, expected: str, found: str = "", hint: str = "") -> None:
        """`found` is the part of the text that is wrong; it is kept apart, for it may be secret."""
        self.expected, self.found, self.hint = expected, found, hint
        text = f"{expected}, found {found!r}" if found else expected
        super().__init__(f"{text}; {hint}" if hint else text)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the unit it is held in."""

    value: float
    unit: str
    """Empty where only a number was written."""


def quantity(text: str) -> Quantity:
    """A quantity as written. Raises PolicyError."""
    match = _QUANTITY.fullmatch(text.strip())
    if match is None:
        message = "expected a number and its unit"
        raise PolicyError(message, text.strip(), "such as 3, 500ms, 2m, 1% or 30gwei")
    number, word = Fraction(match[1]), match[2]
    unit, size = UNITS.get(word, (word, Fraction(1)))
    return Quantity(float(number * size), unit)


def in_unit(text: str, unit: str) -> float:
    """What is written, in `unit`. Raises PolicyError where it is in another, or in none."""
    found = quantity(text)
    remedy = f"write {WRITTEN.get(unit, f'a number alone: it counts {unit}')}"
    if found.unit not in {unit, ""}:
        message = f"expected {unit}"
        raise PolicyError(message, text.strip(), remedy)
    if not found.unit and (unit in NEEDED or (unit == RATIO and abs(found.value) >= WHOLE)):
        message = "expected a unit"
        raise PolicyError(message, text.strip(), remedy)
    return found.value


def duration_seconds(text: str, *, most: float) -> float:
    """A length of time above zero. Raises PolicyError."""
    seconds = in_unit(text, SECONDS)
    if not 0 < seconds <= most:
        message = f"expected a time above 0 and up to {said(most, SECONDS)}"
        raise PolicyError(message, text.strip())
    return seconds


def said(value: float, unit: str) -> str:
    """A measured value as a rule would write it; short, for people."""
    if unit == RATIO:
        return f"{value * 100:.4g}%"
    if unit == SECONDS:
        if 0 < abs(value) < 1:
            return f"{value * 1000:.4g}ms"
        return f"{value:.10g}s" if value == int(value) else f"{value:.4g}s"
    number = f"{value:.10g}" if value == int(value) else f"{value:.4g}"
    return f"{number} {unit}"
