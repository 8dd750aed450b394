"""The thresholds: the published numbers, their tails by brute force, and how they move."""

from __future__ import annotations

import itertools
import math
from dataclasses import fields, replace
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.chains import ARBITRUM, BELLECOUR, GNOSIS, HOODI, POLYGON, SEPOLIA
from monitor.judge.chains_2018 import KOVAN_2018, RINKEBY_2018, ROPSTEN_2018
from monitor.judge.profiles import (
    CALLS_A_ROUND,
    DEV,
    ETHEREUM,
    ETHEREUM_2018,
    FORK_P,
    LAG_P,
    POLL_SECONDS_MAX,
    POLL_SECONDS_MIN,
    PRIOR_BLOCKS,
    PROFILES,
    Profile,
    alarms_a_month,
    confirmations,
    down_in_a_row,
    faster,
    gap_p_value,
    lag_blocks,
    lag_p_value,
    override,
    poisson_tail,
    policy,
    reorg_blocks,
    stall_p,
    stall_seconds,
)
from monitor.model import Hash32

FAST_DEV = override(DEV, interval_seconds=0.25)
ALL = (*PROFILES.values(), FAST_DEV)
COUNTED = tuple(profile for profile in PROFILES.values() if profile.fork_rate)
ROTAS = tuple(profile for profile in PROFILES.values() if profile.model == "rota")
every_profile = pytest.mark.parametrize("profile", ALL, ids=lambda p: p.key)
intervals = st.floats(0.05, 600)


