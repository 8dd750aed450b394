"""What a reader of PoCo's logs may stumble over, each laid once on purpose.

A trap is a script: it plays among the others and says at the end where it lies. All of it is
allowed by the contracts of `iexec-poco@1.1.17`, or has nothing to do with them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_hash.auto import keccak

from monitor.lab.poco.accounts import enclave, named, result_of
from monitor.lab.poco.artifacts import creation_code
from monitor.lab.poco.blocks import Tx
from monitor.lab.poco.booth import FUNDS_NRLC, Act, Booth, approval, created, opened
from monitor.lab.poco.calls import Terms, allow, buy, call, order, reverting, words
from monitor.lab.poco.deployment import RLC
from monitor.lab.poco.forgeries import forgeries
from monitor.lab.poco.puppets import at_once, crier, puppet
from monitor.lab.poco.scripts import Script, Step
from monitor.lab.poco.stage import Pool, Stage, address_in, logs_of, only
from monitor.lab.poco.topics import HUB
from monitor.model import Address

VOLUME_MAX = 2**256 - 1
"""A market order of this volume locks nothing where 30 % of its value round to nothing."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Where a trap lies."""

    contract: Address | None = None
    """The one it is about: a requester, a stranger, something that is no pool."""
    pool: Address | None = None
    accounts: tuple[Address, ...] = ()
    orders: tuple[int, ...] = ()
    """Market orders."""
    work_orders: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class Trap:
    """One thing that a reader may take for another."""

    name: str
    why: str
    """What goes wrong for whoever overlooks it."""
    lay: Callable[[Stage], Act[Laid]]


def _strangers(stage: Stage) -> Act[Laid]:
    """A stranger's logs, with the hub's, the marketplace's and a pool's own words in them."""
    booth = yield from opened(stage, "strangers")
    index = yield from booth.offer(RLC, 1)
    (woid,) = yield from booth.bought(_purchase(booth, index, booth.workers[0]))
    stranger = named(stage.seed, "stranger")
    said = forgeries(stage.hub, booth.pool.address, booth.workers[0], woid)
    first = yield from created(stranger, crier(said))
    yield from booth.completed(woid, booth.workers)
    yield from created(stranger, crier(said))
    return Laid(first, booth.pool.address, (booth.workers[0], stranger), (index,), (woid,))


def _reentrant(stage: Stage) -> Act[Laid]:
    """Asked for its owner, a contract makes orders: two of the three are never announced."""
    maker, marketplace = named(stage.seed, "reentrant"), stage.deployment.marketplace
    # A contract's address follows from its creator's first transaction, which this has to be.
    contract = _address_of_first(maker)
    inner = order(marketplace, contract, contract, category=1, value=7 * RLC, volume=3)
    made = yield from created(maker, puppet(script=[inner], reentries=2))
    yield from _endowed(stage, maker, made)
    outer = order(marketplace, made, made, category=2, value=2 * RLC, volume=1)
    receipts = yield Step([at_once(maker, made, [outer])])
    last = stage.market_orders(receipts)[0]
    close = call(made, marketplace, "closeMarketOrder(uint256)", last - 1)
    yield Step([at_once(maker, made, [close])])
    return Laid(made, None, (maker,), (last - 2, last - 1, last))


def _unregistered(stage: Stage) -> Act[Laid]:
    """Ask orders on something that answers `m_owner()` and is no pool: to be closed, not bought."""
    booth = yield from opened(stage, "unregistered", workers=1)
    maker, marketplace = booth.scheduler, stage.deployment.marketplace
    fake = yield from created(booth.workers[0], puppet(owner=maker))
    receipts = yield Step([booth.order(fake, value=5 * RLC, volume=2) for _ in range(2)])
    first, second = stage.market_orders(receipts)
    terms = Terms(stage.apps[0])
    refused = reverting(buy(stage.hub, booth.workers[0], fake, first, terms))
    close = call(maker, marketplace, "closeMarketOrder(uint256)", first)
    yield Step([refused, close])
    return Laid(fake, None, (maker,), (first, second))


