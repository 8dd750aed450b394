"""The chain as a faulty node shows it: behind, frozen, ahead, with other hashes. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A parsed answer of a node, of whatever method a client may ask."""

BLOCK_PARAMETER = {
    "debug_traceBlockByNumber": 0,
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_feeHistory": 1,
    "eth_getBalance": 1,
    "eth_getBlockByNumber": 0,
    "eth_getBlockReceipts": 0,
    "eth_getBlockTransactionCountByNumber": 0,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getStorageAt": 2,
    "eth_getTransactionByBlockNumberAndIndex": 0,
    "eth_getTransactionCount": 1,
}
"""Method -> the position of its block parameter (execution-apis)."""

_ABSENT_IS_NULL = ("eth_getBlock", "eth_getTransactionBy")
"""Methods that answer `null`, and not an error, for a block that does not exist yet."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer given without asking the node."""

    result: Json = None
    error: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class View:
    """What one exchange is shown of the chain."""

    real: int
    """The node's own head."""
    shown: int
    """The head a client sees: lower when behind, higher when ahead."""
    lies_from: int | None = None
    """From this height on, hashes are altered."""
    slots_in_an_epoch: int = 4

    def ask(self, method: str, params: list[Json]) -> list[Json] | Reply:
        """The parameters to ask the node with instead, or the reply without asking."""
        if self.shown == self.real:
            return params
        if method == "eth_blockNumber":
            return Reply(hex(self.shown))
        if method == "eth_getLogs" and self.shown < self.real:
            return [self._clipped(params[0]), *params[1:]] if params else params
        position = BLOCK_PARAMETER.get(method)
        return params if position is None else self._ask_at(method, params, position)

    def show(self, method: str, params: list[Json], result: Json) -> Json:
        """What the client is given for the node's `result`; `params` are the client's own."""
        if self.shown < self.real:
            result = self._hidden(method, result)
        if self.lies_from is not None:
            result = altered(result, self.lies_from)
        if self.shown > self.real and method == "eth_getBlockByNumber" and params and result:
            number = self._number(params[0])
            if number is not None and number > self.real:
                return self._made_up(result, number)
        return result

    def _ask_at(self, method: str, params: list[Json], position: int) -> list[Json] | Reply:
        params = params + ["latest"] * (position + 1 - len(params))
        number = self._number(params[position])
        if number is None:
            return params
        if number > self.shown:
            is_null = method.startswith(_ABSENT_IS_NULL)
            return Reply() if is_null else Reply(error=(-32000, "header not found"))
        block = "latest" if number > self.real else hex(number)
        return [*params[:position], block, *params[position + 1 :]]

    def _number(self, block: Json) -> int | None:
        """The height meant by a block parameter where this view changes it, else None."""
        if isinstance(block, dict):
            block = block.get("blockNumber")
        if not isinstance(block, str):
            return None
        if block in {"latest", "pending"}:
            return self.shown
        if block in {"safe", "finalized"}:
            if self.shown > self.real:
                return None
            epochs = 1 if block == "safe" else 2
            return max(0, self.shown - epochs * self.slots_in_an_epoch)
        try:
            return int(block, 16)
        except ValueError:
            return None

    def _clipped(self, wanted: Json) -> Json:
        if not isinstance(wanted, dict) or "blockHash" in wanted:
            return wanted
        clipped = dict(wanted)
        for key in ("fromBlock", "toBlock"):
            number = self._number(wanted.get(key, "latest"))
            if number is not None:
                clipped[key] = hex(min(number, self.shown))
        return clipped

    def _hidden(self, method: str, result: Json) -> Json:
        """Without what lies beyond the shown head: asked by hash, so only the answer tells."""
        if not isinstance(result, dict):
            return result
        if method == "eth_getBlockByHash":
            return None if int(result["number"], 16) > self.shown else result
        height = result.get("blockNumber")
        if height is None or int(height, 16) <= self.shown:
            return result
        if method == "eth_getTransactionReceipt":
            return None
        if method.startswith("eth_getTransactionBy"):
            return result | {"blockHash": None, "blockNumber": None, "transactionIndex": None}
        return result

    def _made_up(self, latest: dict[str, Json], number: int) -> dict[str, Json]:
        """A block that does not exist, in the clothes of the newest, linked to its parent."""
        is_first = number - 1 <= int(latest["number"], 16)
        return latest | {
            "number": hex(number),
            "hash": _made_up_hash(number),
            "parentHash": latest["hash"] if is_first else _made_up_hash(number - 1),
            "transactions": [],
        }


def altered_hash(value: str) -> str:
    """Another hash: every bit of the last byte is turned, so doing it twice restores the first."""
    return value[:-2] + format(int(value[-2:], 16) ^ 0xFF, "02x")


def altered(result: Json, from_number: int) -> Json:
    """The answer with the hashes of all blocks from a height on altered, headers still linked."""
    if isinstance(result, list):
        return [altered(one, from_number) for one in result]
    if not isinstance(result, dict):
        return result
    changed = dict(result)
    if result.get("number") and result.get("parentHash"):
        number = int(result["number"], 16)
        if number >= from_number and result.get("hash"):
            changed["hash"] = altered_hash(result["hash"])
        if number - 1 >= from_number:
            changed["parentHash"] = altered_hash(result["parentHash"])
        changed["transactions"] = altered(result.get("transactions", []), from_number)
    elif result.get("blockHash") and result.get("blockNumber"):
        if int(result["blockNumber"], 16) >= from_number:
            changed["blockHash"] = altered_hash(result["blockHash"])
        if "logs" in result:
            changed["logs"] = altered(result["logs"], from_number)
    return changed


def _made_up_hash(number: int) -> str:
    return "0x" + hashlib.sha256(f"no such block: {number}".encode()).hexdigest()
