"""One canned chain, answered on many ports, as cheaply as asyncio can.

A process of its own: `python -m benchmarks.answerer PORTS TRANSACTIONS INTERVAL_SECONDS BORN_AT`.
It says its ports as one line of JSON and ends when its stdin does. Every port names the same
blocks, and the first head was made at BORN_AT; the head moves every INTERVAL_SECONDS, or on
`anvil_mine` where that is 0.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from benchmarks.children import raise_open_files

FIRST_HEAD = 21_000_000
EPOCH_BLOCKS = 32
EPOCHS_BELOW = {"safe": 1, "finalized": 2}
BLOCK_SECONDS = 2
BLOCKS_KEPT = 256
CHAIN_ID = 31337
VERSION = "Geth/v1.16.2-stable-3a4b/linux-amd64/go1.25"
FEES = json.dumps(
    {
        "baseFeePerGas": ["0x3b9aca00"] * 11,
        "reward": [["0x3b9aca00", "0x77359400"]] * 10,
    }
).encode()
END_OF_HEAD = b"\r\n\r\n"


class Request(msgspec.Struct):
    """What is read of a call."""

    id: int
    method: str
    params: Sequence[Any] = ()


class Chain:
    """Blocks that follow from their number alone, and a head that moves."""

    def __init__(self, transactions: int, born_at: int) -> None:
        self.head = FIRST_HEAD
        self._began = born_at - FIRST_HEAD * BLOCK_SECONDS
        self._transactions = [f"0x{index:064x}" for index in range(transactions)]
        self._blocks: dict[int, bytes] = {}
        self._fixed = {
            "eth_chainId": f'"{CHAIN_ID:#x}"'.encode(),
            "eth_syncing": b"false",
            "net_listening": b"true",
            "txpool_status": b'{"pending":"0x2f","queued":"0x7"}',
            "web3_clientVersion": f'"{VERSION}"'.encode(),
            "eth_call": f'"0x{1:064x}"'.encode(),
            "eth_getTransactionCount": b'"0x0"',
            "eth_getBalance": b'"0xde0b6b3a7640000"',
            "eth_getTransactionReceipt": b"null",
            "txpool_contentFrom": b'{"pending":{},"queued":{}}',
            "net_peerCount": b'"0x19"',
            "eth_feeHistory": FEES,
            "eth_sendRawTransaction": f'"0x{2:064x}"'.encode(),
        }

    def result(self, call: Request) -> bytes | None:
        """The JSON of a call's result; None for a method that is not known."""
        if call.method == "eth_getBlockByNumber":
            return self._block(self._number(call.params[0]))
        if call.method == "eth_getTransactionByHash":
            # Whatever it is, it waits in the pool.
            return f'{{"hash":"{call.params[0]}","blockHash":null}}'.encode()
        if call.method == "eth_blockNumber":
            return f'"{self.head:#x}"'.encode()
        if call.method == "anvil_mine":
            self.head += 1
            return b"null"
        return self._fixed.get(call.method)

    def _number(self, tag: str) -> int:
        if tag == "latest":
            return self.head
        if tag in EPOCHS_BELOW:
            return self.head - self.head % EPOCH_BLOCKS - EPOCHS_BELOW[tag] * EPOCH_BLOCKS
        return int(tag, 16)

    def _block(self, number: int) -> bytes:
        if number > self.head:
            return b"null"
        block = self._blocks.get(number)
        if block is None:
            if len(self._blocks) >= BLOCKS_KEPT:
                self._blocks.clear()
            block = self._blocks[number] = json.dumps(self.fields(number)).encode()
        return block

    def fields(self, number: int) -> dict[str, object]:
        """A block as geth shows one after the merge, without the full transactions."""
        word = f"0x{number:064x}"
        return {
            "baseFeePerGas": "0x3b9aca00",
            "blobGasUsed": "0x60000",
            "difficulty": "0x0",
            "excessBlobGas": "0x4b80000",
            "extraData": "0x6265617665726275696c642e6f7267",
            "gasLimit": "0x2aea540",
            "gasUsed": "0x14f2a3b",
            "hash": f"0xb1{number:062x}",
            "logsBloom": "0x" + "20a1" * 128,
            "miner": f"0x{number:040x}",
            "mixHash": word,
            "nonce": "0x0000000000000000",
            "number": hex(number),
            "parentBeaconBlockRoot": word,
            "parentHash": f"0xb1{max(0, number - 1):062x}",
            "receiptsRoot": word,
            "requestsHash": word,
            "sha3Uncles": word,
            "size": "0x2f6a",
            "stateRoot": word,
            "timestamp": hex(self._began + number * BLOCK_SECONDS),
            "transactions": self._transactions if number else [],
            "transactionsRoot": word,
            "uncles": [],
            "withdrawals": [],
            "withdrawalsRoot": word,
        }


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive: a length, a body, and an answer in one write."""

    def __init__(
        self, chain: Chain, decoder: msgspec.json.Decoder[list[Request] | Request]
    ) -> None:
        self._chain = chain
        self._decoder = decoder
        self._waiting = b""
        self._write: Callable[[bytes], None] = lambda said: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._write = transport.write

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(END_OF_HEAD)) >= 0:
            head = self._waiting[:end].lower()
            start = head.find(b"content-length:") + len(b"content-length:")
            length = int(head[start:].split(b"\r\n", 1)[0])
            whole = end + len(END_OF_HEAD) + length
            if len(self._waiting) < whole:
                return
            body, self._waiting = self._waiting[whole - length : whole], self._waiting[whole:]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        asked = self._decoder.decode(body)
        if isinstance(asked, Request):
            said = self._one(asked)
        else:
            said = b"[" + b",".join([self._one(call) for call in asked]) + b"]"
        self._write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(said), said)
        )

    def _one(self, call: Request) -> bytes:
        result = self._chain.result(call)
        if result is None:
            absent = b'"error":{"code":-32601,"message":"method not found"}'
            return b'{"jsonrpc":"2.0","id":%d,%s}' % (call.id, absent)
        return b'{"jsonrpc":"2.0","id":%d,"result":%s}' % (call.id, result)


async def serve(ports: int, transactions: int, interval_seconds: float, born_at: int) -> None:
    """Answer until stdin ends."""
    raise_open_files()
    loop = asyncio.get_running_loop()
    chain = Chain(transactions, born_at)
    decoder = msgspec.json.Decoder(list[Request] | Request)
    servers = [
        await loop.create_server(lambda: Connection(chain, decoder), "127.0.0.1", 0)
        for _ in range(ports)
    ]
    sys.stdout.write(json.dumps([s.sockets[0].getsockname()[1] for s in servers]) + "\n")
    sys.stdout.flush()

    def tick(at: float) -> None:
        chain.head += 1
        loop.call_at(at + interval_seconds, tick, at + interval_seconds)

    if interval_seconds:
        loop.call_later(interval_seconds, tick, loop.time() + interval_seconds)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])))
