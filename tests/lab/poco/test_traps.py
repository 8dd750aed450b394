"""Every trap lies on the chain: shown by the contracts' own getters and logs."""

from __future__ import annotations

import pytest

from monitor.lab.anvil import WITH_TRANSACTIONS
from monitor.lab.errors import LabRpcError
from monitor.lab.poco.accounts import enclave
from monitor.lab.poco.blocks import Log
from monitor.lab.poco.deployment import RLC
from monitor.lab.poco.topics import HUB, MARKETPLACE, POOL, TOKEN
from monitor.lab.poco.traps import TRAPS, VOLUME_MAX
from monitor.model import Address
from tests.lab.poco.history import PROVED, STATUS, History, addresses, number

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("poco")]

ASK, CLOSED = 2, 3


def _amount(log: Log) -> int:
    return int.from_bytes(log.data[32:64], "big")


def _of(history: History, name: str, account: str) -> list[Log]:
    """The hub's logs of that name about an account."""
    return [log for log in history.of(history.hub, HUB[name]) if addresses(log)[0] == account]


async def test_traps_all_are_laid_and_say_why(small: History) -> None:
    """A history with traps has every one of the table, and each says what it costs to miss it."""
    assert list(small.summary.traps) == [trap.name for trap in TRAPS]
    assert all(trap.why for trap in TRAPS)
    assert len({trap.name for trap in TRAPS}) == len(TRAPS)


async def test_strangers_logs_name_real_accounts_and_move_nothing(small: History) -> None:
    """The words are the contracts', the emitter is nobody, and the worker's stake is its own."""
    laid = small.summary.traps["strangers"]
    assert laid.contract is not None
    forged = [log for log in small.logs if log.address == laid.contract]
    own = {*HUB.values(), *MARKETPLACE.values(), *POOL.values(), *TOKEN.values()}
    assert [log for log in forged if not log.topics]
    topics = {log.topics[0] for log in forged if log.topics}
    assert topics <= own
    assert {HUB["Deposit"], HUB["Reward"], HUB["CreateWorkerPool"], POOL["Contribute"]} <= topics
    worker = laid.accounts[0]
    assert [log for log in forged if log.topics[:1] == (HUB["Seize"],) and worker in addresses(log)]
    came = sum(_amount(log) for name in ("Deposit", "Reward") for log in _of(small, name, worker))
    went = sum(_amount(log) for name in ("Withdraw", "Seize") for log in _of(small, name, worker))
    assert sum(await small.balance(worker)) == came - went
    again = [log for log in small.logs if log.address != laid.contract and not log.topics]
    assert again, "a second stranger says it all once more, after the work order's end"


async def test_strangers_logs_have_the_shape_of_the_real_ones(small: History) -> None:
    """As many topics as the contracts' own logs, and data of the same length."""
    laid = small.summary.traps["strangers"]
    real = {
        log.topics[0]: (len(log.topics), len(log.data))
        for log in small.logs
        if log.topics and log.address in {small.hub, small.marketplace, *small.summary.pools}
    }
    compared = 0
    for log in small.logs:
        if log.address != laid.contract or not log.topics or log.topics[0] not in real:
            continue
        if log.topics[0] != HUB["CreateWorkerPool"]:  # its description is as long as it likes
            compared += 1
            assert (len(log.topics), len(log.data)) == real[log.topics[0]]
    assert compared >= 15


async def test_reentrant_orders_exist_and_were_never_announced(small: History) -> None:
    """Three orders, one index announced thrice; each of the three locks its own stake."""
    laid = small.summary.traps["reentrant"]
    assert laid.contract is not None
    first, second, last = laid.orders
    created = small.of(small.marketplace, MARKETPLACE["MarketOrderCreated"])
    announced = [int.from_bytes(log.data, "big") for log in created]
    assert announced.count(last) == 3
    assert first not in announced
    assert second not in announced
    assert len({log.transaction for log in created if log.data[-1] == last}) == 1
    outer = await small.order(first)
    closed = await small.order(second)
    inner = await small.order(last)
    assert (outer[0], outer[3:6]) == (ASK, [2 * RLC, 1, 1])
    assert (inner[0], inner[3:6]) == (ASK, [7 * RLC, 3, 3])
    assert (closed[0], closed[3:6]) == (CLOSED, [7 * RLC, 3, 3])
    assert {outer[7], inner[7], closed[7]} == {number(laid.contract)}
    _, locked = await small.balance(laid.contract)
    assert locked == 2 * RLC * 30 // 100 + 7 * RLC * 30 // 100 * 3
    (count,) = await small.ask(small.marketplace, "m_orderCount()")
    assert count == len(announced)


