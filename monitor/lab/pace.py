"""When blocks are made, and how late a node has them: drawn from a chain's profile.

Nothing here waits or reads a clock; whoever draws brings the seeded `random.Random`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from monitor.judge.profiles import (
    DEV,
    POLL_SECONDS_MIN,
    Policy,
    Profile,
    down_in_a_row,
    faster,
    override,
    poisson_tail,
    policy,
)

INTERVAL_SECONDS_MIN = 0.25
"""The least mean interval: what a leader and three followers on two slow shared cores keep up."""
LAG_SECONDS_MIN = 1.0
"""The least time in which the blocks of the lag threshold are made: by so much these nodes, the
loop that watches them and the gate beside it may be late by themselves."""
SLOTS_IN_AN_EPOCH = 4
"""Of a development chain."""
MISS_PAIRS = 2.07
"""How much more often a slot is empty after an empty one, on mainnet (reldo.dev, 2026-02-02)."""
DOWN_P = 0.013
"""rota: how often an authority goes down, a turn of its own. Assumed: nobody has counted."""
UP_P = 0.25
"""rota: how often one that is down is back at its next turn, so that 5 % of all are missed."""
IDLE_P = 0.5
"""traffic: how often nobody waits when a block may be made, so that it comes with the next user."""
LATE_Z = 2.3263
"""The 99th percentile of a normal distribution, in standard deviations."""
LATE_SIGMA = math.log(2) / LATE_Z
"""Of a log-normal delay whose median is half its p99: 1.9 s of 4 s on mainnet (ethp2p, 2026-02)."""
SURPRISE_P = 1e-4
"""How seldom more blocks may come between two polls than a scenario allows for."""


class Gaps:
    """The seconds from one block to the next, without end: `gaps()` is the next one."""

    def __init__(self, profile: Profile, draw: random.Random) -> None:
        self.profile = profile
        self._draw = draw
        self._turn = 0
        self._down: set[int] = set()

    def __call__(self) -> float:
        interval = self.profile.interval_seconds
        if self.profile.model == "poisson":
            return self._draw.expovariate(1 / interval)
        if self.profile.model == "slots":
            return self._slots() * interval
        if self.profile.model == "rota":
            return self._turns() * interval
        is_idle = self._draw.random() < IDLE_P
        return interval + (self._draw.expovariate(1 / interval) if is_idle else 0.0)

    def _slots(self) -> int:
        """Slots until one is filled. Empty ones attract each other; `miss` of all are empty."""
        miss = self.profile.miss
        again = min(MISS_PAIRS * miss, (1 + miss) / 2)
        chance, slots = miss * (1 - again) / (1 - miss), 1
        while self._draw.random() < chance:
            slots += 1
            chance = again
        return slots

    def _turns(self) -> int:
        """Turns until one is taken. An authority that is down misses each of its turns till back.

        No more are down at a time than the chain bears, so that a majority always seals.
        """
        turns = 1
        while self._is_missed():
            turns += 1
        return turns

    def _is_missed(self) -> bool:
        whose = self._turn % (self.profile.authorities or 1)
        self._turn += 1
        if whose in self._down:
            if self._draw.random() < UP_P:
                self._down.discard(whose)
        elif len(self._down) < down_in_a_row(self.profile) and self._draw.random() < DOWN_P:
            self._down.add(whose)
        return whose in self._down


def late_seconds(profile: Profile, draw: random.Random) -> float:
    """How long after it was made a node has a block: log-normal, its p99 is `arrival_seconds`."""
    return profile.arrival_seconds / 2 * math.exp(LATE_SIGMA * draw.gauss(0.0, 1.0))


def speed_max(profile: Profile) -> int:
    """How many times as fast as its chain a profile can be rehearsed on nodes of this lab.

    Blocks and polls must keep up, and what is late by itself must stay below the lag threshold; a
    development chain's allows for that.
    """
    rules = policy(profile)
    limits = [
        profile.interval_seconds / INTERVAL_SECONDS_MIN,
        rules.poll_seconds / POLL_SECONDS_MIN,
    ]
    if profile.key != DEV.key:
        limits.append(rules.lag_blocks * profile.interval_seconds / LAG_SECONDS_MIN)
    # A whole number that division has made a little smaller is given back.
    return math.floor(min(limits) * (1 + 1e-9))


@dataclass(frozen=True, slots=True)
class Pace:
    """What a lab network keeps time by."""

    policy: Policy
    """Of the chain's profile, at the speed of the lab."""
    kind: Literal["steady", "drawn"]
    """steady: a block every interval, on every node as soon as the machine can."""

    @property
    def profile(self) -> Profile:
        return self.policy.profile

    @property
    def interval_seconds(self) -> float:
        return self.profile.interval_seconds

    def gaps(self, seed: str) -> Callable[[], float]:
        """The seconds from one block to the next, at each call."""
        if self.kind == "steady":
            return lambda: self.interval_seconds
        return Gaps(self.profile, drawn_from(seed))

    @property
    def slots_in_an_epoch(self) -> int:
        """What anvil is told: it calls a block final two epochs below its head.

        No sooner than the chain does, or than a fork may be said where the chain does not: what is
        below finality is said at once.
        """
        if self.kind == "steady":
            return SLOTS_IN_AN_EPOCH
        rules = self.policy
        return math.ceil(max(self.profile.finality_blocks or 0, rules.confirmations) / 2)

    @property
    def patience_seconds(self) -> float:
        """What a wait that is counted in mean intervals gets besides: the chain's own delays.

        Twice the silence that is still no stall, or for how long what is final may differ where
        that is more, and twice the time of the confirmations.
        """
        if self.kind == "steady":
            return 0.0
        confirmed = self.policy.confirmations * self.interval_seconds
        return 2 * (self.policy.finality_seconds + confirmed)

    @property
    def late_blocks(self) -> int:
        """How many more blocks than at a steady pace may come before a fault is found.

        Those that come while one is on its way to the references, and in the two polls that a
        finding needs: by chance more than their mean, where blocks do not come in turns.
        """
        if self.kind == "steady":
            return 0
        seconds = self.profile.arrival_seconds + 2 * self.policy.poll_seconds
        mean = seconds / self.interval_seconds
        blocks = math.ceil(mean)
        if self.profile.model in {"poisson", "traffic"}:
            while poisson_tail(blocks + 1, mean) > SURPRISE_P:
                blocks += 1
        return blocks


def drawn_from(seed: str) -> random.Random:
    """A source of chance that is the same for the same words."""
    return random.Random(seed)


def steady(interval_seconds: float) -> Pace:
    """A development chain: blocks come by the clock, and what is late is the machine's doing."""
    return Pace(policy(override(DEV, interval_seconds=interval_seconds)), "steady")


def pace_of(profile: Profile, speed: float) -> Pace:
    """The pace of a profile's chain, `speed` times as fast; a development chain is steady.

    What its profile says of late blocks is what a busy machine does by itself: drawn as well, it
    would be there twice.
    """
    if profile.key == DEV.key:
        return steady(profile.interval_seconds / speed)
    return Pace(policy(faster(profile, speed)), "drawn")
