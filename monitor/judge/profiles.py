"""The thresholds that follow from the statistics of each chain.

No threshold of headwatch is a literal: each is the inverse tail of a stated distribution at a
stated false-alarm budget, so that "behind" and "stalled" mean the same thing on every chain. The
profiles are data with their sources (`chains`, `chains_2018`); the formulas are those of the four
ways in which blocks are made (`chain_profile.Model`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from monitor.judge.chain_profile import DAY_SECONDS, Profile, Source
from monitor.judge.chains import (
    ARBITRUM,
    ARBITRUM_SEPOLIA,
    BELLECOUR,
    DEV,
    ETHEREUM,
    GNOSIS,
    HOODI,
    POLYGON,
    SEPOLIA,
)
from monitor.judge.chains_2018 import ETHEREUM_2018, KOVAN_2018, RINKEBY_2018, ROPSTEN_2018
from monitor.model import Hash32

__all__ = [
    "DEV",
    "ETHEREUM",
    "ETHEREUM_2018",
    "PROFILES",
    "Policy",
    "Profile",
    "Source",
    "alarms_a_month",
    "confirmations",
    "faster",
    "gap_p_value",
    "lag_blocks",
    "lag_p_value",
    "override",
    "poisson_tail",
    "policy",
    "predictive_gap_seconds",
    "rare_gap_seconds",
    "reorg_blocks",
    "stall_p",
    "stall_seconds",
]

PROFILES: Mapping[str, Profile] = {
    profile.key: profile
    for profile in (
        *(DEV, ETHEREUM, ETHEREUM_2018, SEPOLIA, HOODI, GNOSIS, POLYGON, BELLECOUR),
        *(ARBITRUM, ARBITRUM_SEPOLIA, ROPSTEN_2018, KOVAN_2018, RINKEBY_2018),
    )
}
STALL_BUDGET_DAYS = 30.0
"""At most one false "the chain stopped" in this many days."""
LAG_P = 1e-6
"""Probability that one comparison of a healthy node with its reference reads as lagging."""
FORK_P = 1e-6
"""Probability that a block this deep is still replaced on a healthy chain."""
PRIOR_BLOCKS = 5
"""traffic: what the profile's interval is worth beside an unknown rate, in blocks observed."""
POLL_SECONDS_MIN = 0.1
POLL_SECONDS_MAX = 6.0
CALLS_A_ROUND = 3
"""What a round costs a reference: two tags, and mostly not more than one hash of a height."""
JUMP_BLOCKS = 10_000
"""A head that moves further than this between two polls is asked again which chain it is on."""


def down_in_a_row(profile: Profile) -> int:
    """rota: how many authorities may be down, side by side, while a majority still seals."""
    return ((profile.authorities or 1) - 1) // 2