async def test_orders_on_no_pool_lock_and_are_never_bought(small: History) -> None:
    """The contract is registered nowhere; one order was closed, and the other holds its stake."""
    laid = small.summary.traps["unregistered"]
    assert laid.contract is not None
    deployment = small.deployment
    registered = "isWorkerPoolRegistered(address)"
    assert await small.ask(deployment.worker_pool_hub, registered, laid.contract) == [0]
    assert await small.ask(laid.contract, "m_owner()") == [number(laid.accounts[0])]
    closed, open_ = [await small.order(index) for index in laid.orders]
    assert (closed[0], closed[5]) == (CLOSED, 2)
    assert (open_[0], open_[5]) == (ASK, 2)
    assert await small.balance(laid.accounts[0]) == (97 * RLC, 3 * RLC)


async def test_many_purchases_and_many_claims_share_transactions(small: History) -> None:
    """Three triples of a purchase in one transaction, three ends of a claim in another."""
    laid = small.summary.traps["many_at_once"]
    assert laid.contract is not None
    assert laid.pool is not None
    bought = [
        log
        for log in small.of(small.hub, HUB["WorkOrderActivated"])
        if addresses(log)[0] in laid.work_orders
    ]
    assert len(bought) == 3
    (transaction,) = {log.transaction for log in bought}
    assert [(log.address, log.topics[0]) for log in small.within(transaction)] == [
        (small.marketplace, MARKETPLACE["MarketOrderAskConsume"]),
        (laid.pool, POOL["WorkOrderActive"]),
        (small.hub, HUB["WorkOrderActivated"]),
    ] * 3
    claimed = [
        log
        for log in small.of(small.hub, HUB["WorkOrderClaimed"])
        if addresses(log)[0] in laid.work_orders
    ]
    assert len(claimed) == 3
    assert len({log.transaction for log in claimed}) == 1
    assert [await small.status(woid) for woid in laid.work_orders] == [STATUS["claimed"]] * 3
    assert await small.balance(laid.contract) == (100 * RLC, 0)


async def test_calls_that_fail_inside_a_transaction_leave_no_log(small: History) -> None:
    """The requester's first claims, too early, lie in a transaction that succeeded."""
    laid = small.summary.traps["many_at_once"]
    assert laid.contract is not None
    blocks = small.deployment.blocks
    found = []
    for height in range(1, small.summary.last_block + 1):
        block = await blocks.anvil.rpc("eth_getBlockByNumber", hex(height), WITH_TRANSACTIONS)
        found += [one for one in block["transactions"] if one["to"] == laid.contract]
    claims = found[-2:]
    assert claims[0]["input"].count(laid.work_orders[0][2:]) == 1
    receipts = [await blocks.anvil.rpc("eth_getTransactionReceipt", one["hash"]) for one in claims]
    assert [one["status"] for one in receipts] == ["0x1", "0x1"]
    assert [bool(one["logs"]) for one in receipts] == [False, True]


async def test_api_requester_cannot_claim_and_its_locks_stay(small: History) -> None:
    """IexecAPI has no such function: the price of the failed work order is locked for ever."""
    laid = small.summary.traps["through_api"]
    assert laid.contract is not None
    answered, lost = laid.work_orders
    assert await small.status(answered) == STATUS["completed"]
    assert await small.status(lost) == STATUS["active"]
    assert await small.ask(lost, "m_requester()") == [number(laid.contract)]
    _, locked = await small.balance(laid.contract)
    assert locked == RLC + RLC, "the value, and the app's price"
    proofs = small.of(small.marketplace, MARKETPLACE["WorkOrderCallbackProof"])
    assert [log.topics[1][12:].hex() for log in proofs] == [answered[2:]]
    (timeout,) = (await small.ask(laid.pool or laid.contract, "m_consensus(address)", lost))[5:6]
    assert timeout < small.deployment.blocks.timestamp


async def test_zero_amounts_are_logged_like_others(small: History) -> None:
    """Deposits, withdrawals, rewards and seizures of nothing; an order of endless volume."""
    laid = small.summary.traps["zeros"]
    assert laid.pool is not None
    right, wrong = laid.accounts
    free, cheap = laid.work_orders
    assert 0 in [_amount(log) for log in _of(small, "Deposit", right)]
    assert [_amount(log) for log in _of(small, "Withdraw", right)] == [0]
    assert [_amount(log) for log in _of(small, "Reward", right)] == [0]
    assert [_amount(log) for log in _of(small, "Seize", wrong)] == [0]
    assert [await small.status(woid) for woid in laid.work_orders] == [
        STATUS["completed"],
        STATUS["claimed"],
    ]
    claimed = [
        log
        for log in small.of(small.hub, HUB["WorkOrderClaimed"])
        if addresses(log) == [cheap, laid.pool]
    ]
    seized, rewarded = [
        log
        for log in small.within(claimed[0].transaction)
        if log.topics[0] in {HUB["Seize"], HUB["Reward"]}
    ]
    assert (_amount(seized), _amount(rewarded)) == (0, 0)
    assert addresses(rewarded)[0] == small.hub
    assert (await small.contribution(laid.pool, free, right))[0] == PROVED
    boundless = await small.order(laid.orders[1])
    assert boundless[4:6] == [VOLUME_MAX, VOLUME_MAX - 1]


