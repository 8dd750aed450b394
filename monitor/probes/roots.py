"""What the header of the pinned block commits to, in the words of the references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from monitor.judge.answer import agreed
from monitor.model import BlockNumber, BlockStamp, Hash32
from monitor.probes.asked import Asked, Pin
from monitor.probes.receipts import HexBloom
from monitor.rpc.decode import HexHash, Quantity

METHOD = "eth_getBlockByHash"


@dataclass(frozen=True, slots=True)
class Roots:
    """A block and the roots in its header."""

    stamp: BlockStamp
    state_root: Hash32
    receipts_root: Hash32
    logs_bloom: str


class _RawRoots(msgspec.Struct, rename="camel", frozen=True):
    """Of a block object (execution-apis, `Block`)."""

    number: Quantity
    hash: HexHash
    timestamp: Quantity
    state_root: HexHash
    receipts_root: HexHash
    logs_bloom: HexBloom


_raw: msgspec.json.Decoder[_RawRoots] = msgspec.json.Decoder(_RawRoots)


class _RootsDecoder:
    def decode(self, raw: msgspec.Raw, /) -> Roots:
        """The roots of one block; raises what msgspec raises, of `null` as well."""
        block = _raw.decode(raw)
        return Roots(
            BlockStamp(
                BlockNumber(int(block.number, 16)),
                Hash32(block.hash.lower()),
                int(block.timestamp, 16),
            ),
            Hash32(block.state_root.lower()),
            Hash32(block.receipts_root.lower()),
            block.logs_bloom.lower(),
        )


ROOTS: Final = _RootsDecoder()


async def believed_roots(asked: Asked[Any], pin: Pin) -> Roots | None:
    """What a majority says is in the header of this block; None where there is no majority.

    One call a reference, for all nodes and checks that ask in the same round.
    """
    answers = await asked.panel.ask(METHOD, (pin.hash, False), ROOTS)
    roots = agreed(answers, asked.round.need)
    return roots if roots is not None and roots.stamp.hash == pin.hash else None
