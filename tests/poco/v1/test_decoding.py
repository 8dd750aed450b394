"""Logs into events: every field from its place, and nothing that no contract can have emitted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from monitor.model import Address, Hash32
from monitor.poco.v1 import decoding
from monitor.poco.v1 import events as e
from monitor.poco.v1.decoding import (
    TOPICS,
    UndecodableLog,
    decode,
    decode_alike,
    topics_of,
)
from monitor.poco.v1.events import Event, Source
from tests.poco.v1.by_hand import APP, DATASET, HUB, OWNER, POOL, REQUESTER
from tests.poco.v1.by_hand import GOOD as WORKER
from tests.poco.v1.by_hand import PAID as WOID

RESULT = bytes(range(32))
RESULT_HASH = Hash32("0x" + RESULT.hex())
SOURCES: tuple[Source, ...] = get_args(Source)
AMOUNT = 10**18 + 7
STRINGS = ("stdout", "", "é" * 40)


class Case(NamedTuple):
    """A log as a contract makes it."""

    source: Source
    signature: str
    indexed: Sequence[Address]
    values: Sequence[Any]
    """Of the data, in the order of their types in the signature."""
    event: Event | None

    @property
    def topics(self) -> tuple[bytes, ...]:
        words = [encode(["address"], [each]) for each in self.indexed]
        return (keccak(self.signature.encode()), *words)

    def data(self, *places: int) -> bytes:
        """The values, whose types stand at these places; the last ones where none are told."""
        types = self.signature.removesuffix(")").split("(")[1].split(",")
        count = len(self.values)
        wanted = [types[place] for place in places] if places else types[len(types) - count :]
        return encode(wanted, self.values) if count else b""


CASES = (
    Case(
        *("hub", "WorkOrderActivated(address,address)", [POOL], [WOID]),
        e.WorkOrderActivated(WOID, POOL),
    ),
    Case(
        *("hub", "WorkOrderClaimed(address,address)", [], [WOID, POOL]),
        e.WorkOrderClaimed(WOID, POOL),
    ),
    Case(
        *("hub", "WorkOrderCompleted(address,address)", [], [WOID, POOL]),
        e.WorkOrderCompleted(WOID, POOL),
    ),
    Case(
        *("hub", "CreateApp(address,address,string,uint256,string)", [OWNER, APP]),
        ["Blender", 5, "{}"],
        e.CreateApp(OWNER, APP, "Blender", 5),
    ),
    Case(
        *("hub", "CreateDataset(address,address,string,uint256,string)", [OWNER, DATASET]),
        ["", AMOUNT, "{}" * 40],
        e.CreateDataset(OWNER, DATASET, "", AMOUNT),
    ),
    Case(
        *("hub", "CreateWorkerPool(address,address,string)", [OWNER, POOL], ["é" * 40]),
        e.CreateWorkerPool(OWNER, POOL, "é" * 40),
    ),
    Case(
        *("hub", "CreateCategory(uint256,string,string,uint256)", []),
        [3, "S", "small", 900],
        e.CreateCategory(3, 900),
    ),
    Case(
        *("hub", "WorkerPoolSubscription(address,address)", [POOL], [WORKER]),
        e.WorkerPoolSubscription(POOL, WORKER),
    ),
    Case(
        *("hub", "WorkerPoolUnsubscription(address,address)", [POOL], [WORKER]),
        e.WorkerPoolUnsubscription(POOL, WORKER),
    ),
    Case(
        *("hub", "WorkerPoolEviction(address,address)", [POOL], [WORKER]),
        e.WorkerPoolEviction(POOL, WORKER),
    ),
    Case(
        *("hub", "AccurateContribution(address,address)", [WORKER], [WOID]),
        e.AccurateContribution(WOID, WORKER),
    ),
    Case(
        *("hub", "FaultyContribution(address,address)", [WORKER], [WOID]),
        e.FaultyContribution(WOID, WORKER),
    ),
    Case("hub", "Deposit(address,uint256)", [], [OWNER, AMOUNT], e.Deposit(OWNER, AMOUNT)),
    Case("hub", "Withdraw(address,uint256)", [], [OWNER, 0], e.Withdraw(OWNER, 0)),
    Case("hub", "Reward(address,uint256)", [], [WORKER, 2**256 - 1], e.Reward(WORKER, 2**256 - 1)),
    Case("hub", "Seize(address,uint256)", [], [WORKER, 1], e.Seize(WORKER, 1)),
    Case("marketplace", "MarketOrderCreated(uint256)", [], [7], e.MarketOrderCreated(7)),
    Case("marketplace", "MarketOrderClosed(uint256)", [], [7], e.MarketOrderClosed(7)),
    Case(
        *("marketplace", "MarketOrderAskConsume(uint256,address)", [], [7, REQUESTER]),
        e.MarketOrderAskConsume(7, REQUESTER),
    ),
    Case(
        "pool",
        f"WorkerPoolPolicyUpdate({','.join(['uint256'] * 8)})",
        [],
        [30, 31, 1, 2, 0, 5, 0, 7],
        e.PolicyUpdate(POOL, 30, 31, 1, 2, 0, 5, 0, 7),
    ),
    Case("pool", "WorkOrderActive(address)", [WOID], [], e.WorkOrderActive(POOL, WOID)),
    Case("pool", "WorkOrderClaimed(address)", [WOID], [], e.PoolWorkOrderClaimed(POOL, WOID)),
    Case(
        *("pool", "AllowWorkerToContribute(address,address,uint256)", [WOID, WORKER], [16]),
        e.AllowWorker(POOL, WOID, WORKER, 16),
    ),
    Case(
        *("pool", "Contribute(address,address,bytes32)", [WOID, WORKER], [RESULT]),
        e.Contribute(POOL, WOID, WORKER, RESULT_HASH),
    ),
    Case(
        *("pool", "RevealConsensus(address,bytes32)", [WOID], [RESULT]),
        e.RevealConsensus(POOL, WOID, RESULT_HASH),
    ),
    Case(
        *("pool", "Reveal(address,address,bytes32)", [WOID, WORKER], [RESULT]),
        e.Reveal(POOL, WOID, WORKER, RESULT_HASH),
    ),
    Case("pool", "Reopen(address)", [WOID], [], e.Reopen(POOL, WOID)),
    Case(
        *("pool", "FinalizeWork(address,string,string,string)", [WOID], STRINGS),
        e.FinalizeWork(POOL, WOID),
    ),
    Case(
        *("token", "Transfer(address,address,uint256)", [OWNER, HUB], [AMOUNT]),
        e.TransferToHub(OWNER, AMOUNT),
    ),
)
MIXED = {"WorkOrderActivated": (0,), "AccurateContribution": (0,), "FaultyContribution": (0,)}
"""Whose data are not the last of their parameters."""
SILENT = (
    Case(
        "marketplace",
        "WorkOrderCallbackProof(address,address,address,address,address,string,string,string)",
        [WOID, OWNER, OWNER],
        [],
        None,
    ),
    Case("pool", "WorkerSubscribe(address)", [WORKER], [], None),
    Case("pool", "WorkerUnsubscribe(address)", [WORKER], [], None),
    Case("pool", "WorkerEviction(address)", [WORKER], [], None),
    Case("token", "Approval(address,address,uint256)", [OWNER, HUB], [1], None),
    *(
        Case(source, "OwnershipTransferred(address,address)", [OWNER, HUB], [], None)
        for source in SOURCES
    ),
)


def name_of(case: Case) -> str:
    return f"{case.source}-{case.signature.split('(')[0]}"


def logged(case: Case) -> bytes:
    return case.data(*MIXED.get(case.signature.split("(")[0], ()))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_decode_log_gives_its_event(case: Case) -> None:
    """Each field comes from its topic or its place in the data, whichever way they are mixed."""
    assert decode(case.source, POOL, case.topics, logged(case)) == case.event


def test_decode_table_has_every_event() -> None:
    """No event is left untried, none that the contracts emit is left out."""
    assert {type(case.event) for case in CASES} == set(get_args(Event))
    tried = {(case.source, case.topics[0]) for case in (*CASES, *SILENT)}
    assert tried == {(source, topic) for source, table in TOPICS.items() for topic in table}


@pytest.mark.parametrize("case", SILENT, ids=name_of)
def test_decode_log_that_moves_nothing_gives_no_event(case: Case) -> None:
    """What is known to move nothing is no error, and is not asked for."""
    assert decode(case.source, POOL, case.topics, logged(case)) is None
    assert case.topics[0] not in topics_of(case.source)


@pytest.mark.parametrize("source", SOURCES)
def test_topics_of_a_source_are_those_of_its_events(source: Source) -> None:
    """Everything that moves the ledger is asked for."""
    assert topics_of(source) == {case.topics[0] for case in CASES if case.source == source}


LOOK_ALIKES = {
    "the pool's claim, from the hub": ("hub", "WorkOrderClaimed(address)"),
    "the hub's claim, from a pool": ("pool", "WorkOrderClaimed(address,address)"),
    "a work order's claim, from a pool": ("pool", "WorkOrderClaimed()"),
    "a work order's end, from the hub": ("hub", "WorkOrderCompleted()"),
    "an IexecAPI's purchase, from the hub": ("hub", "WorkOrderActivated(address)"),
    "a deposit, from the marketplace": ("marketplace", "Deposit(address,uint256)"),
    "a reward, from the token": ("token", "Reward(address,uint256)"),
}


@pytest.mark.parametrize(("source", "signature"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_decode_look_alike_of_another_contract_is_refused(source: Source, signature: str) -> None:
    """The same name with other types, or the same event of another contract, is not the event."""
    topics = (keccak(signature.encode()), *[bytes(32)] * 3)
    with pytest.raises(UndecodableLog, match=f"0x{topics[0].hex()}"):
        decode(source, POOL, topics, bytes(64))


def test_decode_anonymous_log_is_refused() -> None:
    """None of the contracts has anonymous events."""
    with pytest.raises(UndecodableLog, match="of no event at all"):
        decode("hub", HUB, (), b"")


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_decode_log_with_another_number_of_topics_is_refused(case: Case) -> None:
    """Indexed parameters are neither missing nor more than declared."""
    for topics in ((*case.topics, bytes(32)), case.topics[:-1]):
        with pytest.raises(UndecodableLog):
            decode(case.source, POOL, topics, logged(case))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_decode_log_with_data_cut_short_or_too_long_is_refused(case: Case) -> None:
    """A byte less is never enough; a byte more is too much where no string is at the end."""
    data, is_static = logged(case), "string" not in case.signature
    if is_static:
        with pytest.raises(UndecodableLog, match=f"{len(data) + 1} are here"):
            decode(case.source, POOL, case.topics, data + b"\0")
    else:
        assert decode(case.source, POOL, case.topics, data + b"\0") == case.event
    head = len(data) if is_static else 32 * case.signature.count(",") - 32 * len(case.indexed) + 32
    if head:
        with pytest.raises(UndecodableLog, match=f"{head - 1} are here"):
            decode(case.source, POOL, case.topics, data[: head - 1])


def test_decode_address_that_is_none_is_refused() -> None:
    """An address word begins with twelve zero bytes, in a topic and in the data."""
    topic = keccak(b"AccurateContribution(address,address)")
    good, bad = encode(["address"], [WOID]), b"\1" + encode(["address"], [WOID])[1:]
    for worker, woid in ((good, bad), (bad, good), (good[1:], good)):
        with pytest.raises(UndecodableLog, match="is no address"):
            decode("hub", HUB, (topic, worker), woid)


CREATED = (
    keccak(b"CreateWorkerPool(address,address,string)"),
    *(encode(["address"], [each]) for each in (OWNER, POOL)),
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(encode(["uint256"] * 2, [32, 1]), id="its text is missing"),
        pytest.param(encode(["uint256"], [32]), id="its length is missing"),
        pytest.param(encode(["uint256"] * 2, [33, 0]), id="its length is cut short"),
        pytest.param(encode(["uint256"] * 2, [2**256 - 1, 0]), id="it is nowhere"),
        pytest.param(encode(["uint256"] * 2, [32, 2**256 - 1]), id="it is endless"),
    ],
)
def test_decode_string_beyond_the_data_is_refused(data: bytes) -> None:
    """A string lies within the data that name it."""
    with pytest.raises(UndecodableLog, match="a string of"):
        decode("hub", HUB, CREATED, data)


def test_decode_string_that_is_no_text_is_kept_readable() -> None:
    """Anybody names a pool with any bytes: they stop nobody."""
    data = encode(["bytes"], [b"\xff\xfepool"])
    event = decode("hub", HUB, CREATED, data)
    assert event == e.CreateWorkerPool(OWNER, POOL, "��pool")


@given(
    st.sampled_from(SOURCES).flatmap(
        lambda source: st.tuples(st.just(source), st.sampled_from(sorted(topics_of(source))))
    ),
    st.lists(st.binary(min_size=32, max_size=32), max_size=3),
    st.binary(max_size=300),
)
def test_decode_any_log_is_an_event_or_is_refused(
    place: tuple[Source, bytes], topics: list[bytes], data: bytes
) -> None:
    """No log of anybody makes it fall over."""
    source, topic = place
    try:
        event = decode(source, POOL, (topic, *topics), data)
    except UndecodableLog:
        return
    assert isinstance(event, get_args(Event))


# -- many at once ----------------------------------------------------------------------------------


@pytest.mark.parametrize("case", [*CASES, *SILENT], ids=name_of)
def test_decode_alike_of_whole_logs_is_what_decode_gives_for_each(case: Case) -> None:
    """Whatever the event: as many, in their order, the emitter where a pool's events have it."""
    topics, data = case.topics, logged(case)
    found = decode_alike(case.source, POOL, [topics] * 3, [data] * 3)
    assert found == [case.event] * 3
    assert [type(each) for each in found] == [type(case.event)] * 3


