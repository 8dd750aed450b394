"""A real history, by the contracts of 2018 on a real node: predicted, logged, stored, compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
import pytest_asyncio

from monitor.lab.poco.deployment import Deployment
from monitor.lab.poco.plant import Field, Wrong, choose, plant
from monitor.lab.poco.tally import Summary
from monitor.ledger.confirming import LOGS_DIFFER, LOGS_TRUNCATED, VALUES_DIFFER
from monitor.ledger.errors import BrokenStore, CouldNotSee
from monitor.ledger.reconcile import compared, reconcile
from monitor.ledger.remedies import BEHIND, FORKED, WRONG_CHAIN
from monitor.ledger.report import to_json
from monitor.ledger.v1 import getters
from monitor.poco.difference import Difference
from tests.ledger.drops import SECRET, cut_at, door, job_of, lab_of, other_hash, ranges_of
from tests.ledger.relay import PASS
from tests.rpc.canned import Json, Refusal

SCHEMA = Path(__file__).parents[2] / "docs" / "ledger.schema.json"
SEED = 3
Played = tuple[Deployment, Summary]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of(SEED) as lab:
        yield lab.deployment, await lab.workerdrop(workers=8, orders=4)


def found(
    differences: tuple[Difference, ...],
) -> set[tuple[str, str | None, str | None, int | None]]:
    """What differs, as it was planted."""
    return {(one.kind, one.account, one.task, one.delta) for one in differences}


# -- what is as it should be ---------------------------------------------------------------------


async def test_reconcile_of_an_honest_history_finds_no_difference(played: Played) -> None:
    """Traps and all: to the last nRLC, and as much of everything as was played."""
    deployment, summary = played
    assert len(summary.traps) >= 10
    result = await compared(job_of(deployment))
    report = result.report()
    assert report.verdict == "pass"
    assert report.differences == ()
    assert report.block.number >= summary.last_block
    assert set(report.tasks) == set(summary.work_orders)
    statuses = [task.status for task in report.tasks.values()]
    assert statuses.count("completed") == summary.completed
    assert statuses.count("claimed") == summary.claimed
    parts = [part for task in report.tasks.values() for part in task.contributions.values()]
    assert len(parts) == summary.authorised
    assert [part.status for part in parts].count("proved") == summary.proved
    assert result.synced.events == result.synced.events_new > 300
    jsonschema.validate(json.loads(to_json(report)), json.loads(SCHEMA.read_text()))


async def test_reconcile_with_references_finds_the_same(played: Played) -> None:
    """References confirm the block, and change nothing else."""
    deployment, _ = played
    alone = await reconcile(job_of(deployment))
    url = deployment.blocks.anvil.url
    assert await reconcile(job_of(deployment, references=(url, url))) == alone


async def test_reconcile_from_what_was_kept_equals_a_fresh_one_at_every_block(
    played: Played, tmp_path: Path
) -> None:
    """Block after block of the history, from the state of the last: equal to the last byte."""
    deployment, summary = played
    for number in range(deployment.first_block + 8, summary.last_block + 1, 5):
        job = job_of(deployment, at=str(number))
        fresh = await compared(job)
        kept = await compared(replace(job, folder=tmp_path))
        assert fresh.differences == ()
        assert to_json(kept.report()) == to_json(fresh.report())
        assert kept.synced.events == fresh.synced.events


async def test_reconcile_again_asks_for_no_event_and_no_fact_twice(
    played: Played, tmp_path: Path
) -> None:
    """What is here is here: a second run reads what the contracts hold, and nothing else."""
    deployment, _ = played
    async with door(deployment.blocks.anvil.url) as relay:
        job = job_of(deployment, relay.url, folder=tmp_path)
        first = await reconcile(job)
        relay.forget()
        assert await reconcile(job) == first
        assert ranges_of(relay) == []
        order = "0x" + getters.MARKET_ORDER.selector.hex()
        called = [c["params"][0]["data"] for c in relay.calls if c["method"] == "eth_call"]
        assert not [data for data in called if data.startswith(order)]


async def test_reconcile_at_a_block_before_what_was_kept_is_of_that_block(
    played: Played, tmp_path: Path
) -> None:
    """A ledger of the past is the past's, whatever is known of later."""
    deployment, summary = played
    job = job_of(deployment, at=str(summary.last_block - 10))
    fresh = await reconcile(job)
    await reconcile(job_of(deployment, folder=tmp_path))
    async with door(deployment.blocks.anvil.url) as relay:
        again = job_of(deployment, relay.url, folder=tmp_path, at=job.at)
        assert await reconcile(again) == fresh
        assert ranges_of(relay) == []


# -- what is not ---------------------------------------------------------------------------------


