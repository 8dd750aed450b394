"""A whole workerdrop by the real contracts: everything that can happen does, and again."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from monitor.lab.anvil import HASHES_ONLY
from monitor.lab.poco.blocks import RECENT_BLOCKS_MIN, Log
from monitor.lab.poco.lab import PocoLab
from monitor.lab.poco.topics import HUB, MARKETPLACE, POOL
from tests.lab.poco.history import (
    CONTRIBUTED,
    PROVED,
    REJECTED,
    STATUS,
    History,
    addresses,
    history_of,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("poco")]

WORKERS, ORDERS = 311, 170
TOPICS = {
    "completed": HUB["WorkOrderCompleted"],
    "claimed": HUB["WorkOrderClaimed"],
    "reopened": POOL["Reopen"],
    "authorised": POOL["AllowWorkerToContribute"],
    "contributions": POOL["Contribute"],
    "proved": POOL["Reveal"],
    "accurate": HUB["AccurateContribution"],
    "faulty": HUB["FaultyContribution"],
    "deposits": HUB["Deposit"],
    "withdrawals": HUB["Withdraw"],
    "subscriptions": HUB["WorkerPoolSubscription"],
    "unsubscriptions": HUB["WorkerPoolUnsubscription"],
    "evictions": HUB["WorkerPoolEviction"],
    "policy_updates": POOL["WorkerPoolPolicyUpdate"],
    "market_orders": MARKETPLACE["MarketOrderCreated"],
    "closed_orders": MARKETPLACE["MarketOrderClosed"],
}
"""Count of the summary -> the topic that is counted."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drop(anvil_path: Path, poco_path: Path) -> AsyncIterator[History]:
    """The workerdrop as it is when nobody asks for another."""
    async with PocoLab(anvil_path, artifacts=poco_path) as lab:
        yield await history_of(lab, workers=WORKERS, orders=ORDERS)


async def test_drop_by_default_has_everybody_and_everything(drop: History) -> None:
    """311 workers and 170 work orders beside the traps', in every way to end."""
    summary = drop.summary
    laid = sum(len(one.work_orders) for one in summary.traps.values())
    assert len(summary.work_orders) == ORDERS + laid
    assert summary.workers >= WORKERS
    absent = [name for name in (*TOPICS, "left", "enclave", "reverted") if not at(drop, name)]
    assert not absent


async def test_summary_counts_what_the_logs_say(drop: History) -> None:
    """The counts are the logs of the hub, the marketplace and the pools, and of nobody else."""
    ours = {drop.hub, drop.marketplace, *drop.summary.pools}
    found = Counter(log.topics[0] for log in drop.logs if log.address in ours)
    assert {name: at(drop, name) for name in TOPICS} == {
        name: found[topic] for name, topic in TOPICS.items()
    }
    bought = drop.of(drop.hub, HUB["WorkOrderActivated"])
    assert drop.summary.work_orders == tuple(addresses(log)[0] for log in bought)
    assert drop.summary.left == len(bought) - drop.summary.completed - drop.summary.claimed
    made = drop.of(drop.hub, HUB["CreateWorkerPool"])
    assert set(drop.summary.pools) == {f"0x{log.topics[2][12:].hex()}" for log in made}


async def test_drop_ends_with_blocks_that_make_it_final(drop: History) -> None:
    """The last block with a transaction is at or below the node's `finalized`."""
    anvil = drop.deployment.blocks.anvil
    final = await anvil.rpc("eth_getBlockByNumber", "finalized", HASHES_ONLY)
    head = int(await anvil.rpc("eth_blockNumber"), 16)
    assert head == drop.summary.head
    assert drop.summary.last_block == drop.logs[-1].block
    assert int(final["number"], 16) >= drop.summary.last_block
    assert head - drop.summary.last_block == RECENT_BLOCKS_MIN


async def test_drop_pools_take_every_kind_of_stake_and_share(drop: History) -> None:
    """Work orders without stake, with more stake than pay, and schedulers that take all or none."""
    stakes, ratios = set(), set()
    for log in drop.of_pools("WorkOrderActive"):
        woid = f"0x{log.topics[1][12:].hex()}"
        reward, stake, *_, ratio = await drop.ask(log.address, "m_consensus(address)", woid)
        if reward:
            stakes.add("none" if not stake else "over" if stake > reward else "some")
        ratios.add(ratio)
    assert stakes == {"none", "some", "over"}
    assert {0, 1, 100} <= ratios


