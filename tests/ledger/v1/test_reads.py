"""What the contracts say: facts and ledger, batched, at one block, and never half of it."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode

from monitor.lab.poco.calls import call
from monitor.ledger.abi import Getter
from monitor.ledger.calls import Pace
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.v1 import getters
from monitor.ledger.v1.discovery import Contracts
from monitor.ledger.v1.reads import Wanted, read_facts, read_stored
from monitor.model import Address, Hash32
from monitor.poco.v1.compare import Questions, asked_of, compare
from monitor.poco.v1.facts import Facts, OrderFacts, WorkOrderFacts
from monitor.poco.v1.laws import check
from monitor.poco.v1.stored import StoredContribution, StoredWorkOrder
from tests.ledger.relay import PASS
from tests.ledger.scene import REVERTED, TWICE, UNMARSHAL, Scene, scene, words
from tests.ledger.v1.place import Place, place, replayed
from tests.rpc.canned import Json, Refusal

HUB, MARKET, TOKEN = (Address("0x" + pair * 20) for pair in ("aa", "bb", "ab"))
POOL, WOID, APP, DATASET, WORKER = (
    Address("0x" + pair * 20) for pair in ("cc", "dd", "e1", "e2", "f1")
)
NOBODY = Address("0x" + "00" * 20)
CONTRACTS = Contracts(HUB, MARKET, TOKEN, NOBODY, NOBODY, NOBODY)
ORDER = (2, 4, 0, 45 * 10**9, 10, 3, POOL, WORKER)
HASH = Hash32("0x" + "1234" * 16)
CONSENSUS = (45 * 10**9, 13, HASH, 99, 2, 199, 3, WORKER, 5)
PROVED = (3, HASH, HASH, NOBODY, 16, 5)


async def truth(here: Place, to: Address, types: str, getter: Getter, *arguments: Any) -> Any:
    """What a getter says, asked alone and decoded by the reference implementation."""
    raw = await here.lab.deployment.blocks.call(to, getter.calldata(*arguments))
    return decode(types.split(), raw)


# -- real contracts ------------------------------------------------------------------------------


async def test_read_stored_on_the_real_contracts_is_what_each_getter_says(
    anvil_path: Path,
) -> None:
    """Everything of a workerdrop, each value as the getter gives it alone."""
    async with place(anvil_path, workers=12, orders=8) as here:
        at, hub = await here.at(), here.contracts.hub
        asked = asked_of((await replayed(here, at)).replay.state)
        stored = await read_stored(here.node, here.contracts, asked, at)
        for account in asked.accounts:
            balance = await truth(here, hub, "uint256 uint256", getters.CHECK_BALANCE, account)
            assert stored.accounts[account] == balance
            assert (stored.scores[account],) == await truth(
                here, hub, "uint256", getters.SCORES, account
            )
        for pool, woid in asked.work_orders:
            (status,) = await truth(here, woid, "uint256", getters.STATUS)
            types = "uint256 uint256 bytes32 uint256 uint256 uint256 uint256 address uint256"
            terms = await truth(here, pool, types, getters.CONSENSUS, woid)
            expected = (status, "0x" + terms[2].hex(), terms[0], terms[1], terms[8])
            assert stored.work_orders[woid] == StoredWorkOrder(*expected)
        for pool, woid, who in asked.contributions:
            types = "uint256 bytes32 bytes32 address uint256 uint256"
            told = await truth(here, pool, types, getters.CONTRIBUTION, woid, who)
            enclave = int(told[3], 16) != 0
            expected_one = (told[0], "0x" + told[1].hex(), enclave, told[4], told[5])
            assert stored.contributions[woid, who] == StoredContribution(*expected_one)
        history = await truth(here, hub, "uint256 uint256", getters.CONTRIBUTION_HISTORY)
        assert stored.histories == {hub: history}
        balance = await truth(here, here.contracts.token, "uint256", getters.BALANCE_OF, hub)
        assert (stored.hub_balance,) == balance


async def test_read_stored_costs_a_request_for_every_hundred_getters(anvil_path: Path) -> None:
    """So many requests as batches, and one to begin with: counted at the door."""
    async with place(anvil_path, workers=12, orders=8) as here:
        at = await here.at()
        course = await replayed(here, at)
        asked = asked_of(course.replay.state)
        here.relay.forget()
        stored = await read_stored(here.node, here.contracts, asked, at)
        count = 2 + 2 * len(asked.accounts) + 2 * len(asked.work_orders) + len(asked.contributions)
        assert len(here.relay.calls) == 2 + count + 2
        assert len(here.relay.requests) == 1 + math.ceil((count + 2) / 100)
        assert compare(course.replay.state, stored) == []
        assert check(course.replay.state, stored) == []


async def test_read_facts_costs_a_request_for_every_hundred_getters(anvil_path: Path) -> None:
    """Facts are read in one go, and what is known is not asked again."""
    async with place(anvil_path, workers=12, orders=8) as here:
        at, facts = await here.at(), Facts()
        known = (await replayed(here, at)).facts
        (pool,) = here.drop.pools
        works = here.drop.work_orders
        here.relay.forget()
        count = await read_facts(
            here.node, here.contracts, Wanted(pools=(pool,), work_orders=works), facts, at
        )
        assert count == here.drop.market_orders == len(facts.orders)
        asked = count + 1 + 2 * len(works)
        assert len(here.relay.calls) == (2 + 1 + 2) + (2 + asked + 2)
        assert len(here.relay.requests) == 2 + 1 + math.ceil((asked + 2) / 100)
        assert facts.orders == known.orders
        assert facts.work_orders == known.work_orders
        assert facts.subscription_locks == known.subscription_locks
        here.relay.forget()
        again = Wanted(order_count=count, pools=(pool, pool), work_orders=works)
        await read_facts(here.node, here.contracts, again, facts, at)
        assert here.relay.requests == []


async def test_read_facts_of_the_real_contracts_are_what_was_made(anvil_path: Path) -> None:
    """Enclaves, categories, values, apps and locks as the deployer chose them."""
    async with place(anvil_path, workers=12, orders=8) as here:
        facts = (await replayed(here, await here.at())).facts
        assert len(facts.enclaves) >= here.drop.enclave > 0
        for index, order in facts.orders.items():
            market = here.contracts.marketplace
            told = await truth(here, market, " ".join(["uint256"] * 8), getters.MARKET_ORDER, index)
            assert (order.category, order.value, order.volume) == (told[1], told[3], told[4])
            assert (int(order.pool, 16), int(order.owner, 16)) == told[6:]
        for woid, work in facts.work_orders.items():
            assert (work.app,) == await truth(here, woid, "address", getters.APP)
            dataset = await truth(here, woid, "address", getters.DATASET)
            assert dataset == (work.dataset or NOBODY,)


async def test_read_stored_at_an_older_block_is_of_that_block(anvil_path: Path) -> None:
    """What happened later is not in it: the deposit of the last block is not there before it."""
    async with place(anvil_path) as here:
        d, owner = here.lab.deployment, here.lab.deployment.owner
        await d.blocks.mine([call(owner, d.rlc, "approve(address,uint256)", d.hub, 1000)])
        before = await here.at()
        await d.blocks.mine([call(owner, d.hub, "deposit(uint256)", 1000)])
        asked = Questions((owner,), (), ())
        for at, expected in ((before, 0), (await here.at(), 1000)):
            stored = await read_stored(here.node, here.contracts, asked, at)
            assert stored.accounts == {owner: (expected, 0)}
            assert stored.hub_balance == expected


async def test_read_stored_on_a_node_without_hashes_is_the_same(anvil_path: Path) -> None:
    """Asked by the height and held to the hash, an old node says the same."""
    async with place(anvil_path, workers=4, orders=2) as here:
        at = await here.at()
        asked = asked_of((await replayed(here, at)).replay.state)
        expected = await read_stored(here.node, here.contracts, asked, at)
        here.relay.instead = lambda method, params: (
            UNMARSHAL if method == "eth_call" and isinstance(params[1], dict) else PASS
        )
        assert await read_stored(here.node, here.contracts, asked, at) == expected


@pytest.mark.parametrize(("heeds", "reason"), [(True, "no_block"), (False, "forked")])
async def test_read_stored_of_a_block_that_is_reorganised_midway_is_inconclusive(
    anvil_path: Path, heeds: bool, reason: str
) -> None:
    """A real reorg between two requests: by hash the block is gone, by height it is another."""
    async with place(anvil_path) as here:
        at = await here.at()
        accounts = tuple(Address(f"0x{number:040x}") for number in range(1, 40))

        async def before(number: int) -> None:
            if number == 3 + (0 if heeds else 2):
                await here.lab.anvil.rpc("anvil_reorg", 2, [])

        here.relay.before = before
        here.relay.instead = lambda method, params: (
            UNMARSHAL
            if method == "eth_call" and isinstance(params[1], dict) and not heeds
            else PASS
        )
        pace = Pace(in_flight=10, pauses_seconds=(0.0,))
        with pytest.raises(CouldNotSee) as caught:
            await read_stored(here.node, here.contracts, Questions(accounts, (), ()), at, pace=pace)
        assert caught.value.reason == reason


async def test_read_stored_of_contributions_that_nobody_made_is_none(anvil_path: Path) -> None:
    """The real getter reverts for what is unset, and a second one says that it is unset."""
    async with place(anvil_path, workers=4, orders=2) as here:
        at, woid, pool = await here.at(), here.drop.work_orders[0], here.drop.pools[0]
        stranger = Address("0x" + "77" * 20)
        asked = Questions((), (), ((pool, woid, stranger),))
        stored = await read_stored(here.node, here.contracts, asked, at)
        assert stored.contributions == {(woid, stranger): None}
        assert "0x" + getters.CONTRIBUTION_EXISTS.selector.hex() in {
            one["params"][0]["data"][:10] for one in here.relay.calls if one["method"] == "eth_call"
        }


# -- facts, as a node may tell them --------------------------------------------------------------

WANTED = Wanted(1, (POOL,), (WOID,), ((POOL, WOID, WORKER),))


def stage(one: Scene) -> None:
    """Let the canned node have one order, one pool, one work order and one contribution."""
    one.says(HUB, getters.MARKETPLACE, returns=words(MARKET))
    one.says(HUB, getters.CONTRIBUTION_HISTORY, returns=words(7, 1))
    one.says(HUB, getters.CHECK_BALANCE, WORKER, returns=words(11, 12))
    one.says(HUB, getters.SCORES, WORKER, returns=words(16))
    one.says(TOKEN, getters.BALANCE_OF, HUB, returns=words(23))
    one.says(MARKET, getters.ORDER_COUNT, returns=words(1))
    one.says(MARKET, getters.MARKET_ORDER, 1, returns=words(*ORDER))
    one.says(POOL, getters.SUBSCRIPTION_LOCK, returns=words(10**9))
    one.says(POOL, getters.CONSENSUS, WOID, returns=words(*CONSENSUS))
    one.says(POOL, getters.CONTRIBUTION, WOID, WORKER, returns=words(*PROVED))
    one.says(POOL, getters.CONTRIBUTION_EXISTS, WOID, WORKER, returns=words(1))
    one.says(WOID, getters.APP, returns=words(APP))
    one.says(WOID, getters.DATASET, returns=words(DATASET))
    one.says(WOID, getters.STATUS, returns=words(4))


async def test_read_facts_are_the_fields_of_the_contracts() -> None:
    """Which word is which: category, value, volume, pool, owner; app, dataset; the lock."""
    async with scene() as one:
        stage(one)
        facts = Facts()
        assert await read_facts(one.node, CONTRACTS, WANTED, facts, one.at) == 1
        assert facts == Facts(
            orders={1: OrderFacts(4, 45 * 10**9, 10, POOL, WORKER)},
            subscription_locks={POOL: 10**9},
            work_orders={WOID: WorkOrderFacts(APP, DATASET)},
        )


async def test_read_facts_without_dataset_and_with_an_enclave() -> None:
    """The zero address is no dataset, and any other challenge is one."""
    async with scene() as one:
        stage(one)
        one.says(WOID, getters.DATASET, returns=words(NOBODY))
        challenged = (3, HASH, HASH, APP, 16, 5)
        one.says(POOL, getters.CONTRIBUTION, WOID, WORKER, returns=words(*challenged))
        facts = Facts()
        await read_facts(one.node, CONTRACTS, WANTED, facts, one.at)
        assert facts.work_orders == {WOID: WorkOrderFacts(APP, None)}
        assert facts.enclaves == {(WOID, WORKER)}


async def test_read_facts_of_no_order_asks_how_many_only_where_that_is_not_said() -> None:
    """None asks the marketplace; a number, and be it 0, is believed."""
    async with scene() as one:
        stage(one)
        assert await read_facts(one.node, CONTRACTS, Wanted(0), Facts(), one.at) == 0
        assert one.canned.requests == []
        facts = Facts()
        assert await read_facts(one.node, CONTRACTS, Wanted(), facts, one.at) == 1
        assert set(facts.orders) == {1}


async def test_read_facts_that_are_wanted_twice_are_asked_once() -> None:
    """Pools, work orders and authorisations may be named by many events."""
    async with scene() as one:
        stage(one)
        twice = Wanted(0, (POOL,) * 2, (WOID,) * 2, ((POOL, WOID, WORKER),) * 2)
        await read_facts(one.node, CONTRACTS, twice, Facts(), one.at)
        assert len(one.canned.calls) == 2 + (2 + 1 + 2 + 1)


BAD_FACTS: Mapping[str, tuple[Address, Getter, tuple[Address | int, ...], Json, str]] = {
    "order unset": (
        *(MARKET, getters.MARKET_ORDER, (1,), words(0, *ORDER[1:])),
        f"getMarketOrder(1) of {MARKET} at block 90: direction 0 is of no order that was made",
    ),
    "order bid": (
        *(MARKET, getters.MARKET_ORDER, (1,), words(1, *ORDER[1:])),
        "direction 1 is of no order that was made",
    ),
    "order beyond": (
        *(MARKET, getters.MARKET_ORDER, (1,), words(4, *ORDER[1:])),
        "4 is none of the 4 members of its enum",
    ),
    "order's pool": (
        *(MARKET, getters.MARKET_ORDER, (1,), words(*ORDER[:6], 1 << 160, WORKER)),
        "is no address",
    ),
    "app zero": (WOID, getters.APP, (), words(0), f"m_app() of {WOID} at block 90: the zero"),
    "app": (WOID, getters.APP, (), words(1 << 160), "is no address"),
    "dataset": (WOID, getters.DATASET, (), words(1 << 160), "is no address"),
    "lock": (POOL, getters.SUBSCRIPTION_LOCK, (), "0x", "answered 0 bytes, not 32"),
    "challenge": (
        *(POOL, getters.CONTRIBUTION, (WOID, WORKER), words(1, 0, 0, 1 << 160, 0, 0)),
        "is no address",
    ),
}


@pytest.mark.parametrize(
    ("to", "getter", "arguments", "answer", "why"), BAD_FACTS.values(), ids=BAD_FACTS
)
async def test_read_facts_of_nonsense_are_malformed_and_leave_no_trace(
    to: Address, getter: Getter, arguments: tuple[Address | int, ...], answer: Json, why: str
) -> None:
    """The question is named with what was answered; what was known before is all that is known."""
    async with scene() as one:
        stage(one)
        one.says(to, getter, *arguments, returns=answer)
        facts = Facts(subscription_locks={HUB: 1}, enclaves={(WOID, HUB)})
        before = copy.deepcopy(facts)
        with pytest.raises(CouldNotSee) as caught:
            await read_facts(one.node, CONTRACTS, WANTED, facts, one.at)
        assert caught.value.reason == "malformed"
        assert why in caught.value.detail
        assert facts == before


async def test_read_facts_of_an_authorisation_that_reverts_are_inconclusive() -> None:
    """An authorisation that was logged exists: a revert is the node's own."""
    async with scene() as one:
        stage(one)
        one.says(POOL, getters.CONTRIBUTION, WOID, WORKER, returns=REVERTED)
        with pytest.raises(CouldNotSee, match=r"getContribution\(.*reverted") as caught:
            await read_facts(one.node, CONTRACTS, WANTED, Facts(), one.at)
        assert caught.value.reason == "reverted"


