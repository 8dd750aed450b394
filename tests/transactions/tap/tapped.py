from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from monitor.transactions.tap import Sent, Tap
from tests.transactions.tap.ledger import FakeLedger


@dataclass(slots=True)
class Tapped:
    """Taps, and what they told the sidecar."""

    ledger: FakeLedger
    sent: list[Sent] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """The class of every request."""
    taps: list[Tap] = field(default_factory=list)
    build: Callable[[dict[str, Any]], Tap] | None = None

    async def __call__(self, **settings: Any) -> str:
        """The URL of a new tap with these settings."""
        assert self.build is not None
        tap = self.build(settings)
        self.taps.append(tap)
        host, port = await tap.start("127.0.0.1", 0)
        return f"http://{host}:{port}"

    @property
    def outcomes(self) -> list[str]:
        return [one.outcome for one in self.sent]

    async def stop(self) -> None:
        for tap in self.taps:
            await tap.stop()
