"""What is drawn from a profile: gaps and delays, by their statistics, and how fast a lab may go."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import pytest

from monitor.judge.profiles import DEV, PROFILES, Profile, down_in_a_row, policy
from monitor.lab.pace import (
    DOWN_P,
    INTERVAL_SECONDS_MIN,
    LAG_SECONDS_MIN,
    MISS_PAIRS,
    UP_P,
    Gaps,
    drawn_from,
    late_seconds,
    pace_of,
    speed_max,
    steady,
)

COUNT = 40_000
every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def of_model(model: str) -> pytest.MarkDecorator:
    chosen = [profile for profile in PROFILES.values() if profile.model == model]
    return pytest.mark.parametrize("profile", chosen, ids=lambda p: p.key)


def gaps_of(profile: Profile, seed: str = "a", count: int = COUNT) -> list[float]:
    draw = Gaps(profile, drawn_from(seed))
    return [draw() for _ in range(count)]


def slots_of(profile: Profile) -> Iterator[bool]:
    """Slot by slot, whether it was filled, from the gaps."""
    for gap in gaps_of(profile):
        yield from (False,) * (round(gap / profile.interval_seconds) - 1)
        yield True


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@every_profile
def test_gaps_of_one_seed_are_drawn_again_and_of_another_are_others(profile: Profile) -> None:
    """A run that went wrong can be had again; every gap is time that passes."""
    first = gaps_of(profile, "a", 400)
    assert first == gaps_of(profile, "a", 400)
    assert first != gaps_of(profile, "b", 400) or profile.miss * 400 < 5
    assert all(gap > 0 for gap in first)


@of_model("poisson")
def test_gaps_drawn_by_work_are_exponential(profile: Profile) -> None:
    """Their mean is the interval, and so is their deviation; one in e^3 lasts three of them."""
    gaps = gaps_of(profile)
    interval = profile.interval_seconds
    assert mean(gaps) == pytest.approx(interval, rel=0.03)
    deviation = math.sqrt(mean([(gap - interval) ** 2 for gap in gaps]))
    assert deviation == pytest.approx(interval, rel=0.05)
    long = sum(gap > 3 * interval for gap in gaps) / COUNT
    assert long == pytest.approx(math.exp(-3), rel=0.1)


@of_model("slots")
def test_gaps_of_slots_leave_as_many_empty_as_the_profile_says(profile: Profile) -> None:
    """Every gap is whole slots, and `miss` of all slots are empty, runs of them and all."""
    slots = list(slots_of(profile))
    empty = slots.count(False) / len(slots)
    assert empty == pytest.approx(profile.miss, rel=0.25)
    blocks = len(slots) / COUNT * profile.interval_seconds
    assert mean(gaps_of(profile)) == pytest.approx(blocks)


@pytest.mark.parametrize("miss", [0.05, 0.2])
def test_gaps_of_slots_have_empty_ones_after_empty_ones_more_often(miss: float) -> None:
    """An empty slot follows an empty one as much more often as was counted on mainnet."""
    slots = list(slots_of(replace(DEV, miss=miss)))
    after_empty = [now for before, now in itertools.pairwise(slots) if not before]
    again = after_empty.count(False) / len(after_empty)
    assert again == pytest.approx(MISS_PAIRS * miss, rel=0.15)
    runs = [len(list(run)) for is_filled, run in itertools.groupby(slots) if not is_filled]
    assert max(runs) >= 3


def test_gaps_of_slots_that_are_mostly_empty_come_to_an_end() -> None:
    """However often slots stay empty, the next is filled with some probability."""
    slots = list(slots_of(replace(DEV, miss=0.6)))
    assert slots.count(False) / len(slots) == pytest.approx(0.6, rel=0.1)


@of_model("rota")
def test_gaps_of_a_rota_never_last_longer_than_a_majority_allows(profile: Profile) -> None:
    """Turns are missed, as many as are down side by side at most, so that none is a stall."""
    turns = [gap / profile.interval_seconds for gap in gaps_of(profile)]
    assert {turn % 1 for turn in turns} == {0}
    assert max(turns) <= down_in_a_row(profile) + 1
    assert max(turns) > 1
    missed = 1 - COUNT / sum(turns)
    # The cap on how many are down takes some; without it this is what remains of ups and downs.
    assert 0.5 * DOWN_P / (DOWN_P + UP_P) < missed < 1.1 * DOWN_P / (DOWN_P + UP_P)


@of_model("rota")
def test_gaps_of_a_rota_have_an_authority_miss_turn_after_turn(profile: Profile) -> None:
    """Whoever misses a turn misses its next one with the probability of staying down."""
    sealed = [
        taken
        for gap in gaps_of(profile)
        for taken in (*(False,) * (round(gap / profile.interval_seconds) - 1), True)
    ]
    count = profile.authorities or 1
    after = [now for before, now in zip(sealed, sealed[count:], strict=False) if not before]
    assert after.count(False) / len(after) == pytest.approx(1 - UP_P, rel=0.05)


@of_model("traffic")
def test_gaps_of_traffic_are_never_shorter_than_the_least(profile: Profile) -> None:
    """Half of them the least gap, and the others as long as it takes until somebody sends."""
    gaps = gaps_of(profile)
    least = profile.interval_seconds
    assert min(gaps) == least
    assert sum(gap == least for gap in gaps) / COUNT == pytest.approx(0.5, rel=0.05)
    assert mean(gaps) == pytest.approx(1.5 * least, rel=0.03)


@every_profile
def test_delay_until_a_node_has_a_block_is_the_arrival_at_its_99th_percentile(
    profile: Profile,
) -> None:
    """One block in a hundred is later than the profile says, and half come in half the time."""
    draw = drawn_from("late")
    late = sorted(late_seconds(profile, draw) for _ in range(COUNT))
    assert late[0] > 0
    assert late[COUNT // 2] == pytest.approx(profile.arrival_seconds / 2, rel=0.02)
    assert late[COUNT * 99 // 100] == pytest.approx(profile.arrival_seconds, rel=0.04)


@every_profile
def test_speed_max_is_the_last_that_the_nodes_keep_up_with(profile: Profile) -> None:
    """At that speed blocks and polls are far enough apart, and one more is too much for one."""

    def keeps_up(speed: int) -> bool:
        pace = pace_of(profile, speed)
        polled = policy(profile).poll_seconds / speed
        lag_seconds = pace.policy.lag_blocks * pace.interval_seconds
        return (
            pace.interval_seconds >= INTERVAL_SECONDS_MIN
            and polled >= 0.1 - 1e-9
            and lag_seconds >= LAG_SECONDS_MIN
        )

    assert keeps_up(speed_max(profile))
    assert not keeps_up(speed_max(profile) + 1)


@pytest.mark.parametrize(
    ("key", "speed"),
    [("dev", 4), ("ethereum", 24), ("gnosis", 10), ("arbitrum", 1), ("ropsten-2018", 60)],
)
def test_speed_max_of_a_chain_is_known(key: str, speed: int) -> None:
    """Slots of 12 s at most 24 times as fast, blocks of 0.25 s as they come."""
    assert speed_max(PROFILES[key]) == speed


@every_profile
def test_pace_of_a_chain_has_its_thresholds(profile: Profile) -> None:
    """In blocks the chain's own, in seconds a fraction; a development chain goes by the clock."""
    pace, own = pace_of(profile, 2), policy(profile)
    assert pace.interval_seconds == profile.interval_seconds / 2
    assert (pace.kind == "steady") == (profile.key == "dev")
    if pace.kind == "drawn":
        assert pace.profile.key == profile.key
        assert pace.policy.lag_blocks == own.lag_blocks
        assert pace.policy.confirmations == own.confirmations
        assert pace.policy.stall_seconds == pytest.approx(own.stall_seconds / 2)


