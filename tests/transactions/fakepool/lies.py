"""What a reference may claim that is not so; each is a `Lie` for `Rpc.lies`."""

from __future__ import annotations

from monitor.lab.view import Json
from tests.transactions.fakepool.rpc import Lie
from tests.transactions.fakepool.signed import decode


def says(result: Json) -> Lie:
    """This, whatever is asked and whatever is so."""
    return lambda params, truth: result


def nonce_is(nonce: int, sender: str) -> Lie:
    """Of `eth_getTransactionCount`: another nonce, of one account."""
    return lambda params, truth: hex(nonce) if params[0].lower() == sender else truth


def mined(raw: str, *, number: int, block_hash: str, status: int = 1) -> Lie:
    """Of `eth_getTransactionReceipt`: that this transaction is in that block."""
    transaction = decode(raw)
    receipt: dict[str, Json] = {
        "transactionHash": transaction.hash,
        "transactionIndex": "0x0",
        "blockHash": block_hash,
        "blockNumber": hex(number),
        "from": transaction.sender,
        "to": transaction.to,
        "cumulativeGasUsed": hex(transaction.gas),
        "gasUsed": hex(transaction.gas),
        "contractAddress": None,
        "logs": [],
        "logsBloom": "0x" + "00" * 256,
        "type": hex(transaction.type),
        "effectiveGasPrice": hex(transaction.fee_cap_wei),
        "status": hex(status),
    }
    return lambda params, truth: receipt if params[0] == transaction.hash else truth


def gone(hash_: str) -> Lie:
    """Of reads by hash: that there is nothing of that name."""
    return lambda params, truth: None if params[0] == hash_ else truth
