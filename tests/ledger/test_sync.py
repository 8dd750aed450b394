"""Events brought here: each once, whatever ends a sync, and none of a chain that is gone."""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from monitor.lab.poco.calls import call
from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.tally import Summary
from monitor.ledger.errors import BrokenStore, CouldNotSee, NotAHub
from monitor.ledger.fetching import Reach
from monitor.ledger.job import Request, Step, request_json
from monitor.ledger.reconcile import reconcile
from monitor.ledger.remedies import BEHIND, FORKED, WRONG_CHAIN
from monitor.ledger.store import Identity, Store
from monitor.ledger.sync import LOGS_SURE, NARROW, reach_of, sync_ledger
from monitor.model import Address
from monitor.rpc.node import Limits
from tests.ledger.drops import door, job_of, lab_of, other_hash, ranges_of
from tests.ledger.relay import PASS
from tests.rpc.canned import Canned, Hang, Json, Refusal, serving

Played = tuple[Deployment, Summary]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of(4) as lab:
        yield lab.deployment, await lab.workerdrop(workers=8, orders=4)


async def test_sync_brings_every_event_up_to_the_block(played: Played, tmp_path: Path) -> None:
    """From the hub's first block to the pinned one; and a second time nothing."""
    deployment, summary = played
    async with door(deployment.blocks.anvil.url) as relay:
        steps: list[Step] = []
        job = job_of(deployment, relay.url, folder=tmp_path)
        first = await sync_ledger(job, steps.append)
        assert first.events == first.events_new > 300
        assert first.block.number >= summary.last_block
        assert first.chain_id == 31337
        ranges = ranges_of(relay)
        assert {start for start, _ in ranges} == {deployment.first_block}
        assert {step.doing for step in steps} == {"looking for the block", "fetching events"}
        relay.forget()
        again = await sync_ledger(job)
        assert again == replace(first, events_new=0)
        assert ranges_of(relay) == []


async def test_sync_goes_on_after_the_last_block_that_is_here(
    played: Played, tmp_path: Path
) -> None:
    """Only what lies between two blocks is asked for, and both together are the whole."""
    deployment, summary = played
    middle = summary.last_block - 15
    async with door(deployment.blocks.anvil.url) as relay:
        job = job_of(deployment, relay.url, folder=tmp_path)
        before = await sync_ledger(replace(job, at=str(middle)))
        relay.forget()
        after = await sync_ledger(job)
        assert {start for start, _ in ranges_of(relay)} == {middle + 1}
        assert after.events == before.events + after.events_new
        assert after.events == (await sync_ledger(replace(job, folder=None))).events


@pytest.mark.parametrize("pages", [1, 3, 6])
async def test_sync_that_is_broken_off_keeps_the_pages_before(
    played: Played, tmp_path: Path, pages: int
) -> None:
    """A node that fails after some pages: the next sync asks for the others alone."""
    deployment, _ = played
    async with door(deployment.blocks.anvil.url) as relay:

        def narrow(method: str, params: list[Json]) -> Json:
            if method != "eth_getLogs":
                return PASS
            first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
            if last - first >= 4:
                return Refusal("query returned more than 10000 results", -32005)
            if first >= deployment.first_block + 4 * pages:
                return Refusal("this node is closed", -32600)
            return PASS

        relay.instead = narrow
        job = job_of(deployment, relay.url, folder=tmp_path)
        with pytest.raises(CouldNotSee):
            await sync_ledger(job)
        relay.instead = None
        relay.forget()
        assert (await reconcile(job)).verdict == "pass"
        assert min(start for start, _ in ranges_of(relay)) > deployment.first_block


async def test_sync_that_is_killed_is_gone_on_with(played: Played, tmp_path: Path) -> None:
    """Kill -9 in the middle of a page: what was on the disk is whole, and not asked for again."""
    deployment, _ = played
    async with door(deployment.blocks.anvil.url) as relay:
        stuck, reached = asyncio.Event(), asyncio.Event()

        async def before(request: int) -> None:
            first = ranges_of(relay)[-1][0] if ranges_of(relay) else 0
            if first >= deployment.first_block + 12:
                reached.set()
                await stuck.wait()

        def narrow(method: str, params: list[Json]) -> Json:
            if method == "eth_getLogs":
                first, last = (int(params[0][end], 16) for end in ("fromBlock", "toBlock"))
                if last - first >= 4:
                    return Refusal("query returned more than 10000 results", -32005)
            return PASS

        relay.before, relay.instead = before, narrow
        job = job_of(deployment, relay.url, folder=tmp_path)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "monitor.ledger.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert process.stdin is not None
        process.stdin.write(request_json(Request(job)))
        process.stdin.close()
        await asyncio.wait_for(reached.wait(), 30)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        stuck.set()
        relay.before = relay.instead = None
        relay.forget()
        assert (await reconcile(job)).verdict == "pass"
        assert min(start for start, _ in ranges_of(relay)) > deployment.first_block


