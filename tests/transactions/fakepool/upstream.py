"""The node behind a fake pool: the chain as it is, or as it was when the view was frozen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import aiohttp
import msgspec

from monitor.lab.disguise import method_of, reply_message
from monitor.lab.view import Json, Reply, View
from tests.transactions.fakepool.checks import Account, Head

DELEGATION_PREFIX = "0xef0100"
"""How the code of an account with a delegate begins (EIP-7702)."""
REPLACING = "header not found"
REPLACING_LOOKS, REPLACING_SECONDS = 40, 0.05
ELASTICITY = 2
BASE_FEE_DENOMINATOR = 8


class Upstream:
    """One node of the lab, asked over HTTP."""

    def __init__(
        self, url: str, session: aiohttp.ClientSession, *, slots_in_an_epoch: int = 4
    ) -> None:
        self.url = url
        self.session = session
        self.frozen_at: int | None = None
        """The height of the head that is shown; None: the real one."""
        self.untold_upto = 0
        """Heads up to here came while the view was frozen: they are told to no subscriber."""
        self._slots_in_an_epoch = slots_in_an_epoch
        self._chain_id: int | None = None

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    async def ask(self, calls: Sequence[Json]) -> list[Json]:
        """The answers to these calls, in order and under their own ids."""
        frozen_at = self.frozen_at  # It may thaw while the node is asked.
        if frozen_at is None:
            return await self._post(calls)
        (head,) = await self._post([_call("eth_blockNumber")])
        real = int(head["result"], 16)
        view = View(real, min(real, frozen_at), None, self._slots_in_an_epoch)
        asked = [view.ask(method_of(call), list(call.get("params") or [])) for call in calls]
        passed = [
            call | {"params": params}
            for call, params in zip(calls, asked, strict=True)
            if not isinstance(params, Reply)
        ]
        found = iter(await self._post(passed) if passed else [])
        answers = []
        for call, params in zip(calls, asked, strict=True):
            if isinstance(params, Reply):
                answers.append(reply_message(call, params))
                continue
            answer = next(found)
            if "result" in answer:
                shown = view.show(method_of(call), call.get("params") or [], answer["result"])
                answer["result"] = shown
            answers.append(answer)
        return answers

    async def thaw(self) -> None:
        """Show the real head again."""
        if self.frozen_at is not None:
            (head,) = await self._post([_call("eth_blockNumber")])
            self.untold_upto = int(head["result"], 16)
            self.frozen_at = None

    def tells(self, notification: Json) -> bool:
        """Whether a subscriber is told this, which the node behind has told."""
        if method_of(notification) != "eth_subscription":
            return True
        result = notification["params"]["result"]
        number = result.get("number") if isinstance(result, dict) else None
        is_old = number is not None and int(number, 16) <= self.untold_upto
        return self.frozen_at is None and not is_old

    async def results(self, *calls: tuple[Any, ...]) -> list[Json]:
        """The results of (method, *params). KeyError where the node answers with an error.

        A follower of the lab that puts a block into another's place lacks that height for a moment:
        then it is asked again.
        """
        asked = [_call(method, *params) for method, *params in calls]
        answers = await self.ask(asked)
        for _ in range(REPLACING_LOOKS):
            if not any(REPLACING in str(answer.get("error")) for answer in answers):
                break
            await asyncio.sleep(REPLACING_SECONDS)
            answers = await self.ask(asked)
        for answer in answers:
            if "result" not in answer:
                raise KeyError(str(answer.get("error")))
        return [answer["result"] for answer in answers]

    async def head(self) -> Head:
        """What a pool knows of the chain it stands on."""
        if self._chain_id is None:
            (chain_id,) = await self.results(("eth_chainId",))
            self._chain_id = int(chain_id, 16)
        (block,) = await self.results(("eth_getBlockByNumber", "latest", False))
        return Head(
            number=int(block["number"], 16),
            hash=block["hash"],
            parent_hash=block["parentHash"],
            base_fee_wei=next_base_fee_wei(block),
            gas_limit=int(block["gasLimit"], 16),
            chain_id=self._chain_id,
        )

    async def accounts(self, senders: Iterable[str], head: Head) -> dict[str, Account]:
        """These senders at that head."""
        found: dict[str, Account] = {}
        for sender in senders:
            at = hex(head.number)
            nonce, balance, code = await self.results(
                ("eth_getTransactionCount", sender, at),
                ("eth_getBalance", sender, at),
                ("eth_getCode", sender, at),
            )
            is_delegated = code.startswith(DELEGATION_PREFIX)
            found[sender] = Account(
                nonce=int(nonce, 16),
                balance_wei=int(balance, 16),
                is_delegated=is_delegated,
                is_contract=code != "0x" and not is_delegated,
            )
        return found

    async def mined(self, hashes: Sequence[str]) -> set[str]:
        """Which of these are in a block."""
        found = await self.results(*(("eth_getTransactionByHash", one) for one in hashes))
        return {one["hash"] for one in found if one and one.get("blockHash")}

    async def _post(self, calls: Sequence[Json]) -> list[Json]:
        messages = [call | {"jsonrpc": "2.0", "id": index} for index, call in enumerate(calls)]
        body = msgspec.json.encode(messages if len(messages) != 1 else messages[0])
        headers = {"Content-Type": "application/json"}
        async with self.session.post(self.url, data=body, headers=headers) as response:
            parsed = msgspec.json.decode(await response.read())
        by_id = {answer["id"]: answer for answer in ([parsed] if len(calls) == 1 else parsed)}
        return [by_id[index] | {"id": call.get("id")} for index, call in enumerate(calls)]


def next_base_fee_wei(block: Json) -> int:
    """The base fee of the block after this one (EIP-1559)."""
    used, limit, fee = (int(block[name], 16) for name in ("gasUsed", "gasLimit", "baseFeePerGas"))
    target = limit // ELASTICITY
    step = fee * abs(used - target) // target // BASE_FEE_DENOMINATOR
    return fee + max(step, 1) if used > target else fee - step if used < target else fee


def _call(method: str, *params: Any) -> dict[str, Json]:
    return {"method": method, "params": list(params)}