WORDS = st.integers(0, 2**160 - 1).map(lambda value: value.to_bytes(32))


@given(
    st.lists(st.tuples(WORDS, WORDS, st.binary(min_size=32, max_size=32)), min_size=1, max_size=9)
)
def test_decode_alike_keeps_logs_apart(words: list[tuple[bytes, bytes, bytes]]) -> None:
    """No value goes to another log, where all of them are read a word at a time."""
    topic = keccak(b"Contribute(address,address,bytes32)")
    topics = [(topic, woid, worker) for woid, worker, _ in words]
    data = [result for _, _, result in words]
    expected = [decode("pool", POOL, *log) for log in zip(topics, data, strict=True)]
    assert decode_alike("pool", POOL, topics, data) == expected


GOOD_TOPICS = (keccak(b"Reveal(address,address,bytes32)"), *[bytes(32)] * 2)
BAD_LOGS = {
    "a topic less": (GOOD_TOPICS[:2], bytes(32)),
    "a topic more": ((*GOOD_TOPICS, bytes(32)), bytes(32)),
    "a byte less": (GOOD_TOPICS, bytes(31)),
    "a byte more": (GOOD_TOPICS, bytes(33)),
    "no address": ((GOOD_TOPICS[0], b"\1" * 32, bytes(32)), bytes(32)),
    "a short address": ((GOOD_TOPICS[0], bytes(31), bytes(32)), bytes(32)),
}


