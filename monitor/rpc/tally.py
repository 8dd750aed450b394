"""What became of one endpoint's calls: in total, and by method within the last five minutes.

Bounded whatever happens: so many methods, so many stretches of time, so many durations.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from monitor.rpc.errors import NO_ERRORS

WINDOW_SECONDS = 300.0
STRETCH_SECONDS = 30.0
"""The window moves on by so much."""
STRETCHES_MAX = round(WINDOW_SECONDS / STRETCH_SECONDS)
METHODS_MAX = 32
OTHERS = "others"
"""Where the calls of further methods are counted together."""
DURATIONS_KEPT = 32
"""Of each method, the newest."""
LATENCIES_KEPT = 64
RECENT_COUNT = 10


class Recent(NamedTuple):
    """Of the newest `RECENT_COUNT` calls."""

    calls: int
    failed: int
    throttled: int


@dataclass(frozen=True, slots=True)
class MethodCalls:
    """The calls of one method within the window whose end is known."""

    method: str
    calls: int
    errors: Mapping[str, int]
    """By `UnseenReason`; what is unsupported is an answer."""
    throttled: int
    """Of those that failed, the ones that said that it is asked too much."""
    seconds: tuple[float, ...]
    """How long the newest took, up to the end of their exchange; a deadline that passed counts as
    its length."""


@dataclass(slots=True)
class _Stretch:
    number: int
    calls: int = 0
    throttled: int = 0
    errors: Counter[str] | None = None


@dataclass(slots=True)
class _Method:
    stretches: deque[_Stretch] = field(default_factory=lambda: deque(maxlen=STRETCHES_MAX))
    durations: deque[tuple[float, float]] = field(
        default_factory=lambda: deque(maxlen=DURATIONS_KEPT)
    )


class Tally:
    """Counts the calls of one endpoint."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.calls_total = 0
        """Sent, whatever became of them."""
        self.errors_total: Counter[str] = Counter()
        self.latencies: deque[tuple[str, float]] = deque(maxlen=LATENCIES_KEPT)
        self._clock = clock
        self._methods: dict[str, _Method] = {}
        self._newest: deque[tuple[bool, bool]] = deque(maxlen=RECENT_COUNT)

    @property
    def recent(self) -> Recent:
        """What became of the newest calls."""
        failed = sum(is_failed for is_failed, _ in self._newest)
        return Recent(len(self._newest), failed, sum(throttled for _, throttled in self._newest))

    def answered(self, method: str, seconds: float) -> None:
        """Count a call that brought its answer."""
        self._count(method, seconds)

    def failed(
        self, method: str, reason: str, *, throttled: bool = False, seconds: float | None = None
    ) -> None:
        """Count a call that brought none; `seconds` only where it says how long is too long."""
        self.errors_total[reason] += 1
        if reason != "budget":
            self._count(method, seconds, reason, throttled=throttled)

    def window(self) -> tuple[MethodCalls, ...]:
        """The methods that were called within the last five minutes, by name."""
        now = self._clock()
        first = int(now // STRETCH_SECONDS) - STRETCHES_MAX + 1
        found = []
        for name, method in sorted(self._methods.items()):
            stretches = [one for one in method.stretches if one.number >= first]
            if not stretches:
                continue
            errors: Counter[str] = Counter()
            for one in stretches:
                errors.update(one.errors or {})
            since = first * STRETCH_SECONDS
            found.append(
                MethodCalls(
                    name,
                    sum(one.calls for one in stretches),
                    dict(errors),
                    sum(one.throttled for one in stretches),
                    tuple(seconds for at, seconds in method.durations if at >= since),
                )
            )
        return tuple(found)

    def _count(
        self, name: str, seconds: float | None, reason: str = "", *, throttled: bool = False
    ) -> None:
        now = self._clock()
        known = name in self._methods or len(self._methods) < METHODS_MAX
        method = self._methods.setdefault(name if known else OTHERS, _Method())
        number = int(now // STRETCH_SECONDS)
        if not method.stretches or method.stretches[-1].number != number:
            method.stretches.append(_Stretch(number))
        stretch = method.stretches[-1]
        stretch.calls += 1
        is_failed = bool(reason) and reason not in NO_ERRORS
        self._newest.append((is_failed, is_failed and throttled))
        if seconds is not None:
            method.durations.append((now, seconds))
        if is_failed:
            stretch.errors = stretch.errors or Counter()
            stretch.errors[reason] += 1
            stretch.throttled += throttled
