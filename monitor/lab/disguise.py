"""What a node says, as the faults of content have it: heads, hashes, overrides, ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.lab.faults import VIEW_KINDS, Deck, Fault
from monitor.lab.view import Json, Reply, View, altered_hash

Ask = Callable[[list[Json]], Awaitable[list[Json]]]
"""Asks the node behind: calls in, its answers out, in the same order."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """The faulty views that struck one exchange, and the node's head at that time."""

    faults: tuple[Fault, ...]
    real: int
    frozen_at: int
    slots_in_an_epoch: int

    def of(self, method: str) -> View:
        """What one method of the exchange is shown."""
        shown, lies_from = self.real, None
        for fault in self.faults:
            if not fnmatchcase(method, fault.methods):
                continue
            if fault.kind == "lag":
                shown = max(0, shown - fault.blocks)
            elif fault.kind == "freeze":
                shown = min(shown, self.frozen_at)
            elif fault.kind == "ahead":
                shown += fault.blocks
            else:
                lies_from = fault.from_number
        return View(self.real, shown, lies_from, self.slots_in_an_epoch)


class Disguise:
    """Answers the calls of one exchange, as a node with the faults of `deck` would."""

    def __init__(self, deck: Deck, ask: Ask, *, slots_in_an_epoch: int) -> None:
        self._deck = deck
        self._ask = ask
        self._slots_in_an_epoch = slots_in_an_epoch
        self._frozen_at: int | None = None

    def thaw(self) -> None:
        """Forget where a frozen view stood: other faults are in force now."""
        self._frozen_at = None

    async def answers(self, calls: list[Json]) -> list[Json]:
        """The answers to these calls as the faults of content have them, in order."""
        shown = await self._shown([method_of(call) for call in calls])
        answers: list[Json] = [None] * len(calls)
        asked: list[tuple[int, Json]] = []
        for index, call in enumerate(calls):
            reply = self._reply(call, shown)
            if isinstance(reply, Reply):
                answers[index] = reply_message(call, reply)
            else:
                asked.append((index, reply))
        replies = await self._ask([call for _, call in asked])
        for (index, _), answer in zip(asked, replies, strict=True):
            answers[index] = await self._disguised(calls[index], answer, shown)
        for call, answer in zip(calls, answers, strict=True):
            if self._deck.pick((method_of(call),), "wrong_id"):
                answer["id"] = f"not {call.get('id')}"
        return answers

    async def _shown(self, methods: list[str]) -> _Shown:
        picked = (self._deck.pick(methods, kind) for kind in VIEW_KINDS)
        faults = tuple(fault for fault in picked if fault is not None)
        real = 0
        if any(fault.kind != "mutate_hash" for fault in faults):
            head = await self._ask([{"method": "eth_blockNumber", "params": []}])
            real = int(head[0]["result"], 16)
        if any(fault.kind == "freeze" for fault in faults) and self._frozen_at is None:
            self._frozen_at = real
        return _Shown(faults, real, self._frozen_at or 0, self._slots_in_an_epoch)

    def _reply(self, call: Json, shown: _Shown) -> Json | Reply:
        """The reply without asking the node, or the call to ask it with."""
        method = method_of(call)
        fault = self._deck.pick((method,), "override")
        if fault is not None:
            return Reply(fault.result, fault.error)
        if method in {"eth_chainId", "net_version"}:
            fault = self._deck.pick((method,), "wrong_chain")
            if fault is not None:
                is_hex = method == "eth_chainId"
                return Reply(hex(fault.chain_id) if is_hex else str(fault.chain_id))
        if not shown.faults:
            return call
        asked = shown.of(method).ask(method, _params(call))
        return asked if isinstance(asked, Reply) else {**call, "params": asked}

    async def _disguised(self, call: Json, answer: Json, shown: _Shown) -> Json:
        if "id" in call:
            answer["id"] = call["id"]
        if not shown.faults or "result" not in answer:
            return answer
        method, params = method_of(call), _params(call)
        view = shown.of(method)
        if view.lies_from is not None and method == "eth_getBlockByHash" and params:
            answer["result"] = await self._by_altered_hash(params, answer["result"], view.lies_from)
        answer["result"] = view.show(method, params, answer["result"])
        return answer

    async def _by_altered_hash(self, params: list[Json], found: Json, lies_from: int) -> Json:
        """A liar knows the blocks it lies about by their altered hashes, and only by those."""
        if found is None:
            renamed = {
                "method": "eth_getBlockByHash",
                "params": [altered_hash(params[0]), *params[1:]],
            }
            found = (await self._ask([renamed]))[0].get("result")
            return found if found and int(found["number"], 16) >= lies_from else None
        return None if int(found["number"], 16) >= lies_from else found


def method_of(call: Json) -> str:
    """The method of a call; empty for what is none."""
    return str(call.get("method", ""))


def reply_message(call: Json, reply: Reply) -> dict[str, Json]:
    """A JSON-RPC 2.0 response to `call`."""
    message: dict[str, Json] = {"jsonrpc": "2.0", "id": call.get("id")}
    if reply.error is None:
        message["result"] = reply.result
    else:
        message["error"] = {"code": reply.error[0], "message": reply.error[1]}
    return message


def _params(call: Json) -> list[Json]:
    params = call.get("params")
    return list(params) if isinstance(params, list) else []
