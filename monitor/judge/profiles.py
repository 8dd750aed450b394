"""The statistics of each chain, and the thresholds that follow from them.

No threshold of headwatch is a literal: each is the inverse tail of a stated distribution at a
stated false-alarm budget, so that "behind" and "stalled" mean the same thing on every chain. The
profiles are data with their sources; the formulas are those of the four ways in which blocks are
made (`Model`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from monitor.model import Hash32

DAY_SECONDS = 86_400.0
STALL_BUDGET_DAYS = 30.0
"""At most one false "the chain stopped" in this many days."""
LAG_P = 1e-6
"""Probability that one comparison of a healthy node with its reference reads as lagging."""
FORK_P = 1e-6
"""Probability that a block this deep is still replaced on a healthy chain."""
POLL_SECONDS_MIN = 0.1
POLL_SECONDS_MAX = 6.0
JUMP_BLOCKS = 10_000
"""A head that moves further than this between two polls is asked again which chain it is on."""

Model = Literal["poisson", "slots"]
"""`poisson`: proof of work, gaps are exponential. `slots`: a block or none in each fixed slot."""


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
    """Mean gap between blocks (poisson), or the length of a slot (slots)."""
    arrival_seconds: float
    """From the start of a slot, or the block's timestamp, until a healthy node has it (p99)."""
    skew_seconds: float
    """The longest that a reading of the node and one of the reference may lie apart."""
    miss: float = 0.0
    """slots: probability that a slot stays empty."""
    fork_rate: float = 0.0
    """Probability that a block is replaced at depth 1."""
    fork_ratio: float = 0.0
    """Probability that a reorg of depth k reaches depth k + 1."""
    confirmations_min: int = 1
    """For chains whose `fork_rate` is not a statistic (a development chain)."""
    calls_a_day: int = 50_000
    """Default budget of one reference: its calls, not its batches, since providers bill calls."""
    chain_id: int | None = None
    genesis_hash: Hash32 | None = None
    sources: tuple[Source, ...] = ()

    @property
    def blocks_a_day(self) -> float:
        share = 1 - self.miss if self.model == "slots" else 1.0
        return DAY_SECONDS / self.interval_seconds * share


def stall_p(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> float:
    """The tail probability of one gap that spends the budget: one trial a block, not one a poll."""
    return 1 / (profile.blocks_a_day * budget_days)


def stall_seconds(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> float:
    """The silence after which "the chain, seen from here, stopped" may be said.

    poisson: P(gap > t) = exp(-t/m), so t = -m ln p. slots: k empty slots in a row have q^k, and the
    gap then lasts k + 1 slots. Both plus the time a block needs to arrive.
    """
    p = stall_p(profile, budget_days)
    if profile.model == "poisson":
        return -profile.interval_seconds * math.log(p) + profile.arrival_seconds
    empty_slots = math.ceil(math.log(p) / math.log(profile.miss))
    return (empty_slots + 1) * profile.interval_seconds + profile.arrival_seconds


def gap_p_value(profile: Profile, gap_seconds: float) -> float:
    """P(a healthy chain shows a gap of at least this), seen from a node that blocks reach late."""
    late = max(0.0, gap_seconds - profile.arrival_seconds)
    if profile.model == "poisson":
        return math.exp(-late / profile.interval_seconds)
    return float(profile.miss ** max(0, math.floor(late / profile.interval_seconds) - 1))


def poisson_tail(count: int, mean: float) -> float:
    """P(X >= count) for X ~ Poisson(mean), summed from its largest term downwards in size.

    Up to the mean the terms below `count` are summed instead: the largest lie on that side.
    """
    if count <= 0:
        return 1.0
    is_above = count > mean
    k = count if is_above else count - 1
    term = math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1))
    total = 0.0
    while term > total * 1e-17:
        total += term
        term *= mean / (k + 1) if is_above else k / mean
        k += 1 if is_above else -1
    return min(1.0, total) if is_above else max(0.0, 1 - total)


def lag_blocks(profile: Profile, p: float = LAG_P) -> int:
    """The smallest lag that a healthy node shows with probability at most `p`.

    A healthy node's reading is at most `skew_seconds` apart from the reference's; in that time
    Poisson(skew / interval) blocks are made, or at most one a slot.
    """
    mean = profile.skew_seconds / profile.interval_seconds
    if profile.model == "slots":
        return math.ceil(mean) + 1
    blocks = max(1, int(mean))
    while poisson_tail(blocks, mean) > p:
        blocks += 1
    return blocks


def lag_p_value(profile: Profile, lag: int) -> float | None:
    """P(a healthy node reads at least this far behind); None where the bound is not a statistic."""
    if profile.model != "poisson":
        return None
    return poisson_tail(lag, profile.skew_seconds / profile.interval_seconds)


def confirmations(profile: Profile, p: float = FORK_P) -> int:
    """The depth at which a difference of hashes is no longer a reorg in progress.

    P(reorg reaches depth k) = fork_rate * fork_ratio^(k-1).
    """
    if not profile.fork_rate:
        return profile.confirmations_min
    depth = 1 + math.log(p / profile.fork_rate) / math.log(profile.fork_ratio)
    return max(profile.confirmations_min, math.ceil(depth))


