"""What is asked about blocks that both have."""

from __future__ import annotations

import pytest

from monitor.canary.differences import Json
from monitor.canary.questions import (
    ACCOUNTS_A_BLOCK,
    RECENT_BLOCKS,
    SENDING,
    UNPINNED,
    Block,
    Payment,
    questions,
    sample_heights,
    settled,
)

HASH = "0x" + "a" * 64
PAYMENTS = tuple(Payment(f"0x{n}", f"0x5{n}", f"0x7{n}" if n else None, "0x") for n in range(4))


@pytest.mark.parametrize(
    ("top", "count", "heights"),
    [
        (0, 8, (0,)),
        (3, 8, (3, 2, 1, 0)),
        (1000, 8, (1000, 999, 998, 997, 996, 992, 984, 0)),
        (1000, 3, (1000, 999, 0)),
    ],
)
def test_heights_are_dense_at_the_top_and_reach_genesis(
    top: int, count: int, heights: tuple[int, ...]
) -> None:
    """None twice, none below genesis."""
    assert sample_heights(top, count) == heights


def test_every_question_is_pinned_and_says_its_block() -> None:
    """By hash or by number; never by a tag that moves."""
    asked = list(questions([Block(7, HASH, PAYMENTS)], top=8))
    assert all(one.is_pinned and one.block == 7 for one in asked)
    assert not any(tag in str(one.params) for one in asked for tag in ("latest", "pending"))
    assert asked[0].words == "eth_getBlockByHash at block 7"
    methods = {one.method for one in asked}
    assert {"eth_getProof", "eth_call", "eth_feeHistory", "debug_traceTransaction"} <= methods
    assert sum(one.method == "eth_getBalance" for one in asked) == ACCOUNTS_A_BLOCK


@pytest.mark.parametrize(
    ("behind", "has_state"), [(RECENT_BLOCKS - 1, True), (RECENT_BLOCKS, False)]
)
def test_state_is_asked_for_where_nodes_still_have_it(behind: int, has_state: bool) -> None:
    """A node that is no archive has forgotten older ones, which is no difference."""
    asked = questions([Block(7, HASH, PAYMENTS)], top=7 + behind)
    assert any(one.method == "eth_getBalance" for one in asked) is has_state


def test_what_no_wallet_goes_without_is_asked_for_and_sends_nothing() -> None:
    """A send without parameters is refused by whoever serves it."""
    assert not any(one.is_pinned for one in UNPINNED)
    assert all(one.params == () for one in UNPINNED)
    assert {one.method for one in UNPINNED} >= {*SENDING, "net_peerCount"}
    assert UNPINNED[0].words == "eth_blockNumber"


def test_base_fee_after_the_last_block_is_left_out() -> None:
    """It is of no block that was asked for; everything else stays."""
    history: dict[str, Json] = {
        "baseFeePerGas": ["0x1", "0x2"],
        "reward": [["0x3"]],
        "baseFeePerBlobGas": None,
    }
    assert settled("eth_feeHistory", {**history}) == {**history, "baseFeePerGas": ["0x1"]}
    assert settled("eth_call", {**history}) == history
    assert settled("eth_feeHistory", None) is None