async def test_sync_after_a_reorg_takes_back_what_is_gone(tmp_path: Path) -> None:
    """Events of blocks that were replaced are forgotten, those of the new ones are fetched."""
    async with lab_of(5) as lab:
        summary = await lab.workerdrop(workers=4, orders=2, traps=False)
        deployment = lab.deployment
        blocks = deployment.blocks
        job = job_of(deployment, folder=tmp_path, at="latest", confirmations=64)
        owner = deployment.owner
        approve = call(owner, deployment.rlc, "approve(address,uint256)", deployment.hub, 2**100)
        await blocks.mine([approve])
        snapshot = await blocks.anvil.rpc("evm_snapshot")
        await blocks.mine([call(owner, deployment.hub, "deposit(uint256)", 5)])
        before = await reconcile(job)
        assert before.accounts[owner].stake == 5
        held = await sync_ledger(job)
        await blocks.anvil.rpc("evm_revert", snapshot)
        for number in range(3):
            await blocks.anvil.rpc("evm_mine", {"timestamp": blocks.timestamp + 60 + number})
        after = await sync_ledger(job)
        assert after.block.number > summary.last_block
        assert after.events == held.events - 2
        report = await reconcile(job)
        assert report.verdict == "pass"
        assert owner not in report.accounts


async def test_sync_of_a_shorter_chain_waits_for_it(played: Played, tmp_path: Path) -> None:
    """A node that has not come so far as what is held is behind; nothing is forgotten."""
    deployment, summary = played
    job = job_of(deployment, folder=tmp_path, at=str(summary.last_block))
    held = await sync_ledger(job)
    async with door(deployment.blocks.anvil.url) as relay:
        lowest = summary.last_block - 5

        def shorter(method: str, params: list[Json]) -> Json:
            is_above = (
                params[:1] and str(params[0]).startswith("0x") and int(params[0], 16) > lowest
            )
            return None if method == "eth_getBlockByNumber" and is_above else PASS

        relay.instead = shorter
        short = job_of(deployment, relay.url, folder=tmp_path, at=str(lowest))
        with pytest.raises(CouldNotSee) as caught:
            await sync_ledger(short)
        assert caught.value.reason == BEHIND
    assert await sync_ledger(job) == replace(held, events_new=0)


async def test_sync_of_pages_of_another_chain_is_refused(played: Played, tmp_path: Path) -> None:
    """Logs whose block has another hash by now are not kept."""
    deployment, summary = played
    async with door(deployment.blocks.anvil.url) as relay:
        number = summary.last_block
        relay.change = other_hash(number, after=1)
        with pytest.raises(CouldNotSee) as caught:
            await sync_ledger(job_of(deployment, relay.url, folder=tmp_path, at=str(number)))
        assert caught.value.reason == FORKED
        relay.change = None
        job = job_of(deployment, relay.url, folder=tmp_path)
        assert (await sync_ledger(job)).events_new > 300