def tail_of(count: int, mean: float) -> float:
    """P(X >= count), X ~ Poisson(mean), term by term in 60 digits."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(mean)
        term, below = (-exact).exp(), Decimal(0)
        for k in range(count):
            below += term
            term *= exact / (k + 1)
        return float(1 - below)


@pytest.mark.parametrize(
    ("profile", "stall", "lag", "apart"),
    [
        (ETHEREUM, 52, 2, 3),
        (ETHEREUM_2018, 178, 6, 5),
        (DEV, 8, 2, 2),
        (FAST_DEV, 4, 4, 2),
        (SEPOLIA, 76, 2, 64),
        (HOODI, 76, 2, 64),
        (GNOSIS, 27, 2, 32),
        (POLYGON, 12, 3, 158),
        (BELLECOUR, 27, 2, 5),
        (ARBITRUM, 32, 18, 2),
        (ROPSTEN_2018, 7200, 5, 5),
        (KOVAN_2018, 26, 2, 5),
        (RINKEBY_2018, 47, 2, 2),
    ],
    ids=lambda value: value.key if isinstance(value, Profile) else str(value),
)
def test_policy_of_a_profile_has_the_published_thresholds(
    profile: Profile, stall: int, lag: int, apart: int
) -> None:
    """The numbers of the documentation are those that are judged by."""
    rules = policy(profile)
    assert round(rules.stall_seconds) == stall
    assert rules.lag_blocks == lag
    assert rules.confirmations == apart
    assert rules.label == f"{profile.key}@{profile.version}"


@pytest.mark.parametrize("mean", [0.01, 3 / 14.55, 1.0, 3.0, 50.0])
@pytest.mark.parametrize("count", [-1, 0, 1, 2, 5, 6, 7, 60])
def test_poisson_tail_of_a_count_agrees_with_the_sum_of_its_terms(count: int, mean: float) -> None:
    """Twelve digits of the tail are right, however small it is."""
    expected = tail_of(max(0, count), mean)
    assert poisson_tail(count, mean) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("mean", [800.0, 3000.0])
def test_poisson_tail_of_a_large_mean_does_not_vanish(mean: float) -> None:
    """Where the first terms are too small for a float, the tail is still near one."""
    assert poisson_tail(1, mean) == pytest.approx(1.0)
    assert poisson_tail(int(mean), mean) == pytest.approx(0.5, abs=0.02)
    assert poisson_tail(int(2 * mean), mean) < LAG_P


@given(st.integers(0, 200), st.floats(0.001, 900))
def test_poisson_tail_of_any_mean_falls_with_the_count(count: int, mean: float) -> None:
    """A probability, and a smaller one for more blocks."""
    assert 0 <= poisson_tail(count + 1, mean) <= poisson_tail(count, mean) <= 1


@every_profile
def test_lag_threshold_of_a_profile_is_the_smallest_within_the_budget(profile: Profile) -> None:
    """poisson: p at the threshold, and not one below. slots: one more than fit into the skew."""
    lag = lag_blocks(profile)
    mean = profile.skew_seconds / profile.interval_seconds
    if profile.model in {"poisson", "traffic"}:
        assert tail_of(lag, mean) <= LAG_P < tail_of(lag - 1, mean)
        assert lag_p_value(profile, lag) == pytest.approx(tail_of(lag, mean), rel=1e-9)
    else:
        assert (lag - 2) * profile.interval_seconds < profile.skew_seconds
        assert (lag - 1) * profile.interval_seconds >= profile.skew_seconds
        assert lag_p_value(profile, lag) is None


@every_profile
def test_stall_threshold_of_a_profile_spends_its_budget_and_no_more(profile: Profile) -> None:
    """One false alarm in thirty days: the tail at the threshold, and an interval before it."""
    blocks_in_thirty_days = 30 * profile.blocks_a_day
    assert stall_p(profile) * blocks_in_thirty_days == pytest.approx(1)
    seconds = stall_seconds(profile) * (1 + 1e-12)
    p, before = (
        gap_p_value(profile, s) for s in (seconds, seconds - 1.01 * profile.interval_seconds)
    )
    if p is None or before is None:
        assert profile in ROTAS
        return
    assert p <= stall_p(profile) * (1 + 1e-9)
    if profile.silence_seconds:
        assert stall_seconds(profile) == profile.silence_seconds
    else:
        assert before > stall_p(profile)


@every_profile
def test_alarms_a_month_of_a_profile_are_one_at_most(profile: Profile) -> None:
    """The budget in words that an operator counts in; a rota has none while it has a majority."""
    alarms = alarms_a_month(profile)
    assert (alarms is None) == (profile in ROTAS)
    assert alarms is None or 0 < alarms < 1 + 1e-9


@pytest.mark.parametrize(
    "profile", [p for p in ALL if p.model == "slots"], ids=lambda profile: profile.key
)
def test_stall_threshold_of_slots_is_found_by_trying_each_run(profile: Profile) -> None:
    """In exact fractions: the shortest run of empty slots that is rarer than the budget."""
    miss = Fraction(profile.miss)
    gaps = 30 * Fraction(86_400) / Fraction(profile.interval_seconds) * (1 - miss)
    run = next(k for k in itertools.count(1) if miss**k * gaps <= 1)
    expected = (run + 1) * profile.interval_seconds + profile.arrival_seconds
    assert stall_seconds(profile) == pytest.approx(expected)


@pytest.mark.parametrize("profile", ROTAS, ids=lambda profile: profile.key)
def test_stall_threshold_of_a_rota_is_beyond_every_minority(profile: Profile) -> None:
    """Every set of authorities that leaves a majority, tried: the longest gap is a turn shorter."""
    count = profile.authorities
    assert count is not None
    longest = 0
    for down in itertools.chain.from_iterable(
        itertools.combinations(range(count), k) for k in range((count - 1) // 2 + 1)
    ):
        sealed = [turn for turn in range(3 * count) if turn % count not in down]
        longest = max(longest, *(b - a for a, b in itertools.pairwise(sealed)))
    assert longest == down_in_a_row(profile) + 1
    gap = stall_seconds(profile) - profile.arrival_seconds
    assert gap == pytest.approx((longest + 1) * profile.interval_seconds)


def test_stall_threshold_of_traffic_is_that_of_every_rate_it_may_have() -> None:
    """The gap's tail, summed over the rates of the Gamma prior, is the budget's p."""
    scale = PRIOR_BLOCKS * ARBITRUM.interval_seconds
    gap = stall_seconds(ARBITRUM) - ARBITRUM.arrival_seconds
    step = 1e-4
    rates = (step * (index + 0.5) for index in range(200_000))
    tail = sum(
        step * scale**PRIOR_BLOCKS * r ** (PRIOR_BLOCKS - 1) / 24 * math.exp(-(scale + gap) * r)
        for r in rates
    )
    assert tail == pytest.approx(stall_p(ARBITRUM), rel=1e-4)


def test_stall_threshold_without_any_data_is_the_published_one() -> None:
    """A chain of 6,000 blocks a day whose rate is a guess waits for 738 s."""
    profile = replace(ARBITRUM, interval_seconds=14.4, arrival_seconds=0.0)
    assert round(stall_seconds(profile)) == 738


@pytest.mark.parametrize(
    ("gap", "p"),
    [(0, 1), (16, 1), (27.9, 1), (28, 0.003), (39.9, 0.003), (40, 0.003**2), (52, 0.003**3)],
)
def test_gap_p_value_of_slots_counts_whole_empty_slots(gap: float, p: float) -> None:
    """A gap of k + 1 slots, seen up to the arrival time late, takes k empty slots in a row."""
    assert gap_p_value(ETHEREUM, gap) == pytest.approx(p)


@pytest.mark.parametrize("gap", [0, 2, 2.1, 14.55, 178])
def test_gap_p_value_of_poisson_is_exponential_after_the_arrival(gap: float) -> None:
    """The time a block needs to arrive is no gap."""
    late = max(0.0, gap - ETHEREUM_2018.arrival_seconds)
    assert gap_p_value(ETHEREUM_2018, gap) == pytest.approx(math.exp(-late / 14.55))


@pytest.mark.parametrize("profile", COUNTED, ids=lambda p: p.key)
def test_confirmations_of_a_profile_are_the_smallest_within_the_budget(profile: Profile) -> None:
    """A reorg reaches that deep with p at most FORK_P, and one block less deep with more."""
    depth = confirmations(profile)
    assert profile.fork_rate
    assert profile.fork_rate * profile.fork_ratio ** (depth - 1) <= FORK_P
    assert profile.fork_rate * profile.fork_ratio ** (depth - 2) > FORK_P


@pytest.mark.parametrize(
    ("fork_rate", "least", "expected"), [(0.0, 7, 7), (1e-9, 4, 4), (1e-9, 1, 1), (1e-6, 1, 1)]
)
def test_confirmations_without_reorgs_are_the_profile_s_least(
    fork_rate: float, least: int, expected: int
) -> None:
    """Where reorgs are rarer than the budget, or no statistic, the profile's minimum holds."""
    profile = replace(ETHEREUM, fork_rate=fork_rate, confirmations_min=least)
    assert confirmations(profile) == expected


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (replace(SEPOLIA, finality_blocks=None), 1),
        (SEPOLIA, 64),
        (replace(BELLECOUR, authorities=7), 4),
        (BELLECOUR, 5),
        (replace(BELLECOUR, confirmations_min=6), 6),
        (replace(POLYGON, reorg_record_blocks=None), 1),
        (POLYGON, 158),
        (replace(POLYGON, finality_blocks=157), 158),
        (replace(POLYGON, finality_blocks=159), 159),
    ],
)
def test_confirmations_without_a_rate_are_the_deepest_that_is_known(
    profile: Profile, expected: int
) -> None:
    """Finality, a majority of authorities, or one block more than was ever replaced."""
    assert confirmations(profile) == expected


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (SEPOLIA, 2),
        (POLYGON, 33),
        (replace(SEPOLIA, finality_blocks=None), 1),
        (replace(POLYGON, reorg_usual_blocks=157), 158),
        (replace(POLYGON, reorg_usual_blocks=158), 158),
    ],
)
def test_reorg_warned_of_without_a_rate_is_more_than_usual_and_never_beyond_a_fork(
    profile: Profile, expected: int
) -> None:
    """A warning never comes after the failure that it warns of."""
    assert reorg_blocks(profile) == expected