async def test_reconcile_finds_each_planted_number_and_nothing_else() -> None:
    """One wrong number at a time, by a little: account, field and delta, and no other complaint."""
    async with lab_of(SEED) as lab:
        await lab.workerdrop(workers=8, orders=4)
        for wrong in await choose(lab.deployment, seed=1):
            await plant(lab.deployment, wrong)
            report = await reconcile(job_of(lab.deployment))
            assert report.verdict == "fail"
            if wrong.field.kind == "invariant":
                assert {one.kind for one in report.differences} == {"invariant"}
            elif wrong.field is Field.STATUS:
                assert found(report.differences) == {("status", wrong.account, wrong.task, None)}
            else:
                expected = (wrong.field.kind, wrong.account, wrong.task, wrong.delta)
                assert found(report.differences) == {expected}
            await plant(lab.deployment, replace(wrong, delta=-wrong.delta))
        assert (await reconcile(job_of(lab.deployment))).verdict == "pass"


async def test_reconcile_finds_what_was_planted_together_in_every_run(tmp_path: Path) -> None:
    """Many at once; and again from what was kept, without asking for all logs once more."""
    async with lab_of(SEED) as lab:
        await lab.workerdrop(workers=8, orders=4)
        own = [one for one in await choose(lab.deployment, seed=2) if one.account is not None]
        planted = await plant(lab.deployment, *own)
        expected = {
            (one.kind, one.account, one.task, None if one.field is Field.STATUS else one.delta)
            for one in planted
        }
        async with door(lab.url) as relay:
            job = job_of(lab.deployment, relay.url, references=(lab.url,), folder=tmp_path)
            first = await reconcile(job)
            assert found(first.differences) == expected
            relay.forget()
            assert await reconcile(job) == first
            assert ranges_of(relay) == []


async def test_reconcile_asks_again_only_for_what_was_not_asked_again_before(
    tmp_path: Path,
) -> None:
    """A further difference later: the logs that were found equal are not asked for a third time."""
    async with lab_of(SEED) as lab:
        await lab.workerdrop(workers=8, orders=4)
        one, other = await choose(lab.deployment, fields=(Field.SCORE, Field.STAKE))
        async with door(lab.url) as relay:
            job = job_of(lab.deployment, relay.url, references=(lab.url,), folder=tmp_path)
            await plant(lab.deployment, one)
            first = await reconcile(job)
            relay.forget()
            await plant(lab.deployment, other)
            assert len((await reconcile(job)).differences) == 2
            assert min(start for start, _ in ranges_of(relay)) == first.block.number + 1


async def test_reconcile_finds_a_stake_of_somebody_who_has_none() -> None:
    """An account whose RLC are all gone on the chain is a difference of all it has."""
    async with lab_of(SEED) as lab:
        await lab.workerdrop(workers=8, orders=4)
        before = await reconcile(job_of(lab.deployment))
        account, balance = max(before.accounts.items(), key=lambda each: each[1].stake)
        await plant(lab.deployment, Wrong(Field.STAKE, -balance.stake, account))
        after = await reconcile(job_of(lab.deployment))
        assert found(after.differences) == {("stake", account, None, -balance.stake)}


# -- what could not be seen ----------------------------------------------------------------------


@pytest.mark.parametrize("logs", [61, 83, 137, 251])
async def test_reconcile_of_truncated_logs_is_inconclusive_and_heals(
    played: Played, tmp_path: Path, logs: int
) -> None:
    """A node that cuts its answers never makes a difference; what was cut is fetched anew."""
    deployment, _ = played
    async with door(deployment.blocks.anvil.url) as relay:
        relay.change = cut_at(logs)
        job = job_of(deployment, relay.url, folder=tmp_path)
        with pytest.raises(CouldNotSee, match="logs truncated") as caught:
            await reconcile(job)
        assert caught.value.reason == LOGS_TRUNCATED
        assert (await reconcile(job)).verdict == "pass"


