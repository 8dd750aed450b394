"""Strict at the edge: what is not as the specification says is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from monitor.lab.anvil import Anvil
from monitor.model import Head
from monitor.rpc import decode

HASH = "0x" + "ab" * 32
PARENT = "0x" + "cd" * 32
BLOCK = {"number": "0x10", "hash": HASH, "parentHash": PARENT, "timestamp": "0x64"}


def encoded(value: object) -> bytes:
    return msgspec.json.encode(value)


def test_header_becomes_a_head() -> None:
    """Numbers are numbers, hashes lower case; fields that nobody reads cost nothing."""
    shouted = {**BLOCK, "hash": HASH.upper().replace("X", "x"), "transactions": [1, {"a": None}]}
    header = decode.header.decode(encoded(shouted))
    assert header is not None
    assert header.head() == Head(16, HASH, PARENT, 100)  # type: ignore[arg-type]


def test_header_null_is_none() -> None:
    """There is no such block."""
    assert decode.header.decode(b"null") is None


@pytest.mark.parametrize("number", ["0x0", "0x00", "0x0010", "0xFf", "0x" + "f" * 64])
def test_quantity_with_leading_zeros_or_any_case_is_read(number: str) -> None:
    """Several clients send zeros that the specification forbids; the number is the same."""
    assert int(decode.quantity.decode(encoded(number)), 16) == int(number, 16)


@pytest.mark.parametrize(
    "number", ["", "0x", "10", "0xg", "-0x1", "0x 1", "0x1 ", " 0x1", "0x" + "f" * 65, 16, None]
)
def test_quantity_of_another_shape_is_refused(number: Any) -> None:
    """Neither a bare number nor 257 bits."""
    with pytest.raises(msgspec.ValidationError):
        decode.quantity.decode(encoded(number))


@pytest.mark.parametrize(
    "change",
    [
        {"number": None},
        {"number": 16},
        {"hash": None},
        {"hash": "0x12"},
        {"hash": HASH[2:]},
        {"hash": HASH + "00"},
        {"hash": HASH[:-1] + "z"},
        {"hash": HASH + "\n"},
        {"number": "0x10\n"},
        {"parentHash": "0x"},
        {"timestamp": "yesterday"},
    ],
    ids=str,
)
def test_header_with_a_bad_field_is_refused(change: dict[str, Any]) -> None:
    """A pending block has no hash and no number: it is not a head."""
    with pytest.raises(msgspec.ValidationError):
        decode.header.decode(encoded(BLOCK | change))


@pytest.mark.parametrize("field", BLOCK)
def test_header_without_a_field_is_refused(field: str) -> None:
    """A missing field is an error and not a default."""
    short = {name: value for name, value in BLOCK.items() if name != field}
    with pytest.raises(msgspec.ValidationError, match=field):
        decode.header.decode(encoded(short))


@pytest.mark.parametrize("body", ["{}", "[]", '"0x1"', "false", "7"])
def test_header_that_is_no_block_is_refused(body: str) -> None:
    """`false` is what eth_syncing says, and no block."""
    with pytest.raises(msgspec.ValidationError):
        decode.header.decode(body)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        ({"code": -32000, "message": "x", "data": {"deep": [1]}}, decode.RawError(-32000, "x")),
        ({"message": "x"}, decode.RawError(0, "x")),
        ({"code": 3}, decode.RawError(3, "")),
        ({}, decode.RawError(0, "")),
        ("x", "x"),
        (None, None),
    ],
)
def test_answer_with_an_error_of_any_dress_is_read(error: Any, found: Any) -> None:
    """One of them leaves out the code (ganache), proxies the message or the object."""
    answer = decode.answers.decode(encoded({"id": 1, "error": error}))
    assert isinstance(answer, decode.RawAnswer)
    assert answer.error == found
    assert bytes(answer.result) == b""


def test_answer_keeps_its_result_undecoded() -> None:
    """The result is its reader's to decode: null, false and 0 are results too."""
    bodies = [b"null", b"false", b"0", b'{"a": [1]}']
    for body in bodies:
        answer = decode.answers.decode(b'{"id": 1, "result": ' + body + b"}")
        assert isinstance(answer, decode.RawAnswer)
        assert bytes(answer.result) == body


def test_notice_of_a_head_is_read() -> None:
    """As go-ethereum sends it."""
    params = {"subscription": "0x9c", "result": BLOCK}
    notice = decode.notice.decode(encoded({"jsonrpc": "2.0", "params": params}))
    assert notice.params is not None
    assert notice.params.result.head().number == 16
    assert (notice.id, notice.result, notice.error) == (None, None, None)


def test_notice_of_something_else_is_refused() -> None:
    """A log is not a head."""
    params = {"subscription": "0x9c", "result": {"address": "0x00", "topics": []}}
    with pytest.raises(msgspec.ValidationError):
        decode.notice.decode(encoded({"params": params}))


async def test_every_block_of_a_real_node_is_read(anvil: Anvil) -> None:
    """Genesis, latest, and all between, each linked to its parent."""
    heads = []
    for number in range(21):
        block = await anvil.rpc("eth_getBlockByNumber", hex(number), False)
        header = decode.header.decode(encoded(block))
        assert header is not None
        heads.append(header.head())
    assert [head.number for head in heads] == list(range(21))
    assert [head.parent_hash for head in heads[1:]] == [head.hash for head in heads[:-1]]


def test_batch_with_an_entry_that_is_no_response_keeps_the_others() -> None:
    """A null or an error with a code in words costs its own call its answer, and no other."""
    body = b'[{"id":1,"result":"0x1"},null,{"id":2,"error":{"code":"bad"}},{"id":3,"result":"0x3"}]'
    read = decode.read_answers(body)
    assert isinstance(read, list)
    assert [answer.id for answer in read] == [1, 3]


@pytest.mark.parametrize("body", [b"null", b"7", b'{"id": []}', b"[", b"not json"])
def test_body_that_is_no_response_at_all_raises(body: bytes) -> None:
    """There is nothing to keep, and the caller is told."""
    with pytest.raises(msgspec.DecodeError):
        decode.read_answers(body)
