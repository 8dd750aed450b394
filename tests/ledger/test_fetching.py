"""All logs of a range, from providers as they are: cut, refused, throttled, out of order, wrong."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.lab.anvil import Anvil
from monitor.lab.anvil import Chain as AnvilChain
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.fetching import Fetcher, Page, Reach
from monitor.ledger.logs import BadLogs, Log, rows
from monitor.model import Address
from monitor.rpc.node import Limits, Node
from monitor.url import Url
from monitor.wire import open_session
from tests.ledger.wire_logs import (
    HUB,
    KEY,
    MARKET,
    TOPICS,
    Provider,
    Refuse,
    Twist,
    at_most,
    at_most_logs,
    log_of,
    logs_in,
    provider,
    wire,
)
from tests.rpc.canned import Clock, Json, Refusal, always, reply

START: Final = Reach(blocks=64, pauses_seconds=(1.0, 2.0), throttled_seconds=(3.0, 4.0))
"""Small enough to be refused, with pauses that are told apart."""
FIRST, LAST = 1_000, 1_999


def fetcher(one: Provider, reach: Reach = START) -> Fetcher:
    """Our side of a provider, which sleeps for no time."""
    return Fetcher(one.node, reach, sleep=one.sleep)


async def fetched(one: Provider, first: int = FIRST, last: int = LAST) -> list[Log]:
    """All logs of the hub in a range."""
    return list(rows(await fetcher(one).all([HUB], None, first, last)))


# -- what is asked for -----------------------------------------------------------------------------


async def test_page_asks_for_addresses_topics_and_blocks() -> None:
    """The filter of execution-apis: null stands for any topic, and the last ones are left out."""
    logs = [log_of(5, index, HUB, *TOPICS[: index + 1]) for index in range(3)]
    async with provider(logs) as one:
        fetching = fetcher(one)
        page = await fetching.page([HUB, MARKET], TOPICS[:1], 1, 9)
        assert (page.first, page.last, list(rows(page.logs))) == (1, 9, logs)
        await fetching.page([HUB], None, 1, 9)
        await fetching.page([HUB], None, 1, 9, topic1=TOPICS[1:2])
        page = await fetching.page([HUB], TOPICS[:1], 1, 9, topic2=TOPICS)
        assert list(rows(page.logs)) == logs[2:]
        hexed = ["0x" + topic.hex() for topic in TOPICS]
        assert one.filters == [
            _filter([HUB, MARKET], topics=[hexed[:1]]),
            _filter([HUB]),
            _filter([HUB], topics=[None, hexed[1:2]]),
            _filter([HUB], topics=[hexed[:1], None, hexed]),
        ]


def _filter(addresses: list[Address], **topics: Json) -> Json:
    return {"fromBlock": "0x1", "toBlock": "0x9", "address": addresses, **topics}


async def test_page_without_addresses_asks_nobody() -> None:
    """A node reads no addresses as all of them: nothing of that is wanted."""
    async with provider(logs_in(range(9))) as one:
        page = await fetcher(one).page([], None, 0, 9)
        assert (page.first, page.last, page.logs.num_rows, one.asked) == (0, 9, 0, [])


@pytest.mark.parametrize("position", [0, 1, 2])
async def test_page_without_a_topic_that_would_do_is_a_mistake(position: int) -> None:
    """A node reads no topics as any: who asks for none of them has made a mistake."""
    topics: list[tuple[bytes, ...] | None] = [None, None, None]
    topics[position] = ()
    async with provider([]) as one:
        with pytest.raises(ValueError, match="no topic is asked for"):
            await fetcher(one).page([HUB], topics[0], 0, 9, topic1=topics[1], topic2=topics[2])
        with pytest.raises(ValueError, match="blocks 9 to 8 are none"):
            await fetcher(one).page([HUB], None, 9, 8)
        assert one.asked == []


async def test_addresses_in_any_case_are_the_same() -> None:
    """Whoever asks with a checksum gets the same logs."""
    async with provider(logs_in(range(3))) as one:
        one.canned.answers["eth_getLogs"] = [wire(log) for log in one.logs]
        mixed = Address("0x" + HUB[2:].upper())
        assert (await fetcher(one).all([mixed], None, 0, 9)).num_rows == 3


async def test_all_covers_a_range_page_by_page() -> None:
    """Every block once, in order, wider each time while nothing is refused."""
    logs = logs_in(range(FIRST, LAST + 1, 9))
    async with provider(logs) as one:
        assert await fetched(one) == logs
        assert (one.asked[0], one.asked[-1][1]) == ((FIRST, FIRST + 63), LAST)
        assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(one.asked))
        widths = [last - first + 1 for first, last in one.asked[:-1]]
        assert widths == [64, 128, 256, 512]
        assert one.pauses == []


async def test_pages_of_many_logs_are_of_fewer_blocks() -> None:
    """Where there are more logs than are wanted in a page, less is asked for; and more again."""
    logs = logs_in(range(200), 10) + logs_in(range(1_500, 1_501))
    reach = Reach(blocks=64, logs_wanted=101)
    async with provider(logs) as one:
        found = await fetcher(one, reach).all([HUB], None, 0, 1_999)
        assert list(rows(found)) == logs
        widths = [last - first + 1 for first, last in one.asked]
        assert widths[1] == 64 * 101 // 640
        assert max(widths) > 64


# -- refusals --------------------------------------------------------------------------------------

PROVIDERS: dict[str, Refuse] = {
    "infura": at_most_logs(20),
    "quicknode": at_most(50, "eth_getLogs is limited to a 50 range", -32614),
    "ankr": at_most(37, "block range is too wide", -32600),
    "publicnode": at_most(50, "exceed maximum block range: 50", -32701),
    "cloudflare": at_most(9, "'fromBlock'-'toBlock' range too large. Max range: 9", -32047),
    "drpc": at_most(10, "ranges over 10 blocks are not supported on freetier", 35),
    "blast": at_most(5, "exceeds the range allowed for your plan (64 > 5)"),
    "besu": at_most(41, "Requested range exceeds maximum range limit", -32005),
    "moonbeam": at_most(16, "block range is too wide (maximum 16)", -32603),
    "nethermind": at_most_logs(7, "Too many logs requested. Max logs per response is 7."),
    "arbitrum": at_most_logs(7, "logs matched by query exceeds limit of 7"),
    "geth": at_most_logs(15, "query timeout exceeded"),
    "bsc": at_most(23, "limit exceeded", -32005),
    "unknown": at_most(23, "das ist zu viel", -31999),
    "one block": at_most(1, "block range too large"),
}


@pytest.mark.parametrize("name", PROVIDERS)
async def test_all_of_a_provider_that_refuses_is_whole(name: str) -> None:
    """In every provider's words: nothing is left out, nothing twice, and few calls are refused."""
    logs = logs_in(range(FIRST, FIRST + 300, 2), 1) + logs_in(range(FIRST + 301, FIRST + 320), 3)
    async with provider(logs, PROVIDERS[name]) as one:
        assert await fetched(one, FIRST, FIRST + 400) == logs
        assert one.pauses == []


