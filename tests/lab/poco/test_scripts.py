"""Scripts that play at once: whose turn it is, in which order, and when."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from monitor.lab.anvil import WITH_TRANSACTIONS
from monitor.lab.errors import LabError
from monitor.lab.poco.accounts import named
from monitor.lab.poco.blocks import Blocks, Receipt, Tx
from monitor.lab.poco.scripts import SECONDS_MAX, SECONDS_MIN, Play, Script, Step
from tests.lab.poco.history import number, seeded

NOBODY = named(0, "nobody")


def _play(blocks: Blocks, *, width: int = 4, seed: int = 1) -> Play:
    return Play(blocks, seeded(seed), width=width)


def _sends(name: str, count: int) -> list[Tx]:
    return [Tx(named(0, name), NOBODY, f"{name} {one}".encode()) for one in range(count)]


async def _inputs(blocks: Blocks, height: int) -> list[str]:
    """What was sent in a block, in its order."""
    block = await blocks.anvil.rpc("eth_getBlockByNumber", hex(height), WITH_TRANSACTIONS)
    return [bytes.fromhex(one["input"][2:]).decode() for one in block["transactions"]]


async def test_step_keeps_its_order_among_others(blocks: Blocks) -> None:
    """Two scripts' transactions are shuffled together, each script's own stay in order."""
    found = {}

    def script(name: str) -> Script:
        found[name] = yield Step(_sends(name, 6))

    first = blocks.number + 1
    await _play(blocks).run([script("a"), script("b")])
    inputs = await _inputs(blocks, first)
    assert blocks.number == first
    for name in ("a", "b"):
        assert [one for one in inputs if one.startswith(name)] == [f"{name} {n}" for n in range(6)]
    assert inputs != sorted(inputs)
    block = await blocks.anvil.rpc("eth_getBlockByNumber", hex(first), WITH_TRANSACTIONS)
    for name in ("a", "b"):
        mine = [
            one["hash"]
            for one in block["transactions"]
            if number(one["from"]) == number(named(0, name))
        ]
        assert [receipt.hash for receipt in found[name]] == mine


async def test_step_at_a_moment_is_in_the_block_of_that_second(blocks: Blocks) -> None:
    """The clock stops exactly there, for it alone, and never passes it."""
    wanted = blocks.timestamp + 1000
    times = []

    def waiting() -> Script:
        (receipt,) = yield Step(_sends("w", 1), at=wanted)
        assert receipt.block == blocks.number
        times.append(blocks.timestamp)

    def patient() -> Script:
        for _ in range(3):
            before = blocks.timestamp
            yield Step()
            assert SECONDS_MIN <= blocks.timestamp - before <= SECONDS_MAX

    await _play(blocks).run([waiting(), patient()])
    assert times == [wanted]


async def test_step_at_a_moment_that_is_past_is_refused(blocks: Blocks) -> None:
    """No block can be made then."""

    def late() -> Script:
        yield Step(at=blocks.timestamp)

    with pytest.raises(LabError, match=r"a script waits for .* already"):
        await _play(blocks).run([late()])


async def test_queue_lets_so_many_play_and_waiters_take_no_place(blocks: Blocks) -> None:
    """With two places a third begins as one ends, or as one only waits for its moment."""
    begun: list[str] = []
    together = []

    def busy(name: str, steps: int) -> Script:
        begun.append(name)
        for _ in range(steps):
            together.append(name)
            yield Step()

    def waiting() -> Script:
        begun.append("waiting")
        yield Step(at=blocks.timestamp + 500)

    play = _play(blocks, width=2)
    play.queue.extend([busy("a", 2), waiting(), busy("b", 4), busy("c", 1)])
    seen: list[list[str]] = []
    play.seen.append(lambda _: seen.append(list(begun)))
    await play.run()
    assert seen[0] == ["a", "waiting", "b"]
    assert seen[1] == ["a", "waiting", "b"]
    assert seen[2] == ["a", "waiting", "b", "c"]


async def test_script_may_begin_others_and_is_told_after_the_onlookers(blocks: Blocks) -> None:
    """A script that another begins plays from the next block on; onlookers see a block first."""
    said: list[str] = []
    play = _play(blocks)
    play.seen.append(lambda receipts: said.append(f"seen {len(receipts)}"))

    def second() -> Script:
        yield Step(_sends("s", 2))
        said.append("second")

    def first() -> Script:
        yield Step(_sends("f", 1))
        play.begin(second())
        said.append("first")

    def nothing() -> Script:
        said.append("nothing")
        yield from ()

    await play.run([first(), nothing()])
    assert said == ["nothing", "seen 1", "first", "seen 2", "second"]


async def test_play_of_one_seed_is_the_same_again(blocks: Blocks) -> None:
    """Order and times follow from the seed."""

    async def played(seed: int) -> tuple[list[str], int]:
        def script(name: str) -> Script:
            receipts: Sequence[Receipt] = yield Step(_sends(name, 3))
            assert len(receipts) == 3

        height, began = blocks.number + 1, blocks.timestamp
        await _play(blocks, seed=seed).run([script(name) for name in "xyz"])
        return await _inputs(blocks, height), blocks.timestamp - began

    first = await played(5)
    assert await played(5) == first
    assert await played(6) != first
