"""Names of a seed: the same always, and nobody else's."""

from __future__ import annotations

from eth_hash.auto import keccak

from monitor.lab.poco.accounts import enclave, named, result_of
from monitor.lab.poco.calls import result_hash, result_sign


def test_names_of_a_seed_are_the_same_always_and_nobody_elses() -> None:
    """Seed and name decide; addresses are lower case and of 20 bytes."""
    found = [named(seed, name) for seed in (0, 1, 11) for name in ("a", "b", "1 a")]
    assert len(set(found)) == len(found)
    assert named(1, "a") == named(1, "a")
    assert all(one == one.lower() and len(one) == 42 for one in found)
    assert len({result_of(seed, name) for seed in (0, 1) for name in ("a", "b")}) == 4


def test_enclave_signs_what_the_contract_recovers() -> None:
    """`ecrecover` over the prefixed hash and sign gives the challenge, of this worker only."""
    from eth_keys.datatypes import Signature

    made, worker, result = enclave(1, "x"), named(1, "worker"), result_of(1, "result")
    v, r, s = made.sign(result, worker)
    signature = Signature(vrs=(v - 27, int.from_bytes(r, "big"), int.from_bytes(s, "big")))
    prefix = b"\x19Ethereum Signed Message:\n64"

    def recovered(who: str) -> str:
        told = keccak(prefix + result_hash(result) + result_sign(result, named(1, who)))
        return signature.recover_public_key_from_msg_hash(told).to_address()

    assert recovered("worker") == made.challenge
    assert recovered("other") != made.challenge
    assert enclave(1, "y").challenge != made.challenge
