"""Words in and out: what a call is made of, and what is refused as no answer."""

from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.abi import (
    ADDRESS_LIMIT,
    WORD_LIMIT,
    BadWords,
    Getter,
    address_of,
    encoded,
    hash_of,
    member_of,
)
from monitor.model import Address

ALICE = Address("0x" + "a1" * 20)
BALANCE = Getter("checkBalance(address)", bytes.fromhex("5f515226"), 2)
NOTHING = Getter("rlc()", bytes.fromhex("b017c036"), 1)
UINTS = st.integers(0, WORD_LIMIT - 1)
ADDRESSES = st.integers(0, ADDRESS_LIMIT - 1).map(lambda word: Address(f"0x{word:040x}"))


@given(UINTS, ADDRESSES)
def test_encoded_any_argument_is_its_word(number: int, address: Address) -> None:
    """An argument is encoded as the reference implementation does."""
    assert encoded(number) + encoded(address) == encode(["uint256", "address"], [number, address])


@pytest.mark.parametrize("number", [-1, WORD_LIMIT], ids=["below", "above"])
def test_encoded_number_out_of_range_is_refused(number: int) -> None:
    """What no uint256 can be is a mistake of ours, and no call."""
    with pytest.raises(ValueError, match="no uint256"):
        encoded(number)


@pytest.mark.parametrize("digits", [38, 42], ids=["short", "long"])
def test_encoded_address_of_another_length_is_refused(digits: int) -> None:
    """An address has 20 bytes."""
    with pytest.raises(ValueError, match="is no address"):
        encoded(Address("0x" + "1" * digits))


def test_calldata_is_the_selector_and_the_arguments() -> None:
    """A call is four bytes and a word for each argument."""
    assert BALANCE.calldata(ALICE).hex() == "5f515226" + "00" * 12 + "a1" * 20
    assert NOTHING.calldata() == NOTHING.selector


@pytest.mark.parametrize("arguments", [(), (ALICE, 1)], ids=["too few", "too many"])
def test_calldata_with_another_number_of_arguments_is_refused(
    arguments: tuple[Address | int, ...],
) -> None:
    """A getter is called with what it takes, or not at all."""
    with pytest.raises(ValueError, match="takes 1 arguments"):
        BALANCE.calldata(*arguments)


@given(UINTS, UINTS)
def test_read_words_are_the_numbers_that_were_encoded(first: int, second: int) -> None:
    """Decoding gives what the reference implementation gives."""
    answer = encode(["uint256", "uint256"], [first, second])
    assert BALANCE.read(answer) == decode(["uint256", "uint256"], answer) == (first, second)


@pytest.mark.parametrize("size", [0, 32, 63, 65, 96])
def test_read_another_number_of_bytes_is_refused(size: int) -> None:
    """An answer is neither cut nor padded, and the sentence has both numbers."""
    with pytest.raises(BadWords, match=f"checkBalance answered {size} bytes, not 64"):
        BALANCE.read(bytes(size))


@given(ADDRESSES)
def test_address_of_a_word_is_lower_case(address: Address) -> None:
    """An address survives the way there and back."""
    assert address_of(int.from_bytes(encoded(address))) == address


def test_address_of_a_word_with_more_than_an_address_is_refused() -> None:
    """Bytes above an address are no address."""
    assert address_of(ADDRESS_LIMIT - 1) == "0x" + "f" * 40
    with pytest.raises(BadWords, match="no address"):
        address_of(ADDRESS_LIMIT)


def test_hash_of_a_word_keeps_its_zeros() -> None:
    """A hash has 64 digits, whatever its value."""
    assert hash_of(1) == "0x" + "0" * 63 + "1"


def test_member_of_an_enum_ends_below_its_count() -> None:
    """The last member is one below the count."""
    assert member_of(4, 5) == 4
    with pytest.raises(BadWords, match="5 is none of the 5 members"):
        member_of(5, 5)
