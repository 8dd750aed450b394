"""What a check is: a row that pairs what asks with what judges, and says what a reader must know.

Rows are bound to names before they are listed, because inside a tuple of mixed types mypy's proof
that probe and judge speak of the same `Seen` is lost.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from monitor.judge.profiles import Policy
from monitor.judge.quorum import Round
from monitor.judge.verdict import REQUIRED
from monitor.model import Finding, Observation

S = TypeVar("S")
Scope = Literal["node", "reference", "quorum"]
"""What a check speaks of: each node, each reference, or the references of a network together."""
Need = Literal["", "websocket", "beacon"]
"""What a node must be configured with before a check can be made of it."""


@dataclass(frozen=True, slots=True)
class Check(Generic[S]):
    """One question that is asked again and again, and everything a reader must know of it."""

    name: str
    title: str
    why: str
    """What goes wrong for people when this goes wrong."""
    remedy: str
    """The first thing to look at."""
    runbook: str
    """Path of its page below the documentation."""
    scopes: tuple[Scope, ...]
    asks: str
    """The name of the probe whose observations are judged; probes are shared."""
    methods: tuple[str, ...]
    """What its probe asks for: JSON-RPC methods, or `GET /path` of a beacon node; none where
    everything it writes down is known already. Of the required checks one method, in rotation, is
    the latency sample."""
    probe: Callable[..., Awaitable[S]]
    """Of a check that is not required: it takes an `Asked`."""
    judge: Callable[[Sequence[Observation[S]], Round, Policy, float], tuple[Finding, ...]]
    every_seconds: float = 0.0
    """How often it is asked, unless configured otherwise; 0 is in every round."""
    needs: Need = ""
    is_slow: bool = False
    """Whether what it says takes hours to be known, so that a gate does not make it."""
    compares: bool = False
    """Whether it is asked only where there is a block to compare at (`Asked.pinned`)."""

    @property
    def required(self) -> bool:
        """Whether its UNKNOWN makes a verdict inconclusive."""
        return self.name in REQUIRED
