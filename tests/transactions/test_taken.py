"""A nonce that was taken so long ago that no node can say by what: when that is the end of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from monitor.config.transactions import Account
from monitor.judge.quorum import NoQuorum, Round
from monitor.model import Level, Unseen
from monitor.transactions.autopsy import SEARCH_BLOCKS_MAX
from monitor.transactions.explaining import Explaining
from monitor.transactions.filing import Filing
from monitor.transactions.journal import Journal
from monitor.transactions.looking import Looking, Scene
from monitor.transactions.rules import Rules
from monitor.transactions.sight import Sight
from monitor.transactions.ward import Ward
from monitor.transactions.words import Act, Counters, Decision, Slot, State
from monitor.watch import Watch
from tests.rpc.canned import Canned, Chain, Refusal, serving
from tests.transactions import builders as make
from tests.transactions.conftest import Dial

BEFORE = make.TIP - SEARCH_BLOCKS_MAX
"""The oldest block in which the search looks."""
OPERATORS = ("a", "b", "c")
RULES = Rules()
TAKEN = Decision(
    "7",
    State.NONCE_TAKEN,
    Level.DEGRADED,
    "taken",
    (Act.FIND_CONSUMER,),
    counters=Counters(taken_rounds=RULES.taken_rounds),
)
Taken = Mapping[str, int | None]
"""By operator: in which block the nonce was taken; None: it cannot count so far back."""


def counting(taken: int | None, nonce: int) -> Callable[[list[Any]], object]:
    """What a node says how many transactions there were; its blocks show none of them."""

    def count(params: list[Any]) -> object:
        number = int(params[1], 16)
        if taken is None and number < make.TIP:
            return Refusal("missing trie node", -32000)
        return hex(nonce + 1 if taken is None or number >= taken else nonce)

    return count


async def end_of(
    taken: Taken,
    tmp_path: Path,
    dial: Dial,
    *,
    decision: Decision = TAKEN,
    final_number: int | None = make.TIP - 64,
    slot: Slot | None = None,
) -> tuple[Decision, Ward]:
    """What is made of a decision by references that say this; `a2` is of the operator a."""
    slot = slot or make.slot_of(state=State.NONCE_TAKEN)
    ward = Ward(Account(alias="till", address=make.SENDER), RULES, "net")
    ward.put(slot)
    async with AsyncExitStack() as stack:
        endpoints = []
        for name, number in taken.items():
            server = Canned(chain=Chain(make.TIP))
            server.answers["eth_getTransactionCount"] = counting(number, slot.nonce)
            await stack.enter_async_context(serving(server))
            endpoints.append(replace(dial(server.url), operator=name[0]))
        scene = Scene(
            watch=cast("Watch", None),
            round=Round(
                network="net",
                at=make.NOW,
                witnesses=(),
                operators=len(OPERATORS),
                identity=None,
                admitted=(),
                refused={},
                reference=NoQuorum("too_few", ""),
            ),
            head=make.head_at(make.TIP),
            final_number=final_number,
            chain_id=1,
            references=tuple(endpoints),
            market=Unseen("no_quorum", ""),
        )
        explaining = Explaining(looking(tmp_path))
        return await explaining.explained(ward, slot, decision, scene), ward


def looking(tmp_path: Path) -> Looking:
    sight = Sight(lambda: make.NOW)
    journal = Journal(tmp_path / "journal.sqlite")
    filing = Filing(journal, sight, lambda: make.NOW, is_claimed=lambda _transaction: False)
    return Looking(
        sight,
        filing,
        clock=lambda: make.NOW,
        is_synced=lambda _name: None,
        with_known=lambda view: view,
    )


def by_all(number: int | None) -> Taken:
    return dict.fromkeys(OPERATORS, number)


@pytest.mark.parametrize(
    ("taken", "final_number", "before"),
    [
        (by_all(BEFORE), make.TIP - 64, BEFORE),
        (by_all(1), make.TIP - 64, BEFORE),
        # It may still be found.
        (by_all(BEFORE + 1), make.TIP - 64, None),
        # It may still be undone.
        (by_all(BEFORE - 1), BEFORE - 2, None),
        (by_all(BEFORE - 1), BEFORE - 1, BEFORE - 1),
        (by_all(BEFORE), None, None),
        # Of three operators two must say so, and one that contradicts itself does not.
        ({"a": 1, "b": 1, "c": make.TIP}, make.TIP - 64, BEFORE),
        ({"a": 1, "b": 1, "c": None}, make.TIP - 64, BEFORE),
        ({"a": 1, "b": make.TIP, "c": make.TIP}, make.TIP - 64, None),
        ({"a": 1, "b": None, "c": None}, make.TIP - 64, None),
        ({"a": 1, "a2": make.TIP, "b": 1}, make.TIP - 64, None),
        ({"a": make.TIP, "a2": 1, "b": 1}, make.TIP - 64, None),
        ({"a": 1, "a2": 1}, make.TIP - 64, None),
    ],
)
async def test_nonce_that_was_taken_ends_once_nobody_can_name_it_any_more(
    tmp_path: Path, dial: Dial, taken: Taken, final_number: int | None, before: int | None
) -> None:
    """By a quorum, up to a final block, and beyond the blocks that are searched."""
    ended, ward = await end_of(taken, tmp_path, dial, final_number=final_number)
    if before is None:
        assert (ended, ward.unnamed) == (TAKEN, {})
        return
    assert (ended.state, ended.level) == (State.REPLACED_OTHER, Level.FAILED)
    assert f"in block {before} or before" in ended.summary
    assert ward.unnamed == {make.NONCE: before}
    ward.drop(ward.slots[make.NONCE])
    assert ward.unnamed == {}


@pytest.mark.parametrize(
    "changes",
    [{"is_weak": True}, {"counters": Counters(taken_rounds=RULES.taken_rounds - 1)}, {"acts": ()}],
    ids=["weak", "rounds", "not taken"],
)
async def test_nonce_that_was_taken_does_not_end_on_less(
    tmp_path: Path, dial: Dial, changes: dict[str, Any]
) -> None:
    """Weak evidence ends nothing, nor do rounds of an earlier process."""
    decision = replace(TAKEN, **changes)
    ended, _ = await end_of(by_all(1), tmp_path, dial, decision=decision)
    assert ended == decision


async def test_nonce_that_was_only_to_be_filled_is_served_by_whatever_took_it(
    tmp_path: Path, dial: Dial
) -> None:
    """Nobody is owed anything."""
    filler = make.attempt(make.payment(), kind="fill")
    slot = make.slot_of(filler, state=State.NONCE_TAKEN)
    ended, _ = await end_of(by_all(1), tmp_path, dial, slot=slot)
    assert (ended.state, ended.level) == (State.REPLACED_SAME, Level.OK)
