"""The running sum: its false alarms and its delays by simulation, and what a gap may say."""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from monitor.judge.drift import (
    SHARE_DAYS,
    SLOWER,
    Drift,
    Sum,
    bernoulli_run_length,
    bernoulli_threshold,
    drift,
    exponential_false_alarm,
    exponential_threshold,
    gain_loss,
    missed_turns,
    why_none,
)
from monitor.judge.profiles import (
    DEV,
    ETHEREUM,
    ETHEREUM_2018,
    PROFILES,
    Profile,
    down_in_a_row,
    override,
    poisson_tail,
    rare_gap_seconds,
)
from tests.judge.draws import births
from tests.judge.headers import crossings, gaps_of, ratios

BELLECOUR, KOVAN, RINKEBY = (PROFILES[key] for key in ("bellecour", "kovan-2018", "rinkeby-2018"))
SUMMED = {key: found for key, profile in PROFILES.items() if (found := drift(profile))}
every_sum = pytest.mark.parametrize("looked_for", SUMMED.values(), ids=SUMMED.keys())
CHAINS = 4000
STEPS = 5000


def of(profile: Profile) -> Drift:
    found = drift(profile)
    assert found is not None
    return found


def drawn(looked_for: Drift, value: float, draw: np.random.Generator) -> NDArray[np.float64]:
    """What one gap (rota: turn) adds to each of `CHAINS` sums, where `value` is the truth."""
    if looked_for.profile.model == "poisson":
        gain = SLOWER - 1
        gaps = draw.exponential(value / looked_for.healthy, CHAINS)
        return gaps * gain / SLOWER - math.log(SLOWER)
    gain, loss = gain_loss(looked_for.healthy, looked_for.shifted)
    return np.where(draw.random(CHAINS) < value, gain, -loss)


@pytest.mark.parametrize(
    ("key", "threshold", "blocks", "minutes"),
    [
        ("ethereum", 8.79, 94, 20),
        ("ethereum-2018", 9.61, 98, 36),
        ("sepolia", 9.97, 69, 17),
        ("hoodi", 9.97, 69, 17),
        ("gnosis", 9.95, 180, 16),
        ("polygon", 10.49, 245, 9),
        ("bellecour", 10.18, 291, 24),
        ("ropsten-2018", 8.89, 90, 68),
        ("kovan-2018", 10.26, 387, 26),
        ("rinkeby-2018", 10.40, 45, 11),
    ],
)
def test_drift_of_a_profile_has_the_published_threshold_and_delay(
    key: str, threshold: float, blocks: int, minutes: int
) -> None:
    """The numbers of the documentation are those that are judged by."""
    looked_for = SUMMED[key]
    assert looked_for.threshold == pytest.approx(threshold, abs=0.01)
    assert round(looked_for.delay_blocks(looked_for.shifted)) == blocks
    assert round(looked_for.delay_seconds(looked_for.shifted) / 60) == minutes


@every_sum
def test_drift_of_a_healthy_chain_is_said_no_more_often_than_budgeted(looked_for: Drift) -> None:
    """Twenty million gaps as the profile has them: as many alarms as were computed, or chance."""
    draw = np.random.default_rng([1, *looked_for.profile.key.encode()])
    sums, found = np.zeros(CHAINS), 0
    for _ in range(STEPS):
        sums = np.maximum(0.0, sums + drawn(looked_for, looked_for.healthy, draw))
        alarmed = sums >= looked_for.threshold
        found += int(np.count_nonzero(alarmed))
        sums[alarmed] = 0.0
    budget = looked_for.profile.blocks_a_day * SHARE_DAYS
    expected = CHAINS * STEPS / looked_for.false_alarm_blocks
    key = looked_for.profile.key
    sys.stdout.write(f"{key}: {found} alarms in {CHAINS * STEPS} gaps, {expected:.1f} expected\n")
    assert looked_for.false_alarm_blocks >= budget * (1 - 1e-9)
    assert looked_for.alarms_a_month <= 0.5 * (1 + 1e-9)
    most = next(k for k in itertools.count() if poisson_tail(k + 1, expected) < 1e-3)
    least = next(k for k in itertools.count() if poisson_tail(k + 1, expected) < 1 - 1e-3)
    assert least <= found <= most


@pytest.mark.parametrize("further", [1.0, 1.3])
@every_sum
def test_drift_of_a_changed_chain_is_said_after_the_stated_delay(
    looked_for: Drift, further: float
) -> None:
    """Four thousand chains that change at once: the mean of their delays is the one computed."""
    draw = np.random.default_rng([2, *looked_for.profile.key.encode()])
    value = further * looked_for.shifted
    sums, delays = np.zeros(CHAINS), np.zeros(CHAINS)
    for step in range(1, STEPS):
        sums = np.maximum(0.0, sums + drawn(looked_for, value, draw))
        delays[(delays == 0) & (sums >= looked_for.threshold)] = step
        if delays.all():
            break
    assert delays.all()
    error = 4 * delays.std() / CHAINS**0.5
    assert looked_for.delay_blocks(value) == pytest.approx(delays.mean(), abs=error)


