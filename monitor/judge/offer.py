"""What a check offers to be measured: numbers under the names by which rules and metrics speak.

A check that is not required declares its offers beside its judge; `offers` lists them. One
declaration makes the rule's measure (`peers.connected_count.min < 3`) and the metric
(`headwatch_peers_connected`), so that the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

S = TypeVar("S")
OfferedOf = Literal["node", "quorum"]


@dataclass(frozen=True, slots=True)
class Offer(Generic[S]):
    """One number of a check, measured anew with each of its observations."""

    name: str
    """`CHECK.WHAT_UNIT`: the check, a dot, and what is measured with its unit last."""
    unit: str
    """Of `policy.units` (seconds, blocks, ratio, gwei), or what is counted, in the plural."""
    meaning: str
    """A sentence without its full stop."""
    read: Callable[[S], float | None] | None = None
    """The number in an observation, None where it has none; without it, what the check's finding
    measures."""
    subjects: OfferedOf = "node"

    @property
    def check(self) -> str:
        """Whose it is."""
        return self.name.split(".", maxsplit=1)[0]

    @property
    def metric(self) -> str:
        """The name of its gauge: `_count` belongs to histograms, and `promtool` refuses it here."""
        return f"headwatch_{self.name.replace('.', '_').removesuffix('_count')}"
