"""Every call is in the ABI of the package, and encoded as the ABI says."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_hash.auto import keccak

from monitor.lab.poco.artifacts import signatures
from monitor.lab.poco.calls import (
    NOBODY,
    SIGNATURES,
    allow,
    call,
    calldata,
    contribute,
    result_hash,
    result_sign,
    reverting,
)
from monitor.model import Address

POOL = Address("0x" + "11" * 20)
WOID = Address("0x" + "22" * 20)
WORKERS = (Address("0x" + "33" * 20), Address("0x" + "44" * 20))


@pytest.mark.parametrize("contract", SIGNATURES)
def test_signatures_are_the_packages_own(poco_path: Path, contract: str) -> None:
    """No function is called that the contract does not have."""
    assert set(SIGNATURES[contract]) <= signatures(poco_path, contract)


def test_calldata_of_a_known_transfer_is_the_known_bytes() -> None:
    """`transfer(address,uint256)` begins with a9059cbb, as everybody knows."""
    data = calldata("transfer(address,uint256)", WORKERS[0], 5)
    assert data.hex() == "a9059cbb" + "00" * 12 + "33" * 20 + f"{5:064x}"


def test_calldata_of_an_unknown_function_is_refused() -> None:
    """A misspelt signature is no selector of anything."""
    with pytest.raises(LookupError):
        calldata("transfers(address,uint256)", WORKERS[0], 5)


@pytest.mark.parametrize(
    ("workers", "signature"),
    [
        (WORKERS[:1], "allowWorkerToContribute(address,address,address)"),
        (WORKERS, "allowWorkersToContribute(address,address[],address)"),
    ],
    ids=["one", "several"],
)
def test_allow_takes_the_call_for_so_many(workers: tuple[Address, ...], signature: str) -> None:
    """One worker and several are authorised by different functions."""
    made = allow(WORKERS[0], POOL, WOID, workers)
    assert made.data[:4] == keccak(signature.encode())[:4]
    assert all(worker[2:] in made.data.hex() for worker in workers)
    assert (made.sender, made.to, made.reverts) == (WORKERS[0], POOL, False)


def test_contribution_is_the_workers_own() -> None:
    """The hash is everybody's, the sign nobody else's: `keccak(result ^ keccak(worker))`."""
    result = keccak(b"result")
    mask = int.from_bytes(keccak(bytes.fromhex("33" * 20)), "big")
    wanted = keccak((int.from_bytes(result, "big") ^ mask).to_bytes(32, "big"))
    assert result_sign(result, WORKERS[0]) == wanted
    first, second = (contribute(worker, POOL, WOID, result).data for worker in WORKERS)
    assert first[4:68] == second[4:68]
    assert first[36:68] == result_hash(result) == keccak(result)
    assert first[68:100] == wanted != second[68:100]


def test_reverting_is_the_same_call_expected_to_fail() -> None:
    """Only the expectation differs."""
    made = call(WORKERS[0], POOL, "evictWorker(address)", NOBODY)
    assert reverting(made) == (*made[:3], True)
