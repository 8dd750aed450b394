"""Wrong numbers in storage: the contracts' own getters say them, and nothing else moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.lab.errors import LabError
from monitor.lab.poco.lab import PocoLab
from monitor.lab.poco.plant import DELTA_MAX, WORD_MAX, Field, Planted, Wrong, choose, place, plant
from monitor.model import Address
from tests.lab.poco.history import History, history_of, logs_of_chain, number

pytestmark = pytest.mark.asyncio(loop_scope="function")

SOMEBODY = Address("0x" + "5a" * 20)
SEED = 11


@pytest.fixture
async def history(anvil_path: Path, poco_path: Path) -> AsyncIterator[History]:
    """A history of the test's own."""
    async with PocoLab(anvil_path, seed=SEED, artifacts=poco_path) as lab:
        yield await history_of(lab, workers=8, orders=4)


async def _said(history: History, wrong: Wrong) -> int:
    """What the getter for this number says."""
    hub, account = history.hub, wrong.account
    if wrong.field in {Field.SUCCEEDED, Field.FAILED}:
        found = await history.ask(hub, "m_contributionHistory()")
        return found[wrong.field is Field.FAILED]
    if wrong.field is Field.HUB_BALANCE:
        return (await history.ask(history.deployment.rlc, "balanceOf(address)", hub))[0]
    assert account is not None
    if wrong.field in {Field.STAKE, Field.LOCKED}:
        return (await history.balance(account))[wrong.field is Field.LOCKED]
    if wrong.field is Field.SCORE:
        return (await history.ask(hub, "m_scores(address)", account))[0]
    assert wrong.task is not None
    assert wrong.pool is not None
    places = {Field.STATUS: 0, Field.CONTRIBUTION_SCORE: 4, Field.WEIGHT: 5}
    return (await history.contribution(wrong.pool, wrong.task, account))[places[wrong.field]]


async def test_plant_of_each_field_is_what_the_getter_says_afterwards(history: History) -> None:
    """Each getter moves by the delta of its wrong number, which is told as it was asked for."""
    wrongs = await choose(history.deployment, seed=SEED)
    assert [wrong.field for wrong in wrongs] == list(Field)
    before = [await _said(history, wrong) for wrong in wrongs]
    planted = await plant(history.deployment, *wrongs)
    assert [await _said(history, wrong) for wrong in wrongs] == [
        said + wrong.delta for said, wrong in zip(before, wrongs, strict=True)
    ]
    assert [(one.before, one.after) for one in planted] == [
        (said, said + wrong.delta) for said, wrong in zip(before, wrongs, strict=True)
    ]
    assert [(one.field, one.account, one.task, one.delta) for one in planted] == [
        (wrong.field, wrong.account or history.hub, wrong.task, wrong.delta) for wrong in wrongs
    ]


async def test_plant_leaves_no_log_and_becomes_final(history: History) -> None:
    """Nothing is written but the number; the node's `finalized` has it, its history has not."""
    wrong = (await choose(history.deployment, fields=[Field.SCORE]))[0]
    assert wrong.account is not None
    blocks = history.deployment.blocks
    head = blocks.number
    (planted,) = await plant(history.deployment, wrong)
    assert await logs_of_chain(history.deployment) == history.logs
    slot = (planted.contract, hex(planted.slot))
    final = await blocks.anvil.rpc("eth_getStorageAt", *slot, "finalized")
    earlier = await blocks.anvil.rpc("eth_getStorageAt", *slot, hex(head - 1))
    assert (int(final, 16), int(earlier, 16)) == (planted.after, planted.before)


async def test_plant_of_one_field_moves_no_other(history: History) -> None:
    """A wrong stake leaves what is locked beside it, the other way round, and everybody else."""
    stake, locked = await choose(history.deployment, fields=[Field.STAKE, Field.LOCKED])
    assert stake.account is not None
    assert locked.account is not None
    before = [await history.balance(one) for one in (stake.account, locked.account)]
    await plant(history.deployment, stake, Wrong(Field.LOCKED, -1, _locker(history)))
    after = [await history.balance(one) for one in (stake.account, locked.account)]
    assert after == [(before[0][0] + stake.delta, before[0][1]), before[1]]


async def test_plant_below_nothing_or_beyond_a_word_or_by_nothing_is_refused(
    history: History,
) -> None:
    """A number stays in 256 bits, and a difference of 0 is none."""
    balance = await history.balance(_locker(history))
    for wrong in (
        Wrong(Field.STAKE, -balance[0] - 1, _locker(history)),
        Wrong(Field.STAKE, WORD_MAX - balance[0] + 1, _locker(history)),
        Wrong(Field.STAKE, 0, _locker(history)),
    ):
        with pytest.raises(LabError, match=f"stake is {balance[0]} and cannot"):
            await plant(history.deployment, wrong)
    assert await history.balance(_locker(history)) == balance
    (planted,) = await plant(history.deployment, Wrong(Field.STAKE, -balance[0], _locker(history)))
    assert planted.after == 0
    assert (await history.balance(_locker(history)))[0] == 0


async def test_choose_is_the_seeds_and_of_different_accounts(history: History) -> None:
    """The same seed chooses the same; nobody is chosen twice; deltas are small and not 0."""
    first = await choose(history.deployment, seed=5)
    assert await choose(history.deployment, seed=5) == first
    assert await choose(history.deployment, seed=6) != first
    named = [wrong.account for wrong in first if wrong.account is not None]
    assert len(set(named)) == len(named) == 6
    assert all(1 <= wrong.delta <= DELTA_MAX for wrong in first)


async def test_choose_in_an_empty_history_is_refused(anvil_path: Path, poco_path: Path) -> None:
    """Where nobody was ever rewarded there is nobody to choose."""
    async with PocoLab(anvil_path, artifacts=poco_path) as lab:
        with pytest.raises(LabError, match="0 workers were ever rewarded, and 9 are needed"):
            await choose(lab.deployment)


async def test_place_without_what_it_needs_is_refused(history: History) -> None:
    """An account's number needs the account, a contribution's the work order and the pool."""
    for wrong, missing in (
        (Wrong(Field.SCORE, 1), "whose score"),
        (Wrong(Field.WEIGHT, 1, SOMEBODY, None, SOMEBODY), "weight of which contribution"),
        (Wrong(Field.STATUS, 1, SOMEBODY, SOMEBODY), "status of which contribution"),
    ):
        with pytest.raises(LabError, match=missing):
            place(history.deployment, wrong)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (Field.STAKE, "stake"),
        (Field.LOCKED, "locked"),
        (Field.SCORE, "score"),
        (Field.STATUS, "status"),
        (Field.CONTRIBUTION_SCORE, "contribution_score"),
        (Field.WEIGHT, "weight"),
        (Field.SUCCEEDED, "invariant"),
        (Field.FAILED, "invariant"),
        (Field.HUB_BALANCE, "invariant"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
async def test_planted_names_the_difference_to_be_found(field: Field, kind: str) -> None:
    """What is nobody's own can only break a law."""
    planted = Planted(
        field, None, None, 1, before=0, after=1, contract=SOMEBODY, slot=number(SOMEBODY)
    )
    assert planted.kind == kind


def _locker(history: History) -> Address:
    """Somebody with stake both free and locked: the maker of an order that nobody can buy."""
    return history.summary.traps["unregistered"].accounts[0]
