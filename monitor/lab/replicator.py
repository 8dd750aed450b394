"""Copies the leader's blocks onto a follower, with the same hashes.

The follower gets the leader's raw transactions in block order and is told everything of the header
that it would otherwise choose itself. Conditions: one `Chain`, one version of anvil.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from monitor.lab.anvil import HASHES_ONLY, WITH_TRANSACTIONS, Anvil, Call, Json
from monitor.lab.errors import LabError, LabRpcError

ATTEMPTS_MAX = 3
"""How often a catch-up may begin anew because the leader reorganised meanwhile."""

NO_CODE_HASH = "0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
"""keccak256 of nothing: what an account without code has (EIP-1052)."""

_NOT_HEADER = {"hash", "size", "totalDifficulty", "transactions", "uncles", "withdrawals"}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the leader, with all that is needed to make it again."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    header: dict[str, Json]
    raws: tuple[str, ...]
    """The signed transactions, in block order."""


@dataclass(frozen=True, slots=True)
class CatchUp:
    """What a catch-up did, in blocks."""

    rolled_back: int
    applied: int


async def read_block(leader: Anvil, number: int) -> Block:
    """One block of the leader; raises LabError if it has none at that height."""
    answer = await leader.rpc("eth_getBlockByNumber", hex(number), WITH_TRANSACTIONS)
    if answer is None:
        message = f"{leader.name} has no block {number}"
        raise LabError(message)
    return await complete_block(leader, answer)


async def complete_block(leader: Anvil, answer: dict[str, Json]) -> Block:
    """A block as the leader described it, with the raw transactions fetched."""
    hashes = [transaction["hash"] for transaction in answer["transactions"]]
    raws = await leader.strict_batch([("eth_getRawTransactionByHash", one) for one in hashes])
    return Block(
        number=int(answer["number"], 16),
        hash=answer["hash"],
        parent_hash=answer["parentHash"],
        timestamp=int(answer["timestamp"], 16),
        header={key: value for key, value in answer.items() if key not in _NOT_HEADER},
        raws=tuple(raws),
    )


class Replicator:
    """Keeps one follower on the leader's chain."""

    def __init__(self, leader: Anvil, follower: Anvil) -> None:
        self.leader = leader
        self.follower = follower
        self._codes: Mapping[str, str] = {}
        """Contracts of the chain that was loaded."""

    async def apply(self, number: int) -> Block:
        """Copy the leader's block `number`; the follower's head must be its parent."""
        block = await read_block(self.leader, number)
        await self.replay(block)
        return block

    async def replay(self, block: Block) -> None:
        """Make `block` again on the follower; raises LabError where the hashes differ.

        The follower's own pending transactions stay out of the block and in its pool.
        """
        made = await self._make(block)
        if made["hash"] == block.hash:
            return
        if made["number"] == block.header["number"] and made["parentHash"] == block.parent_hash:
            # A client's transaction may have reached the pool after we looked at it.
            made = await self._make_again(block, made)
        if made["hash"] != block.hash:
            raise LabError(self._difference(block, made))

    async def load(self, dump: str) -> None:
        """Give an empty follower the chain of `anvil_dumpState` with its history."""
        accounts = msgspec.json.decode(gzip.decompress(bytes.fromhex(dump[2:])))["accounts"]
        self._codes = {
            address: account["code"]
            for address, account in accounts.items()
            if account["code"] != "0x"
        }
        await self.follower.rpc("anvil_loadState", dump)

    async def catch_up(self, upto: int | None = None) -> CatchUp:
        """Roll back to the common ancestor and replay up to `upto`, or up to the leader's head."""
        rolled_back = applied = 0
        for _ in range(ATTEMPTS_MAX):
            leader_head, follower_head = await asyncio.gather(
                _head(self.leader), _head(self.follower)
            )
            goal = leader_head if upto is None else min(upto, leader_head)
            ancestor, tip = await self._common_ancestor(min(goal, follower_head))
            if follower_head > ancestor:
                await self.follower.rpc("anvil_rollback", follower_head - ancestor)
                await self._restore_codes()
                rolled_back += follower_head - ancestor
            for number in range(ancestor + 1, goal + 1):
                block = await read_block(self.leader, number)
                if block.parent_hash != tip:
                    break
                await self.replay(block)
                tip = block.hash
                applied += 1
            else:
                return CatchUp(rolled_back, applied)
        message = f"{self.leader.name} reorganised {ATTEMPTS_MAX} times during one catch-up"
        raise LabError(message)

    async def _restore_codes(self) -> None:
        """Below the block it was loaded at, anvil knows the hashes of codes and not the codes."""
        for address, code in self._codes.items():
            proof, here = await self.follower.strict_batch(
                [("eth_getProof", address, [], "latest"), ("eth_getCode", address, "latest")]
            )
            if here == "0x" and proof["codeHash"] != NO_CODE_HASH:
                await self.follower.rpc("anvil_setCode", address, code)

    async def _common_ancestor(self, highest: int) -> tuple[int, str]:
        """The highest block up to `highest` that both have, found in a logarithm of the depth."""
        low, step, above = highest, 1, highest + 1
        found = await self._common_hash(low)
        while found is None:
            if low == 0:
                message = f"{self.follower.name} has another genesis than {self.leader.name}"
                raise LabError(message)
            above, low, step = low, max(0, low - step), step * 2
            found = await self._common_hash(low)
        while above - low > 1:
            middle = (low + above) // 2
            at_middle = await self._common_hash(middle)
            if at_middle is None:
                above = middle
            else:
                low, found = middle, at_middle
        return low, found

    async def _common_hash(self, number: int) -> str | None:
        ours, theirs = await asyncio.gather(
            self.leader.rpc("eth_getBlockByNumber", hex(number), HASHES_ONLY),
            self.follower.rpc("eth_getBlockByNumber", hex(number), HASHES_ONLY),
        )
        if ours is None or theirs is None or ours["hash"] != theirs["hash"]:
            return None
        return str(ours["hash"])

    async def _make(self, block: Block) -> dict[str, Json]:
        """The quick way, two requests: it suits a follower whose pool is empty."""
        status, *rest = await self.follower.batch(
            [("txpool_status",), *_settings(block), *_sends(block.raws)]
        )
        if isinstance(status, LabRpcError):
            raise status
        refused = any(isinstance(answer, LabRpcError) for answer in rest)
        if refused or int(status["pending"], 16) or int(status["queued"], 16):
            return await self._make_beside_pool(block, await self._own_pending(set(block.raws)))
        return await self._mine()

    async def _make_beside_pool(self, block: Block, own: list[str]) -> dict[str, Json]:
        """The careful way: empty the pool, send one by one, mine, put the pool back."""
        await self.follower.strict_batch([("anvil_dropAllTransactions",), *_settings(block)])
        for raw in block.raws:
            await self.follower.rpc("eth_sendRawTransaction", raw)
        made = await self._mine()
        for raw in own:
            # Refused where the block used its nonce: so it is on a real network.
            with suppress(LabRpcError):
                await self.follower.rpc("eth_sendRawTransaction", raw)
        return made

    async def _make_again(self, block: Block, made: dict[str, Json]) -> dict[str, Json]:
        raws = await self.follower.strict_batch(
            [("eth_getRawTransactionByHash", one["hash"]) for one in made["transactions"]]
        )
        await self.follower.rpc("anvil_rollback", 1)
        own = [raw for raw in raws if raw not in block.raws]
        return await self._make_beside_pool(
            block, own + await self._own_pending({*block.raws, *own})
        )

    async def _own_pending(self, others: set[str]) -> list[str]:
        """Raw transactions in the follower's pool that are not among `others`, nonces ascending."""
        content = await self.follower.rpc("txpool_content")
        waiting = [
            transaction
            for part in ("pending", "queued")
            for by_nonce in content[part].values()
            for transaction in by_nonce.values()
        ]
        waiting.sort(key=lambda transaction: int(transaction["nonce"], 16))
        raws = await self.follower.strict_batch(
            [("eth_getRawTransactionByHash", transaction["hash"]) for transaction in waiting]
        )
        return [raw for raw in raws if raw not in others]

    async def _mine(self) -> dict[str, Json]:
        made: list[dict[str, Json]] = await self.follower.rpc("evm_mine_detailed")
        return made[0]

    def _difference(self, block: Block, made: dict[str, Json]) -> str:
        fields = [
            f"{key} {made.get(key)} instead of {value}"
            for key, value in block.header.items()
            if made.get(key) != value
        ]
        return (
            f"block {block.number} has another hash on {self.follower.name} "
            f"than on {self.leader.name}: {'; '.join(fields) or 'no header field differs'}"
        )


