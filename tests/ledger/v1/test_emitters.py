"""Whose logs are taken: those of the hub and of what it announces, all of them, and no others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from monitor.lab.poco.blocks import Log as LabLog
from monitor.lab.poco.blocks import log_of
from monitor.lab.poco.calls import call
from monitor.lab.poco.deployment import Deployment, deploy
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.fetching import Fetcher, Reach
from monitor.ledger.logs import Asked, Log, read_logs, rows
from monitor.ledger.v1.discovery import Contracts
from monitor.ledger.v1.emitters import Emitters
from monitor.ledger.v1.reads import read_stored
from monitor.model import Address
from monitor.poco.v1.compare import asked_of, compare
from monitor.poco.v1.decoding import topics_of
from monitor.poco.v1.events import CreateWorkerPool, Deposit, TransferToHub
from monitor.poco.v1.laws import check
from tests.ledger.v1.place import Place, place, replayed
from tests.rpc.canned import Json

HUB, MARKET, TOKEN, POOL, STRANGER = (
    Address("0x" + pair * 20) for pair in ("aa", "bb", "ab", "cc", "dd")
)
CONTRACTS = Contracts(HUB, MARKET, TOKEN, STRANGER, STRANGER, STRANGER)
ANNOUNCED = "0x3c29f4ff1e741e465a1ad9cc4c0b8e51c046c021ca9e77172d812ae667f566f8"
DEPOSIT = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
CALLBACK = "0xfaa5bd626c00cd99117399c04259a0d49a005fdde47f67ed013a1f473a495870"


async def all_logs(here: Place) -> list[LabLog]:
    """Every log of the chain, whoever made it."""
    everything = {"fromBlock": "0x0", "toBlock": "latest"}
    return [log_of(one) for one in await here.lab.anvil.rpc("eth_getLogs", everything)]


def of_ledger(logs: list[LabLog], contracts: Contracts, pools: tuple[str, ...]) -> list[Log]:
    """Those that make the ledger, picked one by one."""
    hub = bytes.fromhex(contracts.hub[2:]).rjust(32, b"\0")
    sources = {contracts.hub: topics_of("hub"), contracts.marketplace: topics_of("marketplace")}
    sources |= {Address(pool): topics_of("pool") for pool in pools}
    told = [one for one in logs if one.topics]
    return [
        Log(
            *(one.block, one.log_index, bytes.fromhex(one.transaction[2:])),
            *(bytes.fromhex(one.address[2:]), one.topics, one.data),
        )
        for one in told
        if one.topics[0] in sources.get(one.address, ())
        or (
            one.address == contracts.token
            and one.topics[0] in topics_of("token")
            and one.topics[2] == hub
        )
    ]


async def create_pool(d: Deployment, here: Place) -> Address:
    """One more pool of a hub; its owner changes the policy in the same block."""
    signature = "createWorkerPool(string,uint256,uint256,uint256)"
    (receipt,) = await here.lab.deployment.blocks.mine(
        [call(d.owner, d.hub, signature, "p", 1, 2, 3)]
    )
    (announced,) = (one for one in receipt.logs if "0x" + one.topics[0].hex() == ANNOUNCED)
    pool = Address("0x" + announced.topics[2][12:].hex())
    policy = "changeWorkerPoolPolicy(uint256,uint256,uint256,uint256)"
    await here.lab.deployment.blocks.mine([call(d.owner, pool, policy, 50, 5, 0, 0)])
    return pool


# -- real contracts ------------------------------------------------------------------------------


@pytest.mark.parametrize("blocks", [1, 3, 1000])
async def test_page_after_page_is_every_log_of_the_ledger_and_no_other(
    anvil_path: Path, blocks: int
) -> None:
    """However the chain is cut, the same logs, in order, each once: compared with all there are."""
    async with place(anvil_path, workers=6, orders=3) as here:
        course = await replayed(here, await here.at(), blocks=blocks)
        expected = of_ledger(await all_logs(here), here.contracts, here.drop.pools)
        assert list(rows(course.logs)) == expected
        assert course.emitters.pools == here.drop.pools
        assert course.replay.differences == []


async def test_page_costs_two_requests_and_one_more_for_new_pools(anvil_path: Path) -> None:
    """Hub, marketplace and known pools at once; the token; new pools where there are any."""
    async with place(anvil_path, workers=6, orders=3) as here:
        emitters, fetcher = Emitters(here.contracts), Fetcher(here.node, Reach(blocks=1000))
        head = (await here.at()).number
        for expected in (3, 2):
            here.relay.forget()
            page = await emitters.page(fetcher, 0, head)
            assert (page.first, page.last) == (0, head)
            assert len(here.relay.requests) == expected


async def test_page_pools_of_another_hub_on_the_same_chain_are_nobodys(anvil_path: Path) -> None:
    """A second deployment emits the same topics: none of it is taken."""
    async with place(anvil_path) as here:
        other = await deploy(here.lab.anvil, name="other", artifacts=here.lab.deployment.artifacts)
        await here.lab.deployment.blocks.open()
        mine = await create_pool(here.lab.deployment, here)
        theirs = await create_pool(other, here)
        course = await replayed(here, await here.at())
        assert course.emitters.pools == (mine,)
        emitted = {one.address for one in await all_logs(here)}
        taken = {Address("0x" + one.address.hex()) for one in rows(course.logs)}
        assert {theirs, other.hub} <= emitted
        assert taken == {here.contracts.hub, mine}


async def test_page_look_alikes_of_strangers_are_left_where_they_are(anvil_path: Path) -> None:
    """With every trap laid, what is taken is the ledger's, and its rules hold to the last nRLC."""
    async with place(anvil_path, workers=20, orders=16, traps=True) as here:
        at = await here.at()
        course = await replayed(here, at, blocks=7)
        everything = await all_logs(here)
        expected = of_ledger(everything, here.contracts, here.drop.pools)
        assert list(rows(course.logs)) == expected
        topics = topics_of("hub") | topics_of("marketplace") | topics_of("pool")
        mine = {here.contracts.hub, here.contracts.marketplace, *here.drop.pools}
        assert any(topics & {*one.topics[:1]} and one.address not in mine for one in everything)
        stored = await read_stored(here.node, here.contracts, asked_of(course.replay.state), at)
        assert course.replay.differences == []
        assert compare(course.replay.state, stored) == []
        assert check(course.replay.state, stored) == []