async def test_sync_of_logs_of_another_fork_keeps_none_of_them(
    played: Played, tmp_path: Path
) -> None:
    """Logs whose blocks have another hash than the node itself names are of another chain."""
    deployment, _ = played

    def elsewhere(method: str, params: list[Json], result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        return [log | {"blockHash": "0x" + log["blockHash"][:1:-1]} for log in result]

    async with door(deployment.blocks.anvil.url) as relay:
        relay.change = elsewhere
        with pytest.raises(CouldNotSee) as caught:
            await sync_ledger(job_of(deployment, relay.url, folder=tmp_path))
        assert caught.value.reason == FORKED
    with Store.open(tmp_path, Identity(31337, "poco-v1", deployment.hub)) as store:
        assert store.held_to is None


async def test_sync_from_an_earlier_block_begins_anew(played: Played, tmp_path: Path) -> None:
    """A store that begins too late lacks what came before; one that begins earlier does not."""
    deployment, _ = played
    late = deployment.first_block + 10
    job = job_of(deployment, folder=tmp_path)
    few = await sync_ledger(replace(job, from_block=late))
    same = await sync_ledger(job)
    assert (same.events, same.events_new) == (few.events, 0)
    whole = await sync_ledger(replace(job, from_block=deployment.first_block))
    assert whole.events == whole.events_new > few.events
    assert (await sync_ledger(replace(job, from_block=late))).events == whole.events


async def test_sync_without_a_folder_leaves_nothing(played: Played, tmp_path: Path) -> None:
    """One-off use keeps nothing, and leaves nothing behind."""
    deployment, _ = played
    del tmp_path
    assert (await sync_ledger(job_of(deployment))).events > 300


async def test_sync_without_a_place_for_its_folder_says_what_helps(
    played: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No room for a temporary folder, or none that may be written to, is no error of ours."""
    deployment, _ = played
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(BrokenStore, match=r"directory.*: name one with --data-dir"):
        await sync_ledger(job_of(deployment))


@pytest.mark.parametrize("who", ["rlc", "marketplace", "worker_pool_hub", "nobody"])
async def test_sync_of_what_is_no_hub_is_refused_and_makes_nothing(
    played: Played, tmp_path: Path, who: str
) -> None:
    """Another contract, or none: one line that names it, and no folder."""
    deployment, _ = played
    address = Address(getattr(deployment, who, "0x" + "12" * 20))
    folder = tmp_path / "ledger"
    with pytest.raises(NotAHub, match=address):
        await sync_ledger(replace(job_of(deployment, folder=folder), contract=address))
    assert not folder.exists()


async def test_sync_on_another_chain_than_meant_is_refused(played: Played, tmp_path: Path) -> None:
    """The node of another chain is named with both numbers."""
    deployment, _ = played
    job = job_of(deployment, folder=tmp_path / "ledger", chain_id=1)
    with pytest.raises(CouldNotSee, match="chain 31337, not 1") as caught:
        await sync_ledger(job)
    assert caught.value.reason == WRONG_CHAIN
    assert not (tmp_path / "ledger").exists()


async def test_sync_through_what_is_no_node_is_given_up_after_two_requests(
    played: Played,
) -> None:
    """A wrong URL is told at once: nobody waits for it as for a node in trouble."""
    deployment, _ = played

    async def refuse(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        del request, asked
        return web.Response(status=401, text="no key")

    canned = Canned(respond=refuse)
    async with serving(canned):
        with pytest.raises(CouldNotSee, match=r"HTTP 401; check that the node runs"):
            await sync_ledger(job_of(deployment, canned.url))
    assert canned.methods == ["eth_chainId"] * 2


async def test_sync_through_a_node_that_is_silent_waits_one_deadline(played: Played) -> None:
    """What has not answered the simplest question in time is not asked it again."""
    deployment, _ = played
    hang = Hang()
    canned = Canned(respond=hang)
    async with serving(canned):
        limits = Limits(deadline_seconds=0.2)
        with pytest.raises(CouldNotSee, match="no answer within") as caught:
            await sync_ledger(job_of(deployment, canned.url, limits=limits))
        hang.released.set()
    assert caught.value.reason == "timeout"
    assert canned.methods == ["eth_chainId"]


async def test_sync_into_the_store_of_another_ledger_is_refused(
    played: Played, tmp_path: Path
) -> None:
    """A folder holds one ledger, and keeps it."""
    deployment, _ = played
    with Store.open(tmp_path, Identity(1, "poco-v1", deployment.hub)):
        pass
    with pytest.raises(BrokenStore, match="is of another ledger"):
        await sync_ledger(job_of(deployment, folder=tmp_path))
    with Store.open(tmp_path, Identity(1, "poco-v1", deployment.hub)) as store:
        assert store.held_to is None


def test_reach_of_a_store_is_narrow_where_logs_were_once_left_out(tmp_path: Path) -> None:
    """So many blocks at once as were found to be given whole; without a note, as always."""
    with Store.open(tmp_path, Identity(1, "poco-v1", Address("0x" + "1" * 40))) as store:
        assert reach_of(store) == Reach()
        store.put_facts(NARROW, b"7", block=0)
        assert reach_of(store) == Reach(blocks=7, blocks_max=7, logs_wanted=LOGS_SURE)
        store.put_facts(NARROW, b"x", block=0)
        assert reach_of(store) == Reach()
