"""What a node says, as the faults of content have it: heads, tags, hashes, state, ids."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitor.lab.faults import RATE_LIMITED, TAG_KINDS, VIEW_KINDS, Deck, Fault
from monitor.lab.lies import (
    LOG_METHODS,
    STATE_METHODS,
    skewed,
    with_other_state,
    with_wrong_logs,
)
from monitor.lab.tags import Tags, asked, named
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
            if fault.kind in {"lag", "backwards"}:
                shown = max(0, shown - fault.blocks)
            elif fault.kind == "freeze":
                shown = min(shown, self.frozen_at)
            elif fault.kind == "ahead":
                shown += fault.blocks
            else:
                lies_from = fault.from_number
        return View(self.real, shown, lies_from, self.slots_in_an_epoch)


@dataclass(frozen=True, slots=True)
class _Named:
    """The faults of the tags that struck one exchange, and where the node's tags stand."""

    faults: tuple[Fault, ...]
    now: Tags
    first: Tags

    def ask(self, method: str, params: list[Json]) -> list[Json] | Reply:
        """What the node is asked instead, or the reply without asking."""
        meant: dict[str, int] = {}
        for fault in self.faults:
            if fnmatchcase(method, fault.methods):
                meant |= named(fault, self.now, self.first)
        return asked(method, params, meant) if meant else params


class Disguise:
    """Answers the calls of one exchange, as a node with the faults of `deck` would."""

    def __init__(self, deck: Deck, ask: Ask, *, slots_in_an_epoch: int) -> None:
        self._deck = deck
        self._ask = ask
        self._slots_in_an_epoch = slots_in_an_epoch
        self._frozen_at: int | None = None
        self._first_tags: Tags | None = None

    def thaw(self) -> None:
        """Forget where a frozen view stood: other faults are in force now."""
        self._frozen_at = None
        self._first_tags = None

    async def answers(self, calls: list[Json], *, is_batch: bool = False) -> list[Json]:
        """The answers to these calls as the faults of content have them, in order."""
        methods = [method_of(call) for call in calls]
        shown, tags = await self._shown(methods), await self._tags(methods)
        answers: list[Json] = [None] * len(calls)
        passed_on: list[tuple[int, Json]] = []
        for index, call in enumerate(calls):
            reply = self._reply(call, shown, tags, is_batch=is_batch)
            if isinstance(reply, Reply):
                answers[index] = reply_message(call, reply)
            else:
                passed_on.append((index, reply))
        replies = await self._ask([call for _, call in passed_on])
        for (index, _), answer in zip(passed_on, replies, strict=True):
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

    async def _tags(self, methods: list[str]) -> _Named | None:
        picked = (self._deck.pick(methods, kind) for kind in TAG_KINDS)
        faults = tuple(fault for fault in picked if fault is not None)
        if not faults:
            return None
        answers = await self._ask(
            [
                {"method": "eth_getBlockByNumber", "params": [tag, False]}
                for tag in ("latest", "safe", "finalized")
            ]
        )
        latest, safe, finalized = (int(answer["result"]["number"], 16) for answer in answers)
        now = Tags(latest, safe, finalized)
        if self._first_tags is None:
            self._first_tags = now
        return _Named(faults, now, self._first_tags)

    def _reply(
        self, call: Json, shown: _Shown, tags: _Named | None, *, is_batch: bool
    ) -> Json | Reply:
        """The reply without asking the node, or the call to ask it with."""
        method, params = method_of(call), _params(call)
        fault = self._deck.pick((method,), "override", params=params)
        if fault is not None:
            return Reply(fault.result, fault.error)
        fault = self._deck.pick((method,), "batch_error", params=params) if is_batch else None
        if fault is not None:
            return Reply(error=fault.error or RATE_LIMITED)
        if method in {"eth_chainId", "net_version"}:
            fault = self._deck.pick((method,), "wrong_chain")
            if fault is not None:
                is_hex = method == "eth_chainId"
                return Reply(hex(fault.chain_id) if is_hex else str(fault.chain_id))
        if not shown.faults and tags is None:
            return call
        wanted = params if tags is None else tags.ask(method, params)
        if shown.faults and not isinstance(wanted, Reply):
            wanted = shown.of(method).ask(method, wanted)
        return wanted if isinstance(wanted, Reply) else {**call, "params": wanted}

    async def _disguised(self, call: Json, answer: Json, shown: _Shown) -> Json:
        if "id" in call:
            answer["id"] = call["id"]
        if "result" not in answer:
            return answer
        method, params = method_of(call), _params(call)
        answer["result"] = self._with_lies(method, params, answer["result"])
        if not shown.faults:
            return answer
        view = shown.of(method)
        if view.lies_from is not None and method == "eth_getBlockByHash" and params:
            answer["result"] = await self._by_altered_hash(params, answer["result"], view.lies_from)
        answer["result"] = view.show(method, params, answer["result"])
        return answer

    def _with_lies(self, method: str, params: list[Json], result: Json) -> Json:
        """The result with what the faults change in it, whichever block was meant."""
        fault = self._deck.pick((method,), "timestamp_skew")
        if fault is not None:
            result = skewed(result, fault.seconds, fault.from_number)
        if method == "eth_getBlockByNumber" and params[:1] == ["finalized"] and result:
            fault = self._deck.pick((method,), "finalized_hash")
            if fault is not None:
                result = result | {"hash": altered_hash(result["hash"])}
        if method in LOG_METHODS:
            fault = self._deck.pick((method,), "wrong_logs", params=params)
            if fault is not None:
                result = with_wrong_logs(result, fault.part, fault.from_number)
        if method in STATE_METHODS:
            fault = self._deck.pick((method,), "wrong_state", params=params)
            if fault is not None:
                result = with_other_state(method, result)
        return result

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
