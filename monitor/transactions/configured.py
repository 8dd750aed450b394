"""The configuration as the watchdog reads it: a policy in wei, the accounts of a network."""

from __future__ import annotations

from monitor.config.transactions import ETHER, GWEI, TransactionPolicy, wei
from monitor.transactions.rules import Rules


def rules_of(policy: TransactionPolicy) -> Rules:
    """A policy in base units."""
    return Rules(
        rebroadcast=policy.rebroadcast,
        resend=policy.resend,
        replace=policy.replace,
        cancel=policy.cancel,
        fill=policy.fill,
        propose=policy.propose,
        propagate_blocks=policy.propagate_blocks,
        bump_after_seconds=policy.bump_after_seconds,
        cancel_after_seconds=policy.cancel_after_seconds,
        stuck_after_seconds=policy.stuck_after_seconds,
        rebroadcast_seconds=policy.rebroadcast_seconds,
        actions_an_hour_max=policy.actions_an_hour_max,
        bumps_max=policy.bumps_max,
        bump_blocks_min=policy.bump_blocks_min,
        bump_percent=policy.bump_percent,
        fee_cap_max_wei=_wei(policy.fee_cap_max_gwei, GWEI),
        market_multiple_max=policy.market_multiple_max,
        cost_max_wei=_wei(policy.cost_max_ether, ETHER),
        budget_a_day_wei=_wei(policy.budget_a_day_ether, ETHER),
    )


def _wei(amount: float | None, unit: int) -> int | None:
    return None if amount is None else wei(amount, unit)
