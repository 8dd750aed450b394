"""The HTTP side of the proxy, each fault against a real node."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.errors import LabError
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy


class Ask(Protocol):
    """The `ask` fixture."""

    async def __call__(self, url: str, method: str | list[tuple[Any, ...]], *params: Any) -> Any:
        """Post one call or a batch."""


async def _head(ask: Ask, url: str) -> int:
    return int((await ask(url, "eth_blockNumber"))["result"], 16)


async def _block(ask: Ask, url: str, which: int | str) -> Any:
    name = hex(which) if isinstance(which, int) else which
    return (await ask(url, "eth_getBlockByNumber", name, False))["result"]


async def test_proxy_without_faults_passes_calls_and_batches(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """What the node says is what the client gets, ids included."""
    calls: list[tuple[Any, ...]] = [("eth_chainId",), ("net_peerCount",), ("eth_blockNumber",)]
    assert await ask(proxy.url, calls) == await ask(node.url, calls)
    assert await ask(proxy.url, "eth_chainId") == await ask(node.url, "eth_chainId")
    assert not proxy.log


async def test_proxy_with_another_fault_passes_calls_as_they_are(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """A fault changes only the methods it names, also within a batch."""
    proxy.set(Fault("override", methods="eth_syncing", result={"currentBlock": "0x1"}))
    calls: list[tuple[Any, ...]] = [("eth_chainId",), ("net_peerCount",), ("eth_blockNumber",)]
    assert await ask(proxy.url, calls) == await ask(node.url, calls)


@pytest.mark.parametrize("body", ["not json", "[]", "[1]", "7", '{"id":1}'])
async def test_proxy_with_a_body_that_is_no_call_lets_the_node_answer(
    session: aiohttp.ClientSession, node: Anvil, proxy: FaultProxy, body: str
) -> None:
    """Nonsense gets the node's own answer, whether faults are in force or not."""
    proxy.set(Fault("lag", blocks=1))
    answers = []
    for url in (node.url, proxy.url):
        headers = {"Content-Type": "application/json"}
        async with session.post(url, data=body, headers=headers) as response:
            answers.append(await response.read())
    assert answers[0] == answers[1]


async def test_lag_shows_the_chain_as_it_was(ask: Ask, node: Anvil, proxy: FaultProxy) -> None:
    """Head, tags, heights, state and receipts all stand k blocks back, and move with the node."""
    accounts = await node.rpc("eth_accounts")
    sent = await node.rpc(
        "eth_sendTransaction",
        {"from": accounts[1], "to": accounts[2], "value": "0x1", "gas": "0x5208"},
    )
    await node.rpc("anvil_mine")
    proxy.set(Fault("lag", blocks=3))
    assert await _head(ask, proxy.url) == 18
    heights = [int((await _block(ask, proxy.url, t))["number"], 16) for t in ("latest", "safe")]
    assert heights == [18, 14]
    assert await _block(ask, proxy.url, 19) is None
    assert (await _block(ask, proxy.url, 18))["hash"] == (await _block(ask, node.url, 18))["hash"]
    nonce = await ask(proxy.url, "eth_getTransactionCount", accounts[1], "latest")
    assert nonce["result"] == "0x0"
    assert (await ask(proxy.url, "eth_getTransactionReceipt", sent))["result"] is None
    assert (await ask(proxy.url, "eth_getTransactionByHash", sent))["result"]["blockHash"] is None
    await node.rpc("anvil_mine", "0x3")
    assert await _head(ask, proxy.url) == 21
    assert (await ask(proxy.url, "eth_getTransactionReceipt", sent))["result"]["status"] == "0x1"
    proxy.heal()
    assert await _head(ask, proxy.url) == 24