@pytest.mark.parametrize("profile", COUNTED, ids=lambda p: p.key)
def test_reorg_warned_of_is_rarer_than_once_in_the_budget(profile: Profile) -> None:
    """A reorg as deep comes less than once in thirty days, one block less deep more often."""
    depth = reorg_blocks(profile)
    assert profile.fork_rate
    assert profile.fork_rate * profile.fork_ratio ** (depth - 1) <= stall_p(profile)
    assert profile.fork_rate * profile.fork_ratio ** (depth - 2) > stall_p(profile)


@given(intervals, intervals)
def test_lag_threshold_of_faster_chains_is_never_lower(one: float, other: float) -> None:
    """More blocks fit into the same skew, so that more of them may be missing."""
    fast, slow = sorted((one, other))
    for profile in PROFILES.values():
        quick, lazy = (replace(profile, interval_seconds=s) for s in (fast, slow))
        assert lag_blocks(quick) >= lag_blocks(lazy) >= 1


@given(intervals, st.floats(1, 365), st.floats(1, 365))
def test_stall_threshold_of_a_smaller_budget_is_never_shorter(
    interval: float, days: float, more_days: float
) -> None:
    """Fewer false alarms cost a longer silence; the silence is never shorter than an arrival."""
    for profile in PROFILES.values():
        slower = replace(profile, interval_seconds=interval)
        few, many = sorted((days, days + more_days))
        assert stall_seconds(slower, few) <= stall_seconds(slower, many)
        assert stall_seconds(slower, few) > slower.arrival_seconds


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_gap_p_value_of_a_longer_gap_is_never_greater(gap: float, more: float) -> None:
    """A probability, and a smaller one for a longer silence."""
    for profile in ALL:
        longer, shorter = gap_p_value(profile, gap + more), gap_p_value(profile, gap)
        assert (longer is None) == (shorter is None) == (profile in ROTAS)
        assert longer is None or shorter is None or 0 <= longer <= shorter <= 1