@pytest.mark.parametrize("blocks", [1, 2, 9, 63])
async def test_all_of_a_provider_that_names_its_limit_asks_once_too_much(blocks: int) -> None:
    """What it says it allows is asked for from then on, and no more."""
    limited = at_most(blocks, f"exceed maximum block range: {blocks}")
    async with provider(logs_in(range(0, 100, 7)), limited) as one:
        assert (await fetcher(one).all([HUB], None, 0, 199)).num_rows == 15
        widths = [last - first + 1 for first, last in one.asked]
        assert [width for width in widths if width > blocks] == [64]
        assert set(widths[1:-1]) == {blocks}


async def test_all_of_a_provider_that_names_a_range_asks_for_that() -> None:
    """Infura and Alchemy say which blocks would pass; other blocks may pass in greater numbers."""
    dense = logs_in(range(20), 5)

    def refuse(first: int, last: int, logs: int) -> Refusal | None:
        words = (
            "query returned more than 10000 results. Try with this block range"
            f" [{hex(first)}, {hex(first + 4)}]."
        )
        return Refusal(words, -32005) if logs > 30 else None

    async with provider(dense, refuse) as one:
        found = await fetcher(one).all([HUB], None, 0, 499)
        assert list(rows(found)) == dense
        assert one.asked[:2] == [(0, 63), (0, 4)]
        assert max(last - first + 1 for first, last in one.asked) > 64