def stall_p(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> float:
    """The tail probability of one gap that spends the budget: one trial a block, not one a poll."""
    return 1 / (profile.blocks_a_day * budget_days)


def stall_seconds(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> float:
    """The silence after which "the chain, seen from here, stopped" may be said.

    poisson: P(gap > t) = exp(-t/m), so t = -m ln p. slots: k empty slots in a row have q^k, and the
    gap then lasts k + 1 slots. rota: no statistic; with f authorities down in a row, the most that
    the chain bears, a gap lasts f + 1 turns, and one more is given. traffic: the rate is unknown,
    Gamma(A, B) with A = `PRIOR_BLOCKS` and B = A * interval, so that P(gap > t) = (1 + t/B)^-A.
    All plus the time a block needs to arrive, and never below the longest silence on record.
    """
    gap = rare_gap_seconds(profile, budget_days)
    return max(profile.silence_seconds, profile.arrival_seconds + gap)


def rare_gap_seconds(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> float:
    """The gap between two blocks that a healthy chain makes once in the budget's days."""
    p, interval = stall_p(profile, budget_days), profile.interval_seconds
    if profile.model == "poisson":
        return -interval * math.log(p)
    if profile.model == "rota":
        return (down_in_a_row(profile) + 2) * interval
    if profile.model == "traffic":
        return predictive_gap_seconds(p, interval)
    empty_slots = math.ceil(math.log(p) / math.log(profile.miss))
    return (empty_slots + 1) * interval


def predictive_gap_seconds(
    p: float, interval_seconds: float, gaps: int = 0, elapsed_seconds: float = 0.0
) -> float:
    """The gap that the next one exceeds with probability `p`, where the rate is not known.

    `PRIOR_BLOCKS` gaps of `interval_seconds` are believed beforehand, and `gaps` were seen since,
    in `elapsed_seconds` together. The rate is then Gamma(A, B), with A the gaps and B the seconds
    of both, and a gap is Lomax: P(gap > t) = (1 + t/B)^-A. With many gaps this is -m ln p, the
    limit of a known rate.
    """
    shape = PRIOR_BLOCKS + gaps
    scale = PRIOR_BLOCKS * interval_seconds + elapsed_seconds
    return float(scale * (p ** (-1 / shape) - 1))


def gap_p_value(profile: Profile, gap_seconds: float) -> float | None:
    """P(a healthy chain shows a gap of at least this), seen from a node that blocks reach late.

    None for a rota, whose bound is no statistic.
    """
    late, interval = max(0.0, gap_seconds - profile.arrival_seconds), profile.interval_seconds
    if profile.model == "rota":
        return None
    if profile.model == "poisson":
        return math.exp(-late / interval)
    if profile.model == "traffic":
        return float((1 + late / (PRIOR_BLOCKS * interval)) ** -PRIOR_BLOCKS)
    return float(profile.miss ** max(0, math.floor(late / interval) - 1))


def alarms_a_month(profile: Profile) -> float | None:
    """How often in 30 days a healthy chain stays silent for as long as the stall threshold.

    None for a rota: never, as long as no more of its authorities are down than it bears.
    """
    # The threshold is a sum and the gap a difference of it: what rounding takes is given back.
    p = gap_p_value(profile, stall_seconds(profile) * (1 + 1e-12))
    return None if p is None else p * profile.blocks_a_day * STALL_BUDGET_DAYS


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
    Poisson(skew / interval) blocks are made, or at most one a slot or turn. Traffic is taken at
    its densest.
    """
    mean = profile.skew_seconds / profile.interval_seconds
    if profile.model in {"slots", "rota"}:
        return math.ceil(mean) + 1
    blocks = max(1, int(mean))
    while poisson_tail(blocks, mean) > p:
        blocks += 1
    return blocks


def lag_p_value(profile: Profile, lag: int) -> float | None:
    """P(a healthy node reads at least this far behind); None where the bound is not a statistic."""
    if profile.model in {"slots", "rota"}:
        return None
    return poisson_tail(lag, profile.skew_seconds / profile.interval_seconds)


def confirmations(profile: Profile, p: float = FORK_P) -> int:
    """The depth at which a difference of hashes is no longer a reorg in progress.

    P(reorg reaches depth k) = fork_rate * fork_ratio^(k-1). Where nobody has counted reorgs: what
    the protocol makes final, more than half of the authorities (each of them has built on it), or
    more than was ever replaced.
    """
    if profile.fork_rate is None:
        final = profile.finality_blocks or 0
        majority = 0 if profile.authorities is None else profile.authorities // 2 + 1
        beyond_record = (profile.reorg_record_blocks or 0) + 1
        return max(profile.confirmations_min, final, majority, beyond_record)
    return _depth(profile, profile.fork_rate, p)


def reorg_blocks(profile: Profile, budget_days: float = STALL_BUDGET_DAYS) -> int:
    """The depth that a healthy chain's own reorgs reach less than once in the budget's days.

    From here on a difference is worth a warning; from `confirmations` on it is a fork. Where nobody
    has counted reorgs it is one block more than is usual, at no stated budget.
    """
    if profile.fork_rate is None:
        return min(confirmations(profile), profile.reorg_usual_blocks + 1)
    depth = _depth(profile, profile.fork_rate, stall_p(profile, budget_days))
    return min(confirmations(profile), depth)


def _depth(profile: Profile, fork_rate: float, p: float) -> int:
    """The smallest depth that a reorg reaches with probability at most `p`."""
    if not fork_rate:
        return profile.confirmations_min
    depth = 1 + math.log(p / fork_rate) / math.log(profile.fork_ratio)
    return max(profile.confirmations_min, math.ceil(depth))


@dataclass(frozen=True, slots=True)
class Policy:
    """What the judges of one network measure against: every number derived from `profile`."""

    profile: Profile
    label: str
    """`KEY@VERSION`, as written beside every threshold; of a rehearsal, with its speed."""
    poll_seconds: float
    stall_seconds: float
    lag_blocks: int
    confirmations: int
    reorg_blocks: int
    jump_blocks: int = JUMP_BLOCKS

    @property
    def finality_seconds(self) -> float:
        """For so long a node may call final what others do not, or not yet what they do."""
        return max(self.stall_seconds, self.profile.finality_late_seconds)

    @property
    def finality_words(self) -> str:
        why = "the longest that the chain itself is silent"
        if self.finality_seconds > self.stall_seconds:
            why = "what is final is learnt from elsewhere"
        return f"{self.finality_seconds:.4g} s ({self.label}: {why})"

    @property
    def lag_words(self) -> str:
        return (
            f"lag >= {self.lag_blocks} blocks ({self.label}: skew {self.profile.skew_seconds:g} s "
            f"at one block in {self.profile.interval_seconds:g} s, p <= {LAG_P:g})"
        )

    @property
    def stall_words(self) -> str:
        why = (
            f"at most one false alarm in {STALL_BUDGET_DAYS:g} days, "
            f"p <= {stall_p(self.profile):.2g} a block"
        )
        if self.profile.model == "rota":
            why = (
                f"{self.profile.authorities} authorities, {down_in_a_row(self.profile)} of them "
                "down in a row, and one turn"
            )
        if self.stall_seconds == self.profile.silence_seconds:
            why = "the longest silence on record"
        return f"no block for {self.stall_seconds:.4g} s ({self.label}: {why})"

    @property
    def fork_words(self) -> str:
        why = f"deeper than a reorg at p <= {FORK_P:g}"
        if self.profile.fork_rate == 0:
            why = "this chain makes no reorgs of its own"
        if self.profile.fork_rate is None:
            why = "deeper than finality, a majority of authorities, or any reorg on record"
        return f"{self.confirmations} blocks apart ({self.label}: {why})"


def policy(profile: Profile) -> Policy:
    """All thresholds of a profile.

    Polls come twice a block, within the limits of politeness and of a reference's calls a day.
    """
    affordable = DAY_SECONDS * CALLS_A_ROUND / profile.calls_a_day
    wanted = min(POLL_SECONDS_MAX / profile.speed, max(affordable, profile.interval_seconds / 2))
    at = "" if profile.speed == 1 else f" at {profile.speed:g}x"
    return Policy(
        profile=profile,
        label=f"{profile.key}@{profile.version}{at}",
        poll_seconds=max(POLL_SECONDS_MIN, wanted),
        stall_seconds=stall_seconds(profile),
        lag_blocks=lag_blocks(profile),
        confirmations=confirmations(profile),
        reorg_blocks=reorg_blocks(profile),
    )


def faster(profile: Profile, speed: float) -> Profile:
    """The same chain, rehearsed `speed` times as fast: the same blocks in a fraction of the time.

    Every length of time is divided; blocks, probabilities and key are kept, so that thresholds in
    blocks are the chain's own, and those in seconds a fraction of it. Calls a day become as many
    more, or polls would not keep up.
    """
    return replace(
        profile,
        speed=profile.speed * speed,
        interval_seconds=profile.interval_seconds / speed,
        arrival_seconds=profile.arrival_seconds / speed,
        skew_seconds=profile.skew_seconds / speed,
        silence_seconds=profile.silence_seconds / speed,
        finality_late_seconds=profile.finality_late_seconds / speed,
        calls_a_day=math.ceil(profile.calls_a_day * speed),
    )


def override(
    profile: Profile,
    *,
    interval_seconds: float | None = None,
    speed: float = 1.0,
    chain_id: int | None = None,
    genesis_hash: Hash32 | None = None,
) -> Profile:
    """A profile with the operator's own numbers, where given.

    Another interval is part of the key. `speed` divides it as well, as every other time.
    """
    if interval_seconds is not None and interval_seconds != profile.interval_seconds:
        profile = replace(
            profile, key=f"{profile.key}/{interval_seconds:g}s", interval_seconds=interval_seconds
        )
    if chain_id is not None:
        profile = replace(profile, chain_id=chain_id)
    if genesis_hash is not None:
        profile = replace(profile, genesis_hash=genesis_hash)
    return profile if speed == 1 else faster(profile, speed)