async def test_drop_contributions_are_of_every_kind(drop: History) -> None:
    """Right, wrong, silent and rejected, by enclaves too, with scores from none to many."""
    kinds: Counter[str] = Counter()
    scores = set()
    ended = {addresses(log)[0]: addresses(log)[1] for log in completed(drop)}
    for pool in drop.summary.pools:
        for log in drop.of(pool, POOL["Contribute"]):
            woid, worker = (f"0x{topic[12:].hex()}" for topic in log.topics[1:3])
            if woid not in ended:
                continue
            status, hashed, _, challenge, score, _ = await drop.ask(
                pool, "getContribution(address,address)", woid, worker
            )
            consensus = (await drop.ask(pool, "m_consensus(address)", woid))[2]
            scores.add(score)
            is_enclave = "enclave " if challenge else ""
            if status == CONTRIBUTED:
                kinds[is_enclave + ("silent" if hashed == consensus else "wrong")] += 1
            else:
                kinds[is_enclave + {PROVED: "right", REJECTED: "rejected"}[status]] += 1
    assert {"right", "wrong", "silent", "rejected", "enclave right", "enclave wrong"} <= set(kinds)
    assert min(scores) == 0
    assert max(scores) >= 20


async def test_drop_worker_acts_in_the_block_of_its_other_end(drop: History) -> None:
    """Somewhere a worker contributes in the very block in which another task of its ends."""
    paid = {
        (log.block, log.topics[1])
        for name in ("AccurateContribution", "FaultyContribution")
        for log in drop.of(drop.hub, HUB[name])
    }
    acted = {(log.block, log.topics[2]) for log in drop.of_pools("Contribute")}
    assert paid & acted


async def test_drop_kitty_is_filled_and_drawn_from(drop: History) -> None:
    """The hub is rewarded at claims, and seized when work orders end well."""
    for name in ("Reward", "Seize"):
        amounts = [
            int.from_bytes(log.data[32:64], "big")
            for log in drop.of(drop.hub, HUB[name])
            if addresses(log)[0] == drop.hub
        ]
        assert max(amounts) > 0, name


async def test_summary_of_endings_is_what_the_work_orders_say(drop: History) -> None:
    """Every work order is in the state that the summary counts it in."""
    states = Counter([await drop.status(woid) for woid in drop.summary.work_orders])
    assert states[STATUS["completed"]] == drop.summary.completed
    assert states[STATUS["claimed"]] == drop.summary.claimed
    assert states[STATUS["active"]] + states[STATUS["revealing"]] == drop.summary.left
    assert states[STATUS["active"]], "left before a consensus"
    assert states[STATUS["revealing"]], "and left after one"


async def test_drop_small_has_what_a_demonstration_needs(small: History) -> None:
    """4 work orders of 8 workers: completed, claimed, reopened, and faults among the good."""
    laid = sum(len(one.work_orders) for one in small.summary.traps.values())
    assert len(small.summary.work_orders) == 4 + laid
    assert small.summary.reopened
    assert small.summary.claimed
    assert small.summary.faulty
    assert small.summary.accurate > small.summary.faulty


@pytest.mark.parametrize("orders", [1, 2])
async def test_drop_of_least_size_runs(anvil_path: Path, poco_path: Path, orders: int) -> None:
    """Four workers and a work order or two are a history too; progress ends with all of them."""
    told: list[tuple[int, int]] = []
    async with PocoLab(anvil_path, seed=1, artifacts=poco_path) as lab:
        summary = await lab.workerdrop(
            workers=4,
            orders=orders,
            traps=False,
            progress=lambda done, of: told.append((done, of)),
        )
    assert len(summary.work_orders) == orders
    assert summary.workers == 4
    assert not summary.traps
    assert told[-1] == (orders, orders)
    assert told == sorted(told)


def at(history: History, name: str) -> int:
    found = getattr(history.summary, name)
    assert isinstance(found, int)
    return found


def completed(history: History) -> list[Log]:
    return history.of(history.hub, HUB["WorkOrderCompleted"])
