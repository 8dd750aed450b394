"""Files what comes in: arrivals of the tap, what pools show, what is registered, what is mined.

Everything that is an account's transaction ends as an attempt of a slot in the journal, with its
bytes wherever they can be had: they are taken at first sight, because after an eviction nobody can
produce them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.endpoint import Endpoint
from monitor.model import Address, Hash32
from monitor.rpc.errors import RpcError
from monitor.rpc.node import UNREADABLE
from monitor.transactions import raw as raws
from monitor.transactions import reading
from monitor.transactions.journal import Arrival, Journal, Sighting
from monitor.transactions.reading import PooledTransaction
from monitor.transactions.sight import Sight
from monitor.transactions.unsigned import RawError
from monitor.transactions.ward import Ward
from monitor.transactions.words import AttemptKind, Consumer, Slot, Transaction

log = logging.getLogger("headwatch")

STRANGER_SECONDS = 60.0
"""How long bytes that could not be had are not asked for again."""
STRANGERS_MAX = 10_000
NONCE_MAX = 2**63 - 1
DEAF_SECONDS_MAX = 600.0
"""An unanswered arrival is not kept longer for the sake of an endpoint that does not answer."""
ABSENT_ROUNDS_MAX = 3
"""So many rounds nobody has an unanswered arrival, then it was never sent."""


@dataclass(frozen=True, slots=True)
class Place:
    """The network that things are filed for."""

    network: str
    chain_id: int
    number: int | None
    """Height of the network; None where that is not known."""


class Filing:
    """From bytes and pool objects to slots. Raises JournalError where they cannot be kept."""

    def __init__(
        self,
        journal: Journal,
        sight: Sight,
        clock: Callable[[], float],
        *,
        is_claimed: Callable[[Transaction], bool],
        is_tapped: bool = True,
    ) -> None:
        """`is_claimed`: whether any network watches the sender of a transaction.

        `is_tapped`: whether the tap's node is of this network, so that bytes which name no chain
        (before EIP-155) are of this one.
        """
        self._is_tapped = is_tapped
        self._is_claimed = is_claimed
        self._journal = journal
        self._sight = sight
        self._clock = clock
        self._absent: dict[Hash32, tuple[int, int]] = {}
        """Of unanswered arrivals: rounds in which nobody had it, and the height of the last."""
        self._strangers: dict[Hash32, float] = {}
        """Pooled transactions that could not be filed with bytes, and when that was tried."""

    async def arrivals(
        self,
        wards: Mapping[Address, Ward],
        place: Place,
        endpoints: Sequence[Endpoint],
        in_flight: Collection[Hash32],
    ) -> None:
        """File what the tap wrote down, as far as it is of this network.

        Not what was refused, of which its sender was told that it failed: it is never ours to send,
        and the journal does not name it. Nor what is `in_flight`: what its sender will be told is
        not known yet.
        """
        for arrival in await self._journal.arrivals():
            if arrival.hash in in_flight:
                continue
            try:
                transaction = await decoded(arrival.raw)
            except RawError as error:
                await self._journal.dismiss(arrival.hash, f"no transaction: {error}", self._clock())
                continue
            ward = wards.get(transaction.sender)
            if transaction.chain_id is None and not self._is_tapped:
                continue
            if transaction.chain_id not in {None, place.chain_id} or ward is None:
                if not self._is_claimed(transaction):
                    # It would stand before others for ever: so many are read, and no more.
                    why = f"its sender {transaction.sender} is not watched"
                    await self._journal.dismiss(arrival.hash, why, self._clock())
                    log.info("tap: %s passed through: %s", arrival.hash, why)
                continue
            if arrival.outcome == "unanswered" and not await self._is_somewhere(
                arrival, place, endpoints
            ):
                continue
            await self._file(ward, transaction, arrival.raw, "tap", place)

    async def _is_somewhere(
        self, arrival: Arrival, place: Place, endpoints: Iterable[Endpoint]
    ) -> bool:
        """Whether any endpoint has what no node acknowledged. Given up after three rounds.

        Its sender was told an error, as without headwatch: sending it now, behind the back of a
        sender who may have signed the payment anew, could pay twice.
        """
        rounds, number = self._absent.get(arrival.hash, (0, -1))
        if place.number is None or place.number <= number:
            return False
        said = await asyncio.gather(*(self._sight.has(e.node, arrival.hash) for e in endpoints))
        if any(has is True for has in said):
            self._absent.pop(arrival.hash, None)
            return True
        # One that is deaf for long, as the node that did not answer may be, is not waited for.
        is_old = self._clock() - arrival.at > DEAF_SECONDS_MAX
        if any(has is not False for has in said) and not (is_old and False in said):
            self._absent[arrival.hash] = (rounds, place.number)
            return False
        self._absent[arrival.hash] = (rounds + 1, place.number)
        if rounds + 1 >= ABSENT_ROUNDS_MAX:
            del self._absent[arrival.hash]
            why = "no node has it, and its sender was told that it failed"
            await self._journal.dismiss(arrival.hash, why, self._clock())
            log.warning("tap: %s is nowhere: %s", arrival.hash, why)
        return False

    async def pool(
        self, ward: Ward, listed: Iterable[PooledTransaction], place: Place, endpoint: Endpoint
    ) -> None:
        """File what an endpoint's pool holds of the account."""
        now = self._clock()
        for one in listed:
            slot = ward.slots.get(one.entry.nonce)
            held = {} if slot is None else {one.hash: one for one in slot.attempts}
            attempt = held.get(one.entry.hash)
            tried_at = self._strangers.get(one.entry.hash, -STRANGER_SECONDS)
            if (attempt is not None and attempt.has_raw) or now - tried_at < STRANGER_SECONDS:
                continue
            if one.entry.nonce > NONCE_MAX:
                continue  # No chain will ever take it (EIP-2681).
            raw = await self._bytes(one, endpoint, ward.account.address, place.chain_id)
            transaction = None if raw is None else await decoded(raw)
            if raw is not None and transaction is not None:
                if transaction.nonce == one.entry.nonce:
                    await self._file(ward, transaction, raw, "pool", place)
                    continue
                log.info("%s lists %s under another nonce", endpoint.label, one.entry.hash)
            # With its hash alone; its bytes are asked for again, but not in every round.
            self._remember_stranger(one.entry.hash, now)
            if attempt is None and transaction is None:
                await self.known_by_hash(ward, one.entry.nonce, one.entry.hash, "pool", place)

    def _remember_stranger(self, hash_: Hash32, now: float) -> None:
        if len(self._strangers) >= STRANGERS_MAX:
            self._strangers = {
                key: at for key, at in self._strangers.items() if now - at < STRANGER_SECONDS
            }
        if len(self._strangers) < STRANGERS_MAX:
            self._strangers[hash_] = now

    async def _bytes(
        self, one: PooledTransaction, endpoint: Endpoint, sender: Address, chain_id: int
    ) -> bytes | None:
        """Rebuilt from the object, else asked for; only what hashes to its hash and is theirs."""
        verified = is_of(one.entry.hash, sender, chain_id)
        try:
            raw = await asyncio.to_thread(raws.rebuild, one.fields())
            if verified(raw):
                return raw
        except (RawError, *UNREADABLE) as error:
            log.debug("%s cannot be rebuilt: %s", one.entry.hash, error)
        try:
            return await self._sight.raw(endpoint.node, one.entry.hash, verified)
        except RpcError as error:
            log.debug("%s cannot be had: %s", one.entry.hash, error)
        return None

    async def fetched(self, endpoint: Endpoint, hash_: Hash32) -> bytes | None:
        """The verified bytes of a transaction from one endpoint; None where it has none.

        Raises RpcError, and what is in `UNREADABLE`.
        """
        raw = await self._sight.raw(endpoint.node, hash_, is_of(hash_))
        if raw is None:
            written = await endpoint.node.ask(
                "eth_getTransactionByHash", (hash_,), reading.raw_object
            )
            fields = reading.fields_of(written)
            with contextlib.suppress(RawError):
                raw = None if fields is None else raws.rebuild(fields)
        return raw if raw is not None and is_of(hash_)(raw) else None

    async def known_by_hash(
        self, ward: Ward, nonce: int, hash_: Hash32, source: str, place: Place
    ) -> Slot:
        """File a transaction of which only hash and nonce are known."""
        sighting = self._sighting(ward, nonce, hash_, source, place)
        slot = await self._journal.observe(sighting, self._clock())
        ward.put(slot)
        ward.is_urgent = True
        return slot

    async def mined(self, ward: Ward, found: Consumer, place: Place) -> Slot:
        """File a transaction that was first seen in a block; its receipt is asked for next."""
        transaction = found.transaction
        sighting = self._sighting(
            ward,
            transaction.nonce,
            transaction.hash,
            "block",
            place,
            transaction=transaction,
            raw=found.raw,
        )
        slot = await self._journal.observe(sighting, self._clock())
        ward.put(slot)
        return slot

    async def registered(
        self, ward: Ward, transaction: Transaction, raw: bytes, source: str, place: Place
    ) -> Slot:
        """File bytes that somebody brought or a block showed."""
        return await self._file(ward, transaction, raw, source, place)

    async def _file(
        self, ward: Ward, transaction: Transaction, raw: bytes, source: str, place: Place
    ) -> Slot:
        sighting = self._sighting(
            ward,
            transaction.nonce,
            transaction.hash,
            source,
            place,
            transaction=transaction,
            raw=raw,
        )
        slot = await self._journal.observe(sighting, self._clock())
        ward.put(slot)
        ward.is_urgent = True
        return slot

    def _sighting(
        self,
        ward: Ward,
        nonce: int,
        hash_: Hash32,
        source: str,
        place: Place,
        *,
        transaction: Transaction | None = None,
        raw: bytes | None = None,
    ) -> Sighting:
        kind: AttemptKind = "observed"
        return Sighting(
            network=place.network,
            chain_id=place.chain_id,
            alias=ward.account.alias,
            transaction=transaction,
            sender=ward.account.address,
            nonce=nonce,
            hash=hash_,
            raw=raw,
            kind=kind,
            source=source,
            number=place.number,
        )


def is_of(
    hash_: Hash32, sender: Address | None = None, chain_id: int | None = None
) -> Callable[[bytes], bool]:
    """Whether bytes are the transaction of this hash, signed by the sender, for the chain."""

    def verified(raw: bytes) -> bool:
        try:
            raws.verify(raw, expected_hash=hash_, sender=sender, chain_id=chain_id)
        except RawError:
            return False
        return True

    return verified


async def decoded(raw: bytes) -> Transaction:
    """As `raw.decode`, in a thread: finding the sender takes milliseconds. Raises RawError."""
    return await asyncio.to_thread(raws.decode, raw)
