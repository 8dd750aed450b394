"""A rule: a path, a comparison, a limit. Read by a grammar of one line, never run."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.policy.measures import SUSTAINED, Measure, find
from monitor.policy.units import PolicyError, duration_seconds, in_unit

Severity = Literal["error", "warn"]
OVER_SECONDS_MAX = 86_400.0
SAMPLES_MAX = 10_000
RULE_CHARACTERS_MAX = 200
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_RULE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_.]*)\s*([<>=!]+)\s*(\S.*)")
EXAMPLE = "such as head.lag_blocks.max < 3"


@dataclass(frozen=True, slots=True)
class Options:
    """What a rule asks for beside its condition."""

    severity: Severity = "error"
    over_seconds: float | None = None
    """Only samples of this last time count, and it must have been watched whole for a pass."""
    min_samples: int = 1
    """With fewer of a subject nothing is said of it."""
    consecutive: int = 1
    """So many samples in a row must be out of bounds to count."""
    abort_on_fail: bool = False
    """A gate ends as soon as this rule has failed."""
    network: str = ""
    """Only what belongs to this network; empty: all there is."""
    max_age_seconds: float | None = None
    """The newest sample may be so old; None: a minute, or twice the pause between two samples where
    that is more, or as old as a store's own limit allows."""


PLAIN = Options()


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of one measure."""

    text: str
    """As it was written, on one line."""
    measure: Measure
    aggregation: str
    """Empty for a ratio."""
    sign: str
    """A key of OPERATORS."""
    limit: float
    """In the measure's unit."""
    options: Options = PLAIN

    @property
    def series(self) -> str:
        """Under which name its samples are kept: what is stored is kept by its whole path."""
        name = self.measure.name
        return f"{name}.{self.aggregation}" if self.measure.kind == "stored" else name

    @property
    def samples_needed(self) -> int:
        """So many samples of a subject must be there before anything is said of it."""
        return max(self.options.min_samples, self.options.consecutive)

    def holds(self, value: float) -> bool:
        """Whether a value is as the rule wants it."""
        return OPERATORS[self.sign](value, self.limit)

    def holds_from(self, value: float) -> bool | None:
        """Whether the rule holds for every value from this one up; None: only for some of them."""
        is_settled = value > self.limit or (value == self.limit and self.sign in {"<", ">="})
        return self.sign in {">", ">=", "!="} if is_settled else None


def parse(text: str, options: Options = PLAIN) -> Rule:
    """The rule in a text. Raises PolicyError with what was expected, found, and the remedy."""
    match = _RULE.fullmatch(text)
    if match is None or len(text) > RULE_CHARACTERS_MAX:
        message = "expected PATH, a comparison and a limit"
        raise PolicyError(message, text[:RULE_CHARACTERS_MAX].strip(), EXAMPLE)
    path, sign, limit = match[1], match[2], match[3]
    if sign not in OPERATORS:
        # It is made of signs alone, which are no secret.
        message = f"expected one of {' '.join(OPERATORS)}, not {sign}"
        raise PolicyError(message, hint="for equality write ==" if sign == "=" else "")
    measure, aggregation = find(path)
    rule = Rule(
        text=" ".join(text.split()),
        measure=measure,
        aggregation=aggregation,
        sign=sign,
        limit=in_unit(limit, measure.unit),
        options=options,
    )
    _check(rule)
    return rule


def over_of(text: str) -> float:
    """The time of `over` or `max_age`, in seconds. Raises PolicyError."""
    return duration_seconds(text, most=OVER_SECONDS_MAX)


def _check(rule: Rule) -> None:
    """Refuse what would say nothing."""
    options = rule.options
    for name, count in (
        ("min_samples", options.min_samples),
        ("consecutive", options.consecutive),
    ):
        if not 1 <= count <= SAMPLES_MAX:
            message = f"{name}: expected a whole number from 1 to {SAMPLES_MAX}"
            raise PolicyError(message, str(count))
    if rule.measure.kind == "stored":
        for name, is_given in (
            ("over", options.over_seconds is not None),
            ("min_samples", options.min_samples > 1),
            ("consecutive", options.consecutive > 1),
            ("abort_on_fail", options.abort_on_fail),
        ):
            if is_given:
                message = f"{name} says nothing of {rule.measure.name}, which is kept as one value"
                raise PolicyError(message, hint=f"drop {name}")
    elif options.consecutive > 1 and rule.aggregation not in SUSTAINED:
        words = " or ".join(f".{word}" for word in SUSTAINED)
        message = f"consecutive goes with paths that end in {words}"
        raise PolicyError(
            message, rule.aggregation or rule.measure.name, "drop it, or ask for min_samples"
        )
