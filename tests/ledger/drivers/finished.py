"""One work order from its purchase to its end, which can be read off by eye."""

from __future__ import annotations

from monitor.ledger.drivers.columns import Columns
from monitor.ledger.drivers.gathering import columns_of
from monitor.poco.v1.facts import OrderFacts
from tests.poco.v1.contracts import Chain, address, digest

RLC = 10**9
VALUE = 45 * RLC
OWNER, REQUESTER, MAKER = address("owner"), address("requester"), address("maker")
WORKERS = tuple(address(f"worker {number}") for number in range(3))


def finished() -> Chain:
    """One work order with an enclave, a wrong worker, an app and a dataset; finalised."""
    chain = Chain()
    chain.create_category(300)
    app, dataset = chain.create_app(MAKER, 3), chain.create_dataset(MAKER, 4)
    pool = chain.create_pool(OWNER, 10 * RLC)
    for user in (OWNER, REQUESTER, *WORKERS):
        chain.deposit(user, 100 * RLC)
    for worker in WORKERS:
        chain.subscribe(worker, pool)
    index = chain.create_order(OrderFacts(1, VALUE, 2, pool, OWNER))
    work = chain.buy(index, REQUESTER, app, dataset)
    right = digest("right")
    for number, worker in enumerate(WORKERS):
        chain.allow(work, worker, is_enclave=number == 1)
        chain.mine()
        chain.contribute(work, worker, right if number else digest("wrong"))
    chain.reveal_consensus(work, digest(right))
    for worker in WORKERS[1:]:
        chain.reveal(work, worker, right)
    chain.mine()
    chain.finalize(work)
    return chain


def gathered(chain: Chain) -> Columns:
    return columns_of(chain.logged, chain.facts(), chain.hub)