@given(st.floats(1e-12, 1e-3), st.floats(1, 1000))
def test_thresholds_of_a_smaller_p_are_never_lower(p: float, factor: float) -> None:
    """Whoever wants fewer false alarms waits for more."""
    for profile in ALL:
        assert lag_blocks(profile, p / factor) >= lag_blocks(profile, p)
        assert confirmations(profile, p / factor) >= confirmations(profile, p)


@pytest.mark.parametrize(
    ("interval", "poll"),
    [
        (0.19, POLL_SECONDS_MIN),
        (0.2, POLL_SECONDS_MIN),
        (0.21, 0.105),
        (11.9, 5.95),
        (12.0, POLL_SECONDS_MAX),
        (12.1, POLL_SECONDS_MAX),
    ],
)
def test_poll_of_an_interval_comes_twice_a_block_within_limits(
    interval: float, poll: float
) -> None:
    """Neither faster than is polite nor slower than a level stays fresh."""
    rules = policy(override(DEV, interval_seconds=interval))
    assert rules.poll_seconds == pytest.approx(poll)


@every_profile
def test_poll_of_a_profile_is_paid_by_its_calls_a_day(profile: Profile) -> None:
    """A reference that is asked in every round lasts the day, or would go unseen by evening."""
    polls = 86_400 / policy(profile).poll_seconds
    assert polls * CALLS_A_ROUND <= profile.calls_a_day * (1 + 1e-9)


def test_words_of_a_policy_name_profile_and_budget() -> None:
    """Every threshold is written with where it comes from."""
    rules = policy(ETHEREUM)
    assert rules.lag_words == (
        "lag >= 2 blocks (ethereum@1: skew 3 s at one block in 12 s, p <= 1e-06)"
    )
    assert rules.stall_words == (
        "no block for 52 s (ethereum@1: at most one false alarm in 30 days, p <= 4.6e-06 a block)"
    )
    assert rules.fork_words == "3 blocks apart (ethereum@1: deeper than a reorg at p <= 1e-06)"
    assert policy(KOVAN_2018).stall_words == (
        "no block for 26 s (kovan-2018@1: 9 authorities, 4 of them down in a row, and one turn)"
    )
    assert policy(ARBITRUM).fork_words == (
        "2 blocks apart (arbitrum@2: this chain makes no reorgs of its own)"
    )
    assert policy(KOVAN_2018).fork_words == (
        "5 blocks apart (kovan-2018@1: deeper than finality, a majority of authorities, "
        "or any reorg on record)"
    )
    assert policy(ROPSTEN_2018).stall_words == (
        "no block for 7200 s (ropsten-2018@1: the longest silence on record)"
    )


