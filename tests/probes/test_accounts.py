"""Which accounts a block is about, and the call that reads what they hold."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from monitor.model import Address
from monitor.probes.accounts import (
    ACCOUNTS,
    ACCOUNTS_MAX,
    SYSTEM_CONTRACTS,
    TRANSACTIONS_MAX,
    WordsDecoder,
    balances_call,
)

MINER, ALICE, BOB = ("0x" + letter * 40 for letter in "cab")


def accounts(*pairs: tuple[str, str | None], miner: str = MINER) -> tuple[str, ...]:
    told = [{"from": sender, "to": to, "hash": "0x00"} for sender, to in pairs]
    block = {"miner": miner, "transactions": told, "number": "0x1"}
    return ACCOUNTS.decode(msgspec.Raw(json.dumps(block).encode())).addresses


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ((), (MINER, *SYSTEM_CONTRACTS)),
        (((ALICE, BOB),), (MINER, BOB, ALICE)),
        (((ALICE, None),), (MINER, ALICE, SYSTEM_CONTRACTS[0])),
        (((MINER, MINER.upper().replace("0X", "0x")),), (MINER, *SYSTEM_CONTRACTS)),
        (((ALICE, BOB), (BOB, ALICE)) * 50, (MINER, BOB, ALICE)),
    ],
    ids=["empty_block", "payment", "creation", "same_account", "many"],
)
def test_accounts_of_a_block_are_its_fee_recipient_and_its_parties(
    pairs: tuple[tuple[str, str | None], ...], expected: tuple[str, ...]
) -> None:
    """Each once, in lower case, so that all nodes are asked about the same."""
    assert accounts(*pairs) == expected
    assert len(expected) == ACCOUNTS_MAX


def test_accounts_are_looked_for_among_the_first_transactions() -> None:
    """A block of a thousand is not read to its end."""
    late = [(MINER, MINER)] * TRANSACTIONS_MAX + [(ALICE, BOB)]
    assert accounts(*late) == (MINER, *SYSTEM_CONTRACTS)


@pytest.mark.parametrize("bad", [b"null", b'{"miner": "0x12", "transactions": []}', b"{}"])
def test_accounts_of_what_is_no_block_are_refused(bad: bytes) -> None:
    """A node that does not have the block says null."""
    with pytest.raises(msgspec.ValidationError):
        ACCOUNTS.decode(msgspec.Raw(bad))


def test_call_reads_each_balance_into_a_word_of_its_own() -> None:
    """PUSH20, BALANCE, PUSH1 place, MSTORE; at the end PUSH1 size, PUSH1 0, RETURN."""
    call: dict[str, Any] = balances_call((Address(ALICE), Address(BOB)))
    assert call["data"] == (
        "0x" + "73" + "a" * 40 + "31600052" + "73" + "b" * 40 + "31602052" + "60406000f3"
    )
    assert "to" not in call


@pytest.mark.parametrize("bad", [b'"0x"', b'"0x01"', b"null", b'"' + b"0x" + b"00" * 65 + b'"'])
def test_words_of_any_other_length_are_refused(bad: bytes) -> None:
    """A chain that does not create contracts in calls returns nothing."""
    with pytest.raises(msgspec.ValidationError):
        WordsDecoder(2).decode(msgspec.Raw(bad))


def test_words_are_numbers() -> None:
    """The first of them comes first."""
    raw = b'"0x' + b"0" * 63 + b"7" + b"0" * 62 + b"ff" + b'"'
    assert WordsDecoder(2).decode(msgspec.Raw(raw)) == (7, 255)
