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

import msgspec

from monitor.endpoint import Endpoint
from monitor.model import Address, Hash32
from monitor.rpc.errors import RpcError
from monitor.transactions import raw as raws
from monitor.transactions import reading
from monitor.transactions.journal import Arrival, Journal, Sighting
from monitor.transactions.reading import PooledTransaction
from monitor.transactions.sight import Sight
from monitor.transactions.unsigned import RawError
from monitor.transactions.ward import Ward
from monitor.transactions.words import AttemptKind, Consumer, Slot, Transaction

log = logging.getLogger("headwatch")

ABSENT_ROUNDS_MAX = 3
"""So many rounds nobody has an unanswered arrival, then it was never sent."""
UNSENDABLE = "its bytes cannot be had"


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
    ) -> None:
        """`is_claimed`: whether any network watches the sender of a transaction."""
        self._is_claimed = is_claimed
        self._journal = journal
        self._sight = sight
        self._clock = clock
        self._absent: dict[Hash32, tuple[int, int]] = {}
        """Of unanswered arrivals: rounds in which nobody had it, and the height of the last."""
        self._strangers: set[Hash32] = set()
        """Hashes without bytes that were asked for in vain, so as not to ask in every round."""

    async def arrivals(
        self,
        wards: Mapping[Address, Ward],
        place: Place,
        endpoints: Sequence[Endpoint],
        in_flight: Collection[Hash32],
    ) -> None:
        """File what the tap wrote down, as far as it is of this network.

        Not what is `in_flight`: whether its sender will be told that it failed is not known yet.
        """
        for arrival in await self._journal.arrivals():
            if arrival.hash in in_flight:
                continue
            if arrival.outcome == "refused":
                continue  # The sender was told that it failed: never ours to send.
            try:
                transaction = await decoded(arrival.raw)
            except RawError as error:
                await self._journal.dismiss(arrival.hash, f"no transaction: {error}", self._clock())
                continue
            ward = wards.get(transaction.sender)
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
        said = await asyncio.gather(*(self._sight.has(e.node, arrival.hash) for e in endpoints))
        if any(has is True for has in said):
            self._absent.pop(arrival.hash, None)
            return True
        rounds, number = self._absent.get(arrival.hash, (0, -1))
        if place.number is None or place.number <= number or any(has is not False for has in said):
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
        for one in listed:
            slot = ward.slots.get(one.entry.nonce)
            known = slot is not None and any(
                attempt.hash == one.entry.hash and attempt.has_raw for attempt in slot.attempts
            )
            if known or one.entry.hash in self._strangers:
                continue
            raw = await self._bytes(one, endpoint)
            if raw is None:
                # Once with its hash alone; its bytes are not asked for in every round.
                self._strangers.add(one.entry.hash)
                await self.known_by_hash(ward, one.entry.nonce, one.entry.hash, "pool", place)
            else:
                await self._file(ward, await decoded(raw), raw, "pool", place)

    async def _bytes(self, one: PooledTransaction, endpoint: Endpoint) -> bytes | None:
        """Rebuilt from the object, else asked for; only bytes that hash to its hash."""
        try:
            return await asyncio.to_thread(raws.rebuild, one.fields())
        except (RawError, msgspec.DecodeError) as error:
            log.debug("%s cannot be rebuilt: %s", one.entry.hash, error)
        try:
            return await self._sight.raw(endpoint.node, one.entry.hash, is_of(one.entry.hash))
        except RpcError as error:
            log.debug("%s cannot be had: %s", one.entry.hash, error)
        return None

    async def fetched(self, endpoint: Endpoint, hash_: Hash32) -> bytes | None:
        """The verified bytes of a transaction from one endpoint; None where it has none.

        Raises RpcError, msgspec.DecodeError.
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


def is_of(hash_: Hash32) -> Callable[[bytes], bool]:
    """Whether bytes are the transaction of this hash, with a signature that recovers somebody."""

    def verified(raw: bytes) -> bool:
        try:
            raws.verify(raw, expected_hash=hash_)
        except RawError:
            return False
        return True

    return verified


async def decoded(raw: bytes) -> Transaction:
    """As `raw.decode`, in a thread: finding the sender takes milliseconds. Raises RawError."""
    return await asyncio.to_thread(raws.decode, raw)
