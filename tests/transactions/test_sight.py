"""What is asked of an endpoint about an account, and what a view is made of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from monitor.lab.anvil import Anvil
from monitor.model import Address, Hash32, Unseen
from monitor.rpc.errors import RpcError
from monitor.transactions.sight import Question, Sight
from monitor.transactions.words import Market, PoolEntry, Receipt, View
from tests.rpc.canned import Canned, Refusal, serving
from tests.transactions.conftest import Dial

SENDER = Address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
OTHER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
HASH = Hash32("0x" + "ab" * 32)
BLOCK = "0x" + "cd" * 32
COUNTS = {"latest": "0x3", "pending": "0x5"}
ADDRESS_FIELDS = {"from": SENDER, "nonce": "0x3", "hash": HASH}


@pytest.fixture
def sight() -> Sight:
    return Sight(lambda: 1000.0)


@pytest.fixture
def counting(server: Canned) -> Canned:
    """A node that counts and knows nothing more."""
    server.answers |= {
        "eth_getTransactionCount": lambda params: COUNTS[params[1]],
        "eth_getBalance": "0xde0b6b3a7640000",
        "eth_getTransactionByHash": None,
        "eth_getTransactionReceipt": None,
        "net_peerCount": "0x19",
    }
    return server


async def seen(sight: Sight, dial: Dial, server: Canned, question: Question) -> View:
    view = (await sight.look(dial(server.url), question)).view
    assert isinstance(view, View)
    return view


async def test_look_is_one_batch_between_two_looks_at_the_head(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """Counts, balance, presence and receipts travel together, with `latest` around them."""
    question = Question(SENDER, (HASH,), (HASH,), with_balance=True)
    view = await seen(sight, dial, counting, question)
    assert len(counting.requests) == 1
    assert counting.methods[0] == counting.methods[-1] == "eth_getBlockByNumber"
    assert len(counting.methods) == 7
    assert (view.nonce_latest, view.nonce_pending, view.balance_wei) == (3, 5, 10**18)
    assert view.head.number == 100
    assert (view.presence, view.receipts) == ({HASH: "absent"}, {HASH: None})
    assert view.pool is None
    assert view.at == 1000.0


async def test_look_without_balance_and_pool_says_that_they_were_not_asked(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """None is not zero: what was not asked is not said."""
    view = await seen(sight, dial, counting, Question(SENDER))
    assert (view.balance_wei, view.pool, view.presence) == (None, None, {})
    assert "eth_getBalance" not in counting.methods


async def test_look_whose_head_moves_once_is_asked_again(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """Answers on both sides of a block are no view of one moment; the second time they are."""
    heads = iter([100, 101, 101, 101])
    counting.answers["eth_getBlockByNumber"] = lambda params: counting.chain.block(next(heads))
    counting.chain.head = 200
    view = await seen(sight, dial, counting, Question(SENDER))
    assert view.head.number == 101
    assert len(counting.requests) == 2


async def test_look_whose_head_always_moves_is_unseen(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """After the second try the endpoint has no view in this round."""
    heads = iter(range(100, 200))
    counting.chain.head = 200
    counting.answers["eth_getBlockByNumber"] = lambda params: counting.chain.block(next(heads))
    answer = await sight.look(dial(counting.url), Question(SENDER))
    assert isinstance(answer.view, Unseen)
    assert "its head moved" in answer.view.detail
    assert len(counting.requests) == 2


@pytest.mark.parametrize(
    ("method", "field"),
    [
        ("eth_getTransactionCount", "nonce_latest"),
        ("eth_getTransactionCount", "nonce_pending"),
        ("eth_getBalance", "balance_wei"),
    ],
)
async def test_look_with_one_failing_answer_is_unseen_there_alone(
    sight: Sight, dial: Dial, counting: Canned, method: str, field: str
) -> None:
    """An error is never zero, and its neighbours keep their answers."""
    counting.answers[method] = Refusal("state not available", -32000)
    view = await seen(sight, dial, counting, Question(SENDER, (HASH,), with_balance=True))
    assert isinstance(getattr(view, field), Unseen)
    assert view.presence == {HASH: "absent"}


async def test_look_where_by_hash_fails_is_unseen_and_not_absent(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """Geth that still indexes answers with an error: no statement about the transaction."""
    refusal = Refusal("transaction indexing is in progress", -32000)
    counting.answers |= {
        "eth_getTransactionByHash": refusal,
        "eth_getTransactionReceipt": refusal,
    }
    view = await seen(sight, dial, counting, Question(SENDER, (HASH,), (HASH,)))
    assert isinstance(view.presence[HASH], Unseen)
    assert isinstance(view.receipts[HASH], Unseen)


async def test_look_where_another_transaction_is_answered_is_malformed(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """An answer about another hash says nothing of ours."""
    wrong = "0x" + "ef" * 32
    counting.answers |= {
        "eth_getTransactionByHash": {"hash": wrong, "blockHash": None},
        "eth_getTransactionReceipt": _receipt(wrong),
    }
    view = await seen(sight, dial, counting, Question(SENDER, (HASH,), (HASH,)))
    for said in (view.presence[HASH], view.receipts[HASH]):
        assert isinstance(said, Unseen)
        assert said.reason == "malformed"


def _receipt(hash_: str, **more: Any) -> dict[str, Any]:
    return {
        "transactionHash": hash_,
        "blockHash": BLOCK.upper().replace("0X", "0x"),
        "blockNumber": "0x10",
        "gasUsed": "0x5208",
        "status": "0x1",
        "effectiveGasPrice": "0x3b9aca07",
        **more,
    }


@pytest.mark.parametrize(("status", "success"), [("0x1", True), ("0x0", False), (None, True)])
async def test_look_at_a_mined_one_reads_its_receipt(
    sight: Sight, dial: Dial, counting: Canned, status: str | None, *, success: bool
) -> None:
    """Block, status and price; before Byzantium there was no status to be 0."""
    written = _receipt(HASH, status=status)
    if status is None:
        del written["status"]
    counting.answers |= {
        "eth_getTransactionByHash": {"hash": HASH, "blockHash": BLOCK},
        "eth_getTransactionReceipt": written,
    }
    view = await seen(sight, dial, counting, Question(SENDER, (HASH,), (HASH,)))
    assert view.presence[HASH] == "mined"
    expected = Receipt(HASH, 16, Hash32(BLOCK), success, 21_000)
    assert view.receipts[HASH] == expected


async def test_look_at_a_pool_without_content_from_takes_the_whole(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """Anvil and Nethermind have no `txpool_contentFrom`; others' transactions are left out."""
    stranger = {"hash": BLOCK, "from": OTHER, "nonce": "0x0"}
    counting.answers["txpool_content"] = {
        "pending": {"0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266": {"3": ADDRESS_FIELDS}},
        "queued": {OTHER: {"0": stranger}},
    }
    question = Question(SENDER, (HASH,), with_pool=True)
    answer = await sight.look(dial(counting.url), question)
    assert isinstance(answer.view, View)
    assert answer.view.pool == (PoolEntry(HASH, 3, "pending"),)
    assert answer.pool[0].fields() == ADDRESS_FIELDS
    counting.forget()
    await sight.look(dial(counting.url), question)
    assert "txpool_contentFrom" not in counting.methods


