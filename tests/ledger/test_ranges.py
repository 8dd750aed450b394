"""What a refusal of `eth_getLogs` means, in the words of clients and providers."""

from __future__ import annotations

import pytest

from monitor.ledger.ranges import NARROWED, ROWS, Meaning, Refusal, refusal_of
from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    CallTimeout,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
)

LIMIT, ONCE, UNTOLD = "limit", "once", "untold"
"""So many blocks everywhere, so many of this range, or it is not said."""
WIDE = [
    # infura
    (
        -32005,
        "query returned more than 10000 results. Try with this block range [0x7A1200, 0x7A1F3E].",
        ONCE,
        0x7A1F3E - 0x7A1200 + 1,
    ),
    (-32005, "query returned more than 10000 results", UNTOLD, None),
    (-32602, "range 250001 exceeds limit of 100000", LIMIT, 100_000),
    # alchemy
    (
        -32602,
        (
            "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block"
            " range and no limit on the response size, or you can request any block range with a"
            " cap of 10K logs in the response. Based on your parameters and the response size"
            " limit, this block range should work: [0x112a880, 0x112ac67]"
        ),
        ONCE,
        0x112AC67 - 0x112A880 + 1,
    ),
    (
        -32600,
        (
            "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block"
            " range. Based on your parameters, this block range should work: [0x10, 0x19]. Upgrade"
            " to PAYG for expanded block range."
        ),
        LIMIT,
        10,
    ),
    # quicknode, 1rpc, blockpi, blast
    (-32614, "eth_getLogs is limited to a 10,000 range", LIMIT, 10_000),
    (-32602, "eth_getLogs is limited to 0 - 10000 blocks range", LIMIT, 10_000),
    (-32000, "eth_getLogs is limited to 1024 block range. Please check the parameter", LIMIT, 1024),
    (-32000, "block range exceeds the range allowed for your plan (30000 > 500)", LIMIT, 500),
    # ankr, moonbeam
    (-32600, "block range is too wide", UNTOLD, None),
    (-32603, "block range is too wide (maximum 1024)", LIMIT, 1024),
    # bsc, publicnode
    (-32000, "exceed maximum block range: 5000", LIMIT, 5_000),
    (-32701, "exceed maximum block range: 50000", LIMIT, 50_000),
    # drpc
    (35, "ranges over 10000 blocks are not supported on freetier", LIMIT, 10_000),
    # cloudflare
    (
        -32047,
        "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
        LIMIT,
        800,
    ),
    # coinbase
    (-32000, "please limit the query to at most 1000 blocks", LIMIT, 1_000),
    # reth
    (-32602, "query exceeds max block range 100000", LIMIT, 100_000),
    (-32000, "query exceeds max results 20000, retry with the range 100-149", ONCE, 50),
    (-32003, "Response is too big", UNTOLD, None),
    # erigon, besu, nethermind, geth, arbitrum, optimism, base, tenderly, chainstack
    (-32005, "Requested range exceeds maximum range limit", UNTOLD, None),
    (-32000, "Too many logs requested. Max logs per response is 20000.", UNTOLD, None),
    (-32000, "logs matched by query exceeds limit of 10000", UNTOLD, None),
    (-32000, "block range too large", UNTOLD, None),
    (-32000, "Block range limit exceeded. See more details at the provider", UNTOLD, None),
    (-32008, "Response size is larger than 150MB limit.", UNTOLD, None),
    (-32000, "query timeout exceeded", UNTOLD, None),
    (-32603, "request timed out", UNTOLD, None),
    (-32000, "context deadline exceeded", UNTOLD, None),
    (-32005, "limit exceeded", UNTOLD, None),
    # A range that ends before it begins says nothing.
    (-32000, "query exceeds max results 20000, retry with the range 149-100", UNTOLD, None),
]


@pytest.mark.parametrize(("code", "text", "told", "blocks"), WIDE)
def test_refusal_of_too_wide_a_range_says_what_would_pass(
    code: int, text: str, told: str, blocks: int | None
) -> None:
    """How many blocks, where it is said, and whether that is so of every range."""
    error = CallRejected(f"eth_getLogs: error {code}: {text}", code)
    assert refusal_of(error) == Refusal(Meaning.TOO_WIDE, blocks, is_limit=told == LIMIT)


