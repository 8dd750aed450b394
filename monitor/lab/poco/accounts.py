"""Accounts and results that follow from a seed and a name, and from nothing else."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from eth_hash.auto import keccak

from monitor.lab.poco.calls import result_hash, result_sign
from monitor.model import Address

_PREFIX = b"\x19Ethereum Signed Message:\n64"


def named(seed: int, name: str) -> Address:
    """The account of that name."""
    return Address("0x" + keccak(f"headwatch {seed} {name}".encode())[12:].hex())


def result_of(seed: int, name: str) -> bytes:
    """The 32 bytes that a computation of that name comes to."""
    return keccak(f"headwatch result {seed} {name}".encode())


class Enclave(NamedTuple):
    """A key inside an enclave: what it signs was computed there."""

    key: bytes
    challenge: Address
    """Its address, which the scheduler authorises."""

    def sign(self, result: bytes, worker: Address) -> tuple[int, bytes, bytes]:
        """v, r and s over the hash and the sign of a contribution (`WorkerPool.contribute`)."""
        from monitor.transactions.signers.library import load_account

        told = keccak(_PREFIX + result_hash(result) + result_sign(result, worker))
        signed = load_account().unsafe_sign_hash(told, self.key)
        return signed.v, signed.r.to_bytes(32, "big"), signed.s.to_bytes(32, "big")


@cache
def enclave(seed: int, name: str) -> Enclave:
    """The enclave of that name."""
    from monitor.transactions.signers.library import load_account

    key = keccak(f"headwatch enclave {seed} {name}".encode())
    return Enclave(key, Address(load_account().from_key(key).address.lower()))
