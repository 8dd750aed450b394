"""The chain as a faulty node shows it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from monitor.lab.view import Reply, View, altered, altered_hash

BEHIND = View(real=100, shown=97)
AHEAD = View(real=100, shown=103)
LYING = View(real=0, shown=0, lies_from=50)


def _hash(number: int) -> str:
    return f"0x{number:064x}"


def _block(number: int) -> dict[str, Any]:
    return {
        "number": hex(number),
        "hash": _hash(number),
        "parentHash": _hash(number - 1),
        "transactions": [],
    }


@pytest.mark.parametrize(
    ("method", "params", "asked"),
    [
        ("eth_blockNumber", [], Reply(hex(97))),
        ("eth_getBlockByNumber", ["latest", False], [hex(97), False]),
        ("eth_getBlockByNumber", ["safe", False], [hex(93), False]),
        ("eth_getBlockByNumber", ["finalized", False], [hex(89), False]),
        ("eth_getBlockByNumber", ["earliest", False], ["earliest", False]),
        ("eth_getBlockByNumber", [hex(97), False], [hex(97), False]),
        ("eth_getBlockByNumber", [hex(98), False], Reply(None)),
        ("eth_getBalance", ["0xaa"], ["0xaa", hex(97)]),
        ("eth_getBalance", ["0xaa", "latest"], ["0xaa", hex(97)]),
        ("eth_getBalance", ["0xaa", hex(98)], Reply(error=(-32000, "header not found"))),
        ("eth_call", [{}, {"blockNumber": hex(98)}], Reply(error=(-32000, "header not found"))),
        ("eth_getStorageAt", ["0xaa", "0x0"], ["0xaa", "0x0", hex(97)]),
        ("eth_chainId", [], []),
        ("eth_getLogs", [{"fromBlock": "0x1"}], [{"fromBlock": "0x1", "toBlock": hex(97)}]),
        (
            "eth_getLogs",
            [{"fromBlock": hex(99), "toBlock": "latest"}],
            [{"fromBlock": hex(97), "toBlock": hex(97)}],
        ),
        ("eth_getLogs", [{"blockHash": "0xbb"}], [{"blockHash": "0xbb"}]),
    ],
)
def test_view_behind_asks_as_if_the_chain_were_shorter(
    method: str, params: list[Any], asked: object
) -> None:
    """Heads, tags, heights and state all stand at the shown head, none beyond it."""
    assert BEHIND.ask(method, params) == asked


def test_view_behind_hides_what_is_found_by_hash() -> None:
    """Blocks, receipts and inclusions beyond the shown head do not exist yet."""
    late = {"hash": "0xcc", "blockNumber": hex(98), "blockHash": _hash(98), "transactionIndex": 0}
    assert BEHIND.show("eth_getBlockByHash", ["0x"], _block(98)) is None
    assert BEHIND.show("eth_getBlockByHash", ["0x"], _block(97)) == _block(97)
    assert BEHIND.show("eth_getTransactionReceipt", ["0xcc"], late) is None
    pending = BEHIND.show("eth_getTransactionByHash", ["0xcc"], late)
    assert pending == late | {"blockHash": None, "blockNumber": None, "transactionIndex": None}


def test_view_behind_genesis_stays_at_genesis() -> None:
    """No height is negative."""
    view = View(real=5, shown=0)
    assert view.ask("eth_getBlockByNumber", ["finalized", False]) == ["0x0", False]


def test_view_ahead_claims_linked_blocks_that_do_not_exist() -> None:
    """The invented blocks hang together and hang on the real head; real blocks are untouched."""
    shown = {}
    for number in (101, 102, 103):
        params = [hex(number), False]
        assert AHEAD.ask("eth_getBlockByNumber", params) == ["latest", False]
        shown[number] = AHEAD.show("eth_getBlockByNumber", params, _block(100))
    assert shown[101]["parentHash"] == _hash(100)
    assert shown[102]["parentHash"] == shown[101]["hash"]
    assert shown[103]["parentHash"] == shown[102]["hash"]
    assert [int(block["number"], 16) for block in shown.values()] == [101, 102, 103]
    latest = AHEAD.show("eth_getBlockByNumber", ["latest", False], _block(100))
    assert latest == shown[103]
    assert AHEAD.show("eth_getBlockByNumber", [hex(100), False], _block(100)) == _block(100)
    assert AHEAD.ask("eth_getBlockByNumber", [hex(104), False]) == Reply(None)
    assert AHEAD.ask("eth_getBlockByNumber", ["finalized", False]) == ["finalized", False]
    assert AHEAD.ask("eth_blockNumber", []) == Reply(hex(103))


def test_view_lying_alters_a_linked_chain_from_its_height_on() -> None:
    """Below the height nothing changes; above it every parent hash is the parent's altered hash."""
    blocks = [LYING.show("eth_getBlockByNumber", [hex(n)], _block(n)) for n in range(48, 54)]
    assert [block["hash"] != _hash(48 + i) for i, block in enumerate(blocks)] == [
        False,
        False,
        True,
        True,
        True,
        True,
    ]
    for parent, child in pairwise(blocks):
        assert child["parentHash"] == parent["hash"]


def test_altered_receipts_and_logs_name_the_same_lie() -> None:
    """Wherever a block's hash is named, it is the altered one."""
    log = {"blockNumber": hex(60), "blockHash": _hash(60), "data": "0x"}
    receipt = {"blockNumber": hex(60), "blockHash": _hash(60), "logs": [log]}
    lie = altered_hash(_hash(60))
    assert altered(receipt, 50)["blockHash"] == lie
    assert altered(receipt, 50)["logs"][0]["blockHash"] == lie
    assert altered([log], 61) == [log]
    assert altered_hash(lie) == _hash(60)


@pytest.mark.parametrize("result", [None, "0x1", 7, True, {"oldestBlock": "0x1"}])
def test_altered_leaves_answers_without_hashes_alone(result: object) -> None:
    """Only what names a block is changed."""
    assert altered(result, 0) == result
