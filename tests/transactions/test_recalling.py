"""What is known of accounts before a round is held: from the journal, and over a reload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.config.transactions import Account
from monitor.model import Address
from monitor.transactions.journal import Journal, Reader, Reservation
from monitor.transactions.recalling import carry_over, recall
from monitor.transactions.rules import Rules
from monitor.transactions.ward import Ward
from tests.transactions.journal.samples import (
    ALIAS,
    CHAIN,
    NETWORK,
    NOW,
    OTHER,
    SENDER,
    closing,
    hash_of,
    opened,
    sighting,
)


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """Of one account, two live transactions and one that is over."""
    async with opened(tmp_path / "journal.sqlite") as journal:
        for nonce in (7, 8, 9):
            await journal.observe(sighting(nonce), NOW)
        over = closing(1)
        await journal.close_slot(
            1,
            over.state,
            consumer_hash=hash_of("x"),
            number=1,
            block_hash=hash_of("block"),
            summary="",
            at=NOW,
        )
        yield journal


def ward_of(address: Address = SENDER, alias: str = ALIAS, network: str = NETWORK) -> Ward:
    return Ward(Account(alias=alias, address=address, network=network), Rules(), network)


def aliases(path: Path) -> set[str]:
    return {listed.alias for listed in Reader(path).slots(is_closed=False)}


@pytest.mark.parametrize("chain_id", [None, CHAIN])
async def test_recall_gives_each_account_its_live_slots(
    journal: Journal, chain_id: int | None
) -> None:
    """And takes what it had; of other accounts and networks it gives nothing."""
    mine, other = ward_of(), ward_of(OTHER, "other")
    elsewhere = ward_of(network="elsewhere")
    await recall(journal, [mine], NETWORK, now=NOW)
    mine.slots[99] = mine.slots[8]
    await recall(journal, [mine, other], NETWORK, now=NOW, chain_id=chain_id)
    await recall(journal, [elsewhere], "elsewhere", now=NOW)
    assert [sorted(ward.slots) for ward in (mine, other, elsewhere)] == [[8, 9], [], []]


async def test_recall_files_under_new_names_once_the_chain_is_known(journal: Journal) -> None:
    """Before that, whose entries they are is not certain, and nothing is written."""
    ward = ward_of(alias="renamed")
    await recall(journal, [ward], NETWORK, now=NOW)
    assert (sorted(ward.slots), aliases(journal.path)) == ([8, 9], {ALIAS})
    await recall(journal, [ward], NETWORK, now=NOW, chain_id=CHAIN)
    assert (sorted(ward.slots), aliases(journal.path)) == ([8, 9], {"renamed"})


async def test_recall_gives_what_was_spent_on_this_day(journal: Journal) -> None:
    """What is being signed counts as well, until it is given back; a reload keeps it."""
    await journal.lease(2, "replace", NOW, Reservation(wei=5, budget_a_day_wei=9))
    ward, after = ward_of(), ward_of()
    await recall(journal, [ward], NETWORK, now=NOW)
    carry_over([ward], [after])
    assert (ward.budget_spent_wei, after.budget_spent_wei) == (5, 5)
    await journal.release(1, NOW)
    await recall(journal, [ward], NETWORK, now=NOW)
    assert ward.budget_spent_wei == 0


async def test_carry_over_is_for_the_same_account_of_the_same_network(journal: Journal) -> None:
    """Whatever it is called now; another keeps nothing of it, and what was is not shared."""
    before = ward_of()
    await recall(journal, [before], NETWORK, now=NOW)
    after = [ward_of(alias="renamed"), ward_of(OTHER), ward_of(network="elsewhere")]
    carry_over([before], after)
    assert [sorted(ward.slots) for ward in after] == [[8, 9], [], []]
    after[0].slots.clear()
    assert sorted(before.slots) == [8, 9]
