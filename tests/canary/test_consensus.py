"""The same blocks, or where they part, and who stands alone."""

from __future__ import annotations

import pytest

from monitor.canary.consensus import LOOKS, consensus
from monitor.judge.quorum import CONTESTED_DEPTH
from tests.canary.staged import chain_of, staged
from tests.rpc.canned import Canned, Chain


async def test_same_blocks_are_pinned_below_the_lower_head() -> None:
    """Where both have had time to import, by the hash that both name."""
    node, other = Canned(Chain(100)), Canned(Chain(90))
    async with staged(node, other) as pair:
        agreed = await consensus(pair, 0.0)
    assert agreed.comparison.outcome == "pass"
    assert agreed.pin is not None
    assert agreed.pin.number == 90 - CONTESTED_DEPTH
    assert agreed.pin.hash == node.chain.hash(agreed.pin.number)


@pytest.mark.parametrize("parts_after", [0, 1, 37, 80])
async def test_chains_that_part_are_told_at_the_first_block(parts_after: int) -> None:
    """With what both have beneath it as the place to compare answers at."""
    node, other = Canned(Chain(100)), Canned(chain_of(100, parts_after=parts_after))
    async with staged(node, other) as pair:
        agreed = await consensus(pair, 0.0)
    found = agreed.comparison
    assert (found.outcome, found.reason) == ("fail", "parted")
    assert f"part at block {parts_after + 1}:" in found.summary
    assert agreed.pin is not None
    assert (agreed.pin.number, agreed.pin.hash) == (parts_after, node.chain.hash(parts_after))
    (line,) = [one for one in found.lines if one.what.endswith("hash")]
    assert (line.baseline, line.candidate) == (
        node.chain.hash(parts_after + 1),
        other.chain.hash(parts_after + 1),
    )


async def test_block_in_flight_is_looked_at_again() -> None:
    """What differs once and not again is no fork."""
    node, other = Canned(Chain(100)), Canned(chain_of(100, parts_after=96))
    hashes = iter([other.chain.hash(98)])

    def block(params: list[str]) -> object:
        if params[0] == "latest":
            return node.chain.block(100)
        found = node.chain.block(int(params[0], 16))
        return found | {"hash": next(hashes, found["hash"])}

    other.answers["eth_getBlockByNumber"] = block
    async with staged(node, other) as pair:
        agreed = await consensus(pair, 0.0)
    assert agreed.comparison.outcome == "pass"
    assert agreed.comparison.asked == 4
    assert LOOKS > 2


@pytest.mark.parametrize(
    ("sides", "outcome", "reason"),
    [
        ("cc", "warn", "baseline_parted"),
        ("c", "warn", "baseline_parted"),
        ("cb", "fail", "parted"),
        ("bb", "fail", "parted"),
        ("c.", "fail", "parted"),
        ("", "fail", "parted"),
    ],
)
async def test_references_say_who_stands_alone(sides: str, outcome: str, reason: str) -> None:
    """Most of all that were named must have the candidate's block; one that is silent has not."""
    node, other = Canned(Chain(100)), Canned(chain_of(100, parts_after=50))
    chains = {"b": node.chain, "c": other.chain}
    references = {
        f"r{index}": Canned(chains.get(side, Chain(100))) for index, side in enumerate(sides)
    }
    async with staged(node, other, **references) as pair:
        for one, side in zip(references.values(), sides, strict=True):
            if side == ".":
                await one.port.close()
        agreed = await consensus(pair, 0.0)
    assert (agreed.comparison.outcome, agreed.comparison.reason) == (outcome, reason)
    told = [line for line in agreed.comparison.lines if "of reference" in line.what]
    assert len(told) == len(sides.replace(".", ""))


async def test_node_that_is_not_there_or_has_no_block_is_unknown() -> None:
    """Nobody is accused of a fork that nobody saw; there is no pin."""
    node, other = Canned(Chain(100)), Canned(Chain(100))
    other.answers["eth_getBlockByNumber"] = None
    async with staged(node, other) as pair:
        empty = await consensus(pair, 0.0)
        await node.port.close()
        gone = await consensus(pair, 0.0)
    for agreed in (empty, gone):
        assert (agreed.comparison.outcome, agreed.pin) == ("unknown", None)
    assert "the candidate has no latest block" in empty.comparison.summary


async def test_node_without_the_block_that_is_compared_is_unknown() -> None:
    """A head whose chain cannot be shown proves nothing, and is named."""
    node, other = Canned(Chain(100)), Canned(Chain(100))
    other.answers["eth_getBlockByNumber"] = lambda params: (
        other.chain.block(100) if params[0] == "latest" else None
    )
    async with staged(node, other) as pair:
        agreed = await consensus(pair, 0.0)
    assert agreed.comparison.outcome == "unknown"
    assert f"the candidate has no block {100 - CONTESTED_DEPTH}" in agreed.comparison.summary


async def test_history_that_was_pruned_leaves_a_range() -> None:
    """What the candidate has not got cannot be the first difference."""
    node, other = Canned(Chain(1000)), Canned(chain_of(1000, parts_after=500))

    def block(params: list[str]) -> object:
        number = 1000 if params[0] == "latest" else int(params[0], 16)
        return other.chain.block(number) if number > 900 or not number else None

    other.answers["eth_getBlockByNumber"] = block
    async with staged(node, other) as pair:
        agreed = await consensus(pair, 0.0)
    assert agreed.comparison.outcome == "fail"
    assert "part between blocks 0 and 9" in agreed.comparison.summary
    assert agreed.pin is not None
    assert agreed.pin.number == 0
