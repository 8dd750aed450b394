"""All twelve checks, in their order, whatever happens to the first."""

from __future__ import annotations

import pytest
from aiohttp import web

from monitor.canary.comparison import TITLES, Comparison, word_of
from monitor.canary.run import Plan, compare
from monitor.judge.profiles import PROFILES, override, policy
from monitor.url import Url
from tests.canary.staged import chain_of, serves_blocks
from tests.rpc.canned import Canned, Chain, Json, nothing_unheard, reply, serving

QUICK = policy(override(PROFILES["dev"], interval_seconds=0.1))


async def run(node: Canned, other: Canned, told: list[str]) -> tuple[Comparison, ...]:
    """A run on two nodes with as few calls as can be judged."""
    for one in (node, other):
        serves_blocks(one)
    with nothing_unheard():
        async with serving(node, other):
            plan = Plan(Url(node.url), Url(other.url), QUICK, latency_pairs=20)
            return await compare(plan, progress=lambda check, seconds: told.append(check))


async def test_run_makes_every_check_in_order() -> None:
    """And tells which one begins."""
    told: list[str] = []
    found = await run(Canned(Chain(100)), Canned(Chain(100)), told)
    assert list(dict.fromkeys(one.check for one in found)) == list(TITLES)
    assert word_of(found) == "pass"
    assert list(dict.fromkeys(told)) == [
        *("identity", "consensus", "answers", "latency", "head", "transaction", "restart")
    ]


@pytest.mark.parametrize(
    ("candidate", "word", "reason"),
    [
        (Canned(Chain(100), chain_id="0x2"), "fail", "other_chain"),
        (Canned(chain_of(100, parts_after=-1)), "fail", "other_genesis"),
        (Canned(Chain(100), version=7), "inconclusive", "unseen"),
    ],
)
async def test_run_on_another_chain_asks_nothing_more(
    candidate: Canned, word: str, reason: str
) -> None:
    """What follows is unknown, and says why."""
    first, *others = found = await run(Canned(Chain(100)), candidate, [])
    assert (word_of(found), first.reason) == (word, reason)
    assert {one.outcome for one in others} == {"unknown"}
    assert [one.check for one in found] == list(TITLES)
    assert "not asked: identity came to" in others[0].summary
    assert len(candidate.calls) == 3


async def test_run_without_a_common_block_makes_the_other_checks() -> None:
    """A candidate without a head fails by that, and leaves its blocks unknown."""
    other = Canned(Chain(100))
    with nothing_unheard():
        node = Canned(Chain(100))
        serves_blocks(node)
        other.answers["eth_getBlockByNumber"] = lambda params: (
            other.chain.block(0) if params[0] == "0x0" else None
        )
        async with serving(node, other):
            found = await compare(Plan(Url(node.url), Url(other.url), QUICK))
    by_check = {one.check: one for one in found}
    assert word_of(found) == "fail"
    assert by_check["consensus"].outcome == "unknown"
    assert "not asked: consensus came to unseen" in by_check["answers"].summary
    assert (by_check["head"].outcome, by_check["head"].reason) == ("fail", "silent")
    assert by_check["peers"].outcome == "skipped"


async def test_run_whose_candidate_dies_in_the_soak_fails_by_its_head() -> None:
    """It answered all questions and the first poll, and HTTP 503 from then on: that is no pass."""
    node, other = Canned(Chain(100)), Canned(Chain(100))
    for one in (node, other):
        one.answers["net_peerCount"] = "0x19"
    told: list[str] = []

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        return reply(b"", 503) if "head" in told else None  # Told of when the first poll is over.

    other.respond = respond
    found = {one.check: one for one in await run(node, other, told)}
    assert word_of(found.values()) == "fail"
    assert (found["head"].outcome, found["head"].reason) == ("fail", "silent")
    assert {found[check].outcome for check in ("peers", "sync")} == {"unknown"}