async def test_range_grows_back_after_calm_pages() -> None:
    """What was refused once is tried again when nothing was for long."""
    dense = logs_in(range(10), 20)
    async with provider(dense, at_most_logs(50)) as one:
        reach = Reach(blocks=64, calm_pages=4)
        await fetcher(one, reach).all([HUB], None, 0, 5_000)
        widths = [last - first + 1 for first, last in one.asked]
        assert min(widths) <= 2
        assert max(widths) > 64


async def test_range_settles_below_a_limit_that_is_not_named() -> None:
    """Once it is known roughly, hardly a call in ten is refused."""
    async with provider(logs_in(range(0, 20_000, 100)), at_most(300)) as one:
        reach = Reach(blocks=64, calm_pages=1_000)
        await fetcher(one, reach).all([HUB], None, 0, 19_999)
        widths = [last - first + 1 for first, last in one.asked]
        assert sum(width > 300 for width in widths) < len(widths) / 10
        # What passed before is gone back to, and not further.
        assert widths[:4] == [64, 128, 256, 512]
        assert min(widths[4:-1]) == 256
        assert len(one.asked) < 20_000 / 300 * 1.5


async def test_block_that_is_refused_alone_is_inconclusive() -> None:
    """It cannot be narrower: it is asked for again after pauses, then said, with the words."""
    async with provider(logs_in(range(9), 5), at_most_logs(4, "Too many logs requested")) as one:
        with pytest.raises(CouldNotSee) as caught:
            await fetched(one, 0, 9)
        assert caught.value.reason == "range_refused"
        assert caught.value.detail == (
            "block 0 alone is refused: local: blocks 0 to 0: eth_getLogs: error -32005: Too many"
            " logs requested; it refuses the narrowest range there is: ask another node"
        )
        assert one.pauses == [1.0, 2.0]


@pytest.mark.parametrize("allowed", [1, 3, 7])
async def test_addresses_beyond_what_is_allowed_are_asked_for_in_parts(allowed: int) -> None:
    """The blocks stay as they are; what is allowed is remembered."""
    addresses = [Address("0x" + f"{number:040x}") for number in range(1, 21)]
    logs = [log_of(5, number, address) for number, address in enumerate(addresses)]
    async with provider(logs) as one:
        said = one.canned.answers["eth_getLogs"]

        def answer(params: list[Json]) -> Json:
            many = len(params[0]["address"]) > allowed
            words = "exceed max addresses or topics per search position"
            return Refusal(words, -32000) if many else said(params)

        one.canned.answers["eth_getLogs"] = answer
        fetching = fetcher(one)
        for _ in range(2):
            page = await fetching.page(addresses, None, 0, 9)
            assert (page.last, list(rows(page.logs))) == (9, logs)
        sizes = [len(call["params"][0]["address"]) for call in one.canned.calls]
        assert max(sizes[len(sizes) // 2 :]) <= allowed


async def test_one_address_that_is_too_many_is_inconclusive() -> None:
    """There is no half of it."""
    async with provider([]) as one:
        one.canned.answers["eth_getLogs"] = Refusal("too many addresses", -32602)
        with pytest.raises(CouldNotSee) as caught:
            await fetcher(one).page([HUB, MARKET], None, 0, 9)
        assert caught.value.reason == "addresses_refused"


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        ("Pruned history unavailable", 4444, "pruned"),
        ("daily request count exceeded, request rate limited", -32005, "budget"),
        ("Unauthorized", -32000, "forbidden"),
        ("the method eth_getLogs does not exist/is not available", -32601, "unsupported"),
    ],
)
async def test_refusal_of_everything_is_inconclusive_at_once(
    words: str, code: int, reason: str
) -> None:
    """Neither fewer blocks nor waiting would help."""
    async with provider([]) as one:
        one.refuse.append(lambda *_: Refusal(words, code))
        with pytest.raises(
            CouldNotSee, match=r"^local: blocks 1000 to 1063: eth_getLogs"
        ) as caught:
            await fetched(one)
        assert (caught.value.reason, len(one.asked), one.pauses) == (reason, 1, [])