async def test_page_transfers_are_those_to_the_hub(anvil_path: Path) -> None:
    """RLC that goes elsewhere is not asked for; a plain gift to the hub is, beside its deposits."""
    async with place(anvil_path) as here:
        d, blocks = here.lab.deployment, here.lab.deployment.blocks
        give, allow = "transfer(address,uint256)", "approve(address,uint256)"
        await blocks.mine(
            [call(d.owner, d.rlc, give, STRANGER, 5), call(d.owner, d.rlc, allow, d.hub, 9)]
        )
        await blocks.mine(
            [call(d.owner, d.rlc, give, d.hub, 7), call(d.owner, d.hub, "deposit(uint256)", 9)]
        )
        course = await replayed(here, await here.at())
        events = [one.event for one in course.emitters.logged(course.logs)]
        assert [one for one in events if isinstance(one, TransferToHub | Deposit)] == [
            TransferToHub(d.owner, 7),
            TransferToHub(d.owner, 9),
            Deposit(d.owner, 9),
        ]
        assert course.replay.state.stray == 7


# -- made up -------------------------------------------------------------------------------------


def word(address: str) -> str:
    return "0x" + address[2:].rjust(64, "0")


def raw(index: int, address: str, *topics: str, values: str = "0x") -> Json:
    """A log of block 5 as a node writes it."""
    return {
        "blockNumber": "0x5",
        "blockHash": "0x" + "51" * 32,
        "transactionHash": "0x" + "71" * 32,
        "logIndex": hex(index),
        "address": address,
        "topics": list(topics),
        "data": values,
        "removed": False,
    }


def batch_of(*logs: Json) -> Json:
    addresses = frozenset((HUB, MARKET, TOKEN, POOL, STRANGER))
    return read_logs(json.dumps(logs).encode(), Asked(addresses, 0, 10))


