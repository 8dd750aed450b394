"""Presets: rules from the thresholds of a chain, for who does not want to write any."""

from __future__ import annotations

import pytest

from monitor.judge.profiles import PROFILES, Policy, Profile, policy
from monitor.policy.presets import (
    PRESETS,
    SOAK_BLOCKS,
    SOAK_SECONDS_MIN,
    Preset,
    Thresholds,
    rules_of,
)
from monitor.policy.rules import OVER_SECONDS_MAX


def thresholds_of(rules: Policy) -> Thresholds:
    return Thresholds(
        lag_blocks=rules.lag_blocks,
        confirmations=rules.confirmations,
        interval_seconds=rules.profile.interval_seconds,
        stall_seconds=rules.stall_seconds,
    )


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.key)
def test_preset_of_every_profile_is_read(preset: Preset, profile: Profile) -> None:
    """Its limits are the profile's, its network is the one that is asked for."""
    numbers = thresholds_of(policy(profile))
    rules = rules_of(preset, numbers, "main")
    texts = [rule.text for rule in rules]
    assert f"head.lag_blocks.max < {numbers.lag_blocks}" in texts
    assert f"fork.depth_blocks.max < {numbers.confirmations}" in texts
    assert {rule.options.network for rule in rules} == {"main"}
    assert {rule.options.severity for rule in rules} == {"error", "warn"}
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("interval_seconds", "over_seconds"),
    [
        (1.0, SOAK_SECONDS_MIN),
        (12.0, SOAK_SECONDS_MIN),
        (12.5, 12.5 * SOAK_BLOCKS),
        (86_400.0, OVER_SECONDS_MAX),
    ],
)
def test_preset_soak_lasts_for_blocks_and_for_a_time(
    interval_seconds: float, over_seconds: float
) -> None:
    """On a slow chain long enough to see something, and never longer than is remembered."""
    rules = rules_of("soak", Thresholds(3, 6, interval_seconds, 60.0))
    assert {rule.options.over_seconds for rule in rules} == {over_seconds}


def test_preset_quick_needs_a_few_rounds() -> None:
    """A pipeline waits for three polls, and for no time."""
    rules = rules_of("quick", Thresholds(3, 6, 12.0, 60.0))
    assert {rule.options.over_seconds for rule in rules} == {None}
    assert max(rule.samples_needed for rule in rules) == 3