@pytest.mark.parametrize(
    ("words", "reason", "pauses"),
    [
        ("header not found", "no_block", [1.0, 2.0]),
        ("compute units per second exceeded", "busy", [3.0, 4.0]),
    ],
)
async def test_refusal_that_may_pass_is_waited_for(
    words: str, reason: str, pauses: list[float]
) -> None:
    """The same blocks are asked for again: it passes in the end, or is said."""
    async with provider(logs_in([FIRST])) as one:
        one.refuse.append(lambda *_: Refusal(words, -32000) if len(one.asked) <= 2 else None)
        assert await fetched(one, FIRST, FIRST + 9) == logs_in([FIRST])
        assert (one.asked, one.pauses) == ([(FIRST, FIRST + 9)] * 3, pauses)
    async with provider([]) as one:
        one.refuse.append(lambda *_: Refusal(words, -32000))
        with pytest.raises(CouldNotSee) as caught:
            await fetched(one, FIRST, FIRST + 9)
        assert (caught.value.reason, len(one.asked), one.pauses) == (reason, 3, pauses)


# -- exchanges -------------------------------------------------------------------------------------


async def test_silence_that_is_asked_for_is_kept() -> None:
    """A Retry-After longer than our own pause."""
    async with provider(logs_in([FIRST])) as one:
        one.canned.respond = always(b"slow down", 429, Retry_After="17")
        with pytest.raises(CouldNotSee) as caught:
            await fetched(one, FIRST, FIRST + 9)
        assert (caught.value.reason, one.pauses) == ("busy", [17.0, 17.0])


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "forbidden"), (403, "forbidden"), (502, "broken")]
)
async def test_statuses_that_stay_are_inconclusive(status: int, reason: str) -> None:
    """With the status, and without anything of the URL."""
    async with provider([]) as one:
        one.canned.respond = always(b"<html>", status)
        with pytest.raises(CouldNotSee) as caught:
            await fetched(one)
        assert caught.value.reason == reason
        assert f"HTTP {status}" in caught.value.detail
        assert KEY not in caught.value.detail


async def test_body_larger_than_allowed_is_asked_for_in_parts() -> None:
    """By our own limit: half the blocks, until it fits."""
    logs = logs_in(range(64), 2)
    async with provider(logs, limits=Limits(body_bytes_max=20_000)) as one:
        assert await fetched(one, 0, 63) == logs
        assert one.asked[0] == (0, 63)
        assert len(one.asked) > 3


@pytest.mark.parametrize("status", [200, 413, 504])
async def test_answer_that_broke_off_or_was_too_much_is_asked_for_in_parts(status: int) -> None:
    """A body that was cut, or a proxy in between that refuses it."""
    logs = logs_in(range(64))
    async with provider(logs) as one:

        async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
            whole = json.dumps(one.canned.answer(asked)).encode()
            return None if len(whole) < 9_000 else reply(whole[:9_000], status)

        one.canned.respond = respond
        assert await fetched(one, 0, 63) == logs