def test_pace_that_is_steady_draws_nothing_and_allows_for_nothing() -> None:
    """A block every interval, whatever the seed: the lab as it always was."""
    pace = steady(0.25)
    gaps = pace.gaps("any")
    assert [gaps() for _ in range(3)] == [0.25] * 3
    assert (pace.patience_seconds, pace.late_blocks) == (0.0, 0)
    assert pace.profile.key == "dev/0.25s"
    assert pace_of(DEV, 4) == pace


def test_pace_that_is_drawn_gives_the_gaps_of_its_seed() -> None:
    """At the speed of the lab, and anew from the beginning each time."""
    pace = pace_of(PROFILES["ethereum-2018"], 20)
    first, second = pace.gaps("x"), pace.gaps("x")
    drawn = [first() for _ in range(2000)]
    assert drawn == [second() for _ in range(2000)]
    assert mean(drawn) == pytest.approx(14.55 / 20, rel=0.1)


@pytest.mark.parametrize(
    ("key", "blocks"),
    # ethereum: 4 s on the way and two polls of 6 s are 16 s, blocks come every 12 s.
    [("ethereum", 2), ("gnosis", 3), ("bellecour", 3), ("ethereum-2018", 6)],
)
def test_late_blocks_are_those_of_a_delay_and_two_polls(key: str, blocks: int) -> None:
    """As many as fit; where blocks come in bursts, as many as come once in ten thousand times."""
    profile = PROFILES[key]
    assert pace_of(profile, 1).late_blocks == blocks
    assert pace_of(profile, 4).late_blocks == blocks


@pytest.mark.parametrize(
    ("key", "slots"),
    [("ethereum", 32), ("gnosis", 16), ("polygon", 79), ("ethereum-2018", 3), ("arbitrum", 1)],
)
def test_finality_of_the_nodes_is_no_sooner_than_the_chains(key: str, slots: int) -> None:
    """Two epochs are the chain's finality, or at least its confirmations."""
    assert pace_of(PROFILES[key], 1).slots_in_an_epoch == slots
    assert steady(0.25).slots_in_an_epoch == 4


def test_patience_outlasts_the_silences_of_a_chain() -> None:
    """Twice what is still no stall, and the confirmations twice over."""
    pace = pace_of(PROFILES["ropsten-2018"], 60)
    assert pace.patience_seconds == pytest.approx(2 * (120 + 5 * 0.5))
