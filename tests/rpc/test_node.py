"""Calls, batches, answers, ends: what one endpoint is asked and what becomes of each call."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from monitor.lab.anvil import Anvil
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from monitor.rpc import decode
from monitor.rpc.budget import DAY_SECONDS, Budget
from monitor.rpc.errors import (
    BudgetSpent,
    CallRejected,
    ConnectionRefused,
    MalformedAnswer,
    MethodAbsent,
    RpcError,
)
from monitor.rpc.node import LANE, Limits, Node
from monitor.url import Url
from tests.rpc.canned import (
    BATCH_REFUSAL,
    Canned,
    Clock,
    Hang,
    Json,
    Refusal,
    always,
    as_calls,
    no_batches,
    reply,
)

DEADLINE_SECONDS = 5.0
MIDNIGHT = 20_000 * DAY_SECONDS


@pytest.fixture
def clock() -> Clock:
    """Half past midnight, UTC."""
    return Clock(MIDNIGHT + 1800.0)


@pytest.fixture
def node(server: Canned, session: aiohttp.ClientSession, clock: Clock) -> Node:
    """Our side of the canned node."""
    return Node("canned", Url(server.url), session, clock=clock)


@pytest.fixture
def real(anvil: Anvil, session: aiohttp.ClientSession, clock: Clock) -> Node:
    """Our side of a real node."""
    return Node("real", Url(anvil.url), session, clock=clock)


def ask(node: Node, method: str = "eth_chainId", *params: object) -> asyncio.Task[str]:
    """A call under way."""
    return asyncio.ensure_future(node.ask(method, params, decode.text))


async def answers(*calls: asyncio.Task[str]) -> list[Any]:
    """What became of each."""
    return await asyncio.gather(*calls, return_exceptions=True)


# -- one tick, one request -----------------------------------------------------------------------


async def test_calls_of_one_tick_travel_as_one_request(server: Canned, node: Node) -> None:
    """Whoever calls in the same turn of the loop shares one HTTP request."""
    said = await answers(ask(node), ask(node, "web3_clientVersion"), ask(node))
    assert said == [server.chain_id, server.version, server.chain_id]
    assert [len(request) for request in server.requests] == [3]
    assert node.calls_total == 3


async def test_calls_of_different_ticks_travel_apart(server: Canned, node: Node) -> None:
    """Nobody waits for a later call, and ids do not repeat between requests."""
    await ask(node)
    await ask(node)
    assert [request["method"] for request in server.requests] == ["eth_chainId"] * 2
    assert len({request["id"] for request in server.requests}) == 2


async def test_calls_of_one_tick_against_a_real_node_are_answered_each(real: Node) -> None:
    """A real client answers a batch of different methods, one of which it does not have."""
    chain_id, version, absent = await answers(
        ask(real), ask(real, "web3_clientVersion"), ask(real, "eth_nothingOfTheKind")
    )
    block = await real.ask("eth_getBlockByNumber", ("latest", False), decode.header)
    assert chain_id == "0x7a69"
    assert version.startswith("anvil/")
    assert isinstance(absent, MethodAbsent)
    assert block is not None
    assert block.head().number == 20
    assert await real.ask("eth_getBlockByNumber", (hex(99), False), decode.header) is None


async def test_sample_travels_alone_and_is_measured_once(server: Canned, node: Node) -> None:
    """The sampled method's next call gets a request and a latency of its own; then no more."""
    node.sample("eth_chainId")
    await answers(ask(node, "web3_clientVersion"), ask(node), ask(node), ask(node, "eth_foo"))
    assert sorted(len(as_calls(request)) for request in server.requests) == [1, 3]
    (alone,) = [request for request in server.requests if isinstance(request, dict)]
    assert alone["method"] == "eth_chainId"
    ((method, seconds),) = node.latencies
    assert method == "eth_chainId"
    assert 0 < seconds < DEADLINE_SECONDS


async def test_sample_that_fails_is_no_latency(server: Canned, node: Node) -> None:
    """An answer that is none says nothing of how fast the node answers."""
    server.respond = always("<html>", 502)
    node.sample("eth_chainId")
    await answers(ask(node))
    assert not node.latencies