async def test_answer_that_takes_too_long_is_asked_for_in_parts() -> None:
    """A deadline that passes says as much as a refusal."""
    logs = logs_in(range(32))
    async with provider(logs, limits=Limits(deadline_seconds=0.5)) as one:
        never = asyncio.Event()

        async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
            wanted = asked["params"][0]
            if int(wanted["toBlock"], 16) - int(wanted["fromBlock"], 16) > 16:
                await never.wait()
            return None

        one.canned.respond = respond
        assert await fetched(one, 0, 31) == logs
        never.set()


async def test_nobody_there_is_waited_for_and_said() -> None:
    """No connection at all: fewer blocks would not help."""
    async with provider([]) as one:
        await one.canned.port.close()
        with pytest.raises(CouldNotSee) as caught:
            await fetched(one)
        assert (caught.value.reason, one.pauses) == ("refused", [1.0, 2.0])


# -- answers that are wrong ------------------------------------------------------------------------

TWISTS: dict[str, Twist] = {
    "out of order": lambda logs: logs[::-1],
    "twice": lambda logs: logs + logs[:3],
    "both": lambda logs: logs[5:] + logs,
}
LIES: dict[str, Twist] = {
    "null": lambda _: None,
    "no list": lambda _: {},
    "no index": lambda logs: [*logs[:-1], logs[-1] | {"logIndex": None}],
    "pending": lambda logs: [*logs[:-1], logs[-1] | {"blockNumber": None, "blockHash": None}],
    "another block": lambda logs: [*logs, wire(log_of(LAST + 1, 0))],
    "another address": lambda logs: [*logs, wire(log_of(FIRST, 9, MARKET))],
    "removed": lambda logs: [*logs[:-1], logs[-1] | {"removed": True}],
    "two chains": lambda logs: [*logs, wire(log_of(FIRST, 9)) | {"blockHash": "0x" + "9" * 64}],
    "two at one place": lambda logs: [*logs, logs[0] | {"data": "0x01"}],
}


@pytest.mark.parametrize("name", TWISTS)
async def test_answers_out_of_order_or_with_duplicates_are_set_right(name: str) -> None:
    """Sorted, each once, without another call."""
    logs = logs_in(range(FIRST, FIRST + 10))
    async with provider(logs) as one:
        one.twists = [TWISTS[name]]
        assert await fetched(one, FIRST, FIRST + 9) == logs
        assert len(one.asked) == 1


@pytest.mark.parametrize("name", LIES)
async def test_answers_that_cannot_be_true_are_asked_for_again(name: str) -> None:
    """Of several nodes behind one address one may lie: once is forgiven, always is said."""
    logs = logs_in(range(FIRST, FIRST + 10))
    async with provider(logs) as one:
        one.twists = [LIES[name]]
        assert await fetched(one, FIRST, FIRST + 9) == logs
        assert (len(one.asked), one.pauses) == (2, [1.0])
        one.twists = [LIES[name]] * 3
        with pytest.raises(BadLogs, match=f"^local: blocks {FIRST} to {FIRST + 9}: ") as caught:
            await fetched(one, FIRST, FIRST + 9)
        assert caught.value.reason == "bad_logs"


@pytest.mark.parametrize("cut_at", [100, 500, 1_000])
async def test_lists_that_are_cut_in_silence_are_asked_for_in_halves(cut_at: int) -> None:
    """A node that gives the first so many logs and does not say that there are more."""
    logs = logs_in(range(FIRST, FIRST + 300), 7)
    async with provider(logs) as one:
        whole = one.canned.answers["eth_getLogs"]
        one.canned.answers["eth_getLogs"] = lambda params: whole(params)[:cut_at]
        assert await fetched(one, FIRST, FIRST + 299) == logs


