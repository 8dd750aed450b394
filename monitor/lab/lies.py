"""Answers with something else in them than the node said: times, logs, state. Pure."""

from __future__ import annotations

from monitor.lab.view import Json, altered_hash

LOG_METHODS = frozenset({"eth_getLogs", "eth_getBlockReceipts", "eth_getTransactionReceipt"})
STATE_METHODS = frozenset(
    {"eth_call", "eth_getBalance", "eth_getProof", "eth_getStorageAt", "eth_getTransactionCount"}
)
_QUANTITIES = frozenset({"eth_getBalance", "eth_getTransactionCount"})
"""Methods that answer with a number and not with bytes (execution-apis)."""


def skewed(result: Json, seconds: float, from_number: int) -> Json:
    """A block, or a header, with its time shifted; anything else as it is."""
    if not isinstance(result, dict) or not result.get("parentHash") or not result.get("number"):
        return result
    if int(result["number"], 16) < from_number:
        return result
    return result | {"timestamp": hex(max(0, int(result["timestamp"], 16) + int(seconds)))}


def with_wrong_logs(result: Json, part: str, from_number: int) -> Json:
    """Logs or receipts, of which those of blocks from `from_number` on are not what they were.

    `part` "last": the last log is missing; "all": all are; "data": the last has other data. The
    bloom and the roots of receipts and headers stay.
    """
    if not isinstance(result, list):
        return with_wrong_logs([result], part, from_number)[0]
    changed = [dict(one) if isinstance(one, dict) else one for one in result]
    late = [
        one
        for one in changed
        if isinstance(one, dict) and int(one.get("blockNumber") or "0x0", 16) >= from_number
    ]
    with_logs = [one for one in late if one.get("logs")]
    if not with_logs:
        return _without_logs(changed, [one for one in late if "topics" in one], part)
    for receipt in with_logs if part == "all" else with_logs[-1:]:
        logs = [dict(log) for log in receipt["logs"]]
        receipt["logs"] = _without_logs(logs, logs, part)
    return changed


def _without_logs(logs: list[Json], concerned: list[Json], part: str) -> list[Json]:
    """The list less those of the `concerned` that are to go."""
    if not concerned:
        return logs
    if part == "data":
        concerned[-1]["data"] = other_bytes(concerned[-1]["data"])
        return logs
    gone = concerned if part == "all" else concerned[-1:]
    return [log for log in logs if not any(log is one for one in gone)]


def with_other_state(method: str, result: Json) -> Json:
    """Another value under the same question; a proof (EIP-1186) keeps its nodes."""
    if method == "eth_getProof" and isinstance(result, dict):
        slots = [
            slot | {"value": other_number(slot["value"])} for slot in result.get("storageProof", [])
        ]
        return result | {"balance": other_number(result["balance"]), "storageProof": slots}
    if not isinstance(result, str):
        return result
    return other_number(result) if method in _QUANTITIES else other_bytes(result)


def other_number(quantity: str) -> str:
    """Another quantity: the lowest bit is turned."""
    return hex(int(quantity, 16) ^ 1)


def other_bytes(value: str) -> str:
    """Other bytes of the same length, one where there is none."""
    return altered_hash(value) if len(value) > len("0x") else "0x01"