@pytest.mark.parametrize(("limit", "sizes"), [(3, [3, 3, 2]), (1, [1] * 8), (8, [8])])
async def test_batch_is_cut_at_the_limit(
    server: Canned, node: Node, limit: int, sizes: list[int]
) -> None:
    """No request holds more calls than the limit, and none is lost."""
    node.limits = Limits(batch_calls_max=limit)
    said = await answers(*(ask(node) for _ in range(8)))
    assert said == [server.chain_id] * 8
    assert sorted((len(as_calls(one)) for one in server.requests), reverse=True) == sizes


# -- answers to a batch --------------------------------------------------------------------------


async def test_batch_with_some_errors_keeps_the_neighbours(server: Canned, node: Node) -> None:
    """A failing call fails alone, and is counted by its reason."""
    server.answers = {
        "eth_slow": Refusal("execution timeout", -32000),
        "eth_odd": {"not": "text"},
    }
    said = await answers(ask(node), ask(node, "eth_slow"), ask(node, "eth_odd"), ask(node))
    assert (said[0], said[3]) == (server.chain_id, server.chain_id)
    assert isinstance(said[1], CallRejected)
    assert (said[1].code, str(said[1])) == (-32000, "eth_slow: error -32000: execution timeout")
    assert isinstance(said[2], MalformedAnswer)
    assert node.errors_total == {"rpc_error": 1, "malformed": 1}


