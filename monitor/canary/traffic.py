"""Recorded traffic: one request a line, pinned before it is put to anybody. Pure.

    {"method": "eth_call", "params": [{"to": "0x…", "data": "0x…"}, "latest"]}

`latest` is another block at every moment and on every node: it becomes the block that both agree
on. What writes, subscribes or keeps state on the node is never put to anybody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from monitor.canary.differences import Json
from monitor.canary.questions import Question

LINE_CHARACTERS_MAX = 2**20
BY_HASH: Mapping[str, int] = {
    "eth_call": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getStorageAt": 2,
    "eth_getTransactionCount": 1,
}
"""Where the block stands among the parameters of methods that take a hash there (EIP-1898)."""
BY_NUMBER: Mapping[str, int] = {
    "debug_traceBlockByNumber": 0,
    "debug_traceCall": 1,
    "eth_createAccessList": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getTransactionByBlockNumberAndIndex": 0,
    "eth_getUncleCountByBlockNumber": 0,
    "trace_block": 0,
    "trace_replayBlockTransactions": 0,
}
"""The same of methods that take a number or a tag."""
BY_NAME = frozenset(
    {
        *("debug_traceBlockByHash", "debug_traceTransaction", "eth_getBlockByHash"),
        *("eth_getBlockTransactionCountByHash", "eth_getTransactionByBlockHashAndIndex"),
        *("eth_getTransactionByHash", "eth_getTransactionReceipt", "trace_transaction"),
        *("eth_chainId", "eth_getUncleCountByBlockHash", "net_version", "web3_sha3"),
    }
)
"""Whose parameters name all they ask of, or whose answer never changes."""
LOGS = "eth_getLogs"
MOVING = frozenset(
    {
        *("eth_accounts", "eth_baseFee", "eth_blobBaseFee", "eth_blockNumber", "eth_config"),
        *("eth_gasPrice", "eth_maxPriorityFeePerGas", "eth_mining", "eth_syncing"),
        *("net_listening", "net_peerCount", "txpool_content", "txpool_contentFrom"),
        *("txpool_inspect", "txpool_status", "web3_clientVersion", "eth_protocolVersion"),
    }
)
"""What each node answers for itself at its moment: only whether it is served is compared."""
TAGS = frozenset({"latest", "safe", "finalized"})
"""Each becomes the pin: another block at every moment."""
OPTIONAL = frozenset({*BY_HASH, "eth_estimateGas", "eth_createAccessList", "debug_traceCall"})
"""Where a block that is left out means the latest (execution-apis)."""

Skipped = Literal["unsafe", "above", "pending"]
"""Why a request is not put: it may change something; its block is above what both have; it is
about the pool, in which no two nodes are alike."""


def is_safe(method: str) -> bool:
    """Whether a recorded request of this method is ever put to a node: it reads, and no more."""
    return any(method in some for some in (BY_NAME, MOVING, BY_HASH, BY_NUMBER, (LOGS,)))


class TrafficError(Exception):
    """A line that is no request; `str()` names its number and what is wrong."""


@dataclass(frozen=True, slots=True)
class Request:
    """One recorded request."""

    method: str
    params: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Pin:
    """The highest block that both agree on."""

    number: int
    hash: str


def read(lines: Iterable[str]) -> Iterator[Request]:
    """The requests, one a line, as they come; empty lines are none. Raises TrafficError."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _request(number, line)


def _request(number: int, line: str) -> Request:
    if len(line) > LINE_CHARACTERS_MAX:
        raise TrafficError(_wrong(number, f"is longer than {LINE_CHARACTERS_MAX} characters"))
    try:
        found: Json = json.loads(line)
    except (ValueError, RecursionError):
        raise TrafficError(_wrong(number, "is not JSON")) from None
    if not isinstance(found, dict):
        raise TrafficError(_wrong(number, "is no object"))
    method, params = found.get("method"), found.get("params", [])
    if not isinstance(method, str) or not method:
        raise TrafficError(_wrong(number, "has no method"))
    if not isinstance(params, list):
        raise TrafficError(_wrong(number, "has params that are no list"))
    return Request(method, tuple(params))


def _wrong(number: int, what: str) -> str:
    return f'line {number} {what}; expected {{"method": …, "params": […]}}'


def pinned(request: Request, pin: Pin) -> Question | Skipped:
    """The request about a block that both have, or why it is not put."""
    method, params = request.method, request.params
    if method in BY_NAME:
        return Question(method, params)
    if method in MOVING:
        return Question(method, params, is_pinned=False)
    if method == LOGS:
        return _logs(params, pin)
    by_hash = method in BY_HASH
    index = BY_HASH.get(method, BY_NUMBER.get(method))
    if index is None:
        return "unsafe"
    if len(params) < index or (len(params) == index and method not in OPTIONAL):
        return Question(method, params)  # Refused by both, and alike.
    place = _place(params[index] if len(params) > index else "latest", pin, by_hash=by_hash)
    if isinstance(place, str) and place in {"above", "pending"}:
        return "above" if place == "above" else "pending"
    return Question(method, (*params[:index], place, *params[index + 1 :]), block=_number(place))


def _place(block: Json, pin: Pin, *, by_hash: bool) -> Json:
    """What stands for a block: a tag that moves becomes the pin; else `above`, or as it is."""
    if block is None or (isinstance(block, str) and block in TAGS):
        return {"blockHash": pin.hash} if by_hash else hex(pin.number)
    number = _number(block)
    return "above" if number is not None and number > pin.number else block


def _number(block: Json) -> int | None:
    if not isinstance(block, str) or not block.startswith("0x"):
        return None
    try:
        number = int(block, 16)
    except ValueError:
        return None
    return number if number < 2**64 else None


def _logs(params: tuple[Json, ...], pin: Pin) -> Question | Skipped:
    criteria = params[0] if params else None
    if not isinstance(criteria, dict) or "blockHash" in criteria:
        return Question(LOGS, params)
    places = {}
    for key in ("fromBlock", "toBlock"):
        place = _place(criteria.get(key), pin, by_hash=False)
        if isinstance(place, str) and place in {"above", "pending"}:
            return "above" if place == "above" else "pending"
        places[key] = place
    return Question(LOGS, ({**criteria, **places}, *params[1:]))