def _many_at_once(stage: Stage) -> Act[Laid]:
    """A requester that is a contract buys thrice, and claims thrice, in one transaction each."""
    booth = yield from opened(stage, "many at once")
    driver = named(stage.seed, "many at once driver")
    requester = yield from created(driver, puppet())
    yield from _endowed(stage, driver, requester)
    index = yield from booth.offer(3 * RLC, 4)
    one = _purchase(booth, index, requester)
    nowhere = reverting(buy(stage.hub, requester, requester, index, Terms(stage.apps[0])))
    woids = yield from booth.bought(at_once(driver, requester, [one, nowhere, one, one]))
    bought_at = stage.now
    yield Step([booth.allow(woids[0], booth.workers)])
    yield Step([booth.contribution(worker, woids[0]) for worker in booth.workers])
    claim = "claimFailedConsensus(address)"
    claims = [call(requester, stage.hub, claim, woid) for woid in woids]
    # Its calldata reads like three claims, it succeeds, and nothing comes of it.
    yield Step([at_once(driver, requester, [reverting(each) for each in claims])])
    after = max(bought_at + booth.timeout_seconds, stage.now) + 1
    yield Step([at_once(driver, requester, claims)], at=after)
    return Laid(requester, booth.pool.address, (driver,), (index,), tuple(woids))


def _through_api(stage: Stage) -> Act[Laid]:
    """IexecAPI buys; one work order calls it back, and one fails and is never to be claimed."""
    booth = yield from opened(stage, "through api")
    owner, deployment = named(stage.seed, "through api owner"), stage.deployment
    arguments = words(("address", "address"), stage.hub, deployment.marketplace)
    code = creation_code(deployment.artifacts, "IexecAPI") + arguments
    api = yield from created(owner, code)
    give = "transfer(address,uint256)"
    yield Step([call(deployment.owner, deployment.rlc, give, api, 20 * RLC)])
    yield Step(
        [
            call(owner, api, "approveIexecHub(uint256)", 20 * RLC),
            call(owner, api, "depositRLCOnIexecHub(uint256)", 20 * RLC),
        ]
    )
    index = yield from booth.offer(RLC, 2)
    terms = Terms(stage.apps[1], callback=api)
    purchase = buy(api, owner, booth.pool.address, index, terms)
    answered, lost = yield from booth.bought(purchase, purchase)
    bought_at = stage.now
    yield Step([booth.allow(lost, booth.workers)])
    yield Step([booth.contribution(booth.workers[0], lost)])
    yield from booth.completed(answered, booth.workers)
    callback = "workOrderCallback(address,string,string,string)"
    told = (answered, booth.name, "", "ipfs")
    yield Step([call(booth.workers[0], deployment.marketplace, callback, *told)])
    refused = call(owner, stage.hub, "claimFailedConsensus(address)", lost)
    after = max(bought_at + booth.timeout_seconds, stage.now) + 1
    yield Step([reverting(refused)], at=after)
    return Laid(api, booth.pool.address, (owner,), (index,), (answered, lost))


def _zeros(stage: Stage) -> Act[Laid]:
    """Nothing is deposited, withdrawn, staked, paid, seized and claimed: the logs are there."""
    booth = yield from opened(stage, "zeros", ratios=(0, 100))
    right, wrong = booth.workers
    yield Step(
        [
            call(right, stage.hub, "deposit(uint256)", 0),
            call(right, stage.hub, "withdraw(uint256)", 0),
            call(right, stage.deployment.rlc, "transfer(address,uint256)", stage.hub, 0),
        ]
    )
    nothing = yield from booth.offer(0, 1)
    boundless = yield from booth.offer(3, VOLUME_MAX)
    (free,) = yield from booth.bought(_purchase(booth, nothing, right))
    (cheap,) = yield from booth.bought(_purchase(booth, boundless, right))
    bought_at = stage.now
    yield Step([booth.allow(free, booth.workers), booth.allow(cheap, booth.workers)])
    nonsense = result_of(stage.seed, "nonsense")
    yield Step([booth.contribution(right, free), booth.contribution(wrong, free, nonsense)])
    # Nobody has proved anything yet: that is no consensus of nobody, which could be finalised.
    yield Step([reverting(booth.finalize(free)), booth.consensus(free)])
    yield Step([booth.reveal(right, free)])
    yield Step([booth.finalize(free)])
    claim = call(right, stage.hub, "claimFailedConsensus(address)", cheap)
    after = max(bought_at + booth.timeout_seconds, stage.now) + 1
    yield Step([claim], at=after)
    return Laid(None, booth.pool.address, booth.workers, (nothing, boundless), (free, cheap))


