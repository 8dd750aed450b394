"""What a probe is given: a panel that is asked once, a block that all have, and its own past."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from monitor.judge.profiles import DEV, policy
from monitor.judge.quorum import CONTESTED_DEPTH, Round
from monitor.judge.seen import HeadSeen
from monitor.model import Observation, Unseen
from monitor.probes.asked import Asked, Member, Panel
from monitor.rpc import decode
from monitor.rpc.node import Node
from tests.judge.builders import NOW, TIMEOUT, TIP, agreeing, hash_of, round_of, said, seen_head
from tests.probes.conftest import Dial
from tests.rpc.canned import Canned, Hang, Refusal, serving


def asked_of(
    node: Node,
    *,
    panel: Panel | None = None,
    round_: Round | None = None,
    heads: Sequence[Observation[HeadSeen]] = (),
    before: Sequence[Observation[Any]] = (),
) -> Asked[Any]:
    """A question to this node, in a round of three references that agree unless one is given."""
    return Asked(
        node=node,
        panel=panel or Panel(()),
        round=round_ or round_of(*agreeing()),
        policy=policy(DEV),
        heads=heads,
        before=before,
        clock=lambda: NOW,
    )


# -- the panel -----------------------------------------------------------------------------------


def panel_of(dial: Dial, *servers: Canned) -> Panel:
    return Panel(
        tuple(Member(dial(one.url), f"op-{index}", "geth") for index, one in enumerate(servers))
    )


async def test_panel_is_asked_once_however_many_want_to_know(dial: Dial) -> None:
    """References cost money: of two that ask at once, and one that comes later, one does ask."""
    async with serving(Canned(), Canned()) as servers:
        panel = panel_of(dial, *servers)
        both = await asyncio.gather(
            *(panel.ask("eth_chainId", (), decode.quantity) for _ in range(2))
        )
        later = await panel.ask("eth_chainId", (), decode.quantity)
        assert both == [later, later]
        assert [answer.seen for answer in later] == ["0x539", "0x539"]
        assert [(answer.operator, answer.client) for answer in later] == [
            ("op-0", "geth"),
            ("op-1", "geth"),
        ]
        assert [one.methods for one in servers] == [["eth_chainId"]] * 2
        assert not panel.is_asking


async def test_panel_is_asked_again_where_the_parameters_differ(dial: Dial) -> None:
    """Another question is another question."""
    async with serving(Canned()) as (server,):
        server.answers["eth_getBalance"] = lambda params: params[0]
        panel = panel_of(dial, server)
        for what in ("0x1", "0x2", "0x1"):
            (answer,) = await panel.ask("eth_getBalance", (what,), decode.quantity)
            assert answer.seen == what
        assert len(server.calls) == 2


async def test_panel_member_that_fails_is_unseen_and_the_others_count(dial: Dial) -> None:
    """One that refuses is an answer of its own."""
    async with serving(Canned(), Canned()) as servers:
        servers[0].answers["eth_chainId"] = Refusal("header not found", -32000)
        refused, fine = await panel_of(dial, *servers).ask("eth_chainId", (), decode.quantity)
        assert isinstance(refused.seen, Unseen)
        assert refused.seen.reason == "rpc_error"
        assert fine.seen == "0x539"


async def test_panel_goes_on_for_the_others_where_one_that_asked_is_ended(dial: Dial) -> None:
    """Whoever loses patience does not take the answer from the rest."""
    async with serving(Canned()) as (server,):
        server.respond = hang = Hang()
        panel = panel_of(dial, server)
        first, second = (
            asyncio.create_task(panel.ask("eth_chainId", (), decode.quantity)) for _ in range(2)
        )
        await hang.holding.wait()
        assert panel.is_asking
        first.cancel()
        hang.released.set()
        (answer,) = await second
        assert answer.seen == "0x539"
        assert first.cancelled()


async def test_panel_whose_question_crashes_leaves_nobody_asking(dial: Dial) -> None:
    """A mistake of ours ends the whole question; nothing goes on unheard."""
    async with serving(Canned(), Canned()) as servers:
        servers[1].respond = Hang()
        panel = panel_of(dial, *servers)
        wrong = panel.members[0].node

        async def question(node: Node) -> str:
            said = await node.ask("eth_chainId", (), decode.quantity)
            assert node is not wrong, "ours"
            return said

        with pytest.raises(ExceptionGroup, match="unhandled"):
            await panel.each("both", question)
        assert not panel.is_asking
        servers[1].respond.released.set()


# -- the pinned block ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "pinned"),
    [
        (TIP, TIP - CONTESTED_DEPTH),
        (TIP + 5, TIP - CONTESTED_DEPTH),
        (TIP - 2, TIP - 2 - CONTESTED_DEPTH),
        # Of blocks so far below nobody has said a hash.
        (10, None),
    ],
)
def test_pinned_block_lies_where_all_have_it(
    session: object, dial: Dial, number: int, pinned: int | None
) -> None:
    """Below the lower of the two heads, where the tip is not contested, by the believed hash."""
    asked = asked_of(dial("http://127.0.0.1:1"), heads=[said(seen_head(number))])
    found = asked.pinned
    if pinned is None:
        assert found is None
        return
    assert found is not None
    assert (found.number, found.hash) == (pinned, hash_of(pinned))
    assert found.parameter == {"blockHash": hash_of(pinned), "requireCanonical": True}


def test_pinned_block_needs_a_head_and_a_quorum(dial: Dial) -> None:
    """Where either is missing there is nothing to compare at."""
    node = dial("http://127.0.0.1:1")
    assert asked_of(node).pinned is None
    assert asked_of(node, heads=[said(TIMEOUT)]).pinned is None
    assert asked_of(node, heads=[said(seen_head(TIP))], round_=round_of()).pinned is None


# -- its own past --------------------------------------------------------------------------------


def test_head_is_that_of_this_round(dial: Dial) -> None:
    """One that was not seen is none, whatever was seen before."""
    node = dial("http://127.0.0.1:1")
    seen = said(seen_head(TIP))
    assert asked_of(node, heads=[said(TIMEOUT), seen]).head == seen_head(TIP).head
    assert asked_of(node, heads=[seen, said(TIMEOUT)]).head is None
    assert asked_of(node).head is None


def test_last_is_what_was_seen_last(dial: Dial) -> None:
    """However long ago; what was not seen since then does not hide it."""
    node = dial("http://127.0.0.1:1")
    history = [Observation("n", "x", NOW, 0.0, seen) for seen in ("one", "two", TIMEOUT)]
    assert asked_of(node).with_history(history).last == "two"
    assert asked_of(node, before=history[2:]).last is None
    assert asked_of(node).last is None
