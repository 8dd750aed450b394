"""How long to wait before something that failed is tried again. Pure but for its dice."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

BASE_SECONDS = 2.0
CAP_SECONDS = 60.0


def dice() -> Callable[[], float]:
    """Numbers from 0 to 1, so that many who lost the same receiver do not come back at once."""
    return random.Random().random  # noqa: S311 - it spreads load and keeps no secret


@dataclass(slots=True)
class Backoff:
    """Pauses that double up to a cap; each is between half of its length and all of it."""

    base_seconds: float = BASE_SECONDS
    cap_seconds: float = CAP_SECONDS
    chance: Callable[[], float] | None = None
    """Draws from 0 to 1; None: of the system."""
    failures: int = 0
    """In a row."""

    def next_seconds(self) -> float:
        """The pause after one more failure."""
        if self.chance is None:
            self.chance = dice()
        # The exponent is bounded too: failures are counted for as long as a receiver is gone.
        length = min(self.cap_seconds, self.base_seconds * 2.0 ** min(self.failures, 60))
        self.failures += 1
        return length * (0.5 + 0.5 * self.chance())

    def reset(self) -> None:
        self.failures = 0