OTHER = [
    (Meaning.THROTTLED, -32005, "project ID request rate exceeded: request rate limited"),
    (Meaning.THROTTLED, 429, "Your app has exceeded its compute units per second capacity."),
    (Meaning.THROTTLED, -32007, "50/second request limit reached - reduce calls per second"),
    (Meaning.THROTTLED, -32000, "Too Many Requests"),
    (Meaning.THROTTLED, -32097, "rate limit exceeded"),
    (Meaning.SPENT, -32005, "daily request count exceeded, request rate limited"),
    (Meaning.SPENT, 429, "Monthly capacity limit exceeded. Visit the dashboard to upgrade."),
    (Meaning.TOO_MANY_ADDRESSES, -32000, "exceed max addresses or topics per search position"),
    (Meaning.TOO_MANY_ADDRESSES, -32602, "too many addresses in filter"),
    (Meaning.PRUNED, 4444, "Pruned history unavailable"),
    (Meaning.PRUNED, -32000, "history unavailable: block 5 is below 15537393"),
    (Meaning.BEHIND, -32000, "block range extends beyond current head block"),
    (Meaning.BEHIND, -32000, "requested block is in the future"),
    (Meaning.BEHIND, -39001, "Unknown block"),
    (Meaning.BEHIND, -32000, "header not found"),
    (Meaning.FORBIDDEN, -32000, "Unauthorized: must include a valid API key"),
    (Meaning.FORBIDDEN, -32002, "rejected due to project ID settings"),
    (Meaning.UNRECOGNISED, -32603, "Internal error"),
    (Meaning.UNRECOGNISED, -32000, ""),
]


@pytest.mark.parametrize(("meaning", "code", "text"), OTHER)
def test_refusal_of_other_words_is_another(meaning: Meaning, code: int, text: str) -> None:
    """One code stands for several things: the words tell them apart."""
    assert refusal_of(CallRejected(f"eth_getLogs: error {code}: {text}", code)) == Refusal(meaning)


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (BudgetSpent("its 9 calls of today (UTC) are spent"), Refusal(Meaning.SPENT)),
        (CallTimeout("no answer within 5 s"), Refusal(Meaning.TOO_WIDE)),
        (MalformedAnswer("the answer is larger than 8 bytes"), Refusal(Meaning.TOO_WIDE)),
        (
            MethodAbsent("the method eth_getLogs does not exist", -32601),
            Refusal(Meaning.UNSUPPORTED),
        ),
        (RpcError("something else"), Refusal(Meaning.UNRECOGNISED)),
        (ConnectionRefused("HTTP 413"), Refusal(Meaning.TOO_WIDE)),
        (ConnectionRefused("HTTP 504"), Refusal(Meaning.TOO_WIDE)),
        (ConnectionRefused("HTTP 524"), Refusal(Meaning.TOO_WIDE)),
        (ConnectionRefused("HTTP 429"), Refusal(Meaning.THROTTLED)),
        (ConnectionRefused("HTTP 503"), Refusal(Meaning.THROTTLED)),
        (ConnectionRefused("HTTP 401"), Refusal(Meaning.FORBIDDEN)),
        (ConnectionRefused("HTTP 403"), Refusal(Meaning.FORBIDDEN)),
        (ConnectionRefused("HTTP 502"), Refusal(Meaning.BROKEN)),
        (ConnectionRefused("HTTP 500"), Refusal(Meaning.BROKEN)),
        (
            ConnectionRefused("HTTP 429, asks for 7 s of silence"),
            Refusal(Meaning.THROTTLED, silence_seconds=7.0),
        ),
        (
            ConnectionRefused("throttled: it asked for silence, 3 s left"),
            Refusal(Meaning.THROTTLED, silence_seconds=3.0),
        ),
        (
            ConnectionRefused("throttled: it asked for silence, 0 s left"),
            Refusal(Meaning.THROTTLED),
        ),
        (
            ConnectionRefused("the connection was closed before an answer came"),
            Refusal(Meaning.BROKEN),
        ),
        (ConnectionRefused("connection reset by peer"), Refusal(Meaning.BROKEN)),
        (ConnectionRefused("connection refused"), Refusal(Meaning.UNREACHABLE)),
        (ConnectionRefused("the host name cannot be resolved"), Refusal(Meaning.UNREACHABLE)),
    ],
    ids=lambda one: one.meaning if isinstance(one, Refusal) else "",
)
def test_refusal_of_an_exchange_is_told_by_its_kind(error: RpcError, refusal: Refusal) -> None:
    """Statuses, silence and connections, where no node spoke."""
    assert refusal_of(error) == refusal


def test_rows_are_lower_case_and_each_can_match() -> None:
    """No text is shadowed by an earlier row that it contains, under another meaning."""
    for index, row in enumerate(ROWS):
        assert row.text == " ".join(row.text.lower().split())
        assert row.who
        above = (earlier for earlier in ROWS[:index] if earlier.text in row.text)
        assert [earlier.meaning for earlier in above if earlier.meaning != row.meaning] == []


def test_what_is_not_known_is_tried_narrower() -> None:
    """A refusal in new words ends at a single block, where it is said, and not before."""
    assert {Meaning.UNRECOGNISED, Meaning.TOO_WIDE, Meaning.BROKEN} == NARROWED
