"""The static part of the contract ABI: four bytes of selector, then words of 32 bytes.

Nothing of the PoCo that is read here is dynamic, so that a call is a selector and its words and an
answer is words and nothing else (Solidity, "Contract ABI Specification", formal specification of
the encoding). A number of bytes that is not the expected one is refused, never cut or padded.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.model import Address, Hash32

WORD_BYTES = 32
ADDRESS_BYTES = 20
ADDRESS_LIMIT = 1 << 8 * ADDRESS_BYTES
WORD_LIMIT = 1 << 8 * WORD_BYTES
ZERO_ADDRESS = Address("0x" + "0" * 40)

Argument = Address | int
"""What a static parameter takes here: an address, or an unsigned integer of up to 256 bits."""


class BadWords(ValueError):
    """An answer that is not what its getter returns; `str()` is half a sentence."""


class Getter(NamedTuple):
    """A constant function of a contract."""

    signature: str
    """Name and types, as they are hashed."""
    selector: bytes
    """The first four bytes of the signature's keccak; written out, so that none is needed here."""
    words: int
    """How many words it returns."""

    @property
    def name(self) -> str:
        """As sentences call it: `checkBalance`."""
        return self.signature.partition("(")[0]

    def calldata(self, *arguments: Argument) -> bytes:
        """The bytes of a call. ValueError for arguments that no call of this getter has."""
        types = self.signature.partition("(")[2].rstrip(")")
        count = len(types.split(",")) if types else 0
        if len(arguments) != count:
            message = f"{self.signature} takes {count} arguments, not {len(arguments)}"
            raise ValueError(message)
        return self.selector + b"".join(map(encoded, arguments))

    def read(self, answer: bytes) -> tuple[int, ...]:
        """The words of an answer, as unsigned integers; raises BadWords."""
        expected = self.words * WORD_BYTES
        if len(answer) != expected:
            message = f"{self.name} answered {len(answer)} bytes, not {expected}"
            raise BadWords(message)
        return tuple(
            int.from_bytes(answer[start : start + WORD_BYTES])
            for start in range(0, expected, WORD_BYTES)
        )


def encoded(argument: Argument) -> bytes:
    """One argument as its word; ValueError for what is neither an address nor a uint256."""
    if isinstance(argument, int):
        if not 0 <= argument < WORD_LIMIT:
            message = f"{argument} is no uint256"
            raise ValueError(message)
        return argument.to_bytes(WORD_BYTES)
    raw = bytes.fromhex(argument.removeprefix("0x"))
    if len(raw) != ADDRESS_BYTES:
        message = f"{argument} is no address"
        raise ValueError(message)
    return raw.rjust(WORD_BYTES, b"\0")


def address_of(word: int) -> Address:
    """The address in a word, lower case; BadWords where the bytes above it are not zero."""
    if word >= ADDRESS_LIMIT:
        message = f"{word:#066x} is no address"
        raise BadWords(message)
    return Address(f"0x{word:040x}")


def hash_of(word: int) -> Hash32:
    """A `bytes32`."""
    return Hash32(f"0x{word:064x}")


def member_of(word: int, count: int) -> int:
    """A member of an enum of so many; BadWords for one that it does not have."""
    if word >= count:
        message = f"{word} is none of the {count} members of its enum"
        raise BadWords(message)
    return word