async def self_test(leader: Anvil, follower: Anvil) -> None:
    """Mine two empty blocks on both; raises LabError unless their hashes are equal.

    Versions of anvil differ in what they put into a header (prevrandao is random in some), and a
    network whose hashes differ by themselves would prove nothing.
    """
    replicator = Replicator(leader, follower)
    await replicator.catch_up()
    for _ in range(2):
        mined = await leader.rpc("evm_mine_detailed")
        try:
            await replicator.replay(await complete_block(leader, mined[0]))
        except LabError as error:
            message = f"this anvil cannot make equal blocks on two nodes, another may: {error}"
            raise LabError(message) from error


async def _head(node: Anvil) -> int:
    return int(await node.rpc("eth_blockNumber"), 16)


def _settings(block: Block) -> list[Call]:
    """What anvil would choose by itself: beneficiary, time, and the base fee of the next block.

    `anvil_rollback` does not restore the next base fee, so it is always said.
    """
    return [
        ("anvil_setCoinbase", block.header["miner"]),
        ("evm_setNextBlockTimestamp", block.timestamp),
        ("anvil_setNextBlockBaseFeePerGas", block.header["baseFeePerGas"]),
    ]


def _sends(raws: tuple[str, ...]) -> list[Call]:
    return [("eth_sendRawTransaction", raw) for raw in raws]
