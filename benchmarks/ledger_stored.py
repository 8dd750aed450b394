"""Events back into the logs that contracts make of them: what a store holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.ledger_history import HUB, POOL, address
from monitor.ledger.logs import TOPICS_MAX, schema
from monitor.ledger.v1.discovery import Contracts
from monitor.model import Address
from monitor.poco.v1 import declared
from monitor.poco.v1.events import Logged

if TYPE_CHECKING:
    import pyarrow as pa

MARKETPLACE, TOKEN = address(7, 1), address(7, 2)
CONTRACTS = Contracts(HUB, MARKETPLACE, TOKEN, *(address(7, number) for number in (3, 4, 5)))
TABLES = (
    (HUB, declared.HUB),
    (MARKETPLACE, declared.MARKETPLACE),
    (POOL, declared.POOL),
    (TOKEN, declared.TOKEN),
)
BY_CLASS = {row.make: (emitter, row) for emitter, table in TABLES for row in table}
LOGS_A_BATCH = 25_000
"""Of a sealed file's row group."""


def batches(logged: Sequence[Logged]) -> list[pa.RecordBatch]:
    """The logs of these events."""
    import pyarrow as pa

    return [
        pa.RecordBatch.from_pylist(
            [_row(one) for one in logged[first : first + LOGS_A_BATCH]], schema=schema()
        )
        for first in range(0, len(logged), LOGS_A_BATCH)
    ]


def _row(logged: Logged) -> dict[str, Any]:
    block, index, transaction, event = logged
    emitter, row = BY_CLASS[type(event)]
    values = iter(event[1:] if emitter == POOL else event)
    topics = [bytes.fromhex(row.topic)]
    head: list[bytes] = []
    tail: list[bytes] = []
    for kind, *words in map(str.split, row.solidity.rstrip(")").partition("(")[2].split(", ")):
        value = next(values) if words not in ([], ["indexed"]) else None
        if kind == "string":
            tail.append(str(value or "").encode())
        (topics if "indexed" in words else head).append(_word(kind, value))
    data = b"".join(head)
    for text in tail:
        at = data.index(STRING)
        start, padded = len(data), text + bytes(-len(text) % 32)
        data = data[:at] + start.to_bytes(32) + data[at + 32 :] + len(text).to_bytes(32) + padded
    named = {f"topic{place}": topic for place, topic in enumerate(topics)}
    return {
        "block": block,
        "log_index": index,
        "block_hash": block.to_bytes(32),
        "transaction": bytes.fromhex(transaction[2:]),
        "address": bytes.fromhex(emitter[2:]),
        **dict.fromkeys(f"topic{place}" for place in range(TOPICS_MAX)),
        **named,
        "data": data,
    }


STRING = b"\xff" * 32
"""Where the place of a string will stand."""


def _word(kind: str, value: Address | int | str | None) -> bytes:
    if kind == "string":
        return STRING
    if isinstance(value, int):
        return value.to_bytes(32)
    return bytes.fromhex((value or "0x")[2:]).rjust(32, b"\0")
