"""A transaction, sent through the candidate and looked for elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.canary.comparison import Comparison
from monitor.canary.sending import transaction
from monitor.model import Hash32
from tests.canary.staged import staged
from tests.rpc.canned import Canned, Clock, Refusal

RAW = b"\x02\x01"
HASH = Hash32("0x" + "c" * 64)


def nodes(*, arrives: bool = True) -> tuple[Canned, Canned]:
    """A baseline that hears of what the candidate is sent, or does not."""
    node, other = Canned(), Canned()
    sent: list[str] = []

    def take(params: list[Any]) -> str:
        sent.append(params[0])
        return "0x" + "d" * 64  # A candidate that names another hash is not believed.

    other.answers["eth_sendRawTransaction"] = take
    node.answers["eth_getTransactionByHash"] = lambda params: (
        {"hash": params[0]} if sent and arrives else None
    )
    return node, other


async def sent_through(node: Canned, other: Canned, **references: Canned) -> Comparison:
    async with staged(node, other, **references) as pair:
        return await transaction(pair, RAW, HASH, deadline_seconds=0.0, clock=Clock(0.0))


async def test_transaction_that_arrives_passes() -> None:
    """It is sent once, through the candidate only, and looked for by our own hash."""
    node, other = nodes()
    found = await sent_through(node, other)
    assert (found.outcome, found.reason) == ("pass", "arrived")
    assert other.methods.count("eth_sendRawTransaction") == 1
    assert "eth_sendRawTransaction" not in node.methods
    assert node.calls[-1]["params"] == [HASH]
    assert other.calls[0]["params"] == ["0x0201"]


async def test_transaction_that_only_a_reference_sees_has_arrived() -> None:
    """The network has it, whoever of it says so."""
    node, other = nodes(arrives=False)
    reference = Canned()
    asked = iter([None, {"hash": HASH}])
    reference.answers["eth_getTransactionByHash"] = lambda params: next(asked)
    found = await sent_through(node, other, a=reference)
    assert found.outcome == "pass"
    assert "seen by a" in found.summary


async def test_transaction_that_arrives_at_the_second_look_passes() -> None:
    """A pool hears of it when it does: until the deadline it is looked for again."""
    node, other = nodes(arrives=False)
    asked = iter([None, None, {"hash": HASH}])
    node.answers["eth_getTransactionByHash"] = lambda params: next(asked)
    async with staged(node, other) as pair:
        found = await transaction(pair, RAW, HASH, deadline_seconds=9.0, clock=Clock(0.0))
    assert found.outcome == "pass"
    assert node.methods.count("eth_getTransactionByHash") == 3


async def test_transaction_that_does_not_arrive_in_time_fails() -> None:
    """A candidate that passes on nothing would lose what is sent through it."""
    node, other = nodes(arrives=False)
    found = await sent_through(node, other)
    assert (found.outcome, found.reason) == ("fail", "not_arrived")
    assert found.lines[0].baseline == "unknown"


async def test_transaction_that_nobody_can_be_asked_about_is_unknown() -> None:
    """That nobody answers is not that nobody has it."""
    node, other = nodes(arrives=False)
    node.answers["eth_getTransactionByHash"] = Refusal("overloaded", -32000)
    found = await sent_through(node, other)
    assert (found.outcome, found.reason) == ("unknown", "nobody_asked")
    silent = Canned(answers={"eth_getTransactionByHash": Refusal("overloaded", -32000)})
    found = await sent_through(*nodes(arrives=False), a=silent)
    assert found.reason == "not_arrived"


async def test_transaction_that_is_known_before_proves_nothing() -> None:
    """And is not sent."""
    node, other = nodes()
    node.answers["eth_getTransactionByHash"] = {"hash": HASH}
    found = await sent_through(node, other)
    assert (found.outcome, found.reason) == ("unknown", "known_already")
    assert other.calls == []


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (Refusal("nonce too low", -32000), "fail", "refused"),
        (None, "unknown", "unseen"),
    ],
)
async def test_transaction_that_the_candidate_does_not_take(
    answer: object, outcome: str, reason: str
) -> None:
    """A refusal is a failure, told with the node's words; an answer that is none is not."""
    node, other = nodes()
    other.answers["eth_sendRawTransaction"] = answer
    found = await sent_through(node, other)
    assert (found.outcome, found.reason) == (outcome, reason)


async def test_transaction_that_was_not_named_is_skipped_and_says_how_to() -> None:
    """Nobody is asked."""
    node, other = nodes()
    async with staged(node, other) as pair:
        found = await transaction(pair, None, None, deadline_seconds=0.0, clock=Clock(0.0))
    assert (found.outcome, node.calls, other.calls) == ("skipped", [], [])
    assert "--transaction" in found.summary
