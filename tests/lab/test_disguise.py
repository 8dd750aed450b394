"""The faults of content, each against a real node through the proxy."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any, Protocol

import aiohttp
import pytest

from monitor.lab.anvil import Anvil
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy

LOGGING = "0x602a60005260206000a0"
"""As the code of a creation: writes 42 and logs it, without a topic."""
GAS = "0x20000"


class Ask(Protocol):
    """The `ask` fixture."""

    async def __call__(self, url: str, method: str | list[tuple[Any, ...]], *params: Any) -> Any:
        """Post one call or a batch."""


async def _tagged(ask: Ask, url: str) -> list[int]:
    """The heights of latest, safe and finalized."""
    calls: list[tuple[Any, ...]] = [
        ("eth_getBlockByNumber", tag, False) for tag in ("latest", "safe", "finalized")
    ]
    return [int(answer["result"]["number"], 16) for answer in await ask(url, calls)]


async def _logs(node: Anvil, count: int) -> list[str]:
    """Send so many transactions that log once each, in one block; their hashes."""
    accounts = await node.rpc("eth_accounts")
    sent = [
        await node.rpc("eth_sendTransaction", {"from": accounts[1], "data": LOGGING, "gas": GAS})
        for _ in range(count)
    ]
    await node.rpc("anvil_mine")
    return sent


async def test_backwards_shows_two_backends_each_with_a_chain_of_its_own(
    ask: Ask, proxy: FaultProxy
) -> None:
    """The head goes back and forth between polls; within one batch it is one backend's."""
    proxy.set(Fault("backwards", blocks=3, probability=0.5))
    heads = []
    for _ in range(20):
        number, latest = await ask(
            proxy.url, [("eth_blockNumber",), ("eth_getBlockByNumber", "latest", False)]
        )
        assert number["result"] == latest["result"]["number"]
        heads.append(int(number["result"], 16))
    assert set(heads) == {17, 20}
    assert any(after < before for before, after in pairwise(heads))


