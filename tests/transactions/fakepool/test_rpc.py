"""What a node says of its pool, method by method, in the manner of its client."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.lab.anvil import Anvil
from monitor.lab.errors import LabRpcError
from tests.transactions.fakepool.checks import Settings
from tests.transactions.fakepool.conftest import Open
from tests.transactions.fakepool.dialects import DIALECTS, POOL_METHODS
from tests.transactions.fakepool.payments import GWEI, account, address, payment
from tests.transactions.fakepool.refusals import CLIENTS, Client, Refusal
from tests.transactions.fakepool.server import FakePool
from tests.transactions.fakepool.signed import decode

ME = address(0)
NOT_YET = "(Either txpool explicitly disabled, or node not yet in sync)"
UNKNOWN = "0x" + "11" * 32


async def ask(pool: FakePool, method: str, *params: Any) -> Any:
    """The result, or the error as (code, message)."""
    answer = await pool.rpc.answer({"id": 7, "method": method, "params": list(params)})
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", 7)
    if "error" in answer:
        return answer["error"]["code"], answer["error"]["message"]
    return answer["result"]


async def said(anvil: Anvil, method: str, *params: Any) -> Any:
    """The same of the real node."""
    try:
        return await anvil.rpc(method, *params)
    except LabRpcError as error:
        return error.code, error.message


async def test_pool_in_the_manner_of_anvil_agrees_with_anvil(open_pool: Open, anvil: Anvil) -> None:
    """Counts, lists and raw bytes of the same transactions, with a gap, are the real node's."""

    def shown(found: Any) -> Any:
        """Of a pending one anvil shows the price it would pay now, and others show the cap."""
        return found | {"gasPrice": None} if isinstance(found, dict) and "hash" in found else found

    pool = await open_pool("anvil")
    raws = [payment(0), payment(1), payment(3), payment(1, sender=1)]
    hashes = [await ask(pool, "eth_sendRawTransaction", raw) for raw in raws]
    questions = [
        *(("eth_getRawTransactionByHash", hash_) for hash_ in (*hashes, UNKNOWN)),
        *(("eth_getTransactionByHash", hash_) for hash_ in (hashes[2], UNKNOWN)),
        *(("eth_getTransactionCount", ME, tag) for tag in ("latest", "pending")),
        *(("eth_getTransactionReceipt", hash_) for hash_ in (hashes[0], UNKNOWN)),
        ("txpool_status",),
        ("txpool_inspect",),
        ("txpool_content",),
        ("eth_syncing",),
        ("net_peerCount",),
        ("txpool_contentFrom", ME),
        ("eth_pendingTransactions",),
    ]
    ours = [shown(await ask(pool, *question)) for question in questions]
    for raw in raws:
        await anvil.rpc("eth_sendRawTransaction", raw)
    for question, found in zip(questions, ours, strict=True):
        assert found == shown(await said(anvil, *question)), question
    assert "anvil/v1.7.1" in await said(anvil, "web3_clientVersion")


@pytest.mark.parametrize(
    "raws",
    [
        [payment(0), payment(0)],
        [payment(0), payment(0, fee_cap_wei=20 * GWEI - 1)],
        [payment(0, fee_cap_wei=1, tip_cap_wei=1)],
        [payment(0, value=10**24)],
        [payment(0, gas=20_999)],
        [payment(0, chainId=1)],
        ["0x02c0"],
    ],
    ids=["known", "replaced", "base fee", "funds", "gas", "chain", "garbage"],
)
async def test_refusal_in_the_manner_of_anvil_is_anvils(
    raws: list[str], open_pool: Open, anvil: Anvil
) -> None:
    """Code and words are those that the real node has for the same bytes."""
    pool = await open_pool("anvil")
    ours = [await ask(pool, "eth_sendRawTransaction", raw) for raw in raws][-1]
    assert ours == [await said(anvil, "eth_sendRawTransaction", raw) for raw in raws][-1]
    assert isinstance(ours, tuple)


async def test_nonce_that_the_chain_has_used_is_too_low_for_both(
    open_pool: Open, anvil: Anvil
) -> None:
    """The pool's idea of the account is the chain's, from the moment the block is there."""
    pool = await open_pool("anvil")
    await anvil.rpc("eth_sendRawTransaction", payment(0))
    await anvil.rpc("evm_mine")
    mine = await ask(pool, "eth_sendRawTransaction", payment(0, value=2))
    assert mine == await said(anvil, "eth_sendRawTransaction", payment(0, value=2))
    assert mine == (-32003, "nonce too low")