@every_sum
def test_drift_step_by_step_is_what_the_bulk_of_gaps_makes(looked_for: Drift) -> None:
    """A day of gaps, folded one by one: the sum reaches the threshold where the bulk says."""
    profile = looked_for.profile
    changed = {
        "poisson": replace(profile, interval_seconds=SLOWER * profile.interval_seconds),
        "slots": replace(profile, miss=looked_for.shifted),
        "rota": profile,
    }[profile.model]
    gaps = gaps_of(births(changed, np.random.default_rng(3)))[:2000]
    if profile.model == "rota":
        gaps[::2] *= 4
    expected = crossings(ratios(looked_for, gaps), looked_for.threshold)
    state, first = Sum(), -1
    for index, gap in enumerate(gaps.tolist()):
        state = looked_for.step(state, gap)
        assert 0 <= state.value <= looked_for.threshold
        if state.is_drifted:
            first = index
            break
    assert expected
    assert first == expected[0]


@pytest.mark.parametrize(
    ("missed", "top", "units"),
    [(0.05, 30, 7), (0.2, 30, 7), (0.05, 44, 7), (0.4, 12, 7), (0.4, 12, 1), (0.2, 5, 1)],
)
def test_bernoulli_run_length_is_that_of_the_sum_s_own_equations(
    missed: float, top: int, units: int
) -> None:
    """Gaining whole units and losing one: the mean from every value, by linear equations."""
    moves = np.zeros((top, top))
    for value in range(top):
        moves[value, max(0, value - 1)] += 1 - missed
        if value + units < top:
            moves[value, value + units] += missed
    lengths = np.linalg.solve(np.eye(top) - moves, np.ones(top))
    found = bernoulli_run_length(missed, (0.1 * units, 0.1), 0.1 * top - 0.05)
    assert found == pytest.approx(lengths[0], rel=1e-4)


def test_bernoulli_run_length_of_a_low_threshold_is_to_the_first_miss() -> None:
    """Where one miss is enough, the wait is geometric."""
    assert bernoulli_run_length(0.05, (1.0, 0.1), 1.0) == pytest.approx(20)


def test_bernoulli_run_length_beyond_every_excursion_is_endless() -> None:
    """What is not reached within what is followed is never reached."""
    assert bernoulli_run_length(0.001, gain_loss(0.001, 0.9), 1000.0) == math.inf


@pytest.mark.parametrize(("healthy", "shifted"), [(0.003, 0.05), (0.05, 0.2), (3 / 8, 4 / 8)])
@pytest.mark.parametrize("budget", [1e3, 1e5])
def test_bernoulli_threshold_is_the_lowest_within_its_budget(
    healthy: float, shifted: float, budget: float
) -> None:
    """At it the budget holds, and a little below it does not."""
    threshold = bernoulli_threshold(healthy, shifted, budget)
    at, below = (
        bernoulli_run_length(healthy, gain_loss(healthy, shifted), threshold - less)
        for less in (0.0, 0.002)
    )
    assert below < budget <= at


@pytest.mark.parametrize("budget", [1e3, 178_200, 1e7])
def test_exponential_threshold_spends_its_budget(budget: float) -> None:
    """The threshold is the inverse of the run length, far below the bound of e^threshold."""
    threshold = exponential_threshold(budget)
    assert exponential_false_alarm(threshold) == pytest.approx(budget)
    assert budget / math.exp(threshold) == pytest.approx(23.8, abs=0.01)
    assert exponential_threshold(1.0) == 0


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (DEV, "timestamps are whole seconds, which do not tell its gaps apart"),
        (override(DEV, interval_seconds=1.99), "timestamps are whole seconds"),
        (override(DEV, interval_seconds=2.0), ""),
        (PROFILES["arbitrum"], "its pace is that of its users"),
        (replace(RINKEBY, authorities=2), "it bears no authority down"),
        (RINKEBY, ""),
        (ETHEREUM, ""),
    ],
)
def test_drift_is_not_looked_for_where_gaps_cannot_show_it(profile: Profile, words: str) -> None:
    """A chain without a sum has a reason."""
    assert why_none(profile).startswith(words)
    assert bool(why_none(profile)) is (drift(profile) is None) is bool(words)


@pytest.mark.parametrize("profile", [ETHEREUM, ETHEREUM_2018, RINKEBY], ids=lambda p: p.key)
def test_drift_of_a_smaller_budget_is_said_later(profile: Profile) -> None:
    """Fewer false alarms cost a longer delay."""
    month, year = drift(profile, 30.0), drift(profile, 365.0)
    assert month is not None
    assert year is not None
    assert month.threshold < of(profile).threshold < year.threshold
    delays = [one.delay_blocks(one.shifted) for one in (month, of(profile), year)]
    assert delays == sorted(set(delays))
    assert month.alarms_a_month <= 1 + 1e-9