async def test_lag_with_a_batch_is_one_consistent_view(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """All calls of a batch are answered from one head."""
    proxy.set(Fault("lag", blocks=2))
    number, latest, chain_id = await ask(
        proxy.url,
        [("eth_blockNumber",), ("eth_getBlockByNumber", "latest", False), ("eth_chainId",)],
    )
    assert number["result"] == latest["result"]["number"] == hex(18)
    assert [number["id"], latest["id"], chain_id["id"]] == [1, 2, 3]
    assert chain_id["result"] == await node.rpc("eth_chainId")


async def test_lag_with_probability_lets_the_head_go_backwards(ask: Ask, proxy: FaultProxy) -> None:
    """Two backends behind one address, one of them stale."""
    proxy.set(Fault("lag", blocks=4, probability=0.5))
    heads = {await _head(ask, proxy.url) for _ in range(20)}
    assert heads == {16, 20}


async def test_freeze_stays_where_it_was_first_seen(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """The frozen node does not move with the chain, and does when healed."""
    proxy.set(Fault("freeze"))
    assert await _head(ask, proxy.url) == 20
    await node.rpc("anvil_mine", "0x5")
    assert await _head(ask, proxy.url) == 20
    assert int((await _block(ask, proxy.url, "latest"))["number"], 16) == 20
    proxy.heal()
    assert await _head(ask, proxy.url) == 25


async def test_ahead_claims_blocks_that_nobody_has(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """The number is raised, the hash unknown to the node, the invented chain linked to the real."""
    proxy.set(Fault("ahead", blocks=2))
    assert await _head(ask, proxy.url) == 22
    latest = await _block(ask, proxy.url, "latest")
    assert int(latest["number"], 16) == 22
    assert (await ask(node.url, "eth_getBlockByHash", latest["hash"], False))["result"] is None
    parent = await _block(ask, proxy.url, 21)
    assert latest["parentHash"] == parent["hash"]
    assert parent["parentHash"] == (await _block(ask, node.url, 20))["hash"]


async def test_mutate_hash_tells_a_linked_lie(ask: Ask, node: Anvil, proxy: FaultProxy) -> None:
    """From the height on every hash is another, the chain is linked, and is known by its lies."""
    proxy.set(Fault("mutate_hash", from_number=15))
    real = [await _block(ask, node.url, number) for number in range(13, 21)]
    told = [await _block(ask, proxy.url, number) for number in range(13, 21)]
    assert told[:2] == real[:2]
    assert all(lie["hash"] != truth["hash"] for lie, truth in zip(told[2:], real[2:], strict=True))
    assert all(child["parentHash"] == parent["hash"] for parent, child in pairwise(told))
    by_lie = await ask(proxy.url, "eth_getBlockByHash", told[4]["hash"], False)
    by_truth = await ask(proxy.url, "eth_getBlockByHash", real[4]["hash"], False)
    below = await ask(proxy.url, "eth_getBlockByHash", real[0]["hash"], False)
    assert (by_lie["result"], by_truth["result"], below["result"]) == (told[4], None, real[0])
    assert await _head(ask, proxy.url) == 20


async def test_override_gives_any_result_or_error(ask: Ask, proxy: FaultProxy) -> None:
    """Results that are false or null are results; errors keep code and message."""
    proxy.set(
        Fault("override", methods="web3_clientVersion", result="Geth/v1.8.12"),
        Fault("override", methods="eth_syncing", result=False),
        Fault("override", methods="net_peerCount", result="0x3"),
        Fault("override", methods="eth_chainId", error=(-32603, "no peer available")),
    )
    methods = ("web3_clientVersion", "eth_syncing", "net_peerCount", "eth_chainId")
    answers = await ask(proxy.url, [(method,) for method in methods])
    assert [answer.get("result") for answer in answers] == ["Geth/v1.8.12", False, "0x3", None]
    assert answers[3]["error"] == {"code": -32603, "message": "no peer available"}
    assert await ask(proxy.url, "eth_syncing") == {"jsonrpc": "2.0", "id": 1, "result": False}


async def test_wrong_chain_answers_both_questions(ask: Ask, proxy: FaultProxy) -> None:
    """The chain id in hex and the network id in decimal are both another's."""
    proxy.set(Fault("wrong_chain", chain_id=134))
    chain_id, version = await ask(proxy.url, [("eth_chainId",), ("net_version",)])
    assert (chain_id["result"], version["result"]) == ("0x86", "134")


async def test_wrong_id_answers_under_an_id_nobody_asked(ask: Ask, proxy: FaultProxy) -> None:
    """The result is right and the id is not, for the methods concerned."""
    proxy.set(Fault("wrong_id", methods="eth_chainId"))
    chain_id, number = await ask(proxy.url, [("eth_chainId",), ("eth_blockNumber",)])
    assert (chain_id["id"], chain_id["result"]) == ("not 1", "0x7a69")
    assert number["id"] == 2


async def test_drop_from_batch_leaves_answers_out(ask: Ask, proxy: FaultProxy) -> None:
    """The batch's answer lacks the entries of that method."""
    proxy.set(Fault("drop_from_batch", methods="eth_chainId"))
    answers = await ask(proxy.url, [("eth_chainId",), ("eth_blockNumber",), ("eth_chainId",)])
    assert [answer["id"] for answer in answers] == [2]


async def test_no_batch_answers_with_one_error(ask: Ask, proxy: FaultProxy) -> None:
    """A batch gets one error object and no list; a single call is served."""
    proxy.set(Fault("no_batch"))
    answer = await ask(proxy.url, [("eth_chainId",), ("eth_blockNumber",)])
    assert answer["error"]["code"] == -32600
    assert await _head(ask, proxy.url) == 20


async def test_latency_waits_before_the_answer(ask: Ask, proxy: FaultProxy) -> None:
    """The answer is right, and not there before its time."""
    proxy.set(Fault("latency", seconds=0.15))
    began = asyncio.get_running_loop().time()
    assert await _head(ask, proxy.url) == 20
    assert asyncio.get_running_loop().time() - began >= 0.15


async def test_hang_is_silent_until_it_is_healed(ask: Ask, proxy: FaultProxy) -> None:
    """The connection stands and nothing comes; healed, the waiting call is answered."""
    proxy.set(Fault("hang", methods="eth_blockNumber"))
    call = asyncio.create_task(_head(ask, proxy.url))
    assert (await ask(proxy.url, "eth_chainId"))["result"] == "0x7a69"
    done, _ = await asyncio.wait([call], timeout=0.2)
    assert not done
    proxy.heal()
    assert await call == 20


async def test_reset_ends_the_connection_without_a_word(ask: Ask, proxy: FaultProxy) -> None:
    """The client sees a reset; after two times it is over."""
    proxy.set(Fault("reset", times=2))
    for _ in range(2):
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(proxy.url, "eth_chainId")
    assert await _head(ask, proxy.url) == 20


@pytest.mark.parametrize(("status", "after"), [(429, 7), (503, None), (401, None)])
async def test_http_status_replaces_the_answer(
    session: aiohttp.ClientSession, proxy: FaultProxy, status: int, after: int | None
) -> None:
    """Status, text and Retry-After are what the fault says."""
    proxy.set(Fault("http", status=status, text="go away", retry_after_seconds=after))
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with session.post(proxy.url, json=call) as response:
        assert (response.status, await response.text()) == (status, "go away")
        assert response.headers.get("Retry-After") == (None if after is None else str(after))


@pytest.mark.parametrize("kind", ["truncate", "html"])
async def test_body_that_is_no_json_replaces_the_answer(
    session: aiohttp.ClientSession, proxy: FaultProxy, kind: Any
) -> None:
    """The status is 200 and the body is half an answer, or a page."""
    proxy.set(Fault(kind))
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with session.post(proxy.url, json=call) as response:
        assert response.status == 200
        text = await response.text()
    assert text
    with pytest.raises(ValueError, match=r"Expecting|Unterminated|Invalid"):
        json.loads(text)


async def test_huge_sends_as_many_bytes_as_asked(
    session: aiohttp.ClientSession, proxy: FaultProxy
) -> None:
    """A well-formed answer of exactly that size, its length not announced."""
    proxy.set(Fault("huge", size_bytes=3_000_000))
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with session.post(proxy.url, json=call) as response:
        assert response.content_length is None
        body = await response.read()
    assert len(body) == 3_000_000
    assert json.loads(body)["id"] == 1


async def test_huge_stops_when_the_client_has_had_enough(
    session: aiohttp.ClientSession, ask: Ask, proxy: FaultProxy
) -> None:
    """A client that hangs up early leaves a proxy that works."""
    proxy.set(Fault("huge", size_bytes=200_000_000, times=1))
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    async with session.post(proxy.url, json=call) as response:
        await response.content.readexactly(100_000)
        response.close()
    assert await _head(ask, proxy.url) == 20


async def test_slowloris_comes_byte_by_byte(
    session: aiohttp.ClientSession, proxy: FaultProxy
) -> None:
    """The body is right and takes its time for every byte."""
    proxy.set(Fault("slowloris", seconds=0.005))
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    began = asyncio.get_running_loop().time()
    async with session.post(proxy.url, json=call) as response:
        body = await response.read()
    assert json.loads(body)["result"] == "0x7a69"
    assert asyncio.get_running_loop().time() - began >= 0.005 * len(body)


async def test_route_puts_another_node_behind(
    ask: Ask, proxy: FaultProxy, anvil_path: Path
) -> None:
    """The same address shows another chain, and the first again; an unknown name is an error."""
    async with Anvil(Chain(99, 1_600_000_000), binary=anvil_path) as other:
        proxy.add_upstream("other", other.url)
        proxy.route("other")
        assert (await ask(proxy.url, "eth_chainId"))["result"] == hex(99)
        proxy.route("node")
        assert (await ask(proxy.url, "eth_chainId"))["result"] == "0x7a69"
    with pytest.raises(LabError, match=r"no upstream 'x': node, other"):
        proxy.route("x")


async def test_unplug_refuses_and_plug_serves_at_the_same_port(ask: Ask, proxy: FaultProxy) -> None:
    """Unplugged, connections are refused; plugged in, the address is the same. Twice is once."""
    url = proxy.url
    assert await _head(ask, url) == 20
    for _ in range(2):
        await proxy.unplug()
        await proxy.unplug()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", proxy.port.number)
        with pytest.raises(aiohttp.ClientConnectionError):
            await ask(url, "eth_chainId")
        await proxy.plug()
        await proxy.plug()
        assert proxy.url == url
        assert await _head(ask, url) == 20


async def test_unplug_resets_a_call_that_waits(ask: Ask, proxy: FaultProxy) -> None:
    """A call in flight ends with the cable, at once."""
    proxy.set(Fault("hang"))
    call = asyncio.create_task(ask(proxy.url, "eth_chainId"))
    while not proxy.log:
        await asyncio.sleep(0.01)
    began = asyncio.get_running_loop().time()
    await proxy.unplug()
    with pytest.raises(aiohttp.ClientConnectionError):
        await call
    assert asyncio.get_running_loop().time() - began < 0.5


async def test_proxy_whose_node_is_gone_says_bad_gateway(
    session: aiohttp.ClientSession, node: Anvil, proxy: FaultProxy
) -> None:
    """With nobody behind, the answer is 502, with and without faults."""
    await node.stop()
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    for faults in ((), (Fault("lag", blocks=1),)):
        proxy.set(*faults)
        async with session.post(proxy.url, json=call) as response:
            assert response.status == 502


async def test_log_says_what_was_applied(ask: Ask, proxy: FaultProxy) -> None:
    """Each strike is in the log with its method, in order."""
    proxy.set(Fault("override", methods="eth_*", result="0x1"))
    await ask(proxy.url, "eth_chainId")
    await ask(proxy.url, [("eth_blockNumber",), ("net_version",)])
    assert [(one.sequence, one.kind, one.method) for one in proxy.log] == [
        (1, "override", "eth_chainId"),
        (2, "override", "eth_blockNumber"),
    ]
