"""The chain behind a pool, as it is and as it was."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from monitor.lab.anvil import Anvil
from tests.transactions.fakepool.payments import GWEI, account, address, payment
from tests.transactions.fakepool.signed import decode
from tests.transactions.fakepool.upstream import Upstream, next_base_fee_wei


def block(used: int, fee: int) -> dict[str, str]:
    return {"gasUsed": hex(used), "gasLimit": hex(30_000_000), "baseFeePerGas": hex(fee)}


@pytest.mark.parametrize(
    ("used", "fee", "following"),
    [
        (15_000_000, 1_000, 1_000),
        (30_000_000, 1_000, 1_125),
        (0, 1_000, 875),
        (15_000_001, 7, 8),
        (14_999_999, 7, 7),
    ],
)
def test_base_fee_of_the_next_block_is_the_protocols(used: int, fee: int, following: int) -> None:
    """EIP-1559: an eighth up or down at most, at least one wei up."""
    assert next_base_fee_wei(block(used, fee)) == following


async def test_base_fee_that_is_foretold_is_that_of_the_block_that_comes(
    anvil: Anvil, session: aiohttp.ClientSession
) -> None:
    """For full and for empty blocks, as the chain itself reckons."""
    upstream = Upstream(anvil.url, session)
    for nonce in range(6):
        foretold = (await upstream.head()).base_fee_wei
        if nonce % 2:
            raw = payment(nonce // 2, data="0x" + "00" * 4, gas=60_000, fee_cap_wei=90 * GWEI)
            await anvil.rpc("eth_sendRawTransaction", raw)
        await anvil.rpc("evm_mine")
        head = await anvil.rpc("eth_getBlockByNumber", "latest", False)
        assert int(head["baseFeePerGas"], 16) == foretold


async def test_frozen_chain_answers_as_of_its_head(
    anvil: Anvil, session: aiohttp.ClientSession
) -> None:
    """Heads, counts, receipts and blocks by hash: what came later is not there."""
    upstream = Upstream(anvil.url, session)
    upstream.frozen_at = 8
    await anvil.rpc("eth_sendRawTransaction", payment(0))
    await anvil.rpc("evm_mine")
    hash_ = decode(payment(0)).hash
    newest = await anvil.rpc("eth_getBlockByNumber", "latest", False)

    async def found() -> list[Any]:
        number, count, receipt, seen, later, older = await upstream.results(
            ("eth_blockNumber",),
            ("eth_getTransactionCount", address(0), "latest"),
            ("eth_getTransactionReceipt", hash_),
            ("eth_getTransactionByHash", hash_),
            ("eth_getBlockByHash", newest["hash"], False),
            ("eth_getBlockByHash", newest["parentHash"], False),
        )
        is_mined = seen["blockNumber"] is not None
        return [number, count, receipt is None, is_mined, later is None, older is None]

    assert await found() == ["0x8", "0x0", True, False, True, False]
    head = await upstream.head()
    assert head.number == 8
    assert (await upstream.accounts([address(0)], head))[address(0)].nonce == 0
    assert await upstream.mined([hash_]) == set()
    await upstream.thaw()
    assert await found() == ["0x9", "0x1", False, True, False, False]
    assert await upstream.mined([hash_]) == {hash_}


async def test_heads_that_came_while_it_was_frozen_are_told_to_nobody(
    anvil: Anvil, session: aiohttp.ClientSession
) -> None:
    """Neither meanwhile nor afterwards; answers and other notifications pass."""

    def head(number: int) -> dict[str, Any]:
        params = {"subscription": "0x1", "result": {"number": hex(number)}}
        return {"method": "eth_subscription", "params": params}

    upstream = Upstream(anvil.url, session)
    upstream.frozen_at = 8
    assert not upstream.tells(head(9))
    assert upstream.tells({"id": 1, "result": "0x1"})
    await anvil.rpc("evm_mine")
    await upstream.thaw()
    assert [upstream.tells(head(number)) for number in (9, 10)] == [False, True]
    assert upstream.tells({"method": "eth_subscription", "params": {"result": "0xhash"}})


async def test_account_with_a_delegate_or_with_code_is_seen_as_such(
    anvil: Anvil, session: aiohttp.ClientSession
) -> None:
    """EIP-7702 and EIP-3607."""
    upstream = Upstream(anvil.url, session)
    await anvil.rpc("anvil_setCode", address(1), "0xef0100" + "22" * 20)
    await anvil.rpc("anvil_setCode", address(2), "0x00")
    found = await upstream.accounts([address(i) for i in range(3)], await upstream.head())
    kinds = [(one.is_delegated, one.is_contract) for one in found.values()]
    assert kinds == [(False, False), (True, False), (False, True)]
    wei = int(await anvil.rpc("eth_getBalance", account(0).address, "latest"), 16)
    assert found[address(0)].balance_wei == wei