async def test_batch_in_another_order_is_read_by_id(server: Canned, node: Node) -> None:
    """JSON-RPC 2.0 lets a server answer a batch in any order."""

    async def backwards(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        return reply([server.answer(call) for call in reversed(asked)])

    server.respond = backwards
    server.answers = {"one": "first", "two": "second", "three": "third"}
    said = await answers(ask(node, "one"), ask(node, "two"), ask(node, "three"))
    assert said == ["first", "second", "third"]


async def test_batch_with_an_id_twice_keeps_the_neighbours(server: Canned, node: Node) -> None:
    """A repeated id, or one that nobody asked under, disturbs nobody else."""

    async def twice(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        told = [server.answer(call) for call in asked]
        return reply([told[0], *told, told[0] | {"id": 999}])

    server.respond = twice
    said = await answers(ask(node), ask(node, "web3_clientVersion"))
    assert said == [server.chain_id, server.version]


async def test_batch_with_an_entry_missing_names_the_ids_that_came(
    server: Canned, node: Node
) -> None:
    """Only the call without an answer fails, as malformed, at once and not at its deadline."""

    async def first_only(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        return reply([server.answer(asked[0])])

    server.respond = first_only
    said = await answers(ask(node), ask(node, "web3_clientVersion"))
    assert said[0] == server.chain_id
    assert isinstance(said[1], MalformedAnswer)
    assert str(said[1]) == ("web3_clientVersion: no answer with id 2, the answers carry 1")


async def test_batch_dropped_in_part_by_a_real_proxy_keeps_the_neighbours(
    proxy: FaultProxy, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """The same through a real node behind a proxy that loses entries."""
    proxy.set(Fault("drop_from_batch", methods="eth_chainId"))
    node = Node("real", Url(proxy.url), session, clock=clock)
    said = await answers(ask(node), ask(node, "web3_clientVersion"))
    assert isinstance(said[0], MalformedAnswer)
    assert said[1].startswith("anvil/")


@pytest.mark.parametrize(
    "error",
    [
        BATCH_REFUSAL,
        {"code": -32000, "message": "Batch requests are not allowed"},
        {"code": -32600, "message": "Invalid Request"},
        "batching is disabled",
    ],
    ids=["both", "word", "code", "text"],
)
async def test_batch_refused_as_a_whole_falls_back_to_single_calls(
    server: Canned, node: Node, error: Json
) -> None:
    """The calls are answered one by one, and the next tick does not try a batch again."""
    server.respond = no_batches(error)
    assert await answers(ask(node), ask(node)) == [server.chain_id] * 2
    assert [len(as_calls(request)) for request in server.requests] == [2, 1, 1]
    server.forget()
    assert await answers(ask(node), ask(node)) == [server.chain_id] * 2
    assert [type(request) for request in server.requests] == [dict, dict]


async def test_batch_refused_by_a_real_proxy_falls_back(
    proxy: FaultProxy, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """A real node behind a proxy without batches answers each call."""
    proxy.set(Fault("no_batch"))
    node = Node("real", Url(proxy.url), session, clock=clock)
    said = await answers(*(ask(node) for _ in range(20)))
    assert said == ["0x7a69"] * 20


async def test_batch_refused_for_another_cause_rejects_each_call(
    server: Canned, node: Node
) -> None:
    """One error of all calls is no word on batches: the next tick travels together again."""
    server.respond = no_batches({"code": -32005, "message": "daily request count exceeded"})
    said = await answers(ask(node), ask(node))
    assert [type(one) for one in said] == [CallRejected] * 2
    assert "daily request count exceeded" in str(said[1])
    assert len(server.requests) == 1
    server.respond = None
    assert await answers(ask(node), ask(node)) == [server.chain_id] * 2
    assert len(server.requests) == 2


async def test_single_calls_after_a_refused_batch_fail_alone(server: Canned, node: Node) -> None:
    """Whatever befalls one of them below JSON-RPC, the others keep their answers."""

    async def odd(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        if isinstance(asked, list):
            return reply({"id": None, "error": BATCH_REFUSAL})
        if asked["method"] == "eth_html":
            return reply("<html>bad gateway</html>", 502)
        if asked["method"] == "eth_half":
            return reply('{"id": 1, "resu')
        if asked["method"] == "eth_reset":
            server.port.reset(request.transport)
            return reply("")
        return None

    server.respond = odd
    said = await answers(
        *(ask(node, method) for method in ("eth_html", "eth_half", "eth_reset", "eth_chainId"))
    )
    assert [type(one) for one in said[:3]] == [
        ConnectionRefused,
        MalformedAnswer,
        ConnectionRefused,
    ]
    assert said[3] == server.chain_id


async def test_single_call_answered_by_a_list_is_read(server: Canned, node: Node) -> None:
    """A list with the one answer in it leaves nothing open."""

    async def listed(request: web.BaseRequest, asked: Json) -> web.StreamResponse:
        return reply([server.answer(asked)])

    server.respond = listed
    assert await ask(node) == server.chain_id


# -- answers to a call ---------------------------------------------------------------------------


async def test_error_without_an_id_rejects_the_only_call(server: Canned, node: Node) -> None:
    """A server that could not read the id says null; there is only one call it can mean."""
    server.respond = always(
        {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "Parse error"}}
    )
    with pytest.raises(CallRejected, match="error -32700: Parse error"):
        await ask(node)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("quota reached", "eth_chainId: error 0: quota reached"),
        ({"message": "boom"}, "eth_chainId: error 0: boom"),
        ({"code": -32005}, "eth_chainId: error -32005: without a message"),
        ({"code": 3, "message": "a\x00b\u202ec\nd  é", "data": {"x": []}}, "a b c d é"),
    ],
    ids=["text", "no_code", "no_message", "control_characters"],
)
async def test_error_in_any_dress_is_one_printable_line(
    server: Canned, node: Node, error: Json, text: str
) -> None:
    """Some send no code, some plain text; nothing unprintable reaches a terminal."""
    server.respond = always({"jsonrpc": "2.0", "id": 1, "error": error})
    with pytest.raises(CallRejected) as caught:
        await ask(node)
    assert text in str(caught.value)
    assert str(caught.value).isprintable()


async def test_error_of_enormous_length_is_cut(server: Canned, node: Node) -> None:
    """A stack trace as a message stays one line of readable length."""
    server.answers = {"eth_chainId": Refusal("trace " * 10_000, -32000)}
    with pytest.raises(CallRejected) as caught:
        await ask(node)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("bad_id", ["not 1", 2, -1, None, ""])
async def test_answer_under_another_id_is_malformed(
    server: Canned, node: Node, bad_id: Json
) -> None:
    """An answer to somebody else's question is not taken for ours."""
    server.respond = always({"jsonrpc": "2.0", "id": bad_id, "result": "0x1"})
    with pytest.raises(MalformedAnswer, match="no answer with id 1"):
        await ask(node)


async def test_answer_without_result_or_error_is_malformed(server: Canned, node: Node) -> None:
    """Nothing said is not null said."""
    server.respond = always({"jsonrpc": "2.0", "id": 1})
    with pytest.raises(MalformedAnswer, match="neither result nor error"):
        await ask(node)


async def test_answer_null_is_an_answer(server: Canned, node: Node) -> None:
    """`null` is how a node says that there is no such block; with `error: null` as well."""
    server.respond = always({"jsonrpc": "2.0", "id": 1, "result": None, "error": None})
    assert await node.ask("eth_getBlockByNumber", ("0x1", False), decode.header) is None


# -- methods that are absent ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        Refusal("the method eth_foo does not exist/is not available", -32601),
        Refusal("Method 'eth_foo' is not supported", -32601),
        Refusal("The method 'eth_foo' is not supported.", -32603),
        Refusal("Method not found", -32601),
        Refusal("Method not enabled", -32604),
        Refusal("the method eth_foo does not exist/is not available", -32000),
        Refusal("Method eth_foo not supported."),
        Refusal("Method eth_foo is not supported", -32004),
        Refusal("unknown variant `eth_foo`, expected one of `web3_clientVersion`", -32600),
        Refusal("Unsupported method: eth_foo. See available methods", -32000),
    ],
    ids=[
        "geth",
        "nethermind",
        "nethermind_internal",
        "besu_reth",
        "besu_disabled",
        "erigon",
        "ganache",
        "hardhat",
        "anvil",
        "provider",
    ],
)
async def test_method_absent_is_known_in_every_dialect(
    server: Canned, node: Node, said: Refusal
) -> None:
    """The clients' own words all mean `unsupported`, whatever the code."""
    server.answers = {"eth_foo": said}
    with pytest.raises(MethodAbsent) as caught:
        await ask(node, "eth_foo")
    assert caught.value.unseen().reason == "unsupported"


async def test_method_absent_on_a_real_node_is_known(real: Node) -> None:
    """In anvil's own words."""
    with pytest.raises(MethodAbsent):
        await ask(real, "admin_peers")


@pytest.mark.parametrize(
    "said",
    [
        Refusal("historical state 0xab is not available", -32000),
        Refusal("missing trie node: state is not available", -32000),
        Refusal("header not found", -32000),
        Refusal("method handler crashed", -32603),
        Refusal("block does not exist", -32000),
        Refusal("rate limit exceeded", -32005),
        Refusal("no peer available for synchronization", -32603),
    ],
    ids=lambda said: said.message,
)
async def test_method_that_failed_is_not_absent(server: Canned, node: Node, said: Refusal) -> None:
    """Data that is missing, or a node in trouble, says nothing about the method."""
    server.answers = {"eth_foo": said}
    with pytest.raises(CallRejected) as caught:
        await ask(node, "eth_foo")
    assert not isinstance(caught.value, MethodAbsent)
    assert caught.value.unseen().reason == "rpc_error"


# -- ends ----------------------------------------------------------------------------------------


async def test_caller_cancelled_while_waiting_leaves_the_neighbours(
    server: Canned, node: Node
) -> None:
    """One that goes away takes nobody with it and leaves nothing behind."""
    server.respond = hang = Hang()
    gone, stays = ask(node, "eth_gone"), ask(node)
    await hang.holding.wait()
    gone.cancel()
    said = await answers(gone)
    hang.released.set()
    assert isinstance(said[0], asyncio.CancelledError)
    assert await stays == server.chain_id


async def test_caller_cancelled_before_its_call_was_sent_leaves_the_neighbours(
    server: Canned, node: Node
) -> None:
    """The same between the call and its request."""
    gone, stays = ask(node, "eth_gone"), ask(node)
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == server.chain_id
    assert gone.cancelled()


async def test_all_callers_cancelled_leave_an_error_that_nobody_misses(
    server: Canned, node: Node
) -> None:
    """An answer that turns out bad after everybody left is not reported by the loop."""
    server.respond = hang = Hang()
    gone = [ask(node), ask(node)]
    await hang.holding.wait()
    for call in gone:
        call.cancel()
    await answers(*gone)
    server.respond = always("nonsense")
    hang.released.set()
    await answers(ask(node))
    await node.close()
    assert node.errors_total == {"malformed": 1}


@pytest.mark.parametrize("moment", ["called", "begun", "sent"])
async def test_close_ends_the_calls_under_way(server: Canned, node: Node, moment: str) -> None:
    """Whoever still waits when the node is closed is cancelled, wherever his call was."""
    server.respond = hang = Hang()
    waiting = [ask(node), ask(node, "web3_clientVersion")]
    if moment == "sent":
        await hang.holding.wait()
    else:
        for _ in range({"called": 1, "begun": 2}[moment]):
            await asyncio.sleep(0)
    await node.close()
    async with asyncio.timeout(DEADLINE_SECONDS):
        said = await answers(*waiting)
    assert [type(one) for one in said] == [asyncio.CancelledError] * 2
    assert server.requests == [] or moment == "sent"
    hang.released.set()


async def test_close_without_calls_does_nothing(node: Node) -> None:
    """Twice is as good as once, and no question was asked for it."""
    await node.close()
    await node.close()
    assert node.calls_total == 0
    assert node.last_exchange is None


async def test_call_on_a_closed_session_raises_at_once(server: Canned, clock: Clock) -> None:
    """A mistake of ours reaches the caller; it does not leave him waiting for ever."""
    session = aiohttp.ClientSession()
    await session.close()
    node = Node("canned", Url(server.url), session, clock=clock)
    async with asyncio.timeout(DEADLINE_SECONDS):
        with pytest.raises(RuntimeError, match="closed"):
            await ask(node)


# -- budget --------------------------------------------------------------------------------------


async def test_budget_counts_calls_and_refuses_at_the_limit(
    server: Canned, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """Five calls in one batch are five calls; the sixth is not sent and says why."""
    budget = Budget(5, clock)
    node = Node("dev/a", Url(server.url), session, clock=clock, budget=budget)
    said = await answers(*(ask(node) for _ in range(6)))
    assert said[:5] == [server.chain_id] * 5
    assert isinstance(said[5], BudgetSpent)
    assert str(said[5]) == "its 5 calls of today (UTC) are spent"
    assert said[5].unseen().reason == "budget"
    assert len(server.calls) == 5
    assert (node.calls_total, budget.spent, node.errors_total) == (5, 5, {"budget": 1})


async def test_budget_begins_anew_at_midnight(
    server: Canned, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """The day is UTC's."""
    node = Node("dev/a", Url(server.url), session, clock=clock, budget=Budget(1, clock))
    assert await ask(node) == server.chain_id
    clock.now = MIDNIGHT + DAY_SECONDS - 0.001
    with pytest.raises(BudgetSpent):
        await ask(node)
    clock.now = MIDNIGHT + DAY_SECONDS
    assert await ask(node) == server.chain_id


async def test_every_failure_is_an_rpc_error_and_is_counted(
    server: Canned, session: aiohttp.ClientSession, clock: Clock
) -> None:
    """What a probe may meet is one family, counted by the reason it will be written down as."""
    node = Node("dev/a", Url(server.url), session, clock=clock, budget=Budget(4, clock))
    server.answers = {"bad": Refusal("no", -32000), "odd": 7}
    said = await answers(ask(node, "bad"), ask(node, "absent"), ask(node, "odd"))
    server.respond = always("", 500)
    said += await answers(ask(node), ask(node))
    assert all(isinstance(one, RpcError) for one in said)
    reasons = [one.unseen().reason for one in said]
    assert reasons == ["rpc_error", "unsupported", "malformed", "refused", "budget"]
    assert node.errors_total == dict.fromkeys(reasons, 1)


async def test_answers_of_a_node_are_dated_and_timed_as_they_come(
    server: Canned, node: Node, clock: Clock
) -> None:
    """Every exchange tells the host's time, and every call how long it took, in a batch too."""
    server.clock = Clock(clock.now + 60.0)
    await answers(ask(node), ask(node))
    (window,) = node.tally.window()
    assert (window.calls, len(window.seconds)) == (2, 2)
    assert all(0 < seconds < DEADLINE_SECONDS for seconds in window.seconds)
    assert node.host_clock.skew_seconds == pytest.approx(60.5)


async def test_calls_of_one_tick_in_two_lanes_travel_apart(node: Node, server: Canned) -> None:
    """What is asked beside the rounds takes no head past its deadline; tasks inherit the lane."""

    async def version() -> str:
        return await node.ask("web3_clientVersion", (), decode.text)

    async def beside() -> str:
        LANE.set("beside")
        return await asyncio.create_task(version())

    await asyncio.gather(*(asyncio.create_task(one()) for one in (beside, version, version)))
    sizes = [len(request) if isinstance(request, list) else 1 for request in server.requests]
    assert sorted(sizes) == [1, 2]
