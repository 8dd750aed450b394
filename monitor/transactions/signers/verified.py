"""What a signer has signed, held against what it was asked to sign, before anybody else sees it."""

from __future__ import annotations

from monitor.model import Address
from monitor.transactions.raw import RawError, decode, unsigned_of
from monitor.transactions.unsigned import BLOB, Unsigned
from monitor.transactions.words import Transaction


class SignerError(Exception):
    """Nothing was signed that can be used; one line for a person, without anything secret."""


def refuse_unsignable(unsigned: Unsigned) -> None:
    """Raise SignerError for what no signer is asked to sign."""
    if unsigned.type == BLOB:
        message = "blob transactions cannot be re-signed here"
        raise SignerError(message)
    if unsigned.chain_id is None:
        message = "it names no chain, and nothing is signed for all of them"
        raise SignerError(message)


def verified(raw: bytes, unsigned: Unsigned, sender: Address) -> bytes:
    """The same bytes, if they are exactly this transaction signed by exactly this sender.

    Else SignerError names everything that differs, with what was asked for.
    """
    try:
        signed = decode(raw)
    except RawError as error:
        message = f"what it signed is no transaction: {error}"
        raise SignerError(message) from None
    different = _differences(signed, unsigned)
    if signed.sender != sender:
        different.append(f"sender {signed.sender}, not {sender}")
    if not different and unsigned_of(raw) != unsigned:
        different.append("other lists (access, authorizations)")
    if different:
        message = f"it signed something else: {'; '.join(different)}"
        raise SignerError(message)
    return raw


def _differences(signed: Transaction, unsigned: Unsigned) -> list[str]:
    rows = (
        ("type", signed.type, unsigned.type),
        ("chain", signed.chain_id, unsigned.chain_id),
        ("nonce", signed.nonce, unsigned.nonce),
        ("recipient", signed.to, unsigned.to),
        ("value in wei", signed.value_wei, unsigned.value_wei),
        ("gas", signed.gas, unsigned.gas),
        ("fee cap in wei", signed.fee_cap_wei, unsigned.fee_cap_wei),
        ("tip cap in wei", signed.tip_cap_wei, unsigned.tip_cap_wei),
    )
    different = [f"{name} {is_}, not {asked}" for name, is_, asked in rows if is_ != asked]
    if signed.data != unsigned.data:
        different.append("another input")
    return different
