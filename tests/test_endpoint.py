"""The memory of one endpoint between two rounds: bounded, shortened, and shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import msgspec
import pytest

from monitor.endpoint import (
    DEEP_BLOCKS,
    DEEP_SECONDS,
    HEADS_COUNT_MAX,
    KNOWN_COUNT_MAX,
    Endpoint,
    append,
    shortened,
)
from monitor.judge.seen import HeadSeen
from monitor.model import BlockNumber, Hash32, Head, Observation, Unseen, UnseenReason
from monitor.rpc.budget import Budget
from monitor.rpc.errors import MalformedAnswer
from monitor.rpc.node import Node
from monitor.rpc.subscription import Subscription
from monitor.url import Url
from monitor.wire import open_session
from tests.rpc.canned import Canned, Clock, Hang, serving


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
def endpoint(session: aiohttp.ClientSession) -> Endpoint:
    """A reference that nobody asks."""
    clock = Clock(1000.0)
    url = Url("http://127.0.0.1:9/v3/s3cretKey0123456789")
    return Endpoint(Node("dev/a", url, session, clock=clock, budget=Budget(500, clock)), "them")


def head(number: int) -> Head:
    return Head(
        BlockNumber(number), Hash32(f"0x{number:064x}"), Hash32(f"0x{number - 1:064x}"), number
    )


def seen(number: int, at: float = 0.0) -> Observation[HeadSeen]:
    return Observation("dev/a", "head", at, 0.0, HeadSeen(head(number), None))


def unseen(reason: UnseenReason, at: float = 0.0) -> Observation[HeadSeen]:
    return Observation("dev/a", "head", at, 0.0, Unseen(reason, "x"))


def test_heads_that_repeat_keep_the_first_and_the_newest(endpoint: Endpoint) -> None:
    """When a head was first seen, and when last: what lies between says nothing."""
    for at in range(100):
        endpoint.remember_head(seen(7, at=float(at)))
    assert [observation.at for observation in endpoint.heads] == [0.0, 99.0]
    for at in range(100, 103):
        endpoint.remember_head(seen(8, at=float(at)))
    assert [observation.at for observation in endpoint.heads] == [0.0, 99.0, 100.0, 102.0]


def test_absence_that_repeats_keeps_the_newest_reason(endpoint: Endpoint) -> None:
    """A day of silence is two observations, the newest with its own reason."""
    endpoint.remember_head(seen(7))
    for at, reason in enumerate(("timeout", "refused", "timeout", "budget"), 1):
        endpoint.remember_head(unseen(reason, at=float(at)))  # type: ignore[arg-type]
    assert [observation.at for observation in endpoint.heads] == [0.0, 1.0, 4.0]
    newest = endpoint.heads[-1].seen
    assert isinstance(newest, Unseen)
    assert newest.reason == "budget"
    assert endpoint.newest_head is None


def test_heads_are_bounded_and_the_oldest_go_first(endpoint: Endpoint) -> None:
    """A head that moves at every poll fills the history and no more."""
    for number in range(1000):
        endpoint.remember_head(seen(number))
    assert len(endpoint.heads) == HEADS_COUNT_MAX
    assert endpoint.newest_head == head(999)
    first = endpoint.heads[0].seen
    assert isinstance(first, HeadSeen)
    assert first.head.number == 1000 - HEADS_COUNT_MAX


def test_append_keeps_to_its_limit() -> None:
    """Oldest first, at most so many."""
    history: list[Observation[HeadSeen]] = []
    for number in range(5):
        append(history, seen(number), 2)
    assert history == [seen(3), seen(4)]


def test_trail_is_shortened_as_heads_are() -> None:
    """The elections of a quiet network are two, of a moving one as many as heads."""
    trail: tuple[Observation[HeadSeen], ...] = ()
    for at in range(10):
        trail = shortened((*trail, seen(7, at=float(at))))
    assert [observation.at for observation in trail] == [0.0, 9.0]
    for number in range(100):
        trail = shortened((*trail, seen(100 + number)))
    assert len(trail) == HEADS_COUNT_MAX


def test_blocks_named_by_number_are_bounded_and_the_oldest_answers_go(endpoint: Endpoint) -> None:
    """A block asked again is young again."""
    for number in range(KNOWN_COUNT_MAX):
        endpoint.remember_blocks([head(number)], at=float(number))
    endpoint.remember_blocks([head(0), head(1000)], at=100.0)
    assert len(endpoint.deep) == KNOWN_COUNT_MAX
    assert 1 not in endpoint.deep
    assert {0, 1000} <= endpoint.deep.keys()
    assert len(endpoint.known) == KNOWN_COUNT_MAX


@pytest.mark.parametrize(
    ("number", "asked_at", "counts"),
    [
        (100, 50.0, True),
        (100, 49.9, False),
        (100 - DEEP_BLOCKS + 1, 49.9, False),
        (100 - DEEP_BLOCKS, 49.9, True),
        (10, 50.0 - DEEP_SECONDS + 0.1, True),
        (10, 50.0 - DEEP_SECONDS, False),
    ],
)
def test_block_named_by_number_counts_in_its_round_or_deep_and_recent(
    endpoint: Endpoint, number: int, asked_at: float, counts: bool
) -> None:
    """Near the tip a block may be replaced at once; far below it not within ten minutes."""
    endpoint.remember_head(seen(100))
    endpoint.remember_blocks([head(number)], at=asked_at)
    assert endpoint.vouched(50.0) == ([head(number)] if counts else [])


def test_block_named_while_near_the_tip_does_not_count_once_it_is_deep(endpoint: Endpoint) -> None:
    """A reorg may have replaced it meanwhile: its depth is that of the time of the answer."""
    endpoint.remember_head(seen(100))
    endpoint.remember_blocks([head(95), head(92)], at=10.0)
    endpoint.remember_head(seen(120))
    assert endpoint.vouched(50.0) == [head(92)]


def test_blocks_of_an_absent_reference_do_not_count(endpoint: Endpoint) -> None:
    """Who does not answer vouches for nothing."""
    endpoint.remember_blocks([head(1)], at=50.0)
    assert endpoint.vouched(0.0) == []
    endpoint.remember_head(unseen("timeout"))
    assert endpoint.vouched(0.0) == []


def test_hanging_is_an_answer_that_did_not_come_in_time(endpoint: Endpoint) -> None:
    """Refused is not hanging, and neither is never asked."""
    assert not endpoint.is_hanging
    for reason, hanging in (("timeout", True), ("refused", False), ("budget", False)):
        endpoint.remember_head(unseen(reason))  # type: ignore[arg-type]
        assert endpoint.is_hanging is hanging
    endpoint.remember_head(seen(1))
    assert not endpoint.is_hanging


@pytest.mark.parametrize(
    ("configured", "version", "family"),
    [("besu", "Geth/v1", "besu"), ("", "Geth/v1", "geth"), ("", "", "")],
)
def test_client_is_the_configured_one_or_the_reported(
    endpoint: Endpoint, configured: str, version: str, family: str
) -> None:
    """An operator knows better than a version string."""
    endpoint.configured_client, endpoint.version = configured, version
    assert endpoint.client == family


async def test_facts_of_a_reference_show_its_budget_and_no_key(endpoint: Endpoint) -> None:
    """What the pages say: masked, counted, with what is left of the day."""
    endpoint.node.budget = Budget(500, Clock(0.0))
    endpoint.node.budget.take(20)
    endpoint.version = "Geth/v1"
    endpoint.node.errors_total["timeout"] += 2
    facts = endpoint.facts("dev")
    assert (facts.name, facts.network, facts.kind) == ("a", "dev", "reference")
    assert facts.url == "http://127.0.0.1:9/***"
    assert (facts.operator, facts.client) == ("them", "Geth/v1")
    assert (facts.calls_today, facts.calls_a_day) == (20, 500)
    assert facts.errors_total == {"timeout": 2}
    assert (facts.subscription, facts.last_exchange) == ("off", None)
    endpoint.node.errors_total["timeout"] += 1
    assert facts.errors_total == {"timeout": 2}


async def test_facts_of_a_node_have_no_budget_and_show_its_subscription(
    session: aiohttp.ClientSession,
) -> None:
    """A node is ours to ask as often as we like."""
    clock = Clock(0.0)
    url = Url("ws://127.0.0.1:9")
    endpoint = Endpoint(Node("local", Url("http://127.0.0.1:9"), session, clock=clock))
    endpoint.subscription = Subscription(
        url, session, lambda _: None, clock=clock, deaf_seconds=1.0
    )
    endpoint.subscription.state = "deaf"
    facts = endpoint.facts("dev")
    assert (facts.name, facts.kind, facts.subscription) == ("local", "node", "deaf")
    assert (facts.calls_a_day, facts.calls_today) == (None, 0)


@pytest.mark.parametrize("asks", ["head", "identity", "fork"])
def test_history_is_known_by_its_probe(endpoint: Endpoint, asks: str) -> None:
    """Every probe of the table has its history here."""
    assert endpoint.history(asks) == []


async def test_close_ends_the_question_under_way(session: aiohttp.ClientSession) -> None:
    """The one that runs beside the rounds too, whatever it is doing."""
    async with serving(Canned()) as (server,):
        server.respond = hang = Hang()
        endpoint = Endpoint(Node("n", Url(server.url), session, clock=Clock(0.0)))

        async def ask() -> None:
            await endpoint.node.ask("eth_chainId", (), _never)

        endpoint.asking = asyncio.create_task(ask())
        await hang.holding.wait()
        async with asyncio.timeout(5.0):
            await endpoint.close()
        assert endpoint.asking.cancelled()


class _Never:
    def decode(self, raw: msgspec.Raw, /) -> None:
        raise MalformedAnswer


_never = _Never()


def test_block_named_below_a_head_that_was_made_up_does_not_count(endpoint: Endpoint) -> None:
    """It was deep below a million blocks that there are not: the tip may have replaced it."""
    endpoint.remember_head(seen(1_000_100))
    endpoint.remember_blocks([head(98)], at=10.0)
    endpoint.remember_head(seen(100))
    endpoint.remember_head(seen(120))
    assert endpoint.vouched(50.0) == []


@pytest.mark.parametrize("number", [100, 101])
def test_deep_block_does_not_count_once_a_head_leaves_the_one_before(
    endpoint: Endpoint, number: int
) -> None:
    """The reorg may have gone deeper than it: the reference is asked anew."""
    endpoint.remember_head(seen(100))
    endpoint.remember_blocks([head(92)], at=10.0)
    beside = Head(BlockNumber(number), Hash32("0xbe"), Hash32("0x51de"), number)
    endpoint.remember_head(Observation("dev/a", "head", 20.0, 0.0, HeadSeen(beside, None)))
    assert endpoint.vouched(50.0) == []


@pytest.mark.parametrize("numbers", [(100, 99), (101, 100), (101,), (104, 105), (99, 102)])
def test_deep_block_counts_while_heads_are_of_one_chain(
    endpoint: Endpoint, numbers: tuple[int, ...]
) -> None:
    """Back and forth between the backends of one provider, a step on, or some steps at once."""
    endpoint.remember_head(seen(100))
    endpoint.remember_blocks([head(92)], at=10.0)
    for number in numbers:
        endpoint.remember_head(seen(number))
    assert endpoint.vouched(50.0) == [head(92)]
