"""Gives accounts their live slots: from the journal, or from before another configuration.

What was known is shown before the first round is held; a network that cannot be seen yet may have a
lost transaction all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from monitor.transactions.journal import Journal
from monitor.transactions.ward import Ward, day_of


async def recall(
    journal: Journal,
    wards: Iterable[Ward],
    network: str,
    *,
    now: float,
    chain_id: int | None = None,
) -> None:
    """What the journal knows of the accounts; their names may be others than before.

    That is what is on its way, and what was spent on this day.

    Only where the chain is known is it certain whose entries these are; without it, those under
    the network's name are taken for its own until then. Raises JournalError.
    """
    by_address = {ward.account.address: ward for ward in wards}
    for ward in by_address.values():
        ward.slots.clear()
        address = ward.account.address
        ward.budget_spent_wei = await journal.spent_wei(network, address, day_of(now))
        if chain_id is not None:
            await journal.name_account(
                network=network,
                alias=ward.account.alias,
                chain_id=chain_id,
                sender=address,
            )
    for slot in await journal.live(network):
        owner = by_address.get(slot.sender)
        if owner is not None:
            owner.put(slot)


def carry_over(before: Iterable[Ward], after: Iterable[Ward]) -> None:
    """What is known of accounts that are watched on the same network as before."""
    held = {(ward.network, ward.account.address): ward for ward in before}
    for ward in after:
        known = held.get((ward.network, ward.account.address))
        if known is not None:
            ward.slots.update(known.slots)
            ward.budget_spent_wei = known.budget_spent_wei
