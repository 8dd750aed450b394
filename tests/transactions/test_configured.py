"""The configuration in base units."""

from __future__ import annotations

import dataclasses

from monitor.config import TransactionPolicy
from monitor.transactions.configured import rules_of
from monitor.transactions.rules import Rules


def test_rules_of_the_default_policy_are_the_default_rules() -> None:
    """What is written nowhere is the same in the configuration and in the rules."""
    assert rules_of(TransactionPolicy()) == Rules()


def test_rules_of_a_policy_take_every_setting() -> None:
    """Every setting of a policy reaches the rule of its name; prices and amounts in wei."""
    numbers = {
        "propagate_blocks": 7,
        "bump_after_seconds": 8.0,
        "cancel_after_seconds": 9.0,
        "stuck_after_seconds": 10.0,
        "rebroadcast_seconds": 11.0,
        "actions_an_hour_max": 12,
        "bumps_max": 13,
        "bump_blocks_min": 14,
        "bump_percent": 15,
        "market_multiple_max": 16,
    }
    flags = {"rebroadcast": False, "resend": False, "propose": False}
    flags |= {"replace": True, "cancel": True, "fill": True}
    amounts = {"fee_cap_max_gwei": 0.1, "cost_max_ether": 0.3, "budget_a_day_ether": 2.0}
    rules = rules_of(TransactionPolicy.model_validate(amounts | numbers | flags))
    for name, value in (numbers | flags).items():
        assert getattr(rules, name) == value, name
    assert rules.fee_cap_max_wei == 100_000_000
    assert rules.cost_max_wei == 300_000_000_000_000_000
    assert rules.budget_a_day_wei == 2 * 10**18
    unset = {"rebroadcast_seconds_max", "dropped_rounds", "taken_rounds", "fee_floor_wei"}
    unset |= {"revert_alert_blocks"}
    names = {field.name for field in dataclasses.fields(Rules)}
    in_wei = {"fee_cap_max_wei", "cost_max_wei", "budget_a_day_wei"}
    assert names == set(numbers) | set(flags) | in_wei | unset
