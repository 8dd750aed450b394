"""An unsigned replacement, for whoever has the key: what to sign, why, and on what evidence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from monitor.model import Evidence
from monitor.transactions.fees import Fees
from monitor.transactions.unsigned import Unsigned
from monitor.transactions.words import Decision, Slot
from monitor.url import Url
from monitor.wire import BROKEN, connection_text

log = logging.getLogger("headwatch")

SCHEMA = "headwatch.proposal/1"
DEADLINE_SECONDS = 10.0
HTTP_TAKEN = range(200, 300)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What could be signed. It takes the nonce of the slot, and no other."""

    network: str
    alias: str
    slot: Slot
    decision: Decision
    unsigned: Unsigned
    fees: Fees

    def as_json(self) -> dict[str, object]:
        """The document that is posted and printed."""
        newest = self.slot.newest
        return {
            "schema": SCHEMA,
            "network": self.network,
            "account": self.alias,
            "nonce": self.slot.nonce,
            "replaces": None if newest is None else newest.hash,
            "known_hashes": [attempt.hash for attempt in self.slot.attempts],
            "reason": self.decision.state.value,
            "summary": self.decision.summary,
            "transaction": self.unsigned.as_json(self.slot.sender),
            "fee_cap_wei": self.fees.fee_cap_wei,
            "tip_cap_wei": self.fees.tip_cap_wei,
            "evidence": [_evidence(one) for one in self.decision.evidence],
        }


def _evidence(one: Evidence) -> dict[str, object]:
    block = None
    if one.block is not None:
        block = {"number": one.block.number, "hash": one.block.hash}
    return {
        "source": one.source,
        "method": one.method,
        "said": one.said,
        "at": one.at,
        "block": block,
        "threshold": one.threshold,
    }


class Proposals:
    """The webhook that proposals are posted to. Each state of a slot is proposed once."""

    def __init__(
        self,
        url: Url,
        token_file: Path | None,
        session: aiohttp.ClientSession,
        on_outcome: Callable[[str], None],
    ) -> None:
        """`on_outcome` is told `sent` or `failed`."""
        self._url = url
        self._token_file = token_file
        self._session = session
        self._on_outcome = on_outcome

    async def post(self, document: Mapping[str, object]) -> str:
        """Post it; an empty text, or one line that says why it was not taken, logged as well."""
        problem = await self._post(document)
        if problem:
            log.warning("a proposal was not taken by %s: %s", self._url, problem)
        self._on_outcome("failed" if problem else "sent")
        return problem

    async def _post(self, document: Mapping[str, object]) -> str:
        headers = {}
        if self._token_file is not None:
            try:
                token = self._token_file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeError) as error:
                why = getattr(error, "strerror", None) or "it is not UTF-8 text"
                return f"its token cannot be read: {why}"
            headers["Authorization"] = f"Bearer {token}"
        try:
            async with self._session.post(
                self._url.reveal(),
                json=document,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=DEADLINE_SECONDS),
            ) as response:
                return "" if response.status in HTTP_TAKEN else f"HTTP {response.status}"
        except TimeoutError:
            return f"no answer within {DEADLINE_SECONDS:g} s"
        except BROKEN as error:
            return self._url.scrub(connection_text(error))