def reorg_blocks(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> int:
    """The depth that a healthy chain's own reorgs reach less than once in the budget's days.

    From here on a difference is worth a warning; from `confirmations` on it is a fork.
    """
    if not profile.fork_rate:
        return profile.confirmations_min
    p = stall_p(profile, budget_days)
    depth = 1 + math.log(p / profile.fork_rate) / math.log(profile.fork_ratio)
    return min(confirmations(profile), max(profile.confirmations_min, math.ceil(depth)))


@dataclass(frozen=True, slots=True)
class Policy:
    """What the judges of one network measure against: every number derived from `profile`."""

    profile: Profile
    label: str
    """`KEY@VERSION`, as written beside every threshold."""
    poll_seconds: float
    stall_seconds: float
    lag_blocks: int
    confirmations: int
    reorg_blocks: int
    jump_blocks: int = JUMP_BLOCKS

    @property
    def lag_words(self) -> str:
        return (
            f"lag >= {self.lag_blocks} blocks ({self.label}: skew {self.profile.skew_seconds:g} s "
            f"at one block in {self.profile.interval_seconds:g} s, p <= {LAG_P:g})"
        )

    @property
    def stall_words(self) -> str:
        return (
            f"no block for {self.stall_seconds:.4g} s ({self.label}: at most one false alarm "
            f"in {STALL_BUDGET_DAYS:g} days, p <= {stall_p(self.profile):.2g} a block)"
        )

    @property
    def fork_words(self) -> str:
        return (
            f"{self.confirmations} blocks apart ({self.label}: deeper than a reorg "
            f"at p <= {FORK_P:g})"
        )


def policy(profile: Profile) -> Policy:
    """All thresholds of a profile. Polls come twice a block, within the limits of politeness."""
    return Policy(
        profile=profile,
        label=f"{profile.key}@{profile.version}",
        poll_seconds=min(POLL_SECONDS_MAX, max(POLL_SECONDS_MIN, profile.interval_seconds / 2)),
        stall_seconds=stall_seconds(profile),
        lag_blocks=lag_blocks(profile),
        confirmations=confirmations(profile),
        reorg_blocks=reorg_blocks(profile),
    )


def override(
    profile: Profile,
    *,
    interval_seconds: float | None = None,
    chain_id: int | None = None,
    genesis_hash: Hash32 | None = None,
) -> Profile:
    """A profile with the operator's own numbers, where given; they are part of its key."""
    if interval_seconds is not None and interval_seconds != profile.interval_seconds:
        profile = replace(
            profile, key=f"{profile.key}/{interval_seconds:g}s", interval_seconds=interval_seconds
        )
    if chain_id is not None:
        profile = replace(profile, chain_id=chain_id)
    if genesis_hash is not None:
        profile = replace(profile, genesis_hash=genesis_hash)
    return profile


_MAINNET_GENESIS = Hash32("0xd4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3")

DEV = Profile(
    key="dev",
    version=1,
    model="slots",
    interval_seconds=1.0,
    arrival_seconds=2.0,
    skew_seconds=0.75,
    miss=0.05,
    confirmations_min=2,
    calls_a_day=50_000_000,
    sources=(
        Source(
            "monitor/lab",
            "2026-11",
            "a development chain (anvil) on one busy machine: arrival and skew are what two slow "
            "shared cores need, 5 % of ticks late by a whole block; no reorgs of its own",
        ),
    ),
)

ETHEREUM = Profile(
    key="ethereum",
    version=1,
    model="slots",
    interval_seconds=12.0,
    arrival_seconds=4.0,
    skew_seconds=3.0,
    miss=0.003,
    fork_rate=0.00059,
    fork_ratio=4 / 1406,
    chain_id=1,
    genesis_hash=_MAINNET_GENESIS,
    sources=(
        Source("reldo.dev", "2026-02-02", "missed slots 0.15-0.31 % a day, runs up to 7"),
        Source(
            "observatory ethp2p",
            "2026-02",
            "block arrival: median 1.9 s after the start of the slot; 4 s taken as p99",
        ),
        Source(
            "ethresear.ch 16333",
            "2023-08",
            "reorged 0.059 % of blocks: 1,406 of depth 1, 4 of depth 2",
        ),
        Source(
            "EIP-3675",
            "2022-09-15",
            "the merge: a slot every 12 s, none of them drawn by work",
        ),
    ),
)

ETHEREUM_2018 = Profile(
    key="ethereum-2018",
    version=1,
    model="poisson",
    interval_seconds=14.55,
    arrival_seconds=2.0,
    skew_seconds=3.0,
    fork_rate=0.17,
    fork_ratio=0.025,
    chain_id=1,
    genesis_hash=_MAINNET_GENESIS,
    sources=(
        Source(
            "github.com/mloporchio/EthereumSkipIndex",
            "2022",
            "mean interval 14.55 s over 2015-2022; the value of July 2018 itself was not found",
        ),
        Source(
            "ethereum.stackexchange.com 62000",
            "2018",
            "reorg depth 1 : depth 2 = 6526 : 164, that is 2.5 %",
        ),
        Source(
            "en.bit.news",
            "2019-02",
            "uncles 2,000 a day (January 2018) to 250 (February 2019); 17 % of blocks is assumed",
        ),
    ),
)

PROFILES: Mapping[str, Profile] = {p.key: p for p in (DEV, ETHEREUM, ETHEREUM_2018)}
