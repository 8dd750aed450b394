"""The calls that one reference may be asked in a day: references cost money."""

from __future__ import annotations

from collections.abc import Callable

DAY_SECONDS = 86_400


class Budget:
    """The calls that one reference may be asked in a UTC day. Counts calls, not batches."""

    __slots__ = ("_clock", "_day", "_spent", "calls_a_day")

    def __init__(self, calls_a_day: int, clock: Callable[[], float]) -> None:
        self.calls_a_day = calls_a_day
        self._clock = clock
        self._day = int(clock() // DAY_SECONDS)
        self._spent = 0

    @property
    def spent(self) -> int:
        """Calls made since midnight, UTC."""
        day = int(self._clock() // DAY_SECONDS)
        if day != self._day:
            self._day, self._spent = day, 0
        return self._spent

    def resume(self, spent: int) -> None:
        """Add what was spent earlier on this day, before a restart."""
        self._spent = self.spent + spent

    def take(self, calls: int = 1) -> bool:
        """Whether so many calls are left; if so, they are spent."""
        if self.spent + calls > self.calls_a_day:
            return False
        self._spent += calls
        return True

    def spacing_seconds(self, calls_a_round: float) -> float:
        """The pause between rounds of this many calls that makes what is left last the day."""
        left = self.calls_a_day - self.spent
        if left < calls_a_round:
            return float(DAY_SECONDS)
        remaining_seconds = DAY_SECONDS - self._clock() % DAY_SECONDS
        return remaining_seconds * calls_a_round / left
