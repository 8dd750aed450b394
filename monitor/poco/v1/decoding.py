"""Logs into events: what the four kinds of emitter of `iexec-poco@1.1.17` can say, and no more.

An event is known by its emitter's kind and its first topic together. The same topic from another
kind of contract is not that event, and which contracts are of a kind only the chain can say
(`IexecHub.marketplace`, `CreateWorkerPool`): whoever calls `decode` has found that out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from struct import Struct
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from monitor.model import Address
from monitor.poco.v1.declared import HUB, MARKETPLACE, POOL, TOKEN, Declared
from monitor.poco.v1.events import Event, Source

WORD_BYTES: Final = 32
NO_PREFIX: Final = bytes(12)
"""What stands before the 20 bytes of an address in its word."""
ADDRESSES_KEPT_MAX: Final = 1 << 16
"""So many words of addresses are turned into text once only."""

Read: TypeAlias = Callable[[bytes], int | str]


_new: Final = tuple.__new__
"""A class's own would count the values once more, and `TOPICS` is made of its names."""


class UndecodableLog(ValueError):
    """A log that its emitter cannot have made; the text says what is wrong with it."""


class Field(NamedTuple):
    """One parameter that is kept: what it is, and where it stands."""

    read: Read | None
    """From its word to its value; None for a string, which is elsewhere in the data."""
    place: int
    """Number of its word, where the topics come first and then the head of the data."""


class Emission(NamedTuple):
    """One event that a contract can emit."""

    signature: str
    """As it is hashed."""
    make: type[Event] | None
    """None where nothing in the ledger moves."""
    fields: tuple[Field, ...]
    topic_count: int
    head: Struct
    """The words of the data before the contents of strings."""
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
    _, make, fields, topic_count, head, is_static = emission
    if make is None:
        return None
    if len(topics) != topic_count:
        msg = f"{emission.signature} has {topic_count} topics, and {len(topics)} are here"
        raise UndecodableLog(msg)
    if len(data) < head.size or (is_static and len(data) > head.size):
        count = f"{head.size} bytes of data{'' if is_static else ' or more'}"
        msg = f"{emission.signature} has {count}, and {len(data)} are here"
        raise UndecodableLog(msg)
    words = (*topics, *head.unpack_from(data))
    values: list[int | str] = [emitter] if source == "pool" else []
    for read, place in fields:
        values.append(_string(words[place], data) if read is None else read(words[place]))
    return _new(make, values)


def decode_alike(
    source: Source, emitter: Address, topics: Sequence[Sequence[bytes]], data: Sequence[bytes]
) -> list[Event | None]:
    """What `decode` gives for each of some logs of one contract, which have one first topic.

    Raises UndecodableLog as well, but not of the first that is none. What is of one length is read
    a word of all of them at a time; the rest log by log.
    """
    emission = TOPICS[source].get(topics[0][0]) if topics and topics[0] else None
    if (
        emission is None
        or emission.make is None
        or not emission.is_static
        or set(map(len, topics)) != {emission.topic_count}
        or set(map(len, data)) != {emission.head.size}
    ):
        return [decode(source, emitter, *log) for log in zip(topics, data, strict=True)]
    words = [*zip(*topics, strict=True), *zip(*map(emission.head.unpack, data), strict=True)]
    values = [map(read, words[place]) for read, place in emission.fields if read is not None]
    emitters = [[emitter] * len(data)] if source == "pool" else []
    made = zip(*emitters, *values, strict=True)
    return list(map(_new, repeat(emission.make), made))


def topics_of(source: Source) -> frozenset[bytes]:
    """The first topics to ask a contract of that kind for: of everything that moves the ledger."""
    return frozenset(topic for topic, one in TOPICS[source].items() if one.make is not None)


# -- words ---------------------------------------------------------------------------------------


class _Addresses(dict[bytes, Address]):
    """The addresses of words, each made once; so many are kept, and then none."""

    def __missing__(self, word: bytes) -> Address:
        if len(word) != WORD_BYTES or word[:12] != NO_PREFIX:
            msg = f"0x{word.hex()} is no address"
            raise UndecodableLog(msg)
        if len(self) >= ADDRESSES_KEPT_MAX:
            self.clear()
        self[word] = address = Address(f"0x{word[12:].hex()}")
        return address


addresses: Final = _Addresses()


def _hash(word: bytes) -> str:
    return f"0x{word.hex()}"


def _string(word: bytes, data: bytes) -> str:
    """The word says where the string is: its length, and then itself. It may be no UTF-8."""
    start = int.from_bytes(word) + WORD_BYTES
    length = int.from_bytes(data[start - WORD_BYTES : start])
    if start + length > len(data):
        msg = f"a string of {length} bytes at byte {start} goes beyond data of {len(data)} bytes"
        raise UndecodableLog(msg)
    return data[start : start + length].decode(errors="replace")


READERS: Final[Mapping[str, Read | None]] = {
    "address": addresses.__getitem__,
    "uint256": int.from_bytes,
    "bytes32": _hash,
    "string": None,
}

# -- the events ----------------------------------------------------------------------------------


def emission_of(declared: Declared) -> Emission:
    """How an event is read; a parameter without a name is not kept."""
    name, _, parameters = declared.solidity.removesuffix(")").partition("(")
    split = [parameter.split() for parameter in parameters.split(", ")]
    topic_count = 1 + sum("indexed" in words for _, *words in split)
    types, fields, topic, place = [], [], 1, topic_count
    for kind, *words in split:
        types.append(kind)
        is_indexed = "indexed" in words
        if words not in ([], ["indexed"]):
            fields.append(Field(READERS[kind], topic if is_indexed else place))
        topic += is_indexed
        place += not is_indexed
    return Emission(
        f"{name}({','.join(types)})",
        declared.make,
        tuple(fields),
        topic_count,
        Struct(f"{WORD_BYTES}s" * (place - topic_count)),
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
