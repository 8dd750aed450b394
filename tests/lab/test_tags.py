"""What the block tags name on a node whose finality is faulty."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.lab.faults import Fault
from monitor.lab.tags import Tags, asked, named
from monitor.lab.view import Reply

NOW, FIRST = Tags(latest=100, safe=96, finalized=92), Tags(latest=90, safe=86, finalized=82)


@pytest.mark.parametrize(
    ("fault", "now", "meant"),
    [
        (Fault("finality_stalled"), NOW, {"safe": 86, "finalized": 82}),
        (Fault("finality_stalled"), Tags(84, 80, 76), {"safe": 84, "finalized": 82}),
        (Fault("finality_backwards", blocks=3), NOW, {"finalized": 89}),
        (Fault("finality_backwards", blocks=93), NOW, {"finalized": 0}),
        (Fault("tags_unordered"), NOW, {"safe": 92, "finalized": 96}),
        (Fault("tags_unordered", tag="safe", blocks=1), NOW, {"latest": 99, "safe": 100}),
        (Fault("tags_unordered", tag="safe", blocks=9), Tags(5, 1, 0), {"latest": 0, "safe": 5}),
    ],
    ids=lambda value: str(value.kind) if isinstance(value, Fault) else None,
)
def test_named_heights_under_each_fault(fault: Fault, now: Tags, meant: dict[str, int]) -> None:
    """Each tag names an existing block, and the wrong one."""
    assert named(fault, now, FIRST) == meant


@pytest.mark.parametrize(
    ("method", "params", "wanted"),
    [
        ("eth_getBlockByNumber", ["finalized", False], ["0x5", False]),
        ("eth_getBlockByNumber", ["safe", False], ["safe", False]),
        ("eth_getBlockByNumber", ["0x7", False], ["0x7", False]),
        ("eth_getBalance", ["0xaa", "finalized"], ["0xaa", "0x5"]),
        ("eth_getBalance", ["0xaa"], ["0xaa"]),
        ("eth_call", [{}, {"blockHash": "0xbb"}], [{}, {"blockHash": "0xbb"}]),
        (
            "eth_getLogs",
            [{"fromBlock": "0x1", "toBlock": "finalized", "address": ["0xaa"]}],
            [{"fromBlock": "0x1", "toBlock": "0x5", "address": ["0xaa"]}],
        ),
        ("eth_getBlockByHash", ["finalized"], ["finalized"]),
        ("eth_blockNumber", [], []),
    ],
)
def test_asked_by_tag_is_asked_by_the_height_it_names(
    method: str, params: list[Any], wanted: list[Any]
) -> None:
    """Only the tags concerned become heights, wherever a method takes a block."""
    assert asked(method, params, {"finalized": 5}) == wanted


def test_asked_for_the_head_where_latest_is_another_replies_at_once() -> None:
    """`eth_blockNumber` is what `latest` names."""
    assert asked("eth_blockNumber", [], {"latest": 9}) == Reply("0x9")
