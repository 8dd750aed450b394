"""What a chain profile is: the numbers of one chain in one era, with their sources.

The profiles themselves are in `chains` and `chains_2018`, the thresholds that follow from them in
`profiles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from monitor.model import Hash32

DAY_SECONDS = 86_400.0

Model = Literal["poisson", "slots", "rota", "traffic"]
"""How blocks are made.

`poisson`: proof of work, gaps are exponential. `slots`: a block or none in each fixed slot. `rota`:
proof of authority, the authorities seal in turns. `traffic`: a sequencer makes a block when there
are transactions, so that the chain is as quiet as its users are.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a number of a profile comes from."""

    where: str
    date: str
    note: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of one chain in one era."""

    key: str
    version: int
    """Raised with every change of a number, so that an old alarm can be read."""
    model: Model
    interval_seconds: float
    """Mean gap (poisson), length of a slot (slots) or turn (rota), least gap (traffic)."""
    arrival_seconds: float
    """From the start of a slot, or the block's timestamp, until a healthy node has it (p99)."""
    skew_seconds: float
    """The longest that a reading of the node and one of the reference may lie apart."""
    miss: float = 0.0
    """slots: probability that a slot stays empty."""
    authorities: int | None = None
    """rota: how many take turns."""
    silence_seconds: float = 0.0
    """The longest silence on record that the chain itself made; no stall is said before."""
    fork_rate: float | None = 0.0
    """Probability that a block is replaced at depth 1; None where nobody has counted."""
    fork_ratio: float = 0.0
    """Probability that a reorg of depth k reaches depth k + 1."""
    confirmations_min: int = 1
    """For chains whose `fork_rate` is not a statistic (a development chain)."""
    finality_blocks: int | None = None
    """Blocks until one is final, as the protocol promises; None where it does not."""
    finality_late_seconds: float = 0.0
    """How much later than others a healthy node may learn what is final, where it learns that from
    somebody else than from the blocks."""
    reorg_usual_blocks: int = 1
    """The depth that reorgs reach in the course of things, where their rate is not known."""
    reorg_record_blocks: int | None = None
    """The deepest reorg on record, where neither rate nor finality bounds them."""
    calls_a_day: int = 50_000
    """Default budget of one reference: its calls, not its batches, since providers bill calls."""
    chain_id: int | None = None
    genesis_hash: Hash32 | None = None
    speed: float = 1.0
    """How many times as fast as the chain itself a rehearsal of it goes; seconds say so already."""
    assumed: tuple[str, ...] = ()
    """The fields whose number no source states."""
    unknown: tuple[str, ...] = ()
    """What was looked for and not found, in words."""
    sources: tuple[Source, ...] = ()

    @property
    def blocks_a_day(self) -> float:
        """Of the chain itself, at its own speed; budgets are spent on them.

        traffic: as many as there may be, so that the budget holds on the busiest day.
        """
        share = 1 - self.miss if self.model == "slots" else 1.0
        return DAY_SECONDS / (self.interval_seconds * self.speed) * share
