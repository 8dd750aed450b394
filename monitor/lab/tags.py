"""What the block tags name on a node whose finality is faulty. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.lab.faults import Fault
from monitor.lab.view import BLOCK_PARAMETER, Json, Reply


@dataclass(frozen=True, slots=True)
class Tags:
    """The heights that the tags of a node name."""

    latest: int
    safe: int
    finalized: int


def named(fault: Fault, now: Tags, first: Tags) -> dict[str, int]:
    """Tag -> the height it names under a fault of the tags; `first`: when the fault was met."""
    if fault.kind == "finality_stalled":
        # A reorg may have taken the chain below where finality stood.
        return {
            "safe": min(first.safe, now.latest),
            "finalized": min(first.finalized, now.latest),
        }
    if fault.kind == "finality_backwards":
        return {"finalized": max(0, now.finalized - fault.blocks)}
    if fault.tag == "finalized":
        return {"safe": now.finalized, "finalized": now.safe}
    return {"latest": max(0, now.latest - fault.blocks), "safe": now.latest}


def asked(method: str, params: list[Json], meant: Mapping[str, int]) -> list[Json] | Reply:
    """The parameters with the tags as numbers, or the reply without asking."""
    if method == "eth_blockNumber" and "latest" in meant:
        return Reply(hex(meant["latest"]))
    if method == "eth_getLogs" and params and isinstance(params[0], dict):
        wanted = {key: _number(value, meant) for key, value in params[0].items()}
        return [wanted, *params[1:]]
    position = BLOCK_PARAMETER.get(method)
    if position is None or position >= len(params):
        return params
    return [*params[:position], _number(params[position], meant), *params[position + 1 :]]


def _number(block: Json, meant: Mapping[str, int]) -> Json:
    return hex(meant[block]) if isinstance(block, str) and block in meant else block