async def test_look_at_a_queued_one_says_queued(sight: Sight, dial: Dial, counting: Canned) -> None:
    """By hash a queued transaction looks like a pending one; the pool's own list tells them."""
    counting.answers |= {
        "eth_getTransactionByHash": {"hash": HASH, "blockHash": None},
        "txpool_contentFrom": {"pending": {}, "queued": {"3": ADDRESS_FIELDS}},
    }
    view = await seen(sight, dial, counting, Question(SENDER, (HASH,), with_pool=True))
    assert view.presence[HASH] == "queued"
    view = await seen(sight, dial, counting, Question(SENDER, (HASH,)))
    assert view.presence[HASH] == "pending"


@pytest.mark.parametrize(
    "listed",
    [{"pending": {"3": {"hash": "0x12", "from": SENDER, "nonce": "0x3"}}}, {"pending": {"3": 7}}],
)
async def test_look_at_a_broken_pool_is_unseen(
    sight: Sight, dial: Dial, counting: Canned, listed: Any
) -> None:
    """A pool that cannot be read is not an empty pool."""
    counting.answers["txpool_contentFrom"] = listed
    view = await seen(sight, dial, counting, Question(SENDER, with_pool=True))
    assert isinstance(view.pool, Unseen)
    assert view.pool.reason == "malformed"


