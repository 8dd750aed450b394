"""Sending: the intent before, the outcome after, and what each answer means."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from monitor.model import Hash32
from monitor.transactions.journal import JournalFullError
from monitor.transactions.orders import OrderError
from monitor.transactions.reactions import Reaction
from monitor.transactions.sending import Sending, Sent
from monitor.transactions.words import Act
from tests.rpc.canned import Canned, Refusal
from tests.transactions.conftest import Dial

HASH = Hash32("0x" + "ab" * 32)
RAW = bytes.fromhex("02f8")
NOW = 1000.0


@dataclass
class Book:
    """A journal that writes down the order of things; it may be full."""

    server: Canned
    lines: list[tuple[object, ...]] = field(default_factory=list)
    is_full: bool = False

    async def intend(self, hash_: Hash32, node: str, act: str, at: float) -> int:
        if self.is_full:
            message = "no room"
            raise JournalFullError(message)
        assert "eth_sendRawTransaction" not in self.server.methods
        self.lines.append(("intend", hash_, node, act, at))
        return 7

    async def conclude(self, action_id: int, reaction: str, message: str, at: float) -> None:
        assert "eth_sendRawTransaction" in self.server.methods
        self.lines.append(("conclude", action_id, reaction))


@pytest.fixture
def book(server: Canned) -> Book:
    return Book(server)


@pytest.mark.parametrize(
    ("answer", "reaction"),
    [
        (HASH, Reaction.ACCEPTED),
        (Refusal("already known", -32000), Reaction.KNOWN),
        (Refusal("nonce too low: next nonce 5, tx nonce 4", -32000), Reaction.NONCE_LOW),
        (Refusal("never heard of it", -32000), Reaction.UNRECOGNISED),
        (7, Reaction.TRANSPORT),
    ],
)
async def test_send_writes_the_intent_before_and_the_outcome_after(
    server: Canned, dial: Dial, book: Book, answer: object, reaction: Reaction
) -> None:
    """A byte leaves only after the intent is kept; the answer is read by its text."""
    told: list[tuple[Act, Sent]] = []
    sending = Sending(book, lambda: NOW, lambda act, sent: told.append((act, sent)))
    server.answers["eth_sendRawTransaction"] = answer
    sent = await sending.send(dial(server.url), HASH, RAW, Act.REBROADCAST)
    assert (sent.label, sent.reaction) == ("n", reaction)
    assert book.lines == [
        ("intend", HASH, "n", "rebroadcast", NOW),
        ("conclude", 7, reaction.value),
    ]
    assert told == [(Act.REBROADCAST, sent)]
    assert server.calls[-1]["params"] == ["0x02f8"]


async def test_send_that_is_refused_in_unknown_words_is_logged_without_the_url(
    server: Canned, dial: Dial, book: Book, caplog: pytest.LogCaptureFixture
) -> None:
    """The runbook has an operator look for it there; what is understood is no news."""
    sending = Sending(book, lambda: NOW)
    for words in ("already known", "never heard of\nk3y-0123"):
        server.answers["eth_sendRawTransaction"] = Refusal(words, -32000)
        server.requests.clear()
        await sending.send(dial(f"{server.url}/k3y-0123"), HASH, RAW, Act.REBROADCAST)
    said = [record.getMessage() for record in caplog.records if record.name == "headwatch"]
    assert said == [
        "unrecognised refusal of n: eth_sendRawTransaction: error -32000: never heard of ***"
    ]


async def test_send_that_cannot_be_kept_is_not_sent(server: Canned, dial: Dial, book: Book) -> None:
    """What is in no journal leaves no wire."""
    book.is_full = True
    with pytest.raises(JournalFullError):
        await Sending(book, lambda: NOW).send(dial(server.url), HASH, RAW, Act.RESEND)
    assert server.requests == []


async def test_send_while_halted_is_neither_intended_nor_sent(
    server: Canned, dial: Dial, book: Book
) -> None:
    """The switch is looked at last: whoever signed meanwhile has signed for nothing."""
    sending = Sending(book, lambda: NOW, is_halted=lambda: True)
    with pytest.raises(OrderError, match="halted"):
        await sending.send(dial(server.url), HASH, RAW, Act.REPLACE)
    assert (server.requests, book.lines) == ([], [])


async def test_send_to_a_dead_node_is_a_transport_failure(dial: Dial, server: Canned) -> None:
    """Nobody answered: nothing is known of what became of it."""

    class Deaf(Book):
        async def conclude(self, action_id: int, reaction: str, message: str, at: float) -> None:
            self.lines.append(("conclude", action_id, reaction))

    book = Deaf(server)
    sent = await Sending(book, lambda: NOW).send(
        dial("http://127.0.0.1:9"), HASH, RAW, Act.REBROADCAST
    )
    assert sent.reaction is Reaction.TRANSPORT
    assert sent.message
    assert book.lines[-1] == ("conclude", 7, "transport")


async def test_send_is_never_repeated_by_the_client(server: Canned, dial: Dial, book: Book) -> None:
    """One intent, one request: a silent second try would make the journal a liar."""
    server.answers["eth_sendRawTransaction"] = Refusal("txpool is full", -32000)
    await asyncio.gather(
        *(Sending(book, lambda: NOW).send(dial(server.url), HASH, RAW, Act.RESEND) for _ in "a")
    )
    assert server.methods.count("eth_sendRawTransaction") == 1