async def test_stray_rlc_is_the_hubs_and_nobodys(small: History) -> None:
    """The hub holds exactly what came astray beyond the sum of all accounts."""
    laid = small.summary.traps["stray"]
    strays = [
        log
        for log in small.of(small.deployment.rlc, TOKEN["Transfer"])
        if log.topics[1][12:].hex() == laid.accounts[0][2:]
        and log.topics[2][12:].hex() == small.hub[2:]
    ]
    assert [int.from_bytes(log.data, "big") for log in strays] == [RLC + 1, RLC // 2]
    assert await small.balance(laid.accounts[0]) == (0, 0)
    (balance,) = await small.ask(small.deployment.rlc, "balanceOf(address)", small.hub)
    people = {
        addresses(log)[0]
        for name in ("Deposit", "Reward")
        for log in small.of(small.hub, HUB[name])
    }
    held = [await small.balance(account) for account in sorted(people)]
    assert balance - sum(free + locked for free, locked in held) == RLC + 1 + RLC // 2


async def test_one_person_plays_every_part(small: History) -> None:
    """Scheduler, requester and worker of both work orders, owner of what they use."""
    laid = small.summary.traps["one_person"]
    assert laid.pool is not None
    (me,) = laid.accounts
    completed, claimed = laid.work_orders
    assert await small.ask(laid.pool, "m_owner()") == [number(me)]
    for woid in laid.work_orders:
        assert await small.ask(woid, "m_requester()") == [number(me)]
        assert (await small.contribution(laid.pool, woid, me))[0] >= 2
    (app,) = await small.ask(completed, "m_app()")
    assert await small.ask(_address(app), "m_owner()") == [number(me)]
    assert await small.status(completed) == STATUS["completed"]
    assert await small.status(claimed) == STATUS["claimed"]
    assert (await small.balance(me))[1] == RLC, "only the subscription is locked still"


async def test_contract_contributes_and_proves_twice_at_once(small: History) -> None:
    """Both commitments in one transaction, both proofs in another, both rewards in one block."""
    laid = small.summary.traps["contract_worker"]
    assert laid.contract is not None
    assert laid.pool is not None
    for name in ("Contribute", "Reveal"):
        logs = [
            log
            for log in small.of(laid.pool, POOL[name])
            if log.topics[2][12:].hex() == laid.contract[2:]
        ]
        assert len(logs) == 2
        assert len({log.transaction for log in logs}) == 1
    ends = small.of(laid.pool, POOL["FinalizeWork"])
    assert len({log.block for log in ends}) == 1
    assert len({log.transaction for log in ends}) == 2
    assert await small.ask(small.hub, "m_scores(address)", laid.contract) == [2]


async def test_reverted_authorisation_asked_for_an_enclave(small: History) -> None:
    """Its calldata names both workers and a challenge; the contributions have none."""
    laid = small.summary.traps["reverted"]
    assert laid.pool is not None
    (woid,) = laid.work_orders
    for worker in laid.accounts:
        status, _, _, challenge, _, weight = await small.contribution(laid.pool, woid, worker)
        assert (status, challenge, weight) == (PROVED, 0, 1)
    named = enclave(3, "enclave").challenge[2:]
    blocks = small.deployment.blocks
    sent = []
    for height in range(1, small.summary.last_block + 1):
        block = await blocks.anvil.rpc("eth_getBlockByNumber", hex(height), WITH_TRANSACTIONS)
        sent += [
            one["hash"]
            for one in block["transactions"]
            if one["to"] == laid.pool and named in one["input"]
        ]
    (bait,) = sent
    receipt = await blocks.anvil.rpc("eth_getTransactionReceipt", bait)
    assert receipt["status"] == "0x0"


async def test_what_a_contract_makes_belongs_to_the_signer(small: History) -> None:
    """`CreateWorkerPool` names the signer, and so does the pool."""
    laid = small.summary.traps["through_a_contract"]
    assert laid.pool is not None
    assert await small.ask(laid.pool, "m_owner()") == [number(laid.accounts[0])]
    assert laid.contract is not None
    with pytest.raises(LabRpcError):
        await small.ask(laid.pool, "getWorkerIndex(address)", laid.contract)


def _address(value: int) -> Address:
    return Address(f"0x{value:040x}")
