"""Logs into events: what the four kinds of emitter of `iexec-poco@1.1.17` can say, and no more.

An event is known by its emitter's kind and its first topic together. The same topic from another
kind of contract is not that event, and which contracts are of a kind only the chain can say
(`IexecHub.marketplace`, `CreateWorkerPool`): whoever calls `decode` has found that out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from monitor.model import Address, Hash32
from monitor.poco.v1.declared import HUB, MARKETPLACE, POOL, TOKEN, Declared
from monitor.poco.v1.events import Event, Source

WORD_BYTES: Final = 32
NO_PREFIX: Final = bytes(12)
"""What stands before the 20 bytes of an address in its word."""
ADDRESSES_KEPT_MAX: Final = 1 << 16
"""So many words of addresses are turned into text once only."""

Make: TypeAlias = Callable[..., Event]


class UndecodableLog(ValueError):
    """A log that its emitter cannot have made; the text says what is wrong with it."""


class Field(NamedTuple):
    """One parameter that is kept: what it is, and where it stands."""

    read: Callable[[bytes, bytes], int | str]
    """Its word, and the whole of the data, to the value."""
    is_indexed: bool
    place: int
    """Number of the topic, or of the data's first byte."""


class Emission(NamedTuple):
    """One event that a contract can emit."""

    signature: str
    """As it is hashed."""
    make: Make | None
    """None where nothing in the ledger moves."""
    fields: tuple[Field, ...]
    topic_count: int
    head_bytes: int
    """Of the data before the contents of strings."""
    is_static: bool
    """Whether the data end with the head."""


def decode(source: Source, emitter: Address, topics: Sequence[bytes], data: bytes) -> Event | None:
    """One log of a contract of that kind; None where nothing in the ledger moves.

    An RLC transfer is taken to be to the hub: ask for those only, or look at its third topic.
    Raises UndecodableLog for what such a contract cannot have emitted.
    """
    emission = TOPICS[source].get(topics[0]) if topics else None
    if emission is None:
        topic = f"0x{topics[0].hex()}" if topics else "of no event at all"
        msg = f"nothing that this contract emits has the topic {topic}"
        raise UndecodableLog(msg)
    _, make, fields, topic_count, head_bytes, is_static = emission
    if make is None:
        return None
    if len(topics) != topic_count:
        msg = f"{emission.signature} has {topic_count} topics, and {len(topics)} are here"
        raise UndecodableLog(msg)
    if len(data) < head_bytes or (is_static and len(data) > head_bytes):
        count = f"{head_bytes} bytes of data{'' if is_static else ' or more'}"
        msg = f"{emission.signature} has {count}, and {len(data)} are here"
        raise UndecodableLog(msg)
    values = [
        read(topics[place] if is_indexed else data[place : place + WORD_BYTES], data)
        for read, is_indexed, place in fields
    ]
    return make(emitter, *values) if source == "pool" else make(*values)


def topics_of(source: Source) -> frozenset[bytes]:
    """The first topics to ask a contract of that kind for: of everything that moves the ledger."""
    return frozenset(topic for topic, one in TOPICS[source].items() if one.make is not None)


# -- words ---------------------------------------------------------------------------------------


@lru_cache(maxsize=ADDRESSES_KEPT_MAX)
def _address_of(word: bytes) -> Address:
    if len(word) != WORD_BYTES or word[:12] != NO_PREFIX:
        msg = f"0x{word.hex()} is no address"
        raise UndecodableLog(msg)
    return Address(f"0x{word[12:].hex()}")


def _address(word: bytes, data: bytes) -> Address:
    del data
    return _address_of(word)


def _uint(word: bytes, data: bytes) -> int:
    del data
    return int.from_bytes(word)


def _hash(word: bytes, data: bytes) -> Hash32:
    del data
    return Hash32(f"0x{word.hex()}")


def _string(word: bytes, data: bytes) -> str:
    """The word says where the string is: its length, and then itself. It may be no UTF-8."""
    start = int.from_bytes(word) + WORD_BYTES
    length = int.from_bytes(data[start - WORD_BYTES : start])
    if start + length > len(data):
        msg = f"a string of {length} bytes at byte {start} goes beyond data of {len(data)} bytes"
        raise UndecodableLog(msg)
    return data[start : start + length].decode(errors="replace")


READERS: Final[Mapping[str, Callable[[bytes, bytes], int | str]]] = {
    "address": _address,
    "uint256": _uint,
    "bytes32": _hash,
    "string": _string,
}

# -- the events ----------------------------------------------------------------------------------


def emission_of(declared: Declared) -> Emission:
    """How an event is read; a parameter without a name is not kept."""
    name, _, parameters = declared.solidity.removesuffix(")").partition("(")
    types, fields, topic_count, head_bytes = [], [], 1, 0
    for parameter in parameters.split(", "):
        kind, *words = parameter.split()
        types.append(kind)
        is_indexed = "indexed" in words
        if words not in ([], ["indexed"]):
            place = topic_count if is_indexed else head_bytes
            fields.append(Field(READERS[kind], is_indexed, place))
        topic_count += is_indexed
        head_bytes += 0 if is_indexed else WORD_BYTES
    return Emission(
        f"{name}({','.join(types)})",
        declared.make,
        tuple(fields),
        topic_count,
        head_bytes,
        "string" not in types,
    )


def _table(events: Sequence[Declared]) -> Mapping[bytes, Emission]:
    return MappingProxyType({bytes.fromhex(one.topic): emission_of(one) for one in events})


TOPICS: Final[Mapping[Source, Mapping[bytes, Emission]]] = MappingProxyType(
    {
        "hub": _table(HUB),
        "marketplace": _table(MARKETPLACE),
        "pool": _table(POOL),
        "token": _table(TOKEN),
    }
)
"""Kind of contract -> first topic -> its event."""
