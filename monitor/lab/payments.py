"""A program that pays: it signs with a key of its own, and sends to one URL, as any does.

Its key is anvil's first, which everybody knows. headwatch never sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp

from monitor.lab.anvil import Anvil
from monitor.lab.errors import LabError
from monitor.model import Address
from monitor.transactions.signers.library import load_account

PAYER = Address("0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266")
PAYER_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
"""Derived from the mnemonic that anvil and hardhat print at every start."""
PAYEE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
GWEI = 10**9
SEND_SECONDS = 10.0


def signed_payments(count: int, *, chain_id: int, first_nonce: int = 0) -> tuple[bytes, ...]:
    """So many transfers of one wei each, at consecutive nonces, signed by the payer."""
    account = load_account()
    found = []
    for nonce in range(first_nonce, first_nonce + count):
        fields = {
            "type": 2,
            "chainId": chain_id,
            "nonce": nonce,
            "to": PAYEE,
            "value": 1,
            "gas": 21_000,
            "maxFeePerGas": 20 * GWEI,
            "maxPriorityFeePerGas": GWEI,
        }
        found.append(bytes(account.sign_transaction(fields, PAYER_KEY).raw_transaction))
    return tuple(found)


async def pay(url: str, payments: Sequence[bytes]) -> tuple[str, ...]:
    """Send them, one after the other, as a program that knows one RPC URL; their hashes.

    Raises LabError where the URL does not take one.
    """
    hashes = []
    async with aiohttp.ClientSession() as session:
        for number, raw in enumerate(payments, 1):
            call = {
                "jsonrpc": "2.0",
                "id": number,
                "method": "eth_sendRawTransaction",
                "params": ["0x" + raw.hex()],
            }
            async with asyncio.timeout(SEND_SECONDS):
                async with session.post(url, json=call) as response:
                    answer = await response.json()
            if "result" not in answer:
                message = f"payment {number} was not taken: {answer.get('error')}"
                raise LabError(message)
            hashes.append(str(answer["result"]))
    return tuple(hashes)


async def mined(leader: Anvil, hashes: Sequence[str]) -> int:
    """How many of them are in a block of the network, successfully."""
    receipts = await leader.batch([("eth_getTransactionReceipt", hash_) for hash_ in hashes])
    return sum(isinstance(one, dict) and one.get("status") == "0x1" for one in receipts)