def announcing(index: int, emitter: str, pool: str) -> Json:
    text = "0x" + f"{32:064x}" + f"{1:064x}" + "70".ljust(64, "0")
    return raw(index, emitter, ANNOUNCED, word(STRANGER), word(pool), values=text)


def test_learn_of_announcements_of_the_hub_each_once_and_in_order() -> None:
    """Pools are known from their announcement on, and new only then."""
    other = Address("0x" + "c2" * 20)
    emitters = Emitters(CONTRACTS)
    batch = batch_of(announcing(0, HUB, POOL), announcing(1, HUB, other), announcing(2, HUB, POOL))
    assert emitters.learn_of(batch) == [POOL, other]
    assert emitters.learn_of(batch) == []
    assert emitters.pools == (POOL, other)


def test_learn_of_logs_that_announce_nothing_is_nothing() -> None:
    """A batch without a pool, and an empty one, teach nothing."""
    emitters = Emitters(CONTRACTS)
    deposit = raw(0, HUB, DEPOSIT, values=word(STRANGER) + f"{5:064x}")
    assert emitters.learn_of(batch_of(deposit)) == []
    assert emitters.learn_of(batch_of()) == []
    assert emitters.pools == ()


def test_learn_contracts_of_the_hub_stay_what_they_are() -> None:
    """A pool that is the hub itself, or is known, is none: whose logs they are is settled."""
    emitters = Emitters(CONTRACTS)
    assert emitters.learn([HUB, POOL, POOL, MARKET]) == [POOL]
    deposit = raw(0, HUB, DEPOSIT, values=word(STRANGER) + f"{5:064x}")
    assert [one.event for one in emitters.logged(batch_of(deposit))] == [Deposit(STRANGER, 5)]


def test_logged_events_have_their_place_and_what_moves_nothing_is_left_out() -> None:
    """Block, index and transaction come along; a callback's proof is no event of the ledger."""
    emitters = Emitters(CONTRACTS)
    callback = raw(2, MARKET, CALLBACK, *(word(STRANGER) for _ in range(3)))
    (logged,) = emitters.logged(batch_of(callback, announcing(3, HUB, POOL)))
    assert (logged.block, logged.log_index, logged.transaction) == (5, 3, "0x" + "71" * 32)
    assert logged.event == CreateWorkerPool(STRANGER, POOL, "p")


IMPOSSIBLE: Mapping[str, tuple[Json, str]] = {
    "stranger": (
        raw(4, STRANGER, DEPOSIT, values=word(STRANGER) + f"{5:064x}"),
        f"log 4 of block 5 is of {STRANGER}, which is no contract of this hub; ask another node",
    ),
    "pool not announced": (
        raw(4, POOL, DEPOSIT, values=word(STRANGER) + f"{5:064x}"),
        f"log 4 of block 5 is of {POOL}, which is no contract of this hub",
    ),
    "another's event": (
        raw(4, MARKET, DEPOSIT, values=word(STRANGER) + f"{5:064x}"),
        "log 4 of block 5, of the marketplace: nothing that this contract emits has the topic",
    ),
    "cut": (
        raw(4, HUB, DEPOSIT, values=word(STRANGER)),
        "log 4 of block 5, of the hub: Deposit(address,uint256) has 64 bytes of data",
    ),
    "without a topic": (raw(4, HUB), "log 4 of block 5, of the hub: "),
}


@pytest.mark.parametrize(("log", "why"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_logged_of_what_none_of_them_can_have_made_is_inconclusive(log: Json, why: str) -> None:
    """The first log that is impossible is the node's mistake, named with its place and a remedy."""
    good = raw(3, HUB, DEPOSIT, values=word(STRANGER) + f"{5:064x}")
    later = raw(5, HUB, DEPOSIT)
    with pytest.raises(CouldNotSee) as caught:
        list(Emitters(CONTRACTS).logged(batch_of(good, log, later)))
    assert caught.value.reason == "bad_logs"
    assert caught.value.detail.startswith(why)
    assert caught.value.detail.endswith("; ask another node for them")