# -- the ledger, as a node may tell it -----------------------------------------------------------

ASKED = Questions((WORKER,), ((POOL, WOID),), ((POOL, WOID, WORKER),))


async def test_read_stored_are_the_fields_of_the_contracts() -> None:
    """Which word is which, of every getter that is compared."""
    async with scene() as one:
        stage(one)
        stored = await read_stored(one.node, CONTRACTS, ASKED, one.at)
        assert stored.accounts == {WORKER: (11, 12)}
        assert stored.scores == {WORKER: 16}
        assert stored.histories == {HUB: (7, 1)}
        assert stored.hub_balance == 23
        assert stored.work_orders == {WOID: StoredWorkOrder(4, HASH, 45 * 10**9, 13, 5)}
        proved = StoredContribution(3, HASH, is_enclave=False, score=16, weight=5)
        assert stored.contributions == {(WOID, WORKER): proved}


BAD_STORED: Mapping[str, tuple[Address, Getter, tuple[Address | int, ...], Json, str, str]] = {
    "status": (WOID, getters.STATUS, (), words(5), "malformed", "none of the 5 members"),
    "contribution": (
        *(POOL, getters.CONTRIBUTION, (WOID, WORKER), words(5, *PROVED[1:])),
        *("malformed", "5 is none of the 5 members"),
    ),
    "contribution that is there": (
        *(POOL, getters.CONTRIBUTION, (WOID, WORKER), REVERTED),
        *("reverted", "is true, and getContribution reverts"),
    ),
    "balance": (HUB, getters.CHECK_BALANCE, (WORKER,), REVERTED, "reverted", "checkBalance("),
    "history": (
        *(HUB, getters.CONTRIBUTION_HISTORY, (), words(7)),
        *("malformed", "m_contributionHistory answered 32 bytes, not 64"),
    ),
    "consensus": (
        *(POOL, getters.CONSENSUS, (WOID,), Refusal("state at block #90 is pruned", 4444)),
        *("pruned", "an archive node"),
    ),
}


