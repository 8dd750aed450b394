"""One line of a timeline: when, at which block, what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.model import Key, Level

What = Literal[
    "up", "healthy", "fault", "sent", "opened", "changed", "closed", "gate", "mined", "heal", "end"
]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    seconds: float
    """Since the lab was up."""
    block: int
    """The leader's height."""
    what: What
    text: str
    key: Key | None = None
    level: Level | None = None
    because: Key | None = None

    def to_json(self) -> dict[str, object]:
        """For machines: one flat object."""
        return {
            "seconds": round(self.seconds, 3),
            "block": self.block,
            "event": self.what,
            "text": self.text,
            "check": self.key[0] if self.key else None,
            "subject": self.key[1] if self.key else None,
            "level": self.level.word if self.level is not None else None,
            "because": f"{self.because[0]} {self.because[1]}" if self.because else None,
        }
