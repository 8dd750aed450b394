"""The contracts of 2018 on a node of their own, with a history, and a door to count at."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.lab.anvil import HASHES_ONLY
from monitor.lab.errors import LabError
from monitor.lab.poco.lab import PocoLab
from monitor.lab.poco.tally import Summary
from monitor.lab.tools import find_poco
from monitor.ledger.fetching import Fetcher, Reach
from monitor.ledger.logs import merged
from monitor.ledger.v1.discovery import Contracts
from monitor.ledger.v1.emitters import Emitters
from monitor.ledger.v1.reads import Wanted, read_facts
from monitor.model import BlockNumber, BlockStamp, Hash32
from monitor.poco.v1.events import AllowWorker, CreateWorkerPool, Logged, WorkOrderActive
from monitor.poco.v1.facts import Facts
from monitor.poco.v1.replay import Replay, new_state
from monitor.rpc.node import Node
from tests.ledger.relay import Relay, relayed

if TYPE_CHECKING:
    import pyarrow as pa

SEED = 20180612


@dataclass(frozen=True, slots=True)
class Place:
    """A deployment, and our side of it."""

    lab: PocoLab
    relay: Relay
    node: Node
    summary: Summary | None

    @property
    def contracts(self) -> Contracts:
        """As the deployer knows them."""
        d = self.lab.deployment
        return Contracts(
            hub=d.hub,
            marketplace=d.marketplace,
            token=d.rlc,
            app_hub=d.app_hub,
            dataset_hub=d.dataset_hub,
            worker_pool_hub=d.worker_pool_hub,
        )

    @property
    def drop(self) -> Summary:
        assert self.summary is not None
        return self.summary

    async def at(self, which: int | str = "latest") -> BlockStamp:
        """A block of the chain."""
        name = which if isinstance(which, str) else hex(which)
        block = await self.lab.anvil.rpc("eth_getBlockByNumber", name, HASHES_ONLY)
        number, timestamp = int(block["number"], 16), int(block["timestamp"], 16)
        return BlockStamp(BlockNumber(number), Hash32(block["hash"]), timestamp)


@asynccontextmanager
async def place(
    anvil: Path,
    *,
    workers: int = 0,
    orders: int = 0,
    traps: bool = False,
    label: str = "local",
) -> AsyncIterator[Place]:
    """The contracts, deployed; with workers, a workerdrop as well."""
    async with (
        PocoLab(anvil, seed=SEED, artifacts=artifacts()) as lab,
        relayed(lab.url, label=label) as (relay, node),
    ):
        summary = None
        if workers:
            summary = await lab.workerdrop(workers=workers, orders=orders, traps=traps)
        yield Place(lab, relay, node, summary)


def artifacts() -> Path:
    """The compiled contracts; their absence fails in CI and skips elsewhere."""
    try:
        return find_poco()
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@dataclass(frozen=True, slots=True)
class Course:
    """What the events up to a block come to."""

    emitters: Emitters
    logs: pa.RecordBatch
    facts: Facts
    replay: Replay


async def replayed(here: Place, at: BlockStamp, *, blocks: int = 1_000) -> Course:
    """All logs up to a block, so many blocks at once, the facts that they need, and the replay."""
    emitters, facts = Emitters(here.contracts), Facts()
    fetcher = Fetcher(here.node, Reach(blocks=blocks, blocks_max=blocks))
    first, batches = 0, []
    while first <= at.number:
        page = await emitters.page(fetcher, first, at.number)
        batches.append(page.logs)
        first = page.last + 1
    logs = merged(batches)
    events = list(emitters.logged(logs))
    await read_facts(here.node, here.contracts, wanted_of(events), facts, at)
    replay = Replay(new_state(here.contracts.hub), facts)
    for each in events:
        replay.apply(each)
    replay.finish()
    return Course(emitters, logs, facts, replay)


def wanted_of(events: Sequence[Logged]) -> Wanted:
    """What a replay of these has to know."""
    told = [each.event for each in events]
    return Wanted(
        pools=[one.pool for one in told if isinstance(one, CreateWorkerPool)],
        work_orders=[one.woid for one in told if isinstance(one, WorkOrderActive)],
        authorised=[
            (one.pool, one.woid, one.worker) for one in told if isinstance(one, AllowWorker)
        ],
    )