@pytest.mark.parametrize(("topics", "data"), BAD_LOGS.values(), ids=BAD_LOGS)
@pytest.mark.parametrize("place", [0, 1])
def test_decode_alike_with_one_that_is_no_event_is_refused(
    place: int, topics: tuple[bytes, ...], data: bytes
) -> None:
    """One bad log among good ones, wherever it stands, is as bad as alone."""
    logs = [(GOOD_TOPICS, bytes(32))]
    logs.insert(place, (topics, data))
    with pytest.raises(UndecodableLog):
        decode_alike("pool", POOL, *zip(*logs, strict=True))


def test_decode_alike_of_what_is_no_event_is_refused() -> None:
    """A topic of nobody, and no topic at all; of no logs there are no events."""
    for topics in ((bytes(32),), ()):
        with pytest.raises(UndecodableLog):
            decode_alike("hub", HUB, [topics], [b""])
    assert decode_alike("hub", HUB, [], []) == []


def test_decode_more_addresses_than_are_kept_are_all_of_them() -> None:
    """What is remembered of words is bounded, and forgetting changes no event."""
    topic, count = keccak(b"Seize(address,uint256)"), decoding.ADDRESSES_KEPT_MAX + 9
    words = [number.to_bytes(32) for number in range(count)]
    found = decode_alike("hub", HUB, [(topic,)] * count, [word + bytes(32) for word in words])
    assert found == [e.Seize(Address(f"0x{number:040x}"), 0) for number in range(count)]
    assert len(decoding.addresses) <= decoding.ADDRESSES_KEPT_MAX