@pytest.mark.parametrize("case", BAD_STORED.values(), ids=BAD_STORED)
async def test_read_stored_of_nonsense_is_inconclusive_and_never_a_difference(
    case: tuple[Address, Getter, tuple[Address | int, ...], Json, str, str],
) -> None:
    """One answer that is none ends the whole reading, with the question and the reason."""
    to, getter, arguments, answer, reason, why = case
    async with scene(label="alpha") as one:
        stage(one)
        one.says(to, getter, *arguments, returns=answer)
        with pytest.raises(CouldNotSee, match=r"^alpha: ") as caught:
            await read_stored(one.node, CONTRACTS, ASKED, one.at, pace=TWICE)
        assert caught.value.reason == reason
        assert why in caught.value.detail


async def test_read_stored_contribution_that_reverts_and_is_unset_is_none() -> None:
    """Two getters agree that there is none."""
    async with scene() as one:
        stage(one)
        one.says(POOL, getters.CONTRIBUTION, WOID, WORKER, returns=REVERTED)
        one.says(POOL, getters.CONTRIBUTION_EXISTS, WOID, WORKER, returns=words(0))
        stored = await read_stored(one.node, CONTRACTS, ASKED, one.at)
        assert stored.contributions == {(WOID, WORKER): None}


async def test_read_stored_progress_ends_at_everything() -> None:
    """Whoever waits sees the end."""
    async with scene() as one:
        stage(one)
        told: list[tuple[int, int]] = []
        await read_stored(
            *(one.node, CONTRACTS, ASKED, one.at),
            progress=lambda done, total: told.append((done, total)),
        )
        assert told == [(9, 9)]
