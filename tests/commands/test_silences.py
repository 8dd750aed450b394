"""The plot of silences: every length, how often it comes, and where the threshold lies."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from monitor.commands.silences import number, plot, silences
from monitor.judge.profiles import ETHEREUM, PROFILES, Profile, policy

every_profile = pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.key)


def test_plot_of_slots_counts_each_run() -> None:
    """A line a run of empty slots; the threshold is the first that comes less than once a month."""
    assert plot(policy(ETHEREUM)) == [
        "silences in 30 healthy days that last at least so long (bars are logarithmic)",
        "      16 s  ########################################      215,352",
        "      28 s  ##########################                        646",
        "      40 s  ############                                      1.9",
        "      52 s                                                 < 0.01  <- network quiet",
    ]


def test_plot_of_a_rota_counts_authorities() -> None:
    """No statistic is made up: so many down in a row make so long a silence."""
    assert plot(policy(PROFILES["rinkeby-2018"])) == [
        "silences while up to 1 of 3 authorities are down in a row",
        "      17 s  #   0 down",
        "      32 s  ##  1 down",
        "      47 s  ### more than it bears  <- network quiet",
    ]


@every_profile
def test_silences_of_a_profile_are_longer_and_rarer_line_by_line(profile: Profile) -> None:
    """One of them is the threshold, and up to it is where healthy chains are."""
    rules = policy(profile)
    rows = silences(rules)
    assert [row.seconds for row in rows if row.is_threshold] == [rules.stall_seconds]
    for shorter, longer in itertools.pairwise(rows):
        assert shorter.seconds < longer.seconds
        if shorter.a_month is not None and longer.a_month is not None:
            assert shorter.a_month > longer.a_month or longer.a_month == 0
    for row in rows:
        if row.a_month is not None and row.is_threshold:
            assert row.a_month <= 1.0001


@every_profile
def test_plot_of_a_profile_fits_a_terminal(profile: Profile) -> None:
    """Small enough for a log, and marked once."""
    drawn = plot(policy(profile))
    assert 4 <= len(drawn) <= 12
    assert all(len(line) <= 88 for line in drawn)
    assert sum("network quiet" in line for line in drawn) == 1


def test_silences_below_one_on_record_are_those_of_the_statistic() -> None:
    """Where the threshold is far out, the lines are where the silences are."""
    ropsten = PROFILES["ropsten-2018"]
    rows = silences(policy(ropsten))
    plain = silences(policy(replace(ropsten, silence_seconds=0.0)))
    assert [row.seconds for row in rows[:-1]] == [row.seconds for row in plain]
    assert rows[-1].seconds == 7200


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (215_352.4, "215,352"),
        (100.0, "100"),
        (99.4, "99"),
        (1.93, "1.9"),
        (0.0101, "0.01"),
        (0.0099, "< 0.01"),
        (0.0, "< 0.01"),
    ],
)
def test_number_has_the_digits_that_a_person_reads(count: float, text: str) -> None:
    """Large counts whole, small ones in two digits, and none that look like nothing."""
    assert number(count) == text
