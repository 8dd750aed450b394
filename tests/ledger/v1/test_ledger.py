"""Logs, facts and replay put together: batches of any size, nothing read twice or half kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
import pytest_asyncio

from monitor.lab.poco.deployment import Deployment
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.job import Step
from monitor.ledger.plain import dump
from monitor.ledger.reconcile import predict
from monitor.ledger.remedies import BAD_LOGS
from monitor.ledger.sync import opened, stored, sync
from monitor.ledger.v1.ledger import (
    RULES_VERSION,
    Course,
    Kept,
    Known,
    Predicted,
    Reading,
    kept_json,
    kept_of,
    known_json,
    known_of,
)
from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.facts import OrderFacts, WorkOrderFacts
from monitor.poco.v1.replay import new_state
from tests.ledger.drops import door, job_of, lab_of

HUB = Address("0x" + "11" * 20)
OTHER = Address("0x" + "22" * 20)


class Played(NamedTuple):
    """A history, and what a whole replay of it comes to."""

    deployment: Deployment
    predicted: Predicted


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[Played]:
    """8 workers, some work orders and every trap; nobody changes it."""
    async with lab_of(6) as lab:
        await lab.workerdrop(workers=8, orders=4)
        job = job_of(lab.deployment)
        async with opened(job) as ground:
            with stored(job, ground) as store:
                await sync(ground, store)
                predicted = await predict(ground, store, known=Known())
        yield Played(lab.deployment, predicted)


@pytest.mark.parametrize("rows", [1, 7, 64])
async def test_course_of_batches_of_any_size_is_the_same(played: Played, rows: int) -> None:
    """Where batches end means nothing, be it within a block, a transaction or a purchase."""
    job = job_of(played.deployment)
    async with opened(job) as ground:
        with stored(job, ground) as store:
            await sync(ground, store)
            whole = [
                batch.slice(start, rows)
                for batch in store.batches()
                for start in range(0, batch.num_rows, rows)
            ]
            steps: list[Step] = []
            reading = Reading(ground.node, ground.contracts, ground.at)
            course = Course(reading, Known(), tell=steps.append)
            assert await course.follow(whole) == played.predicted
            assert steps[-1].done == played.predicted.events


async def test_course_that_knows_all_reads_nothing(played: Played) -> None:
    """Facts never change: those that were kept are not asked again, from JSON and back."""
    async with door(played.deployment.blocks.anvil.url) as relay:
        job = job_of(played.deployment, relay.url)
        async with opened(job) as ground:
            with stored(job, ground) as store:
                await sync(ground, store)
                known = Known()
                await predict(ground, store, known=known)
                assert known.read_to == ground.at.number
                relay.forget()
                again = known_of(known_json(known))
                assert again == known
                assert await predict(ground, store, known=again) == played.predicted
                called = [c["params"][0]["data"] for c in relay.calls if c["method"] == "eth_call"]
                # How many market orders there are, and the probes around it.
                assert len(set(called)) <= 3


async def test_course_hears_every_event_and_movement(played: Played) -> None:
    """In the order of the chain, the events as they are replayed."""
    job = job_of(played.deployment)
    places: list[tuple[int, int]] = []
    moved: list[tuple[int, int]] = []
    async with opened(job) as ground:
        with stored(job, ground) as store:
            await sync(ground, store)
            course = Course(
                Reading(ground.node, ground.contracts, ground.at),
                Known(),
                hear=lambda logged: places.append((logged.block, logged.log_index)),
                watch=lambda movement: moved.append((movement.block, movement.log_index)),
            )
            await course.follow(store.batches())
    assert places == sorted(set(places))
    assert moved == sorted(moved)
    assert set(moved) <= set(places)


async def test_course_without_the_log_that_announces_a_pool_is_refused(played: Played) -> None:
    """Logs of a pool that nobody announced are no logs of this ledger: some are missing."""
    job = job_of(played.deployment)
    async with opened(job) as ground:
        with stored(job, ground) as store:
            await sync(ground, store)
            batches = [
                batch.slice(at, 1)
                for batch in store.batches()
                for at in range(batch.num_rows)
                if batch.column("topic0")[at].as_py().hex()[:8] != "3c29f4ff"
            ]
            course = Course(Reading(ground.node, ground.contracts, ground.at), Known())
            with pytest.raises(CouldNotSee) as caught:
                await course.follow(batches)
            assert caught.value.reason == BAD_LOGS


# -- what is kept --------------------------------------------------------------------------------


def known() -> Known:
    """A bit of everything."""
    made = Known(read_to=7)
    made.facts.orders[1] = OrderFacts(1, 2**70, 3, HUB, OTHER)
    made.facts.subscription_locks[HUB] = 5
    made.facts.work_orders[HUB] = WorkOrderFacts(HUB, None)
    made.facts.enclaves.add((HUB, OTHER))
    return made


def test_known_that_was_kept_is_the_same() -> None:
    """Every kind of fact, and how far they were looked for."""
    assert known_of(known_json(known())) == known()


@pytest.mark.parametrize("raw", [None, b"", b"{}", b'{"facts": 1, "read_to": 1}'])
def test_known_of_another_version_is_nothing(raw: bytes | None) -> None:
    """What cannot be read is read from the chain again."""
    assert known_of(raw) == Known()


def test_kept_of_a_ledger_is_the_same() -> None:
    """State, differences and the number of events."""
    state = new_state(HUB)
    state.scores[OTHER] = 3
    state.pools = {}
    odd = (Difference("effect", "why", block=3),)
    kept = kept_of(kept_json(Predicted(state, odd, 9)))
    assert kept == Kept(RULES_VERSION, state, odd, 9)


@pytest.mark.parametrize(
    "raw", [b"", b"{}", dump(Kept, Kept(RULES_VERSION - 1, new_state(HUB), (), 0))]
)
def test_kept_of_other_rules_is_none(raw: bytes) -> None:
    """A state of other rules, or one that cannot be read, is replayed anew."""
    assert kept_of(raw) is None
