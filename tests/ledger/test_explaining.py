"""Accounts and work orders of a real history, found by their address and told in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.tally import Summary
from monitor.ledger.explaining import explain
from monitor.ledger.reconcile import reconcile
from monitor.ledger.words import rlc
from monitor.model import Address
from tests.ledger.drops import job_of, lab_of

Played = tuple[Deployment, Summary]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of() as lab:
        yield lab.deployment, await lab.workerdrop(workers=8, orders=4)


async def test_explain_of_a_work_order_tells_its_story(played: Played) -> None:
    """By its address: who took part, in the blocks in which it happened."""
    deployment, summary = played
    report = await reconcile(job_of(deployment))
    for woid in summary.work_orders[::4]:
        text = await explain(job_of(deployment), woid)
        assert text is not None
        assert text.startswith(f"Work order {woid}: {report.tasks[woid].status}")
        assert all(worker in text for worker in report.tasks[woid].contributions)


async def test_explain_of_an_account_has_what_the_chain_holds(
    played: Played, tmp_path: Path
) -> None:
    """By its address, also from what is held: its free and locked stake to the last nRLC."""
    deployment, _ = played
    job = job_of(deployment, folder=tmp_path)
    report = await reconcile(job)
    for account in sorted(report.scores)[:3]:
        text = await explain(job, account)
        assert text is not None
        assert account in text
        assert rlc(report.accounts[account].stake) in text
        assert text == await explain(job_of(deployment), account)


async def test_explain_of_a_stranger_is_none(played: Played) -> None:
    """An address that the ledger has never named."""
    deployment, _ = played
    assert await explain(job_of(deployment), Address("0x" + "12" * 20)) is None
