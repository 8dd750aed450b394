"""What the contracts say: the facts that no event carries, and the ledger that is compared.

Everything is asked at one pinned block. Market orders are enumerated, since one that is made while
another is being made is never announced; contributions that are unset make their getter revert,
which is confirmed by a getter that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from monitor.ledger.abi import ZERO_ADDRESS, BadWords, address_of, hash_of, member_of
from monitor.ledger.calls import PACE, Pace, Progress
from monitor.ledger.refusals import Meaning
from monitor.ledger.remedies import unseen
from monitor.ledger.v1 import getters
from monitor.ledger.v1.asking import Asking, Question, Words
from monitor.ledger.v1.discovery import Contracts
from monitor.model import Address, BlockStamp
from monitor.poco.v1.compare import Questions
from monitor.poco.v1.facts import Facts, OrderFacts, WorkOrderFacts
from monitor.poco.v1.state import ContributionStatus, WorkOrderStatus
from monitor.poco.v1.stored import Stored, StoredContribution, StoredWorkOrder
from monitor.rpc.node import Node

T = TypeVar("T")
DIRECTIONS = 4
"""`IexecLib.MarketOrderDirectionEnum`: UNSET, BID, ASK, CLOSED."""
MADE = frozenset({2, 3})
"""ASK and CLOSED: what an order that was made is."""


class Wanted(NamedTuple):
    """What the events so far need; what is among the facts already is not asked again."""

    order_count: int | None = None
    """Orders 1 to this; None asks `m_orderCount` first."""
    pools: Sequence[Address] = ()
    work_orders: Sequence[Address] = ()
    authorised: Sequence[tuple[Address, Address, Address]] = ()
    """(pool, work order, worker) of new authorisations; each is asked, known or not."""


async def read_facts(
    node: Node,
    contracts: Contracts,
    wanted: Wanted,
    facts: Facts,
    at: BlockStamp,
    *,
    pace: Pace = PACE,
    progress: Progress | None = None,
) -> int:
    """Add to `facts` what is wanted and not there yet; returns how many orders the chain has.

    What it reads never changes on the chain, so that any block at or after the events does. Raises
    CouldNotSee, and then `facts` is as it was.
    """
    asking = Asking(node, contracts, at, pace)
    count = await _order_count(asking) if wanted.order_count is None else wanted.order_count
    orders = [index for index in range(1, count + 1) if index not in facts.orders]
    pools = [pool for pool in dict.fromkeys(wanted.pools) if pool not in facts.subscription_locks]
    works = [woid for woid in dict.fromkeys(wanted.work_orders) if woid not in facts.work_orders]
    pairs = list(dict.fromkeys(wanted.authorised))
    questions = [
        *(Question(contracts.marketplace, getters.MARKET_ORDER, (index,)) for index in orders),
        *(Question(pool, getters.SUBSCRIPTION_LOCK) for pool in pools),
        *(Question(woid, getters.APP) for woid in works),
        *(Question(woid, getters.DATASET) for woid in works),
        *(Question(pool, getters.CONTRIBUTION, (woid, who)) for pool, woid, who in pairs),
    ]
    answers = await asking._replace(progress=progress).read_all(questions)
    left = iter(zip(questions, answers, strict=True))
    made = {index: _read(asking, next(left), _order) for index in orders}
    locks = {pool: _read(asking, next(left), _number) for pool in pools}
    apps = {woid: _read(asking, next(left), _contract) for woid in works}
    datasets = {woid: _read(asking, next(left), _contract_or_none) for woid in works}
    challenged = {(woid, who) for _, woid, who in pairs if _read(asking, next(left), _enclave)}
    facts.orders.update(made)
    facts.subscription_locks.update(locks)
    facts.work_orders.update((w, WorkOrderFacts(apps[w], datasets[w])) for w in works)
    facts.enclaves.update(challenged)
    return count


async def read_stored(
    node: Node,
    contracts: Contracts,
    questions: Questions,
    at: BlockStamp,
    *,
    pace: Pace = PACE,
    progress: Progress | None = None,
) -> Stored:
    """The ledger as the contracts store it at a block, of what is asked for; raises CouldNotSee.

    `histories` holds one pair, under the hub: it counts everybody's contributions together.
    """
    hub = contracts.hub
    accounts, works, pairs = questions
    asked = [
        Question(contracts.token, getters.BALANCE_OF, (hub,)),
        Question(hub, getters.CONTRIBUTION_HISTORY),
        *(Question(hub, getters.CHECK_BALANCE, (account,)) for account in accounts),
        *(Question(hub, getters.SCORES, (account,)) for account in accounts),
        *(Question(woid, getters.STATUS) for _, woid in works),
        *(Question(pool, getters.CONSENSUS, (woid,)) for pool, woid in works),
        *(
            Question(pool, getters.CONTRIBUTION, (woid, who), may_revert=True)
            for pool, woid, who in pairs
        ),
    ]
    asking = Asking(node, contracts, at, pace, progress)
    answers = await asking.read(asked)
    left = iter(zip(asked, answers, strict=True))
    hub_balance = _read(asking, next(left), _number)
    history = _read(asking, next(left), _pair)
    balances = {account: _read(asking, next(left), _pair) for account in accounts}
    scores = {account: _read(asking, next(left), _number) for account in accounts}
    statuses = [_read(asking, next(left), _status) for _ in works]
    work_orders = {
        woid: _read(asking, next(left), _consensus(status))
        for (_, woid), status in zip(works, statuses, strict=True)
    }
    contributions: dict[tuple[Address, Address], StoredContribution | None] = {}
    for _, woid, who in pairs:
        question, words = next(left)
        found = None if words is None else _read(asking, (question, words), _contribution)
        contributions[woid, who] = found
    await _confirm_unset(
        asking._replace(progress=None), [p for p in pairs if contributions[p[1:]] is None]
    )
    return Stored(
        accounts=balances,
        scores=scores,
        histories={hub: history},
        work_orders=work_orders,
        contributions=contributions,
        hub_balance=hub_balance,
    )


async def _order_count(asking: Asking) -> int:
    question = Question(asking.contracts.marketplace, getters.ORDER_COUNT)
    (words,) = await asking.read_all([question])
    return words[0]


async def _confirm_unset(asking: Asking, pairs: Sequence[tuple[Address, Address, Address]]) -> None:
    """Make sure that contributions whose getter reverted do not exist; raises CouldNotSee.

    A node may end a call for reasons of its own, in words that look like the contract's.
    """
    questions = [
        Question(pool, getters.CONTRIBUTION_EXISTS, (woid, who)) for pool, woid, who in pairs
    ]
    for question, words in zip(questions, await asking.read_all(questions), strict=True):
        if words != (0,):
            detail = (
                f"{asking.node.label}: {question.text} at block {asking.at.number} is true, and "
                f"{getters.CONTRIBUTION.name} reverts"
            )
            raise unseen(Meaning.REVERTED, detail)


# -- from words ----------------------------------------------------------------------------------


def _read(
    asking: Asking, answered: tuple[Question, Words | None], reader: Callable[[Words], T]
) -> T:
    """What an answer says; raises CouldNotSee with the question where it says nothing known."""
    question, words = answered
    try:
        return reader(words or ())
    except BadWords as error:
        raise asking.malformed(question, error) from error


def _order(words: Words) -> OrderFacts:
    direction, category, _trust, value, volume, _remaining, pool, owner = words
    if member_of(direction, DIRECTIONS) not in MADE:
        message = f"direction {direction} is of no order that was made"
        raise BadWords(message)
    return OrderFacts(category, value, volume, address_of(pool), address_of(owner))


def _number(words: Words) -> int:
    return words[0]


def _pair(words: Words) -> tuple[int, int]:
    return words[0], words[1]


def _contract(words: Words) -> Address:
    address = address_of(words[0])
    if address == ZERO_ADDRESS:
        message = "the zero address"
        raise BadWords(message)
    return address


def _contract_or_none(words: Words) -> Address | None:
    address = address_of(words[0])
    return None if address == ZERO_ADDRESS else address


def _enclave(words: Words) -> bool:
    return address_of(words[3]) != ZERO_ADDRESS


def _status(words: Words) -> int:
    return member_of(words[0], len(WorkOrderStatus))


def _consensus(status: int) -> Callable[[Words], StoredWorkOrder]:
    def read(words: Words) -> StoredWorkOrder:
        reward, stake, consensus, *_, ratio = words
        return StoredWorkOrder(status, hash_of(consensus), reward, stake, ratio)

    return read


def _contribution(words: Words) -> StoredContribution:
    status, result_hash, _sign, _challenge, score, weight = words
    return StoredContribution(
        member_of(status, len(ContributionStatus)),
        hash_of(result_hash),
        _enclave(words),
        score,
        weight,
    )