@pytest.mark.parametrize("client", CLIENTS)
async def test_methods_that_a_client_lacks_are_absent(client: Client, open_pool: Open) -> None:
    """Each in its own words; what it has answers, and nothing made for tests passes through."""
    pool = await open_pool(client)
    params = {"txpool_contentFrom": [ME]}
    for method in POOL_METHODS:
        found = await ask(pool, method, *params.get(method, [UNKNOWN]))
        is_absent = isinstance(found, tuple)
        assert is_absent is (method not in DIALECTS[client].methods), (method, found)
        if is_absent:
            assert found == DIALECTS[client].error_absent(method)
    assert await ask(pool, "web3_clientVersion") == DIALECTS[client].version
    if client not in {"anvil", "hardhat"}:
        assert (await ask(pool, "evm_mine"))[0] in {-32601, -32004}
    assert isinstance(await ask(pool, "eth_sendTransaction", {"from": ME}), tuple)


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("geth", (-32601, "the method txpool_foo does not exist/is not available")),
        ("reth", (-32601, "Method not found")),
        ("hardhat", (-32004, "txpool_status - Method not supported")),
    ],
)
def test_words_for_an_absent_method_are_the_clients(client: Client, text: tuple[int, str]) -> None:
    """A client knows a method by its name, or does not say which."""
    method = "txpool_status" if client == "hardhat" else "txpool_foo"
    assert DIALECTS[client].error_absent(method) == text


@pytest.mark.parametrize(
    ("client", "parked"),
    [("erigon", "baseFee"), ("reth", "queued"), ("geth", "pending")],
)
async def test_pool_views_show_what_is_pending_and_what_waits(
    client: Client, parked: str, open_pool: Open
) -> None:
    """By sender and by nonce; Erigon alone has a place of its own for what the base fee parks."""
    pool = await open_pool(client)
    low = pool.pool.head.base_fee_wei - 1
    for raw in (payment(0), payment(1, fee_cap_wei=low, tip_cap_wei=1), payment(5)):
        await ask(pool, "eth_sendRawTransaction", raw)
    parts = await ask(pool, "txpool_contentFrom", account(0).address)
    nonces = {part: sorted(theirs) for part, theirs in parts.items()}
    wanted: dict[str, list[str]] = {"pending": ["0"], "queued": ["5"]}
    wanted[parked] = sorted([*wanted.get(parked, []), "1"])
    assert nonces == wanted
    status = await ask(pool, "txpool_status")
    assert {part: int(count, 16) for part, count in status.items()} == {
        part: len(theirs) for part, theirs in wanted.items()
    }
    everything = await ask(pool, "txpool_content")
    key = account(0).address if client in {"geth", "erigon"} else ME
    assert everything["pending"][key]["0"]["hash"] == decode(payment(0)).hash
    assert await ask(pool, "txpool_contentFrom", address(1)) == {part: {} for part in wanted}


async def test_pending_transactions_are_listed_by_those_who_list_them(open_pool: Open) -> None:
    """Nethermind lists all of them; geth those of its own accounts, of which it has none."""
    listed_by: tuple[tuple[Client, int], ...] = (("nethermind", 1), ("geth", 0), ("hardhat", 1))
    for client, listed in listed_by:
        pool = await open_pool(client)
        await ask(pool, "eth_sendRawTransaction", payment(0))
        assert len(await ask(pool, "eth_pendingTransactions")) == listed


async def test_raw_bytes_that_geth_does_not_have_are_empty(open_pool: Open) -> None:
    """Not null: whoever takes that for bytes sends nothing."""
    assert await ask(await open_pool("geth"), "eth_getRawTransactionByHash", UNKNOWN) == "0x"
    assert await ask(await open_pool("reth"), "eth_getRawTransactionByHash", UNKNOWN) is None


async def test_chain_is_answered_by_the_node_behind(open_pool: Open, anvil: Anvil) -> None:
    """Everything that is no matter of the pool, errors too."""
    pool = await open_pool("geth")
    await anvil.rpc("eth_sendRawTransaction", payment(0))
    await anvil.rpc("evm_mine")
    for question in (
        ("eth_getTransactionReceipt", decode(payment(0)).hash),
        ("eth_getTransactionByHash", decode(payment(0)).hash),
        ("eth_getRawTransactionByHash", decode(payment(0)).hash),
        ("eth_getBlockByNumber", "latest", True),
        ("eth_getTransactionCount", ME, "latest"),
        ("eth_getTransactionCount", ME, "nonsense"),
        ("eth_feeHistory", "0x2", "latest", [10]),
        ("eth_chainId",),
    ):
        assert await ask(pool, *question) == await said(anvil, *question)


async def test_refusal_reaches_the_client_with_code_and_numbers(open_pool: Open) -> None:
    """As the dialect has it: geth names both nonces, Besu has a code of its own."""
    for client, code, text in (
        ("geth", -32000, "nonce too low: next nonce 7, tx nonce 0"),
        ("besu", -32001, "Nonce too low"),
    ):
        pool = await open_pool("geth" if client == "geth" else "besu")
        pool.refuse_next(Refusal.NONCE_LOW, next=7, nonce=0)
        assert await ask(pool, "eth_sendRawTransaction", payment(0)) == (code, text)
        assert await ask(pool, "eth_sendRawTransaction", payment(0)) == decode(payment(0)).hash


