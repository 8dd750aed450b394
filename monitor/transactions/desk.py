"""Where orders are taken: `Orders`, carried out by the keepers of the networks.

An order goes the way of everything else: into the journal first, same nonce or nothing, within the
policy's caps. It differs from what the watchdog does by itself in one thing: a person has asked, so
that neither timing nor ages are waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from monitor.model import Hash32
from monitor.rpc.errors import RpcError
from monitor.rpc.node import UNREADABLE
from monitor.transactions.acting import own_nodes
from monitor.transactions.fees import Fees
from monitor.transactions.filing import decoded
from monitor.transactions.journal import JournalError
from monitor.transactions.keeper import Keeper, Mode
from monitor.transactions.looking import Scene
from monitor.transactions.orders import Ordered, OrderError
from monitor.transactions.unsigned import BLOB, RawError
from monitor.transactions.ward import Ward
from monitor.transactions.words import Act, Slot, Transaction

log = logging.getLogger("headwatch")

T = TypeVar("T")
PREFIX_DIGITS_MIN = 6


@dataclass(frozen=True, slots=True)
class Found:
    """A live slot, and who keeps it."""

    keeper: Keeper
    ward: Ward
    slot: Slot


class Desk:
    """Takes orders; raises OrderError where one is not carried out."""

    def __init__(
        self,
        keepers: Callable[[], Mapping[str, Keeper]],
        halt_file: Path,
        mode: Callable[[], Mode],
    ) -> None:
        self._keepers = keepers
        self._halt_file = halt_file
        self._mode = mode

    async def register(
        self, *, raw: bytes | None, hash_: str | None, network: str | None
    ) -> Ordered:
        if raw is None:
            if hash_ is None:
                message = "neither bytes nor a hash were given"
                raise OrderError(message, "refused")
            raw = await self._bytes_of(Hash32(hash_.lower()), network)
        try:
            transaction = await decoded(raw)
        except RawError as error:
            message = f"no transaction: {error}"
            raise OrderError(message, "refused") from None
        keeper, ward = self._owner(transaction, network)
        with _kept():
            scene = await keeper.stand()
            slot = await keeper.filing.registered(ward, transaction, raw, "order", scene.place)
        if slot.closed_at is not None:
            message = f"nonce {slot.nonce} is used in a final block: {slot.state.value}"
            raise OrderError(message, "refused")
        return Ordered(
            act="register",
            network=ward.network,
            alias=ward.account.alias,
            nonce=slot.nonce,
            hash=transaction.hash,
            summary=f"nonce {slot.nonce} of {ward.account.alias} is watched: {transaction.hash}",
        )

    async def rebroadcast(self, name: str) -> Ordered:
        found, scene = await self._stand(name)
        references = scene.references or scene.watch.references
        everybody = (*references, *own_nodes(found.ward, scene))
        with _kept():
            return await found.keeper.acting.send_again(
                found.ward, found.slot, Act.REBROADCAST, everybody
            )

    async def replace(
        self, name: str, *, fee_cap_wei: int | None, tip_cap_wei: int | None, dry_run: bool
    ) -> Ordered:
        chosen = _chosen(fee_cap_wei, tip_cap_wei)
        return await self._sign(name, Act.REPLACE, chosen, dry_run=dry_run)

    async def cancel(
        self, name: str, *, fee_cap_wei: int | None, tip_cap_wei: int | None, dry_run: bool
    ) -> Ordered:
        chosen = _chosen(fee_cap_wei, tip_cap_wei)
        return await self._sign(name, Act.CANCEL, chosen, dry_run=dry_run)

    async def propose(self, name: str) -> Mapping[str, object]:
        found = self._find(name)
        scene = await found.keeper.stand()
        decision = found.keeper.decision_of(found.ward, found.slot)
        with _kept():
            proposal = await found.keeper.acting.signing.proposal(
                found.ward, found.slot, decision, scene
            )
        return proposal.as_json()

    async def halt(self) -> None:
        try:
            self._halt_file.touch()
        except OSError as error:
            message = f"{self._halt_file} cannot be written: {error.strerror}"
            raise OrderError(message, "unavailable") from None
        log.warning("halted: nothing is sent until `headwatch tx resume`")

    async def resume(self) -> None:
        try:
            self._halt_file.unlink(missing_ok=True)
        except OSError as error:
            message = f"{self._halt_file} cannot be removed: {error.strerror}"
            raise OrderError(message, "unavailable") from None
        log.warning("resumed")

    # -- what is ordered -------------------------------------------------------------------------

    async def _sign(self, name: str, act: Act, chosen: Fees | None, *, dry_run: bool) -> Ordered:
        found = self._find(name)
        ward, slot = found.ward, found.slot
        if not (ward.rules.replace if act == Act.REPLACE else ward.rules.cancel):
            message = (
                f"the policy {ward.account.policy} of {ward.account.alias} does not allow "
                f"{act.value}: say `{act.value}: true` there, with a signer and caps"
            )
            raise OrderError(message, "refused")
        if ward.lowest is None or slot.nonce < ward.lowest.nonce:
            message = f"nonce {slot.nonce} is used on the network: nothing can be signed for it"
            raise OrderError(message, "refused")
        if any(one.transaction and one.transaction.type == BLOB for one in slot.attempts):
            message = "a blob transaction is replaced by its sender only"
            raise OrderError(message, "refused")
        if ward.lowest.nonce != slot.nonce:
            message = (
                f"nonce {slot.nonce} waits for nonce {ward.lowest.nonce}: nothing helps it but "
                "what helps that one"
            )
            raise OrderError(message, "refused")
        scene = await found.keeper.stand()
        if not dry_run:
            self._may_send()
            self._is_sure(found, scene)
        with _kept():
            past = await found.keeper.acting.past(slot)
            if past.bumps >= ward.rules.bumps_max and not dry_run:
                message = f"nonce {slot.nonce} was raised {past.bumps} times, as often as it may"
                raise OrderError(message, "refused")
            offer = await found.keeper.acting.signing.offer(ward, slot, act, scene, chosen)
            if dry_run:
                return Ordered(
                    act=act.value,
                    network=ward.network,
                    alias=ward.account.alias,
                    nonce=slot.nonce,
                    hash=None,
                    fee_cap_wei=offer.fees.fee_cap_wei,
                    tip_cap_wei=offer.fees.tip_cap_wei,
                    summary=f"dry run: its gas would cost {offer.cost_max_wei} wei at most",
                )
            return await found.keeper.acting.sign(ward, slot, act, offer, scene)

    def _is_sure(self, found: Found, scene: Scene) -> None:
        """Nothing is signed on weak evidence, whoever asks: the nonce may be used already."""
        decision = found.keeper.decision_of(found.ward, found.slot)
        if decision.is_weak or scene.head is None:
            message = "the references are too few, or do not agree: nothing is signed on that"
            raise OrderError(message, "refused")

    def _may_send(self) -> None:
        if self._mode() == "halted":
            message = "halted: nothing is sent until `headwatch tx resume`"
            raise OrderError(message, "refused")
        if self._mode() == "dry_run":
            message = "dry run: nothing is sent while `transactions.dry_run` is set"
            raise OrderError(message, "refused")

    async def _stand(self, name: str) -> tuple[Found, Scene]:
        self._may_send()
        found = self._find(name)
        return found, await found.keeper.stand()

    # -- who is meant ----------------------------------------------------------------------------

    def _find(self, name: str) -> Found:
        """The live slot that a hash, the beginning of one, or `ALIAS/NONCE` names."""
        wanted = name.lower()
        matches = [found for found in self._live() if _is_named(found, name, wanted)]
        if not matches and any(keeper.is_stale for keeper in self._keepers().values()):
            message = "its network was not seen yet, or the journal not read: ask again in a moment"
            raise OrderError(message, "unavailable")
        if not matches:
            message = f"no live transaction is named {name[:80]}: see `headwatch tx list --all`"
            raise OrderError(message, "unknown")
        if len(matches) > 1:
            message = f"{name[:80]} names {len(matches)} transactions: give more of the hash"
            raise OrderError(message, "unknown")
        return matches[0]

    def _live(self) -> Iterator[Found]:
        for keeper in self._keepers().values():
            for ward in keeper.wards:
                yield from (Found(keeper, ward, slot) for slot in ward.slots.values())

    def _owner(self, transaction: Transaction, network: str | None) -> tuple[Keeper, Ward]:
        for name, keeper in self._keepers().items():
            ward = keeper.by_address.get(transaction.sender)
            chain_id = keeper.chain_id
            if ward is None or network not in {None, name}:
                continue
            if transaction.chain_id is None and network is None and len(self._keepers()) > 1:
                message = "it names no chain (before EIP-155): say which network it is for"
                raise OrderError(message, "refused")
            if transaction.chain_id is None or chain_id in {None, transaction.chain_id}:
                return keeper, ward
        message = (
            f"its sender {transaction.sender} is no watched account"
            f"{f' of {network}' if network else f' on chain {transaction.chain_id}'}"
        )
        raise OrderError(message, "unknown")

    async def _bytes_of(self, hash_: Hash32, network: str | None) -> bytes:
        """The bytes of a transaction that some endpoint still has."""
        for name, keeper in self._keepers().items():
            if network not in {None, name}:
                continue
            scene = await keeper.stand()
            for endpoint in (*scene.watch.nodes, *scene.references):
                try:
                    raw = await keeper.filing.fetched(endpoint, hash_)
                except (RpcError, *UNREADABLE) as error:
                    log.info("%s: %s", endpoint.label, error)
                    continue
                if raw is not None:
                    return raw
        message = f"nobody shows the bytes of {hash_}: give them instead of the hash"
        raise OrderError(message, "unknown")


def _is_named(found: Found, name: str, wanted: str) -> bool:
    if name == f"{found.ward.account.alias}/{found.slot.nonce}":
        return True
    if len(wanted) < PREFIX_DIGITS_MIN + 2 or not wanted.startswith("0x"):
        return False
    return any(attempt.hash.startswith(wanted) for attempt in found.slot.attempts)


def _chosen(fee_cap_wei: int | None, tip_cap_wei: int | None) -> Fees | None:
    if fee_cap_wei is None and tip_cap_wei is None:
        return None
    if fee_cap_wei is None or tip_cap_wei is None:
        message = "fee cap and tip are given together, or neither is"
        raise OrderError(message, "refused")
    if not 0 <= tip_cap_wei <= fee_cap_wei:
        message = f"a tip of {tip_cap_wei} wei does not fit a cap of {fee_cap_wei} wei"
        raise OrderError(message, "refused")
    return Fees(fee_cap_wei, tip_cap_wei)


@contextmanager
def _kept() -> Iterator[None]:
    """What the journal cannot keep is not done, and said so."""
    try:
        yield
    except JournalError as error:
        message = f"nothing was done: {error}"
        raise OrderError(message, "unavailable") from None
