"""Selectors and answers are those of the published contracts."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from eth_hash.auto import keccak

from monitor.ledger.abi import Getter
from monitor.ledger.v1 import getters
from tests.ledger.v1.place import artifacts

CONTRACTS = {
    "IexecHub": (
        *(getters.MARKETPLACE, getters.RLC, getters.APP_HUB, getters.DATASET_HUB),
        *(getters.WORKER_POOL_HUB, getters.CHECK_BALANCE, getters.SCORES),
        getters.CONTRIBUTION_HISTORY,
    ),
    "Marketplace": (getters.ORDER_COUNT, getters.MARKET_ORDER),
    "WorkerPool": (
        *(getters.SUBSCRIPTION_LOCK, getters.CONSENSUS, getters.CONTRIBUTION),
        getters.CONTRIBUTION_EXISTS,
    ),
    "WorkOrder": (getters.APP, getters.DATASET, getters.STATUS),
    "WorkerPoolHub": (getters.OWNER,),
    "AppHub": (getters.OWNER,),
    "DatasetHub": (getters.OWNER,),
    "RLC": (getters.BALANCE_OF,),
}
"""Contract -> what is asked of it."""
EACH = [(contract, getter) for contract, listed in CONTRACTS.items() for getter in listed]
IDS = [f"{contract}-{getter.name}" for contract, getter in EACH]
NAMED = {
    "WorkerPool m_consensus": (
        *("poolReward", "stakeAmount", "consensus", "revealDate", "revealCounter"),
        *("consensusTimeout", "winnerCount", "workerpoolOwner", "schedulerRewardRatioPolicy"),
    ),
    "WorkerPool getContribution": (
        *("status", "resultHash", "resultSign", "enclaveChallenge", "score", "weight"),
    ),
    "Marketplace getMarketOrder": (
        *("direction", "category", "trust", "value", "volume", "remaining"),
        *("workerpool", "workerpoolOwner"),
    ),
    "IexecHub m_contributionHistory": ("success", "failed"),
    "IexecHub checkBalance": ("stake", "locked"),
}
"""What the words are called in the ABI, where it names them."""


@cache
def functions(contract: str) -> dict[str, Any]:
    entries = json.loads((artifacts() / f"{contract}.json").read_text())["abi"]
    return {
        f"{one['name']}({','.join(each['type'] for each in one['inputs'])})": one
        for one in entries
        if one["type"] == "function"
    }


@pytest.mark.parametrize(("contract", "getter"), EACH, ids=IDS)
def test_getter_selector_is_the_hash_of_its_signature(contract: str, getter: Getter) -> None:
    """The four bytes that are written out are the signature's keccak."""
    assert getter.selector == keccak(getter.signature.encode())[:4]


@pytest.mark.parametrize(("contract", "getter"), EACH, ids=IDS)
def test_getter_is_a_constant_function_of_its_contract(contract: str, getter: Getter) -> None:
    """The contract has it, it changes nothing, and it returns so many words and nothing dynamic."""
    function = functions(contract)[getter.signature]
    assert function["constant"] is True
    assert len(function["outputs"]) == getter.words
    static = ("address", "bool", "bytes32", "uint256", "uint8")
    assert {each["type"] for each in function["outputs"]} <= set(static)


@pytest.mark.parametrize("which", NAMED)
def test_getter_words_are_in_the_order_in_which_they_are_read(which: str) -> None:
    """What the ABI names is named there in the order in which the reader unpacks it."""
    contract, _, name = which.partition(" ")
    (function,) = (one for one in functions(contract).values() if one["name"] == name)
    told = [each["name"].strip("_") for each in function["outputs"]]
    assert all(word in {"", expected} for word, expected in zip(told, NAMED[which], strict=True))


def test_getters_are_all_held_to_their_contracts() -> None:
    """A getter that is added is added here too."""
    written = {one for one in vars(getters).values() if isinstance(one, Getter)}
    assert written == {getter for _, getter in EACH}
