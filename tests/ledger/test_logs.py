"""Answers to `eth_getLogs`: read whole, in order, each log once, or refused with the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.logs import (
    ROWS_AT_ONCE,
    Asked,
    BadLogs,
    Log,
    between,
    merged,
    no_logs,
    ordered,
    read_logs,
    rows,
    schema,
)
from monitor.model import Address
from tests.ledger.wire_logs import HUB, MARKET, TOPICS, block_hash, log_of, logs_in, wire
from tests.rpc.canned import Json

if TYPE_CHECKING:
    import pyarrow as pa

ASKED = Asked(frozenset((HUB, MARKET)), 100, 200)


def read(objects: Json, asked: Asked = ASKED) -> pa.RecordBatch:
    """Read what a node writes."""
    return read_logs(json.dumps(objects).encode(), asked)


def read_all(logs: list[Log]) -> pa.RecordBatch:
    """Read logs of any block and address."""
    addresses = frozenset(Address("0x" + log.address.hex()) for log in logs)
    return read([wire(log) for log in logs], Asked(addresses, 0, 2**63 - 1))


# -- reading ---------------------------------------------------------------------------------------


def test_read_logs_gives_the_columns() -> None:
    """Every value where it belongs, and the schema as it is told."""
    log = log_of(150, 3, MARKET, *TOPICS[:2], data=b"\x00\xff")
    batch = read([wire(log)])
    assert batch.schema.equals(schema())
    assert batch.to_pylist() == [
        {
            "block": 150,
            "log_index": 3,
            "block_hash": block_hash(150),
            "transaction": log.transaction,
            "address": bytes.fromhex(MARKET[2:]),
            "topic0": TOPICS[0],
            "topic1": TOPICS[1],
            "topic2": None,
            "topic3": None,
            "data": b"\x00\xff",
        }
    ]


def test_read_logs_of_none_is_an_empty_batch() -> None:
    """No logs is an answer."""
    batch = read([])
    assert (batch.num_rows, batch.schema.equals(schema())) == (0, True)
    assert list(rows(batch)) == []


def test_read_logs_takes_any_case_and_leading_zeros() -> None:
    """Hex in upper case, and quantities with leading zeros, which several clients send."""
    plain = wire(log_of(171, 11, HUB, *TOPICS, data=b"\xab\xcd"))
    odd = plain | {
        "blockNumber": "0x00AB",
        "logIndex": "0x0B",
        "address": "0x" + HUB[2:].upper(),
        "data": "0xABCD",
        "blockHash": "0x" + plain["blockHash"][2:].upper(),
    }
    assert read([odd]).equals(read([plain]))


@st.composite
def any_logs(draw: st.DrawFn) -> list[Log]:
    """Logs at different places, in any order."""
    places = draw(st.sets(st.tuples(st.integers(0, 2**62), st.integers(0, 2**31 - 1)), max_size=8))
    hashes = st.binary(min_size=32, max_size=32)
    return [
        Log(
            block,
            index,
            draw(hashes),
            draw(st.sampled_from((b"\x01" * 20, b"\xff" * 20))),
            tuple(draw(st.lists(hashes, max_size=4))),
            draw(st.binary(max_size=70)),
        )
        for block, index in draw(st.permutations(sorted(places)))
    ]


@given(any_logs(), st.data())
def test_read_logs_then_rows_gives_each_log_once_in_order(
    logs: list[Log], data: st.DataObject
) -> None:
    """However they came, and however often each: sorted by block and index."""
    again = data.draw(st.lists(st.sampled_from(logs), max_size=3)) if logs else []
    batch = read_all(data.draw(st.permutations(logs + again)))
    assert list(rows(batch)) == sorted(logs)


@pytest.mark.parametrize("count", [ROWS_AT_ONCE - 1, ROWS_AT_ONCE, ROWS_AT_ONCE + 1])
def test_rows_of_many_are_all_of_them(count: int) -> None:
    """Over the bounds of what is turned into objects at once."""
    logs = logs_in(range(100, 100 + count))
    assert list(rows(read_all(logs))) == logs


# -- what is refused -------------------------------------------------------------------------------

SECOND = "log 1 of 2 (block 151, index 0)"
HASH_HEX, ODD = "0x" + "12" * 32, "0x123"
BAD_FIELDS = [
    ("removed", True, f"{SECOND} was removed by a reorg"),
    ("blockNumber", None, "log 1 of 2 (block unknown, index 0) has no block_number that is a"),
    ("blockNumber", "0x", "log 1 of 2 (block unknown, index 0) has no block_number"),
    ("blockNumber", "151", "log 1 of 2 (block unknown, index 0) has no block_number"),
    ("blockNumber", "0x-1", "log 1 of 2 (block unknown, index 0) has no block_number"),
    ("blockNumber", hex(2**63), f"log 1 of 2 (block {2**63}, index 0) has no block_number"),
    ("blockNumber", hex(2**63 - 1), f"log 1 of 2 is of block {2**63 - 1}, asked for 100 to 200"),
    ("blockNumber", hex(99), "log 1 of 2 is of block 99, asked for 100 to 200"),
    ("blockNumber", hex(201), "log 1 of 2 is of block 201, asked for 100 to 200"),
    ("logIndex", None, "log 1 of 2 (block 151, index unknown) has no log_index"),
    ("logIndex", hex(2**31), f"log 1 of 2 (block 151, index {2**31}) has no log_index"),
    ("blockHash", None, f"{SECOND} has no block_hash of 32 bytes of hex"),
    ("blockHash", ODD, f"{SECOND} has no block_hash of 32 bytes of hex"),
    ("blockHash", "0x" + "zz" * 32, f"{SECOND} has no block_hash of 32 bytes of hex"),
    ("blockHash", "12" * 33, f"{SECOND} has no block_hash of 32 bytes of hex"),
    ("transactionHash", None, f"{SECOND} has no transaction_hash of 32 bytes of hex"),
    ("transactionHash", HUB, f"{SECOND} has no transaction_hash of 32 bytes of hex"),
    ("address", "0x" + "cc" * 20, f"{SECOND} is of an address not asked for"),
    ("address", "", f"{SECOND} is of an address not asked for"),
    ("topics", [HASH_HEX] * 5, f"{SECOND} has more than 4 topics"),
    ("topics", [HASH_HEX, ODD], f"{SECOND} has a topic that is not 32 bytes of hex"),
    ("topics", ["0x" + "é" * 64], f"{SECOND} has a topic that is not 32 bytes of hex"),
    ("data", "", f"{SECOND} has data that is not bytes of hex"),
    ("data", ODD, f"{SECOND} has data that is not bytes of hex"),
    ("data", "0x0x", f"{SECOND} has data that is not bytes of hex"),
    ("data", "0xgg", f"{SECOND} has data that is not bytes of hex"),
    ("data", None, "not a list of logs"),
    ("topics", None, "not a list of logs"),
    ("topics", [None], "not a list of logs"),
    ("address", 7, "not a list of logs"),
    ("blockNumber", 151, "not a list of logs"),
    ("removed", "no", "not a list of logs"),
]


@pytest.mark.parametrize(("name", "value", "said"), BAD_FIELDS)
def test_read_logs_of_a_bad_field_is_refused_with_its_place(
    name: str, value: Json, said: str
) -> None:
    """Which of the logs, of which block and index, and what is wrong with it."""
    first, second = wire(log_of(150, 0)), wire(log_of(151, 0))
    with pytest.raises(BadLogs) as caught:
        read([first, second | {name: value}])
    assert caught.value.detail.startswith(said)
    assert caught.value.reason == "bad_logs"


@pytest.mark.parametrize(
    "name", ["blockNumber", "blockHash", "transactionHash", "logIndex", "address", "topics", "data"]
)
def test_read_logs_without_a_field_is_refused(name: str) -> None:
    """What is missing is never made up."""
    log = wire(log_of(150, 0))
    del log[name]
    with pytest.raises(BadLogs):
        read([log])


def test_read_logs_without_removed_is_taken() -> None:
    """Some clients leave it out."""
    log = wire(log_of(150, 0))
    del log["removed"]
    assert read([log]).num_rows == 1


@pytest.mark.parametrize(
    "raw", [b"null", b"{}", b'"0x"', b"[1]", b"[[]]", b"[", b"", b"\xff", b"[" * 100_000]
)
def test_read_logs_of_something_else_is_refused(raw: bytes) -> None:
    """A result that is no list of logs at all."""
    with pytest.raises(BadLogs, match=r"^not a list of logs"):
        read_logs(raw, ASKED)


def test_read_logs_at_the_bounds_are_taken() -> None:
    """The first and the last block that were asked for."""
    assert read([wire(log_of(100, 0)), wire(log_of(200, 2**31 - 1))]).num_rows == 2


# -- order and duplicates --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"data": "0x01"},
        {"topics": []},
        {"address": MARKET},
        {"transactionHash": HASH_HEX},
        {"blockHash": HASH_HEX},
    ],
)
def test_read_logs_of_two_at_one_place_is_refused(changed: Json) -> None:
    """Exact duplicates are dropped; two that differ cannot both be of the chain."""
    log = wire(log_of(150, 7))
    assert read([log, wire(log_of(160, 0)), log]).num_rows == 2
    with pytest.raises(BadLogs, match=r"^two different logs at block 150, index 7$"):
        read([log, wire(log_of(160, 0)), log | changed])


def test_read_logs_of_two_hashes_of_a_block_is_refused() -> None:
    """Logs of two chains: a reorg under way, or a node that mixes."""
    one, other = wire(log_of(150, 7)), wire(log_of(150, 8)) | {"blockHash": HASH_HEX}
    with pytest.raises(BadLogs, match=f"^two hashes of block 150: 0x{block_hash(150).hex()} and"):
        read([one, other])
    assert read([one, other | {"blockNumber": hex(151)}]).num_rows == 2


def test_ordered_leaves_what_is_in_order_as_it_is() -> None:
    """No copy is made of what needs none."""
    batch = read_all(logs_in(range(100, 110), 2))
    assert ordered(batch) is batch


def test_merged_is_in_order_without_what_two_have() -> None:
    """Batches of several addresses, or of ranges that overlap."""
    hub = read_all([log_of(150, 0), log_of(152, 0)])
    market = read_all([log_of(151, 0, MARKET), log_of(152, 0)])
    found = merged([hub, no_logs(), market])
    assert [log.block for log in rows(found)] == [150, 151, 152]
    assert merged([]).num_rows == 0
    assert merged([no_logs(), hub]) is hub
    other = read_all([log_of(152, 0, MARKET)])
    with pytest.raises(BadLogs, match="two different logs"):
        merged([hub, other])


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [(0, 999, 20), (100, 109, 20), (101, 103, 6), (109, 109, 2), (110, 200, 0), (105, 104, 0)],
)
def test_between_takes_both_bounds(first: int, last: int, count: int) -> None:
    """The blocks of a range, with all their logs."""
    found = between(read_all(logs_in(range(100, 110), 2)), first, last)
    assert found.num_rows == count
    assert all(first <= log.block <= last for log in rows(found))
    assert between(no_logs(), first, last).num_rows == 0


# -- topics ----------------------------------------------------------------------------------------

Asking = Callable[[frozenset[bytes]], Asked]
POSITIONS: tuple[Asking, ...] = (
    lambda topics: Asked(frozenset((HUB,)), 0, 999, topics),
    lambda topics: Asked(frozenset((HUB,)), 0, 999, topic1=topics),
    lambda topics: Asked(frozenset((HUB,)), 0, 999, topic2=topics),
)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_read_logs_of_topics_not_asked_for_is_refused(position: int) -> None:
    """A node that does not heed the filter is not believed to heed the rest of it."""
    asking = POSITIONS[position]
    logs = [wire(log_of(1, 0, HUB, *TOPICS)), wire(log_of(1, 1, HUB, *TOPICS))]
    assert read(logs, asking(frozenset(TOPICS))).num_rows == 2
    said = f"^log 0 of 2 has a topic {position} that was not asked for$"
    with pytest.raises(BadLogs, match=said):
        read(logs, asking(frozenset((b"\x09" * 32,))))


@pytest.mark.parametrize("position", [0, 1, 2])
def test_read_logs_with_fewer_topics_than_asked_for_is_refused(position: int) -> None:
    """A log without the topic cannot have been meant."""
    full, few = wire(log_of(1, 0, HUB, *TOPICS)), wire(log_of(1, 1)) | {"topics": []}
    few["topics"] = full["topics"][:position]
    with pytest.raises(BadLogs, match=f"^log 1 of 2 has no topic {position} as asked for$"):
        read([full, few], POSITIONS[position](frozenset(TOPICS)))
