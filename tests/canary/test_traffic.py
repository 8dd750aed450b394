"""Recorded requests: read strictly, pinned, and never one that writes."""

from __future__ import annotations

import json

import pytest

from monitor.canary.differences import Json
from monitor.canary.questions import Question
from monitor.canary.traffic import (
    BY_HASH,
    BY_NAME,
    BY_NUMBER,
    LINE_CHARACTERS_MAX,
    LOGS,
    MOVING,
    OPTIONAL,
    Pin,
    Request,
    TrafficError,
    pinned,
    read,
)

HASH = "0x" + "a" * 64
PIN = Pin(100, HASH)
AT_HASH = {"blockHash": HASH}
CALL = {"to": "0x1", "data": "0x"}


def test_lines_are_read_one_at_a_time_and_empty_ones_are_none() -> None:
    """Nothing beyond the line that is asked for is read; an id is nobody's business."""
    lines = iter(['{"method": "eth_chainId", "id": 7}\n', "\n", "nonsense"])
    requests = read(lines)
    assert next(requests) == Request("eth_chainId", ())
    with pytest.raises(TrafficError, match="line 3 is not JSON"):
        next(requests)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[]", "is no object"),
        ("{}", "has no method"),
        ('{"method": ""}', "has no method"),
        ('{"method": 7}', "has no method"),
        ('{"method": "eth_call", "params": {}}', "has params that are no list"),
        ("[" * 100_000, "is not JSON"),
        ('"' + "x" * LINE_CHARACTERS_MAX + '"', "is longer than"),
    ],
    ids=("list", "empty", "nameless", "number", "named", "deep", "long"),
)
def test_line_that_is_no_request_is_refused_by_its_number(line: str, said: str) -> None:
    """And nothing of it is repeated, which may be secret."""
    with pytest.raises(TrafficError, match=f"^line 2 {said}"):
        list(read(['{"method": "eth_chainId"}', line]))


@pytest.mark.parametrize(
    ("method", "params", "wanted"),
    [
        ("eth_call", [CALL, "latest"], [CALL, AT_HASH]),
        ("eth_call", [CALL], [CALL, AT_HASH]),
        ("eth_call", [CALL, None], [CALL, AT_HASH]),
        ("eth_call", [CALL, "finalized"], [CALL, AT_HASH]),
        ("eth_call", [CALL, "0x5"], [CALL, "0x5"]),
        ("eth_call", [CALL, "0x64"], [CALL, "0x64"]),
        ("eth_call", [CALL, "earliest"], [CALL, "earliest"]),
        ("eth_call", [CALL, "latest", {}], [CALL, AT_HASH, {}]),
        ("eth_getBalance", ["0x1", {"blockHash": "0xb"}], ["0x1", {"blockHash": "0xb"}]),
        ("eth_getProof", ["0x1", [], "latest"], ["0x1", [], AT_HASH]),
        ("eth_getBlockByNumber", ["latest", True], ["0x64", True]),
        ("eth_feeHistory", ["0x4", "latest", []], ["0x4", "0x64", []]),
        (
            "eth_getLogs",
            [{"fromBlock": "0x1", "topics": []}],
            [{"fromBlock": "0x1", "topics": [], "toBlock": "0x64"}],
        ),
        ("eth_getLogs", [{"blockHash": "0xb"}], [{"blockHash": "0xb"}]),
        ("eth_getLogs", [], []),
        ("eth_getTransactionReceipt", ["0xc"], ["0xc"]),
        ("eth_getBlockByNumber", [], []),
        ("eth_getBlockByNumber", ["0xzz", True], ["0xzz", True]),
        ("eth_getBalance", [], []),
        ("eth_getBlockByNumber", [7, True], [7, True]),
        ("eth_getBlockByNumber", ["0x" + "f" * 40, True], ["0x" + "f" * 40, True]),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_request_is_about_a_block_that_both_have(
    method: str, params: list[Json], wanted: list[Json]
) -> None:
    """A tag that moves becomes the pin, by hash where the method takes one."""
    found = pinned(Request(method, tuple(params)), PIN)
    assert isinstance(found, Question)
    assert (list(found.params), found.is_pinned) == (wanted, True)


@pytest.mark.parametrize(
    ("method", "params", "why"),
    [
        ("eth_call", [CALL, "0x65"], "above"),
        ("eth_call", [CALL, "pending"], "pending"),
        ("eth_getLogs", [{"fromBlock": "0x65"}], "above"),
        ("eth_getLogs", [{"toBlock": "pending"}], "pending"),
        ("eth_sendRawTransaction", ["0x02"], "unsafe"),
        ("eth_sendTransaction", [{}], "unsafe"),
        ("eth_newFilter", [{}], "unsafe"),
        ("eth_subscribe", ["newHeads"], "unsafe"),
        ("engine_forkchoiceUpdatedV3", [], "unsafe"),
        ("admin_addPeer", [], "unsafe"),
        ("debug_setHead", ["0x1"], "unsafe"),
        ("anvil_mine", [], "unsafe"),
        ("personal_unlockAccount", [], "unsafe"),
        ("", [], "unsafe"),
    ],
)
def test_request_that_may_change_something_or_cannot_be_compared_is_not_put(
    method: str, params: list[Json], why: str
) -> None:
    """Only what is known to be safe is put: whatever is not in the tables is not."""
    assert pinned(Request(method, tuple(params)), PIN) == why


@pytest.mark.parametrize("method", sorted(MOVING))
def test_answer_that_is_each_node_s_own_is_not_compared(method: str) -> None:
    """Only whether the method is served."""
    found = pinned(Request(method, ()), PIN)
    assert isinstance(found, Question)
    assert not found.is_pinned


def test_tables_hold_no_method_twice_and_none_that_writes() -> None:
    """A method is pinned in one way."""
    tables = [set(BY_HASH), set(BY_NUMBER), set(BY_NAME), set(MOVING), {LOGS}]
    every = [method for table in tables for method in table]
    assert len(every) == len(set(every))
    assert {*BY_HASH, *BY_NUMBER} >= OPTIONAL
    assert not any("send" in method or "sign" in method for method in every)