def _stray(stage: Stage) -> Act[Laid]:
    """RLC sent straight to the hub: by its owner, and by one who may spend another's."""
    payer, spender = named(stage.seed, "stray payer"), named(stage.seed, "stray spender")
    rlc, give = stage.deployment.rlc, "transfer(address,uint256)"
    yield Step([call(stage.deployment.owner, rlc, give, payer, 3 * RLC)])
    yield Step(
        [
            call(payer, rlc, give, stage.hub, RLC + 1),
            call(payer, rlc, "approve(address,uint256)", spender, RLC),
        ]
    )
    take = "transferFrom(address,address,uint256)"
    yield Step([call(spender, rlc, take, payer, stage.hub, RLC // 2)])
    return Laid(rlc, None, (payer, spender))


def _one_person(stage: Stage) -> Act[Laid]:
    """Scheduler, worker, requester, owner of the app and of the dataset are one account."""
    me = named(stage.seed, "one person scheduler")
    booth = yield from opened(
        stage, "one person", workers=0, subscription_lock=RLC, ratios=(40, 10)
    )
    receipts = yield Step(
        [
            call(me, stage.hub, "createApp(string,uint256,string)", "mine", RLC, "{}"),
            call(me, stage.hub, "createDataset(string,uint256,string)", "mine", 11, "{}"),
            call(me, booth.pool.address, "subscribeToPool()"),
        ]
    )
    app = only(logs_of(receipts, stage.hub, HUB["CreateApp"]))
    dataset = only(logs_of(receipts, stage.hub, HUB["CreateDataset"]))
    terms = Terms(address_in(app.topics[2]), address_in(dataset.topics[2]))
    index = yield from booth.offer(4 * RLC, 2)
    purchase = buy(stage.hub, me, booth.pool.address, index, terms)
    completed, claimed = yield from booth.bought(purchase, purchase)
    bought_at = stage.now
    yield Step([booth.allow(claimed, [me])])
    yield Step([booth.contribution(me, claimed)])
    yield from booth.completed(completed, [me])
    claim = call(me, stage.hub, "claimFailedConsensus(address)", claimed)
    yield Step([claim], at=max(bought_at + booth.timeout_seconds, stage.now) + 1)
    return Laid(None, booth.pool.address, (me,), (index,), (completed, claimed))


def _contract_worker(stage: Stage) -> Act[Laid]:
    """A worker that is a contract: two work orders contributed to, and proved, at once."""
    booth = yield from opened(stage, "contract worker", workers=1, subscription_lock=5)
    driver = booth.workers[0]
    worker = yield from created(driver, puppet())
    yield from _endowed(stage, driver, worker)
    yield Step([at_once(driver, worker, [call(worker, booth.pool.address, "subscribeToPool()")])])
    index = yield from booth.offer(RLC, 2)
    woids = yield from booth.bought(*[_purchase(booth, index, driver)] * 2)
    yield Step([booth.allow(woid, [worker]) for woid in woids])
    yield Step([at_once(driver, worker, [booth.contribution(worker, woid) for woid in woids])])
    yield Step([booth.consensus(woid) for woid in woids])
    yield Step([at_once(driver, worker, [booth.reveal(worker, woid) for woid in woids])])
    yield Step([booth.finalize(woid) for woid in woids])
    return Laid(worker, booth.pool.address, (driver,), (index,), tuple(woids))


def _reverted(stage: Stage) -> Act[Laid]:
    """An authorisation with an enclave fails, and one without succeeds: both lie in blocks."""
    booth = yield from opened(stage, "reverted")
    worker, other = booth.workers
    index = yield from booth.offer(2 * RLC, 1)
    (woid,) = yield from booth.bought(_purchase(booth, index, other))
    challenge = enclave(stage.seed, "enclave").challenge
    pool = booth.pool.address
    yield Step([call(worker, pool, "unsubscribeFromPool()")])
    bait = allow(booth.scheduler, pool, woid, [other, worker], challenge)
    yield Step([reverting(bait), call(worker, pool, "subscribeToPool()")])
    yield from booth.completed(woid, booth.workers)
    return Laid(None, pool, booth.workers, (index,), (woid,))


def _through_a_contract(stage: Stage) -> Act[Laid]:
    """Pool, app and dataset made by a contract belong to whoever signed the transaction."""
    person = named(stage.seed, "signer")
    contract = yield from created(person, puppet())
    goods = [
        call(contract, stage.hub, "createApp(string,uint256,string)", "signed", 1, "{}"),
        call(contract, stage.hub, "createDataset(string,uint256,string)", "signed", 2, "{}"),
        call(
            *(contract, stage.hub, "createWorkerPool(string,uint256,uint256,uint256)"),
            *("signed", 0, 0, 0),
        ),
    ]
    receipts = yield Step([at_once(person, contract, goods)])
    log = only(logs_of(receipts, stage.hub, HUB["CreateWorkerPool"]))
    stage.pools.append(Pool(address_in(log.topics[2]), person))
    return Laid(contract, address_in(log.topics[2]), (person,))


def _purchase(booth: Booth, index: int, requester: Address) -> Tx:
    """One work order of a booth's, of the app that costs nothing."""
    terms = Terms(booth.stage.apps[0])
    return buy(booth.stage.hub, requester, booth.pool.address, index, terms)


def _endowed(stage: Stage, driver: Address, contract: Address) -> Act[None]:
    """A puppet with RLC in the hub."""
    deployment = stage.deployment
    give = "transfer(address,uint256)"
    yield Step([call(deployment.owner, deployment.rlc, give, contract, FUNDS_NRLC)])
    deposit = call(contract, stage.hub, "deposit(uint256)", FUNDS_NRLC)
    yield Step([at_once(driver, contract, [approval(stage, contract), deposit])])


def _address_of_first(creator: Address) -> Address:
    """Of the contract that an account's very first transaction creates: `keccak(rlp([a, 0]))`."""
    return Address("0x" + keccak(b"\xd6\x94" + bytes.fromhex(creator[2:]) + b"\x80")[12:].hex())


TRAPS = (
    Trap("strangers", "logs count by who emitted them, not by their topics", _strangers),
    Trap("reentrant", "market orders exist that were never announced", _reentrant),
    Trap("unregistered", "an ask order locks its maker's stake, pool or no pool", _unregistered),
    Trap("many_at_once", "a transaction holds several purchases, or several ends", _many_at_once),
    Trap(
        "through_api", "a requester may be unable to claim: its locks stay for ever", _through_api
    ),
    Trap("zeros", "amounts of nothing are logged too, and volumes have no bound", _zeros),
    Trap("stray", "RLC may come to the hub and belong to nobody there", _stray),
    Trap("one_person", "all parts in a work order may be one account's", _one_person),
    Trap("contract_worker", "a worker may act on several work orders at once", _contract_worker),
    Trap("reverted", "calldata of failed transactions reads like that of others", _reverted),
    Trap("through_a_contract", "the owner is the signer, not the caller", _through_a_contract),
)
"""All of them, in the order in which they are begun."""


def laying(trap: Trap, stage: Stage, found: dict[str, Laid]) -> Script:
    """The script of one trap, which writes down where it lies."""
    found[trap.name] = yield from trap.lay(stage)