@pytest.mark.parametrize("left_out", [0, 7, 40])
async def test_reconcile_through_a_node_that_hides_a_log_is_inconclusive(
    played: Played, left_out: int
) -> None:
    """A deposit that one node never shows is found missing where a reference shows it."""
    deployment, _ = played
    url = deployment.blocks.anvil.url
    hidden: list[tuple[str, str]] = []

    def place(log: Json) -> tuple[str, str]:
        return log["blockNumber"], log["logIndex"]

    def hide(method: str, params: list[Json], result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        deposits = [log for log in result if log["topics"][0].startswith("0xe1fffcc4")]
        if not hidden and len(deposits) > left_out:
            hidden.append(place(deposits[left_out]))
        return [log for log in result if place(log) not in hidden]

    async with door(url) as relay:
        relay.change = hide
        alone = await reconcile(job_of(deployment, relay.url))
        assert alone.verdict == "fail"
        with pytest.raises(CouldNotSee) as caught:
            await reconcile(job_of(deployment, relay.url, references=(url,)))
        assert caught.value.reason == LOGS_DIFFER


@pytest.mark.parametrize("kept_blocks", [0, 25])
async def test_reconcile_through_a_node_that_forgot_the_old_logs_is_inconclusive(
    played: Played, tmp_path: Path, kept_blocks: int
) -> None:
    """Nodes that keep no receipts, or none of old blocks, answer without an error."""
    deployment, summary = played
    kept_from = summary.last_block - kept_blocks

    def forget(method: str, params: list[Json], result: Json) -> Json:
        if method != "eth_getLogs":
            return result
        return [log for log in result if int(log["blockNumber"], 16) > kept_from]

    async with door(deployment.blocks.anvil.url) as relay:
        relay.change = forget
        job = job_of(deployment, relay.url, folder=tmp_path)
        with pytest.raises(CouldNotSee, match="has none of the ledger's first") as caught:
            await reconcile(job)
        assert caught.value.reason == LOGS_TRUNCATED
        relay.change = None
        assert (await reconcile(job)).verdict == "pass"


async def test_reconcile_through_a_node_that_lies_of_a_stake_is_inconclusive(
    played: Played,
) -> None:
    """One node's word against another's is no difference of the ledger."""
    deployment, _ = played
    url = deployment.blocks.anvil.url
    account = max((await reconcile(job_of(deployment))).accounts)
    asked = "0x" + getters.CHECK_BALANCE.calldata(account).hex()

    def lie(method: str, params: list[Json], result: Json) -> Json:
        if method == "eth_call" and params[0]["data"] == asked:
            return "0x" + f"{int(result[2:66], 16) + 1:064x}" + result[66:]
        return result

    async with door(url) as relay:
        relay.change = lie
        alone = await reconcile(job_of(deployment, relay.url))
        assert found(alone.differences) == {("stake", account, None, 1)}
        with pytest.raises(CouldNotSee, match="says otherwise") as caught:
            await reconcile(job_of(deployment, relay.url, references=(url,)))
        assert caught.value.reason == VALUES_DIFFER


@pytest.mark.parametrize("after", [1, 3])
async def test_reconcile_whose_block_is_reorganised_meanwhile_is_inconclusive(
    played: Played, tmp_path: Path, after: int
) -> None:
    """The pinned block is another in the end: nothing was read at one block."""
    deployment, summary = played
    async with door(deployment.blocks.anvil.url) as relay:
        number = summary.last_block
        relay.change = other_hash(number, after=after)
        job = job_of(deployment, relay.url, at=str(number), folder=tmp_path)
        with pytest.raises(CouldNotSee) as caught:
            await reconcile(job)
        assert caught.value.reason == FORKED
        relay.change = None
        assert (await reconcile(job)).verdict == "pass"


async def test_reconcile_through_a_node_that_has_no_old_state_is_inconclusive(
    played: Played,
) -> None:
    """A pruned node says so, and is told as pruned."""
    deployment, _ = played
    async with door(deployment.blocks.anvil.url) as relay:
        relay.instead = _pruned
        with pytest.raises(CouldNotSee) as caught:
            await reconcile(job_of(deployment, relay.url))
        assert caught.value.reason == "pruned"


def _pruned(method: str, params: list[Json]) -> Json:
    if method == "eth_call":
        return Refusal("missing trie node 0000 (path ) state 0x00 is not available", -32000)
    return PASS


async def test_reconcile_through_a_node_that_is_behind_is_inconclusive(played: Played) -> None:
    """A reference that is far higher: the node has not seen it all."""
    deployment, summary = played
    url = deployment.blocks.anvil.url

    def lag(method: str, params: list[Json], result: Json) -> Json:
        if method == "eth_getBlockByNumber" and params[0] == "latest":
            return result | {"number": hex(summary.last_block - 20)}
        return result

    async with door(url) as relay:
        relay.change = lag
        job = job_of(deployment, relay.url, references=(url,), at="latest", confirmations=3)
        with pytest.raises(CouldNotSee) as caught:
            await reconcile(job)
        assert caught.value.reason == BEHIND


async def test_reconcile_with_a_reference_of_another_chain_is_inconclusive(
    played: Played,
) -> None:
    """A reference of another chain is named as such, and is no fork."""
    deployment, _ = played
    url = deployment.blocks.anvil.url

    def elsewhere(method: str, params: list[Json], result: Json) -> Json:
        return "0x1" if method == "eth_chainId" else result

    async with door(url) as relay:
        relay.change = elsewhere
        with pytest.raises(CouldNotSee, match="ref0 serves chain 1") as caught:
            await reconcile(job_of(deployment, references=(relay.url,)))
        assert caught.value.reason == WRONG_CHAIN


async def test_reconcile_never_tells_a_key(played: Played) -> None:
    """Whatever goes wrong, no part of a URL is in what is said."""
    deployment, _ = played
    async with door(deployment.blocks.anvil.url) as relay:
        relay.instead = lambda method, params: Refusal(f"{method} of {SECRET} is refused", -32000)
        with pytest.raises(CouldNotSee) as caught:
            await reconcile(job_of(deployment, relay.url))
        assert SECRET not in str(caught.value)


async def test_reconcile_of_two_at_once_into_one_folder_lets_one_through(
    played: Played, tmp_path: Path
) -> None:
    """One writer at a time; the other is told who."""
    deployment, _ = played
    job = job_of(deployment, folder=tmp_path)
    both = await asyncio.gather(reconcile(job), reconcile(job), return_exceptions=True)
    kinds = sorted(type(one).__name__ for one in both)
    assert kinds == ["BrokenStore", "Report"]
    refused = next(one for one in both if isinstance(one, BrokenStore))
    assert "one writer at a time" in str(refused)
