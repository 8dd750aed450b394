"""What was intended and not concluded: many at once, an account in the order of its nonces."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from monitor.endpoint import Endpoint
from monitor.model import Address
from monitor.transactions.journal import Intent, JournalFullError
from monitor.transactions.reactions import Reaction
from monitor.transactions.resuming import RESUMED_AT_ONCE, resume
from monitor.transactions.sending import Sent
from monitor.transactions.words import Act
from tests.transactions.builders import NOW, hash_of
from tests.transactions.conftest import Dial

LABELS = ("a", "b")
SENDERS = [Address(f"0x{number:040x}") for number in range(12)]


def intent(number: int, sender: Address = SENDERS[0], *, nonce: int, node: str = "a") -> Intent:
    word = f"{sender} {nonce} {number}"
    return Intent(
        number, number, hash_of(word), word.encode(), node, "rebroadcast", NOW, sender, nonce
    )


@dataclass
class Wire:
    """Where bytes go; an answer comes after a few turns of the loop."""

    sent: list[tuple[int, bytes, Act]] = field(default_factory=list)
    now: int = 0
    most: int = 0
    full: int | None = None
    """The action whose outcome cannot be kept."""

    async def send(self, endpoint: Endpoint, raw: bytes, act: Act, action: int) -> Sent:
        self.now += 1
        self.most = max(self.most, self.now)
        self.sent.append((action, raw, act))
        # The later an action, the sooner it is answered.
        for _ in range(50 - action % 50):
            await asyncio.sleep(0)
        self.now -= 1
        if action == self.full:
            message = "no room"
            raise JournalFullError(message)
        return Sent(endpoint.label, Reaction.KNOWN, "")

    @property
    def actions(self) -> list[int]:
        return [action for action, _, _ in self.sent]


@pytest.fixture
def endpoints(dial: Dial) -> Mapping[str, Endpoint]:
    return {label: dial("http://127.0.0.1:9") for label in LABELS}


async def test_resume_sends_the_bytes_of_many_accounts_at_once(
    endpoints: Mapping[str, Endpoint],
) -> None:
    """Sixteen at the same moment and no more; each of them once, as what it was intended."""
    places = [(sender, label) for sender in SENDERS for label in LABELS]
    intents = [
        intent(number, sender, nonce=0, node=label)
        for number, (sender, label) in enumerate(places, 1)
    ]
    assert len(intents) > RESUMED_AT_ONCE
    wire = Wire()
    assert await resume(intents, endpoints, wire.send, lambda: True)
    assert wire.most == RESUMED_AT_ONCE
    assert sorted(wire.sent) == [(i.id, i.raw, Act.REBROADCAST) for i in intents]


async def test_resume_keeps_the_order_of_nonces_at_each_endpoint(
    endpoints: Mapping[str, Endpoint],
) -> None:
    """One after the other's answer, whatever was intended first; of one nonce, the older first."""
    nonces = (3, 1, 2, 1)
    intents = [
        intent(number, nonce=nonce, node=label)
        for number, (label, nonce) in enumerate(((la, n) for la in LABELS for n in nonces), 1)
    ]
    wire = Wire()
    assert await resume(intents, endpoints, wire.send, lambda: True)
    assert [action for action in wire.actions if action <= len(nonces)] == [2, 4, 3, 1]
    assert [action for action in wire.actions if action > len(nonces)] == [6, 8, 7, 5]
    assert wire.most == len(LABELS)


async def test_resume_leaves_what_goes_to_others(endpoints: Mapping[str, Endpoint]) -> None:
    """An endpoint of another network, or one that is not configured any more."""
    wire = Wire()
    elsewhere = intent(1, nonce=1, node="elsewhere")
    assert await resume([elsewhere, intent(2, nonce=2)], endpoints, wire.send, lambda: True)
    assert wire.actions == [2]


async def test_resume_that_is_halted_holds_back_the_rest(
    endpoints: Mapping[str, Endpoint],
) -> None:
    """What is on its way is answered; nothing more leaves, and it is not done."""
    wire = Wire()
    intents = [intent(number, nonce=number) for number in range(1, 6)]
    assert not await resume(intents, endpoints, wire.send, lambda: len(wire.sent) < 2)
    assert wire.actions == [1, 2]


async def test_resume_raises_once_nothing_is_on_its_way(endpoints: Mapping[str, Endpoint]) -> None:
    """A journal that fails ends that account's; the others' outcomes are kept before it is told."""
    wire = Wire(full=1)
    accounts = Counter(dict.fromkeys(SENDERS[:3], 2))
    intents = [
        intent(number, sender, nonce=number) for number, sender in enumerate(accounts.elements(), 1)
    ]
    with pytest.raises(JournalFullError):
        await resume(intents, endpoints, wire.send, lambda: True)
    assert wire.now == 0
    assert sorted(wire.actions) == [1, 3, 4, 5, 6]