async def test_lists_of_just_as_many_as_are_cut_are_whole() -> None:
    """A hundred logs that are all: two more calls, and no log less."""
    logs = logs_in(range(FIRST, FIRST + 50), 2)
    async with provider(logs) as one:
        assert await fetched(one, FIRST, FIRST + 63) == logs
        assert one.asked[:3] == [
            (FIRST, FIRST + 63),
            (FIRST, FIRST + 31),
            (FIRST + 32, FIRST + 63),
        ]
    async with provider(logs_in([FIRST], 100)) as one:
        assert len(await fetched(one, FIRST, FIRST)) == 100
        assert one.asked == [(FIRST, FIRST)]


# -- any provider ----------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(
    places=st.sets(st.tuples(st.integers(0, 300), st.integers(0, 3)), max_size=60),
    blocks_max=st.integers(1, 400),
    logs_max=st.integers(4, 70),
    start=st.integers(1, 500),
    names=st.booleans(),
)
def test_all_of_any_provider_is_what_it_has(
    *,
    places: set[tuple[int, int]],
    blocks_max: int,
    logs_max: int,
    start: int,
    names: bool,
) -> None:
    """Whatever it allows of blocks and logs, and whether it says so."""
    logs = sorted(log_of(*place) for place in places)
    words = f"exceed maximum block range: {blocks_max}" if names else "too many blocks"

    async def check() -> None:
        async with provider(logs, at_most(blocks_max, words), at_most_logs(logs_max)) as one:
            found = await fetcher(one, Reach(blocks=start)).all([HUB], None, 0, 300)
            assert list(rows(found)) == logs
            passed = [(first, last) for first, last in one.asked if last - first < blocks_max]
            assert passed[-1][1] == 300

    asyncio.run(check())


async def test_pages_follow_each_other() -> None:
    """Each begins where the one before ended; the last one ends the range."""
    async with provider(logs_in(range(0, 500, 3)), at_most(70)) as one:
        pages = [page async for page in fetcher(one).pages([HUB], None, 10, 490)]
        assert (pages[0].first, pages[-1].last) == (10, 490)
        assert all(later.first == earlier.last + 1 for earlier, later in pairwise(pages))
        assert all(isinstance(page, Page) for page in pages)


# -- a real node -----------------------------------------------------------------------------------

LOGGER = Address("0x" + "c3" * 20)
CODE = "0x43600052" + "60056020" + "6000a1" + "00"
"""NUMBER at memory 0; LOG1 of that word with topic 5; STOP (yellow paper, H.2)."""


async def test_all_of_a_real_node_is_what_it_logged(anvil_path: Path) -> None:
    """The answers of anvil: each block that was called in has its log, and no other has any."""
    chain = AnvilChain(chain_id=31337, genesis_timestamp=int(time.time()) - 3600)
    async with Anvil(chain, binary=anvil_path) as anvil, open_session() as session:
        await anvil.rpc("anvil_setCode", LOGGER, CODE)
        (sender, *_) = await anvil.rpc("eth_accounts")
        called = []
        for gap in (1, 1, 40, 3, 90):
            await anvil.rpc("anvil_mine", hex(gap))
            await anvil.rpc("eth_sendTransaction", {"from": sender, "to": LOGGER, "gas": "0x186a0"})
            await anvil.rpc("anvil_mine", "0x1")
            called.append(int(await anvil.rpc("eth_blockNumber"), 16))
        node = Node("anvil", Url(anvil.url), session, clock=Clock(0.0))
        fetching = Fetcher(node, Reach(blocks=7))
        found = await fetching.all([LOGGER, HUB], [(5).to_bytes(32)], 0, called[-1])
        assert [log.block for log in rows(found)] == called
        assert [int.from_bytes(log.data) for log in rows(found)] == called
        assert (await fetching.all([HUB], None, 0, called[-1])).num_rows == 0
        with pytest.raises(CouldNotSee):
            await Fetcher(node, START, sleep=_no_time).all(
                [HUB], None, called[-1] + 10**6, 2 * 10**6
            )
        await node.close()


async def _no_time(_: float) -> None:
    """Sleep for no time."""