def test_override_without_numbers_is_the_profile_itself() -> None:
    """What the operator does not say stays, and so does the key."""
    assert override(ETHEREUM) is ETHEREUM
    assert override(ETHEREUM, interval_seconds=12.0) is ETHEREUM


def test_override_of_numbers_shows_in_the_profile() -> None:
    """Another interval is another key; an explicit 0 is kept."""
    genesis = Hash32("0x" + "00" * 32)
    changed = override(DEV, interval_seconds=0.25, chain_id=0, genesis_hash=genesis)
    assert changed.key == "dev/0.25s"
    assert (changed.interval_seconds, changed.chain_id, changed.genesis_hash) == (0.25, 0, genesis)
    assert changed.miss == DEV.miss


@pytest.mark.parametrize("speed", [0.5, 3, 7.5, 20, 48])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)
def test_faster_profile_has_the_thresholds_of_its_chain(profile: Profile, speed: float) -> None:
    """Those in blocks are the same, those in seconds a fraction, and so is every p."""
    own, rules = policy(profile), policy(faster(profile, speed))
    assert rules.lag_blocks == own.lag_blocks
    assert rules.confirmations == own.confirmations
    assert rules.reorg_blocks == own.reorg_blocks
    assert rules.stall_seconds == pytest.approx(own.stall_seconds / speed)
    assert stall_p(rules.profile) == pytest.approx(stall_p(profile))
    assert lag_p_value(rules.profile, 2) == pytest.approx(lag_p_value(profile, 2))
    assert rules.poll_seconds == pytest.approx(max(POLL_SECONDS_MIN, own.poll_seconds / speed))
    polls = 86_400 / rules.poll_seconds
    assert polls * CALLS_A_ROUND <= rules.profile.calls_a_day * (1 + 1e-9)


def test_finality_is_waited_for_as_long_as_it_takes_to_spread() -> None:
    """With the blocks on most chains; with another chain's, which a silence says nothing of."""
    own = policy(ETHEREUM)
    assert own.finality_seconds == own.stall_seconds
    assert own.finality_words == "52 s (ethereum@1: the longest that the chain itself is silent)"
    other = policy(ARBITRUM)
    assert other.stall_seconds < other.finality_seconds == 384.0
    assert other.finality_words == "384 s (arbitrum@2: what is final is learnt from elsewhere)"
    assert policy(faster(ARBITRUM, 4)).finality_seconds == 96.0


def test_faster_profile_keeps_its_key_and_says_its_speed() -> None:
    """It is the same chain; a threshold is written with the speed that its seconds go by."""
    rules = policy(faster(faster(ETHEREUM, 4), 5))
    assert (rules.profile.key, rules.profile.speed) == ("ethereum", 20)
    assert rules.label == "ethereum@1 at 20x"
    assert "no block for 2.6 s (ethereum@1 at 20x: " in rules.stall_words
    assert policy(faster(ROPSTEN_2018, 60)).stall_words == (
        "no block for 120 s (ropsten-2018@1 at 60x: the longest silence on record)"
    )


def test_override_with_a_speed_divides_the_interval_that_was_given() -> None:
    """The interval is the chain's, and part of the key; the speed is that of its rehearsal."""
    changed = override(DEV, interval_seconds=2.0, speed=4)
    assert (changed.key, changed.interval_seconds, changed.speed) == ("dev/2s", 0.5, 4)
    assert override(ETHEREUM, speed=1) is ETHEREUM


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)
def test_profile_of_the_table_says_where_its_numbers_come_from(profile: Profile) -> None:
    """A number without a source is an opinion."""
    assert profile.sources
    assert all(source.where and source.date and source.note for source in profile.sources)
    assert PROFILES[profile.key] is profile
    assert {field.name for field in fields(profile)} >= set(profile.assumed)
    assert (profile.authorities is None) == (profile.model != "rota")
    assert (profile.miss > 0) == (profile.model == "slots")


def test_profiles_of_one_chain_id_have_one_genesis() -> None:
    """Eras of one chain differ in their numbers, not in which chain it is."""
    genesis = {(p.chain_id, p.genesis_hash) for p in PROFILES.values() if p.chain_id is not None}
    assert len(genesis) == len({chain_id for chain_id, _ in genesis})
