"""A difference doubted before it is told: the logs once more, and somebody else's word.

What looks like a contract that breaks its rules is far more often a node that left logs out. So all
logs are asked for again, in pieces so small that no limit on an answer would cut them, and compared
with those that are held, byte for byte; then the first reference that shows them is asked for the
same, and for the values in question. Where they disagree nothing is said: the logs that turned out
to be incomplete are forgotten, and the node is asked for less at once from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from monitor.ledger.errors import CouldNotSee
from monitor.ledger.fetching import Fetcher, Page, Reach
from monitor.ledger.job import Step, Tell
from monitor.ledger.logs import merged
from monitor.ledger.store import Store
from monitor.ledger.sync import LOGS_SURE, NARROW, Ground, silent
from monitor.ledger.v1.emitters import Emitters, has_beginning
from monitor.ledger.v1.reads import read_stored
from monitor.model import Address
from monitor.poco.difference import Difference
from monitor.poco.v1.compare import Questions, asked_of, compare
from monitor.poco.v1.state import State
from monitor.rpc.node import Node

if TYPE_CHECKING:
    import pyarrow as pa

LOGS_TRUNCATED: Final = "logs_truncated"
"""The reason where a node gave other logs when it was asked again in smaller pieces."""
LOGS_DIFFER: Final = "logs_differ"
"""The reason where a reference has other logs."""
VALUES_DIFFER: Final = "values_differ"
"""The reason where a reference stores other values than the node does."""
SURE = "sure"
"""The document that says up to which block all logs were found equal when asked for again."""
LOGS_A_PIECE = LOGS_SURE
"""What a piece holds at most, but where it is one block: less than any limit that is known."""
PIECES_MIN, PIECES_MAX = 3, 2_000
"""A long history has larger pieces, or it would be asked for block by block."""


async def confirm_logs(ground: Ground, store: Store, tell: Tell = silent) -> None:
    """Ask for all logs again, in smaller pieces, and the first reference that shows them as well.

    Those that were found equal before are not asked for. Raises CouldNotSee where they are not
    those that are held; of the node's own, what is held from there on is forgotten. Logs that
    do not go back to the beginning need a second word: a node that has forgotten the old ones, or
    keeps none, gives no error.
    """
    first = _first_unsure(store)
    logs = sum(batch.num_rows for batch in store.batches(first, ground.at.number))
    reach = pieces(ground.at.number - first + 1, logs)
    odd = await _differing(ground, store, Fetcher(ground.node, reach), first, tell)
    if odd is not None:
        page, held = odd
        store.rollback(page.first - 1)
        end = store.held_to
        narrow = str(page.last - page.first + 1).encode()
        store.put_facts(NARROW, narrow, block=0 if end is None else end)
        detail = (
            f"logs truncated: {_told(ground.node, page, held)}; they were asked for again in "
            "smaller pieces, and will be fetched anew so"
        )
        raise CouldNotSee(LOGS_TRUNCATED, detail)
    is_agreed, is_witnessed = not ground.referees, False
    for _, node in ground.referees:
        try:
            odd = await _differing(ground, store, Fetcher(node, reach), first, tell)
        except CouldNotSee:
            # It is asked beside the node, and one that does not answer contradicts nobody.
            continue
        if odd is not None:
            detail = (
                f"{_told(node, *odd)} at {ground.node.label}: one of them leaves logs out, or "
                "both; ask a third"
            )
            raise CouldNotSee(LOGS_DIFFER, detail)
        is_agreed = is_witnessed = True
        break
    if not is_witnessed and not has_beginning(store.batches()):
        store.rollback(-1)
        detail = (
            f"logs truncated: {ground.node.label} has none of the ledger's first, before which "
            "nobody could work: ask a node that keeps the logs of all blocks, and check from_block"
        )
        raise CouldNotSee(LOGS_TRUNCATED, detail)
    if is_agreed and ground.is_final:
        store.put_facts(SURE, str(ground.at.number).encode(), block=ground.at.number)


async def confirm_values(ground: Ground, state: State, found: Sequence[Difference]) -> None:
    """Ask the references for the values in question; the first that shows them must agree.

    Of `found` those are asked about that `compare` made of the node's. Raises CouldNotSee.
    """
    disputed = disputed_of(found)
    questions = questions_of(state, disputed)
    if not any(questions):
        return
    for _, node in ground.referees:
        try:
            stored = await read_stored(node, ground.contracts, questions, ground.at)
        except CouldNotSee:
            continue
        theirs = set(compare(state, stored))
        odd = next((one for one in disputed if one not in theirs), None)
        if odd is not None:
            detail = (
                f"{ground.node.label} says: {odd.why}; {node.label} says otherwise: ask a third"
            )
            raise CouldNotSee(VALUES_DIFFER, detail)
        return


def disputed_of(found: Iterable[Difference]) -> list[Difference]:
    """Of all differences those between the rules and a getter, as `compare` makes them."""
    return [one for one in found if one.stored is not None and one.kind != "invariant"]


def questions_of(state: State, disputed: Iterable[Difference]) -> Questions:
    """What has to be read to see these differences again."""
    accounts: set[Address] = set()
    works: set[Address] = set()
    pairs: set[tuple[Address, Address]] = set()
    for one in disputed:
        if one.account is not None and one.task is not None:
            pairs.add((one.task, one.account))
        elif one.account is not None:
            accounts.add(one.account)
        elif one.task is not None:
            works.add(one.task)
    whole = asked_of(state)
    return Questions(
        tuple(account for account in whole.accounts if account in accounts),
        tuple(work for work in whole.work_orders if work[1] in works),
        tuple(pair for pair in whole.contributions if pair[1:] in pairs),
    )


def pieces(blocks: int, logs: int) -> Reach:
    """How so many blocks with so many logs are asked for again: few logs at once."""
    few = max(LOGS_A_PIECE, logs // PIECES_MAX)
    width = max(1, blocks // max(PIECES_MIN, logs // few))
    return Reach(blocks=width, blocks_max=width, logs_wanted=few)


def _first_unsure(store: Store) -> int:
    """The first block whose logs were not yet asked for twice."""
    sure = store.facts(SURE)
    held_from = store.held_from or 0
    return max(held_from, int(sure) + 1) if sure is not None and sure.isdigit() else held_from


async def _differing(
    ground: Ground, store: Store, fetcher: Fetcher, first: int, tell: Tell
) -> tuple[Page, int] | None:
    """The first page that is not what is held of its blocks, and how many logs are held of them."""
    last = ground.at.number
    begun, emitters = first, Emitters(ground.contracts)
    for batch in store.batches(last=first - 1):
        emitters.learn_of(batch)
    while first <= last:
        tell(Step(f"asking {fetcher.node.label} again", first - begun, last - begun + 1, "blocks"))
        page = await emitters.page(fetcher, first, last)
        while page.logs.num_rows > fetcher.reach.logs_wanted and page.last > first:
            # It may be cut as well: in denser blocks than most a piece has fewer of them.
            fetcher.blocks = (page.last - first + 1) // 2
            page = await emitters.page(fetcher, first, last)
        held = merged(list(store.batches(first, page.last)))
        if not _are_equal(held, page.logs):
            return page, held.num_rows
        first = page.last + 1
    return None


def _are_equal(one: pa.RecordBatch, other: pa.RecordBatch) -> bool:
    return bool(one.equals(other))


def _told(node: Node, page: Page, held: int) -> str:
    return (
        f"{node.label} has {page.logs.num_rows} logs of the ledger in blocks {page.first} to "
        f"{page.last}, where there were {held}"
    )
