"""state: a few accounts after the pinned block, by four methods, and what proves them.

The accounts are the block's own: its fee recipient, and who sent and received its first
transactions, so that something is compared that has just changed. References are asked for the
header alone, which is one call each, unless the node's answers do not prove themselves under it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from monitor.judge.answer import Answer, parts_of
from monitor.judge.state import (
    BALANCE_METHOD,
    CALL_METHOD,
    NONCE_METHOD,
    PROOF_METHOD,
    Reading,
    StateSeen,
    What,
)
from monitor.model import Address, BlockNumber, BlockStamp
from monitor.probes.accounts import ACCOUNTS, WordsDecoder, balances_call
from monitor.probes.asked import Asked, Pin
from monitor.probes.proofs import PROOF, Account, Proof
from monitor.probes.roots import METHOD, Roots, believed_roots
from monitor.probes.trie import ProofError
from monitor.rpc import decode
from monitor.rpc.errors import CallRejected, MalformedAnswer
from monitor.rpc.node import Node

NOBODY = Account(0, 0, 0, 0)
"""What is proven of an account that is not there; its hashes are written in several ways."""


class _NumberDecoder:
    def decode(self, raw: msgspec.Raw, /) -> int:
        """A quantity as a number; raises what msgspec raises."""
        return int(decode.quantity.decode(raw), 16)


NUMBER: Final = _NumberDecoder()


@dataclass(frozen=True, slots=True)
class _Said:
    """What a node says of one account; None where it has no such method, or not for this block."""

    address: Address
    balance: int
    nonce: int
    called: int | None
    proof: Proof | None


async def probe(asked: Asked[StateSeen]) -> StateSeen:
    """What the node says, proven or beside what the references say. Raises RpcError."""
    pin = asked.pinned
    if pin is None:
        message = "no block to compare at"
        raise MalformedAnswer(message)
    roots, block = await asyncio.gather(
        believed_roots(asked, pin), asked.node.ask(METHOD, (pin.hash, True), ACCOUNTS)
    )
    addresses = block.addresses
    readings = [
        reading
        for said in await _said(asked.node, pin, addresses)
        for reading in _readings(said, roots)
    ]
    compared = await asyncio.gather(
        *(_compared(asked, pin, addresses, reading, roots) for reading in readings)
    )
    stamp = roots.stamp if roots is not None else BlockStamp(BlockNumber(pin.number), pin.hash, 0)
    return StateSeen(stamp, tuple(compared))


async def _said(node: Node, pin: Pin, addresses: Sequence[Address]) -> list[_Said]:
    """Everything about all of them, at once."""
    called, accounts = await asyncio.gather(
        _called(node, pin, addresses),
        asyncio.gather(*(_account(node, pin, address) for address in addresses)),
    )
    if called is None:
        return accounts
    return [replace(said, called=word) for said, word in zip(accounts, called, strict=True)]


async def _account(node: Node, pin: Pin, address: Address) -> _Said:
    where = (address, pin.parameter)
    balance, nonce, proof = await asyncio.gather(
        node.ask(BALANCE_METHOD, where, NUMBER),
        node.ask(NONCE_METHOD, where, NUMBER),
        _proof(node, pin, address),
    )
    return _Said(address, balance, nonce, None, proof)


async def _called(node: Node, pin: Pin, addresses: Sequence[Address]) -> tuple[int, ...] | None:
    call = (balances_call(addresses), pin.parameter)
    try:
        return await node.ask(CALL_METHOD, call, WordsDecoder(len(addresses)))
    except (CallRejected, MalformedAnswer):
        # Not every chain lets a call create a contract: that is no word about its state.
        return None


async def _proof(node: Node, pin: Pin, address: Address) -> Proof | None:
    try:
        return await node.ask(PROOF_METHOD, (address, [], pin.parameter), PROOF)
    except CallRejected:
        # Absent, forbidden, or older than the proofs it keeps: its values are compared without.
        return None


def _readings(said: _Said, roots: Roots | None) -> Iterator[Reading]:
    """Each value that the node says of one account, and what is proven of it."""
    account: Account | None = None
    if said.proof is not None and roots is not None:
        try:
            account = said.proof.account(roots.state_root) or NOBODY
        except ProofError:
            shown = said.proof.root_shown(roots.state_root)
            yield Reading(said.address, PROOF_METHOD, "state root", shown)
    if said.proof is not None and account is not None:
        told = said.proof.said
        values: list[tuple[What, int, int]] = [
            ("balance", told.balance, account.balance),
            ("nonce", told.nonce, account.nonce),
        ]
        if account is not NOBODY:
            values.append(("code hash", told.code_hash, account.code_hash))
            values.append(("storage root", told.storage_root, account.storage_root))
        for what, value, proven in values:
            yield Reading(said.address, PROOF_METHOD, what, value, proven)
    balance, nonce = (None, None) if account is None else (account.balance, account.nonce)
    yield Reading(said.address, BALANCE_METHOD, "balance", said.balance, balance)
    yield Reading(said.address, NONCE_METHOD, "nonce", said.nonce, nonce)
    if said.called is not None:
        yield Reading(said.address, CALL_METHOD, "balance", said.called, balance)


async def _compared(
    asked: Asked[StateSeen],
    pin: Pin,
    addresses: Sequence[Address],
    reading: Reading,
    roots: Roots | None,
) -> Reading:
    """The reading with what the references say, where it does not prove itself."""
    if reading.is_proven:
        return reading
    answers: tuple[Answer[int], ...]
    where, account = pin.parameter, reading.account
    if reading.method == CALL_METHOD:
        call = (balances_call(addresses), where)
        words = await asked.panel.ask(CALL_METHOD, call, WordsDecoder(len(addresses)))
        index = addresses.index(account)
        answers = parts_of(words, lambda one: one[index])
    elif reading.method == PROOF_METHOD and roots is not None:
        proofs = await asked.panel.ask(PROOF_METHOD, (account, [], where), PROOF)
        answers = parts_of(proofs, lambda proof: _part(proof, reading.what, roots))
    else:
        answers = await asked.panel.ask(reading.method, (account, where), NUMBER)
    return replace(reading, answers=answers)


def _part(proof: Proof, what: What, roots: Roots) -> int:
    """The same value of a reference's proof."""
    values: dict[What, int] = {
        "balance": proof.said.balance,
        "nonce": proof.said.nonce,
        "code hash": proof.said.code_hash,
        "storage root": proof.said.storage_root,
        "state root": proof.root_shown(roots.state_root),
    }
    return values[what]
