"""Answers with something else in them than the node said."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.lab.lies import other_bytes, other_number, skewed, with_other_state, with_wrong_logs


def _block(number: int) -> dict[str, Any]:
    return {"number": hex(number), "hash": "0x1", "parentHash": "0x2", "timestamp": hex(1000)}


def _log(number: int, index: int) -> dict[str, Any]:
    return {
        "blockNumber": hex(number),
        "logIndex": hex(index),
        "data": "0x0a",
        "topics": [],
        "address": "0xaa",
    }


def _receipt(number: int, *logs: dict[str, Any]) -> dict[str, Any]:
    return {"blockNumber": hex(number), "status": "0x1", "logs": list(logs)}


@pytest.mark.parametrize(
    ("number", "seconds", "timestamp"),
    [(9, 30, 1000), (10, 30, 1030), (11, -30, 970), (11, -2000, 0)],
)
def test_skewed_block_from_its_height_on_has_another_time(
    number: int, seconds: float, timestamp: int
) -> None:
    """The hash stays, no time is negative, and the blocks below are as they were."""
    block = _block(number)
    assert skewed(block, seconds, 10) == block | {"timestamp": hex(timestamp)}


@pytest.mark.parametrize("result", [None, "0x1", {"blockNumber": "0xff", "logs": []}])
def test_skewed_leaves_what_is_no_block_alone(result: object) -> None:
    """Only blocks and headers have a time to be shifted."""
    assert skewed(result, 30, 0) == result


@pytest.mark.parametrize(
    ("part", "left"), [("last", [(5, 0)]), ("all", []), ("data", [(5, 0), (6, 0)])]
)
def test_wrong_logs_of_a_filter(part: str, left: list[tuple[int, int]]) -> None:
    """One is missing, or all are, or one says something else, and the node's answer is whole."""
    logs = [_log(5, 0), _log(6, 0)]
    told = with_wrong_logs(logs, part, 0)
    assert [(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in told] == left
    assert [log["data"] for log in logs] == ["0x0a", "0x0a"]
    if part == "data":
        assert [log["data"] for log in told] == ["0x0a", "0xf5"]


@pytest.mark.parametrize(("part", "left"), [("last", [2, 1]), ("all", [0, 0]), ("data", [2, 2])])
def test_wrong_logs_of_receipts_keep_the_receipts(part: str, left: list[int]) -> None:
    """No receipt is missing; the logs are, in the last that has any."""
    receipts = [
        _receipt(5, _log(5, 0), _log(5, 1)),
        _receipt(5, _log(5, 2), _log(5, 3)),
        _receipt(5),
    ]
    told = with_wrong_logs(receipts, part, 5)
    assert [len(receipt["logs"]) for receipt in told] == [*left, 0]
    assert [len(receipt["logs"]) for receipt in receipts] == [2, 2, 0]
    assert (told[1]["logs"][-1:] == receipts[1]["logs"][-1:]) is False


def test_wrong_logs_of_one_receipt_are_its_own() -> None:
    """`eth_getTransactionReceipt` answers with one."""
    assert with_wrong_logs(_receipt(5, _log(5, 0)), "last", 0) == _receipt(5)
    assert with_wrong_logs(None, "last", 0) is None


def test_wrong_logs_below_the_height_are_right() -> None:
    """What is older than the fault stays."""
    logs = [_log(5, 0), _log(6, 0)]
    assert with_wrong_logs(logs, "all", 6) == logs[:1]
    assert with_wrong_logs(logs, "last", 7) == logs
    assert with_wrong_logs(_receipt(5, _log(5, 0)), "all", 6) == _receipt(5, _log(5, 0))


@pytest.mark.parametrize(
    ("method", "result", "told"),
    [
        ("eth_getBalance", "0x10", "0x11"),
        ("eth_getBalance", "0x0", "0x1"),
        ("eth_getTransactionCount", "0x5", "0x4"),
        ("eth_getStorageAt", "0x" + "00" * 32, "0x" + "00" * 31 + "ff"),
        ("eth_call", "0x0102", "0x01fd"),
        ("eth_call", "0x", "0x01"),
        ("eth_call", None, None),
        (
            "eth_getProof",
            {"balance": "0x10", "accountProof": ["0xf8"], "storageProof": [{"value": "0x2"}]},
            {"balance": "0x11", "accountProof": ["0xf8"], "storageProof": [{"value": "0x3"}]},
        ),
    ],
)
def test_other_state_is_another_value_of_the_same_kind(
    method: str, result: object, told: object
) -> None:
    """Quantities stay quantities, bytes keep their length, a proof keeps its nodes."""
    assert with_other_state(method, result) == told


def test_other_values_are_never_the_same() -> None:
    """A lie that tells the truth would prove nothing."""
    assert all(int(other_number(hex(n)), 16) != n for n in range(20))
    assert all(other_bytes(f"0x{n:02x}") != f"0x{n:02x}" for n in range(256))