async def test_look_at_a_node_without_any_pool_method_has_no_pool(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """It cannot be asked, which is neither empty nor an error."""
    view = await seen(sight, dial, counting, Question(SENDER, with_pool=True))
    assert view.pool is None


async def test_look_at_a_dead_node_is_unseen(sight: Sight, dial: Dial) -> None:
    """No connection, no view."""
    answer = await sight.look(dial("http://127.0.0.1:9"), Question(SENDER))
    assert isinstance(answer.view, Unseen)
    assert answer.view.reason == "refused"


FEES = {
    "baseFeePerGas": ["0x1", "0x2", "0x3", "0x64"],
    "reward": [["0x1", "0x9"], ["0x5", "0x7"], ["0x3", "0x8"]],
}


def priced(server: Canned, base_fee: int) -> None:
    server.answers |= {
        "eth_feeHistory": FEES | {"baseFeePerGas": ["0x1", hex(base_fee)]},
        "eth_getBlockByNumber": {**server.chain.block(100), "gasLimit": "0x1c9c380"},
    }


async def test_market_is_of_the_next_block_and_of_the_middle_one(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """The next block's base fee is the last of the list; of each percentile the middle block."""
    priced(counting, 100)
    market = await sight.market([dial(counting.url)], 1)
    assert market == Market(
        base_fee_wei=100, tip_low_wei=3, tip_wei=8, gas_limit=30_000_000, blob_base_fee_wei=0
    )


@pytest.mark.parametrize(
    ("base_fees", "need", "expected"),
    [((10, 10, 2**200), 2, 10), ((10, 20, 30), 2, 20), ((10, 0, 10), 2, 10), ((10, 20), 1, 20)],
)
async def test_market_is_what_a_quorum_of_operators_reaches(
    sight: Sight, dial: Dial, base_fees: tuple[int, ...], need: int, expected: int
) -> None:
    """One liar neither makes everything look too cheap nor sets the price of a replacement."""
    async with serving(*(Canned() for _ in base_fees)) as servers:
        endpoints = []
        for index, (server, base_fee) in enumerate(zip(servers, base_fees, strict=True)):
            priced(server, base_fee)
            endpoint = dial(server.url)
            endpoint.operator = f"o{index}"
            endpoints.append(endpoint)
        market = await sight.market(endpoints, need)
        assert isinstance(market, Market)
        assert market.base_fee_wei == expected
        for endpoint in endpoints:
            endpoint.operator = "one"
        if need > 1:
            assert isinstance(await sight.market(endpoints, need), Unseen)


async def test_market_nobody_tells_is_unseen(sight: Sight, dial: Dial, counting: Canned) -> None:
    """Without fee history nothing is guessed."""
    assert isinstance(await sight.market([dial(counting.url)], 1), Unseen)
    assert isinstance(await sight.market([], 1), Unseen)


async def test_look_at_a_pool_of_bytes_that_are_no_text_is_unseen(
    sight: Sight, dial: Dial, counting: Canned
) -> None:
    """Invalid UTF-8 from one node is that node's trouble, and nobody else's."""

    async def respond(request: web.BaseRequest, asked: Any) -> web.StreamResponse | None:
        calls = asked if isinstance(asked, list) else [asked]
        if not any(call["method"] == "txpool_contentFrom" for call in calls):
            return None
        answers = [json.dumps(counting.answer(call)).encode() for call in calls]
        body = b"[" + b",".join(answers) + b"]"
        return web.Response(body=body.replace(SENDER.encode(), b"\xff" * 42))

    listed = {"pending": {"3": ADDRESS_FIELDS}, "queued": {}}
    counting.answers["txpool_contentFrom"] = listed
    counting.respond = respond
    answer = await sight.look(dial(counting.url), Question(SENDER, with_pool=True))
    if isinstance(answer.view, View):
        assert isinstance(answer.view.pool, Unseen)
    assert answer.pool == ()


async def test_raw_is_only_what_is_verified(sight: Sight, dial: Dial, counting: Canned) -> None:
    """Bytes that are not the transaction's are not taken, from neither method."""
    counting.answers |= {
        "eth_getRawTransactionByHash": "0x02aa",
        "debug_getRawTransaction": "0x02bb",
    }
    node = dial(counting.url).node
    assert await sight.raw(node, HASH, lambda raw: raw == b"\x02\xbb") == b"\x02\xbb"
    assert await sight.raw(node, HASH, lambda raw: False) is None
    for written in (None, "0x", "0xzz", "02bb"):
        counting.answers["debug_getRawTransaction"] = written
        assert await sight.raw(node, HASH, lambda raw: raw == b"\x02\xbb") is None


async def test_has_tells_absence_from_blindness(sight: Sight, dial: Dial, counting: Canned) -> None:
    """True, False, and neither."""
    node = dial(counting.url).node
    assert await sight.has(node, HASH) is False
    counting.answers["eth_getTransactionByHash"] = {"hash": HASH, "blockHash": None}
    assert await sight.has(node, HASH) is True
    counting.answers["eth_getTransactionByHash"] = Refusal("busy", -32000)
    assert isinstance(await sight.has(node, HASH), Unseen)
    assert await sight.peers(node) == 25


async def test_look_at_a_real_pool_finds_pending_and_queued(
    sight: Sight, dial: Dial, anvil: Anvil
) -> None:
    """A real node's pool, counts, market and receipt are read as they are."""
    sent = []
    for nonce in (0, 2):
        call = {"from": SENDER, "to": OTHER, "value": "0x1", "nonce": hex(nonce), "gas": "0x5208"}
        sent.append(Hash32(await anvil.rpc("eth_sendTransaction", call)))
    endpoint = dial(anvil.url)
    question = Question(SENDER, tuple(sent), tuple(sent), with_balance=True, with_pool=True)
    view = (await sight.look(endpoint, question)).view
    assert isinstance(view, View)
    assert isinstance(view.pool, tuple)
    assert set(view.pool) == {PoolEntry(sent[0], 0, "pending"), PoolEntry(sent[1], 2, "queued")}
    assert view.presence == {sent[0]: "pending", sent[1]: "queued"}
    assert (view.nonce_latest, view.nonce_pending) == (0, 1)
    assert view.receipts == {sent[0]: None, sent[1]: None}
    await anvil.rpc("anvil_mine", "0x1")
    view = (await sight.look(endpoint, question)).view
    assert isinstance(view, View)
    receipt = view.receipts[sent[0]]
    assert isinstance(receipt, Receipt)
    assert (receipt.block_hash, receipt.is_success) == (view.head.hash, True)
    market = await sight.market([endpoint], 1)
    assert isinstance(market, Market)
    assert market.base_fee_wei > 0
    raw = await sight.raw(endpoint.node, sent[1], lambda raw: len(raw) > 100)
    assert raw is not None
    with pytest.raises(RpcError):
        await sight.raw(dial("http://127.0.0.1:9").node, sent[1], lambda raw: True)
