"""The configuration as the watchdog reads it: a policy in wei, the accounts of a network."""

from __future__ import annotations

from collections.abc import Callable

import aiohttp

from monitor.config.transactions import ETHER, GWEI, TransactionPolicy, Transactions, wei
from monitor.config.transactions import Signer as SignerSettings
from monitor.transactions.rules import Rules
from monitor.transactions.signers import Signer, signer_of


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


def signers_of(
    transactions: Transactions, session: aiohttp.ClientSession, clock: Callable[[], float]
) -> dict[str, Signer]:
    """Who signs for each account, by alias; one object for each that is configured."""
    made: dict[SignerSettings, Signer] = {}
    found: dict[str, Signer] = {}
    for account in transactions.accounts:
        chosen = transactions.signer
        if account.signer is not None:
            chosen = transactions.signers[account.signer]
        if chosen is None:
            continue
        if chosen not in made:
            keystore = chosen.keystore
            made[chosen] = signer_of(
                session=session,
                clock=clock,
                keystore=None if keystore is None else (keystore.file, keystore.password_file),
                web3signer=chosen.web3signer,
                clef=chosen.clef,
                command=chosen.command,
            )
        found[account.alias] = made[chosen]
    return found