@pytest.mark.parametrize(
    ("client", "refusal", "text"),
    [
        ("erigon", Refusal.DUPLICATE, "INTERNAL_ERROR: existing txn with same hash"),
        ("geth", Refusal.SIDECAR_FORMAT, "Wrong sidecar format"),
    ],
)
async def test_refusals_that_need_a_race_or_a_proof_come_on_order(
    client: Client, refusal: Refusal, text: str, open_pool: Open
) -> None:
    """What the bed cannot bring about it can still say."""
    pool = await open_pool(client)
    pool.refuse_next(refusal)
    assert (await ask(pool, "eth_sendRawTransaction", payment(0)))[1] == text


@pytest.mark.parametrize(
    ("client", "garbage", "unsigned"),
    [
        ("geth", "rlp: expected input list for types.LegacyTx", "invalid sender"),
        ("erigon", "rlp: expected List", "INVALID: invalid sender"),
        ("besu", "Invalid transaction params (missing or incorrect)", "Invalid signature"),
        ("nethermind", "Invalid params", "failed to recover sender"),
        ("reth", "failed to decode signed transaction", "invalid transaction signature"),
    ],
)
async def test_bytes_that_are_no_transaction_are_refused(
    client: Client, garbage: str, unsigned: str, open_pool: Open
) -> None:
    """Bytes of another kind, and a signature of nobody."""
    pool = await open_pool(client)
    assert (await ask(pool, "eth_sendRawTransaction", "0x02c0"))[1] == garbage
    r = decode(payment(0)).as_json()["r"][2:]
    forged = payment(0).replace(r, "f" * 64)
    assert (await ask(pool, "eth_sendRawTransaction", forged))[1].startswith(unsigned)


async def test_indexing_node_cannot_say_that_there_is_nothing(open_pool: Open) -> None:
    """While geth indexes: what it finds it shows, what it does not find is unknown."""
    pool = await open_pool("geth")
    hash_ = await ask(pool, "eth_sendRawTransaction", payment(0))
    pool.is_indexing = True
    error = (-32000, "transaction indexing is in progress")
    for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
        assert await ask(pool, method, UNKNOWN) == error
    assert (await ask(pool, "eth_getTransactionByHash", hash_))["hash"] == hash_
    pool.is_indexing = False
    assert await ask(pool, "eth_getTransactionReceipt", UNKNOWN) is None


async def test_signature_may_be_kept_back(open_pool: Open) -> None:
    """The object is there, and cannot be made into bytes again; the raw bytes are."""
    pool = await open_pool("geth")
    hash_ = await ask(pool, "eth_sendRawTransaction", payment(0))
    pool.zeroes_signatures = True
    shown = await ask(pool, "eth_getTransactionByHash", hash_)
    assert {shown[name] for name in "rsv"} == {"0x0"}
    listed = await ask(pool, "txpool_contentFrom", ME)
    assert listed["pending"]["0"]["r"] == "0x0"
    assert await ask(pool, "eth_getRawTransactionByHash", hash_) == payment(0)


async def test_private_relay_shows_nobody_what_it_has(open_pool: Open) -> None:
    """It has the transaction, as the block builders will see, and shows no trace of it."""
    pool = await open_pool("geth")
    pool.is_private = True
    hash_ = await ask(pool, "eth_sendRawTransaction", payment(0))
    assert len(pool.pool.executable()) == 1
    assert await ask(pool, "eth_getTransactionByHash", hash_) is None
    assert await ask(pool, "eth_getTransactionCount", ME, "pending") == "0x0"
    assert (await ask(pool, "txpool_status"))["pending"] == "0x0"
    assert (await ask(pool, "eth_sendRawTransaction", payment(0)))[1] == "already known"


@pytest.mark.parametrize(
    ("client", "switch", "error"),
    [
        ("besu", "syncing", (-32002, f"Transaction pool not enabled. {NOT_YET}.")),
        ("besu", "starting", (-32008, "Initial sync is still in progress")),
        ("erigon", "starting", (-32000, "txpool not started yet")),
        ("nethermind", "syncing", (-32010, "node is syncing")),
    ],
)
async def test_node_that_is_not_ready_says_so(
    client: Client, switch: str, error: tuple[int, str], open_pool: Open
) -> None:
    """Besu in two ways; Erigon before its pool runs; Nethermind of what does not count as ours."""
    pool = await open_pool(client, Settings(no_locals=client == "nethermind"))
    pool.has_started = switch != "starting"
    pool.sync(is_syncing=switch == "syncing")
    assert await ask(pool, "eth_sendRawTransaction", payment(0)) == error
    pool.has_started = True
    pool.sync(is_syncing=False)
    assert await ask(pool, "eth_sendRawTransaction", payment(0)) == decode(payment(0)).hash


async def test_syncing_is_said_with_heights(open_pool: Open) -> None:
    """false, or how far it is."""
    pool = await open_pool("geth", Settings())
    assert await ask(pool, "eth_syncing") is False
    pool.sync(is_syncing=True)
    shown = await ask(pool, "eth_syncing")
    assert int(shown["highestBlock"], 16) > int(shown["currentBlock"], 16) == 8