@pytest.mark.parametrize(
    ("gap", "missed"), [(0, 0), (11, 0), (12, 0), (17, 0), (18, 1), (24, 1), (96, 7)]
)
def test_missed_turns_of_a_gap_are_the_whole_slots_that_it_left_out(gap: int, missed: int) -> None:
    """Half a slot more is the next one's."""
    assert missed_turns(ETHEREUM, gap) == missed


@pytest.mark.parametrize(
    ("profile", "gap", "longer"),
    [
        (ETHEREUM, 24, 96),
        (ETHEREUM_2018, rare_gap_seconds(ETHEREUM_2018), 7200),
        (PROFILES["ropsten-2018"], rare_gap_seconds(PROFILES["ropsten-2018"]), 7200),
        (BELLECOUR, 25, 3600),
    ],
)
def test_log_ratio_of_one_long_gap_is_that_of_one_witness(
    profile: Profile, gap: float, longer: float
) -> None:
    """Seven empty slots, or two hours without a block, are one outage, and never a drift."""
    looked_for = of(profile)
    assert looked_for.log_ratio(longer) == looked_for.log_ratio(gap) > 0
    assert not looked_for.step(Sum(), longer).is_drifted


@every_sum
def test_log_ratio_of_a_gap_is_the_ratio_of_its_two_probabilities(looked_for: Drift) -> None:
    """Averaged over healthy gaps, the likelihood ratio is one: so no evidence comes from nothing.

    The one of poisson is an integral up to where gaps are cut.
    """
    profile, interval = looked_for.profile, looked_for.profile.interval_seconds
    if profile.model == "poisson":
        limit, steps = 12.0, 24_000
        means = (limit * (i + 0.5) / steps for i in range(steps))
        total = sum(
            limit / steps * math.exp(-mean + looked_for.log_ratio(mean * interval))
            for mean in means
        )
        assert total == pytest.approx(1 - math.exp(-limit / SLOWER), abs=2e-4)
        return
    q = looked_for.healthy
    kept, one = (math.exp(looked_for.log_ratio(interval * gap)) for gap in (1, 2))
    if profile.model == "slots":
        assert (1 - q) * kept + q * one == pytest.approx(1)
        return
    # A turn kept, then one missed: the ratios of the two turns multiply.
    assert (1 - q) * kept + q * one / kept == pytest.approx(1)
    down = down_in_a_row(profile)
    assert looked_for.log_ratio(interval * (down + 2)) > looked_for.log_ratio(interval * (down + 1))


def test_step_after_the_alarm_ends_with_as_much_good_news_as_bad() -> None:
    """Said from the threshold on, and until the sum is at 0; a long outage makes it no longer."""
    looked_for = of(ETHEREUM)
    state = Sum()
    for _ in range(50):
        state = looked_for.step(state, 24)
    assert state == Sum(looked_for.threshold, is_drifted=True)
    good = 0
    while state.is_drifted:
        state, good = looked_for.step(state, 12), good + 1
    assert state == Sum()
    assert good == math.ceil(looked_for.threshold / gain_loss(0.003, 0.05)[1])


def test_step_without_an_alarm_never_falls_below_nothing() -> None:
    """Good news is not saved for later, and a little bad news is no alarm."""
    looked_for = of(ETHEREUM)
    assert looked_for.step(Sum(), 12) == Sum()
    once = looked_for.step(Sum(), 24)
    assert once.value == pytest.approx(math.log(0.05 / 0.003))
    assert not once.is_drifted


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (
            ETHEREUM,
            (
                "a running sum of 8.79 (ethereum@1: 5 % of slots empty instead of 0.3 % of slots "
                "empty, at most one false alarm in 60 days)"
            ),
        ),
        (
            ETHEREUM_2018,
            (
                "a running sum of 9.61 (ethereum-2018@1: gaps of 21.83 s instead of gaps of "
                "14.55 s, at most one false alarm in 60 days)"
            ),
        ),
        (
            BELLECOUR,
            (
                "a running sum of 10.2 (bellecour@1: 50 % of turns missed instead of 37.5 % of "
                "turns missed, at most one false alarm in 60 days)"
            ),
        ),
    ],
)
def test_words_of_a_drift_name_profile_change_and_budget(profile: Profile, words: str) -> None:
    """Every threshold is written with where it comes from."""
    assert of(profile).words == words


def test_shift_of_slots_that_are_mostly_empty_is_still_a_probability() -> None:
    """Four times as many as half is no share of anything."""
    looked_for = of(replace(ETHEREUM, miss=0.5))
    assert looked_for.shifted == 0.75
    assert of(KOVAN).shifted == pytest.approx(5 / 9)
