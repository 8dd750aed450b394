"""The sidecar and its ledgers, on the real contracts: right, and with a number planted wrong."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.act.collector import registry_of, render
from monitor.bookkeeping import Bookkeeping
from monitor.config import Ledger, Network, NodeSettings, ProfileRef, ReferenceSettings, Settings
from monitor.lab.poco.lab import PocoLab
from monitor.lab.poco.plant import Field, Planted, choose, plant
from monitor.ledger.last import DIFFERENCES, findings, measures
from monitor.model import Level
from monitor.sidecar import Sidecar
from monitor.url import Url
from tests.test_sidecar import levels

KEY = ("ledger", "ledger:drops")
WAIT_SECONDS_MAX = 60.0
PERIOD_SECONDS = 600.0


class Clock:
    """The true time, and what a test has waited beyond it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def settings_of(lab: PocoLab) -> Settings:
    """The lab's node, three operators who name the same chain, and its ledger."""
    network = Network(
        profile=ProfileRef(profile="dev", interval_seconds=1.0),
        references=tuple(
            ReferenceSettings(name=name, url=Url(lab.url), operator=f"operator-{name}")
            for name in "abc"
        ),
    )
    return Settings(
        networks={"dev": network},
        nodes=(NodeSettings(name="local", network="dev", url=Url(lab.url)),),
        ledgers=(Ledger(name="drops", network="dev", node="local", address=lab.deployment.hub),),
    )


@asynccontextmanager
async def kept(lab: PocoLab, directory: Path) -> AsyncIterator[tuple[Sidecar, Bookkeeping, Clock]]:
    """A sidecar that reconciles the lab's ledger, with the child that it has in earnest."""
    clock = Clock()
    async with Sidecar(settings_of(lab), clock=clock) as sidecar:
        books = Bookkeeping(sidecar, directory)
        yield sidecar, books, clock
        await books.close()


async def turn(sidecar: Sidecar, books: Bookkeeping) -> None:
    """One round of the network, and the reconciliation that it set going."""
    await sidecar.round(sidecar.watches["dev"])
    books.rounded("dev")
    tasks = [book.task for book in books.books.values() if book.task is not None]
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        await asyncio.gather(*tasks)


async def test_ledger_of_the_real_contracts_is_found_equal_and_then_a_planted_number_wrong(
    tmp_path: Path, anvil_path: Path, poco_path: Path
) -> None:
    """Equal at first; a number that is changed in storage fails it, to the nRLC, and heals."""
    async with PocoLab(anvil_path, seed=11, artifacts=poco_path) as lab:
        await lab.workerdrop(workers=8, orders=4)
        async with kept(lab, tmp_path) as (sidecar, books, clock):
            await turn(sidecar, books)
            assert levels(sidecar)[KEY] is Level.OK
            (facts,) = sidecar.snapshot().ledgers
            assert facts.totals is not None
            assert facts.totals.paid > 0
            assert facts.totals.work_orders["completed"] > 0
            settings = sidecar.settings
            assert measures(tmp_path, settings.ledgers, clock()) == {DIFFERENCES: 0.0}

            (wrong,) = await choose(lab.deployment, seed=1, fields=[Field.SCORE])
            (planted,) = await plant(lab.deployment, wrong)
            clock.ahead += PERIOD_SECONDS
            await turn(sidecar, books)
            await turn(sidecar, books)
            _assert_found(sidecar, planted)
            report = json.loads((books.report("drops")).read_bytes())
            assert [one["kind"] for one in report["differences"]] == ["score"]
            assert measures(tmp_path, settings.ledgers, clock()) == {DIFFERENCES: 1.0}
            (at_gate,) = findings(tmp_path, settings.ledgers, clock())
            assert (at_gate.level, at_gate.reason) == (Level.FAILED, "score")
            page, _ = render(registry_of(sidecar.snapshot()), "")
            sample = b'headwatch_ledger_differences{kind="score",ledger="drops",network="dev"} 1'
            assert sample in page

            await plant(lab.deployment, replace(wrong, delta=-wrong.delta))
            clock.ahead += PERIOD_SECONDS
            for _ in range(3):
                await turn(sidecar, books)
            assert levels(sidecar)[KEY] is Level.OK


def _assert_found(sidecar: Sidecar, planted: Planted) -> None:
    """The finding names kind, account and both values."""
    (found,) = (f for f in sidecar.verdict.findings if f.key == KEY)
    assert (found.level, found.reason, found.measured) == (Level.FAILED, "score", 1.0)
    (evidence,) = found.evidence
    assert str(planted.account) in evidence.said
    assert str(planted.before) in evidence.said
    assert str(planted.after) in evidence.said
    assert sidecar.verdict.word == "fail"


async def test_node_that_is_behind_its_references_makes_the_ledger_unknown(
    tmp_path: Path, anvil_path: Path, poco_path: Path
) -> None:
    """It is asked about a block that it does not have: that is no difference."""
    async with (
        PocoLab(anvil_path, seed=12, artifacts=poco_path) as lab,
        PocoLab(anvil_path, seed=12, artifacts=poco_path) as behind,
    ):
        await lab.workerdrop(workers=2, orders=1, traps=False)
        settings = settings_of(lab)
        node = settings.nodes[0].model_copy(update={"url": Url(behind.url)})
        async with Sidecar(settings.model_copy(update={"nodes": (node,)})) as sidecar:
            books = Bookkeeping(sidecar, tmp_path)
            await turn(sidecar, books)
            (found,) = (f for f in sidecar.verdict.findings if f.key == KEY)
            assert (found.level, found.reason) == (Level.UNKNOWN, "behind")
            await books.close()


@pytest.mark.parametrize("address", ["0x" + "11" * 20], ids=["nothing there"])
async def test_address_that_is_no_hub_is_named(
    tmp_path: Path, anvil_path: Path, poco_path: Path, address: str
) -> None:
    """A mistake in the configuration is no difference, and says what is wrong."""
    async with PocoLab(anvil_path, seed=13, artifacts=poco_path) as lab:
        await lab.workerdrop(workers=2, orders=1, traps=False)
        settings = settings_of(lab)
        ledger = settings.ledgers[0].model_copy(update={"address": address})
        async with Sidecar(settings.model_copy(update={"ledgers": (ledger,)})) as sidecar:
            books = Bookkeeping(sidecar, tmp_path)
            await turn(sidecar, books)
            (found,) = (f for f in sidecar.verdict.findings if f.key == KEY)
            assert (found.level, found.reason) == (Level.UNKNOWN, "not_a_hub")
            assert address in found.summary
            await books.close()