async def test_finality_stalled_stays_while_the_head_goes_on(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """`safe` and `finalized` stand where they were met; healed, they are where they belong."""
    proxy.set(Fault("finality_stalled"))
    assert await _tagged(ask, proxy.url) == [20, 16, 12]
    await node.rpc("anvil_mine", "0x5")
    assert await _tagged(ask, proxy.url) == [25, 16, 12]
    proxy.set(Fault("finality_stalled"))
    assert await _tagged(ask, proxy.url) == [25, 21, 17]
    await node.rpc("anvil_mine", "0x1")
    proxy.heal()
    assert await _tagged(ask, proxy.url) == [26, 22, 18]


async def test_finality_backwards_takes_finality_back(ask: Ask, proxy: FaultProxy) -> None:
    """`finalized` alone names an older block, and its true hash."""
    before = (await ask(proxy.url, "eth_getBlockByNumber", "finalized", False))["result"]
    proxy.set(Fault("finality_backwards", blocks=3))
    assert await _tagged(ask, proxy.url) == [20, 16, 9]
    after = (await ask(proxy.url, "eth_getBlockByNumber", "finalized", False))["result"]
    by_number = (await ask(proxy.url, "eth_getBlockByNumber", "0x9", False))["result"]
    assert after == by_number != before


async def test_finalized_hash_differs_from_the_same_block_by_number(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """Only the answer to the tag lies."""
    proxy.set(Fault("finalized_hash"))
    blocks = ("finalized", "0xc", "latest")
    answers = await ask(proxy.url, [("eth_getBlockByNumber", block, False) for block in blocks])
    by_tag, by_number, latest = (answer["result"] for answer in answers)
    assert by_number == await node.rpc("eth_getBlockByNumber", "0xc", False)
    assert by_tag["hash"] != by_number["hash"]
    assert by_tag | {"hash": by_number["hash"]} == by_number
    assert latest == await node.rpc("eth_getBlockByNumber", "latest", False)


@pytest.mark.parametrize(
    ("fault", "heights", "head"),
    [
        (Fault("tags_unordered"), [20, 12, 16], 20),
        (Fault("tags_unordered", tag="safe", blocks=2), [18, 20, 12], 18),
    ],
    ids=["finalized-above-safe", "safe-above-latest"],
)
async def test_tags_unordered_names_blocks_in_the_wrong_order(
    ask: Ask, proxy: FaultProxy, fault: Fault, heights: list[int], head: int
) -> None:
    """The blocks are all real; the order is one that no chain has."""
    proxy.set(fault)
    assert await _tagged(ask, proxy.url) == heights
    assert int((await ask(proxy.url, "eth_blockNumber"))["result"], 16) == head


async def test_tags_of_a_node_behind_are_faulty_on_its_own_chain(
    ask: Ask, proxy: FaultProxy
) -> None:
    """Faults of the tags and of the view hold together."""
    proxy.set(Fault("lag", blocks=2), Fault("finality_backwards", blocks=3))
    assert await _tagged(ask, proxy.url) == [18, 14, 9]


async def test_timestamp_skew_shifts_blocks_and_not_their_hashes(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """From its height on, asked by number or by hash, a block is later than it is."""
    proxy.set(Fault("timestamp_skew", seconds=90, from_number=20))
    real = await node.rpc("eth_getBlockByNumber", "latest", False)
    wanted = real | {"timestamp": hex(int(real["timestamp"], 16) + 90)}
    for method, block in (("eth_getBlockByNumber", "latest"), ("eth_getBlockByHash", real["hash"])):
        assert (await ask(proxy.url, method, block, False))["result"] == wanted
    below = await node.rpc("eth_getBlockByNumber", "0x13", False)
    assert (await ask(proxy.url, "eth_getBlockByNumber", "0x13", False))["result"] == below


@pytest.mark.parametrize("seconds", [-3600, 45])
async def test_date_skew_shifts_the_clock_of_the_answers(
    session: aiohttp.ClientSession, node: Anvil, proxy: FaultProxy, seconds: int
) -> None:
    """The `Date` header is off by so much, in the form of RFC 9110; without the fault it is not."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}

    async def offset_seconds() -> float:
        dates = []
        for url in (proxy.url, node.url):
            async with session.post(url, json=call) as response:
                assert (await response.json())["result"] == "0x7a69"
                dates.append(parsedate_to_datetime(response.headers["Date"]))
        return (dates[0] - dates[1]).total_seconds()

    proxy.set(Fault("date_skew", methods="eth_chainId", seconds=seconds))
    assert abs(await offset_seconds() - seconds) < 20
    proxy.heal()
    assert abs(await offset_seconds()) < 20


@pytest.mark.parametrize(("part", "left"), [("last", 2), ("all", 0), ("data", 3)])
async def test_wrong_logs_under_the_right_header(
    ask: Ask, node: Anvil, proxy: FaultProxy, part: Any, left: int
) -> None:
    """The header is the node's, with its bloom; filter and receipts both say something else."""
    sent = await _logs(node, 3)
    proxy.set(Fault("wrong_logs", part=part))
    header, logs, receipts, receipt = await ask(
        proxy.url,
        [
            ("eth_getBlockByNumber", "latest", False),
            ("eth_getLogs", {"fromBlock": "latest", "toBlock": "latest"}),
            ("eth_getBlockReceipts", "latest"),
            ("eth_getTransactionReceipt", sent[-1]),
        ],
    )
    assert header["result"] == await node.rpc("eth_getBlockByNumber", "latest", False)
    real = await node.rpc("eth_getLogs", {"fromBlock": "latest", "toBlock": "latest"})
    assert len(real) == 3
    assert len(logs["result"]) == left
    assert sum(len(one["logs"]) for one in receipts["result"]) == left
    assert [one["transactionHash"] for one in receipts["result"]] == sent
    assert len(receipt["result"]["logs"]) == (1 if part == "data" else 0)
    if part == "data":
        assert logs["result"][:2] == real[:2]
        assert logs["result"][2]["data"] != real[2]["data"]


async def test_wrong_logs_from_a_height_on_leaves_the_older(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """What was told before the fault is told again as it was."""
    await _logs(node, 1)
    await _logs(node, 1)
    proxy.set(Fault("wrong_logs", part="all", from_number=22))
    logs = (await ask(proxy.url, "eth_getLogs", {"fromBlock": "0x0"}))["result"]
    assert [int(log["blockNumber"], 16) for log in logs] == [21]


async def test_wrong_state_is_another_value_under_the_same_block(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """Balance, storage, calls and the value of a proof differ; the proof's nodes do not."""
    account = (await node.rpc("eth_accounts"))[1]
    slot = "0x" + "00" * 32
    # Reads slot 0 and returns it: any code will do that answers with bytes.
    await node.rpc("anvil_setCode", "0x" + "ee" * 20, "0x60005460005260206000f3")
    calls: list[tuple[Any, ...]] = [
        ("eth_getBalance", account, "latest"),
        ("eth_getStorageAt", "0x" + "ee" * 20, slot, "latest"),
        ("eth_call", {"to": "0x" + "ee" * 20}, "latest"),
        ("eth_getProof", account, [slot], "latest"),
        ("eth_getCode", "0x" + "ee" * 20, "latest"),
        ("eth_getBlockByNumber", "latest", False),
    ]
    real = [one["result"] for one in await ask(proxy.url, calls)]
    proxy.set(Fault("wrong_state"))
    told = [one["result"] for one in await ask(proxy.url, calls)]
    assert [a == b for a, b in zip(real, told, strict=True)] == [False] * 4 + [True] * 2
    assert told[3]["accountProof"] == real[3]["accountProof"]
    assert told[3]["balance"] == told[0]
    proxy.set(Fault("wrong_state", methods="eth_getBalance", params=(account.upper(),)))
    told = [one["result"] for one in await ask(proxy.url, calls)]
    assert [a == b for a, b in zip(real, told, strict=True)] == [False] + [True] * 5


async def test_batch_error_fails_parts_of_a_batch(ask: Ask, proxy: FaultProxy) -> None:
    """Each second of these calls is over a limit, the rest is whole; alone, none is."""
    proxy.set(Fault("batch_error", methods="eth_getBlockByNumber", every=2))
    calls: list[tuple[Any, ...]] = [
        ("eth_chainId",),
        *(("eth_getBlockByNumber", hex(n), False) for n in range(4)),
    ]
    answers = await ask(proxy.url, calls)
    assert [one["id"] for one in answers] == [1, 2, 3, 4, 5]
    assert ["error" in one for one in answers] == [False, False, True, False, True]
    assert answers[2]["error"]["code"] == -32005
    assert "rate limited" in answers[2]["error"]["message"]
    for number in range(4):
        assert "result" in await ask(proxy.url, "eth_getBlockByNumber", hex(number), False)


async def test_batch_error_in_other_words(ask: Ask, proxy: FaultProxy) -> None:
    """Code and message may be any provider's."""
    proxy.set(Fault("batch_error", methods="eth_chainId", error=(429, "compute units exceeded")))
    chain_id, number = await ask(proxy.url, [("eth_chainId",), ("eth_blockNumber",)])
    assert chain_id["error"] == {"code": 429, "message": "compute units exceeded"}
    assert number["result"] == "0x14"


SYNCING: tuple[Any, ...] = (
    False,
    {
        "startingBlock": "0x0",
        "currentBlock": "0x3",
        "highestBlock": "0x10",
        "txIndexRemainingBlocks": "0x0",
    },
    {"currentBlock": "0x3", "highestBlock": "0x10", "stages": [{"stage_name": "Headers"}]},
    {"startingBlock": "0x0", "currentBlock": "0x3", "highestBlock": "0x10", "stages": None},
)
OVERRIDES: tuple[tuple[str, Any], ...] = (
    *(("eth_syncing", result) for result in SYNCING),
    ("net_peerCount", "0x0"),
    ("admin_peers", [{"enode": "enode://ab@127.0.0.1:30303", "network": {"inbound": True}}]),
    ("txpool_status", {"pending": "0x1", "queued": "0xff"}),
    ("eth_config", {"current": {"activationTime": 0}, "next": None, "last": None}),
    ("eth_capabilities", {"state": {"oldestBlock": "0x5"}}),
    ("debug_getBadBlocks", [{"hash": "0x01", "block": {"number": "0x5"}, "rlp": "0x"}]),
)


@pytest.mark.parametrize(
    ("method", "result"),
    OVERRIDES,
    ids=[f"{method}-{index}" for index, (method, _) in enumerate(OVERRIDES)],
)
async def test_override_serves_what_anvil_does_not_have(
    ask: Ask, proxy: FaultProxy, method: str, result: Any
) -> None:
    """Every shape arrives as it was given, alone and in a batch, whatever anvil itself says."""
    proxy.set(Fault("override", methods=method, result=result))
    assert (await ask(proxy.url, method))["result"] == result
    assert (await ask(proxy.url, [("eth_chainId",), (method,)]))[1]["result"] == result


async def test_override_by_params_answers_those_calls_alone(
    ask: Ask, node: Anvil, proxy: FaultProxy
) -> None:
    """One account, one height: the others are the node's."""
    rich, other = (await node.rpc("eth_accounts"))[1:3]
    proxy.set(
        Fault("override", methods="eth_getBalance", params=(rich,), result="0x0"),
        Fault("override", methods="eth_getBlockByNumber", params=("0x5",), error=(4444, "pruned")),
    )
    one, two, old, new = await ask(
        proxy.url,
        [
            ("eth_getBalance", rich, "latest"),
            ("eth_getBalance", other, "latest"),
            ("eth_getBlockByNumber", "0x5", False),
            ("eth_getBlockByNumber", "0x6", False),
        ],
    )
    assert one["result"] == "0x0"
    assert two["result"] == await node.rpc("eth_getBalance", other, "latest")
    assert old["error"] == {"code": 4444, "message": "pruned"}
    assert new["result"]["number"] == "0x6"
