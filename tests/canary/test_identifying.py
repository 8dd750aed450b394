"""Which chain, which version, which forks: as both say it."""

from __future__ import annotations

import itertools

import pytest
from aiohttp import web

from monitor.canary.identifying import LOOKS, identity, upgrades
from tests.canary.staged import staged
from tests.rpc.canned import Canned, Json, Refusal, reply


def fork(fork_id: str | None) -> Json:
    return None if fork_id is None else {"forkId": fork_id, "activationTime": 1}


def forks(current: str, upcoming: str | None, last: str | None = None) -> Json:
    """An answer to `eth_config`."""
    return {"current": fork(current), "next": fork(upcoming), "last": fork(last)}


def without_last(current: str, upcoming: str | None) -> Json:
    """The same of a draft, or of a client that leaves it out."""
    return {"current": fork(current), "next": fork(upcoming)}


async def test_identity_of_two_versions_of_one_chain_passes() -> None:
    """And tells both versions."""
    node, other = Canned(), Canned(version="Geth/v2")
    async with staged(node, other) as pair:
        found = await identity(pair)
    assert found.outcome == "pass"
    assert "Geth/v1.16.2" in found.lines[2].baseline
    assert found.lines[2].candidate == "Geth/v2"


async def test_identity_of_another_chain_fails_and_of_nobody_is_unknown() -> None:
    """Not there is not other."""
    node, other = Canned(), Canned(chain_id="0x2")
    async with staged(node, other) as pair:
        assert (await identity(pair)).reason == "other_chain"
        await other.port.close()
        found = await identity(pair)
    assert (found.outcome, found.reason) == ("unknown", "unseen")


@pytest.mark.parametrize(
    ("mine", "theirs", "outcome"),
    [
        (forks("0x1", "0x2"), forks("0x1", "0x2"), "pass"),
        (forks("0x1", "0x2"), forks("0x1", None), "fail"),
        (None, None, "skipped"),
        (forks("0x1", None), None, "fail"),
        (forks("0x1", None), {"current": "nonsense"}, "unknown"),
        ({"current": "nonsense"}, {"current": "nonsense"}, "skipped"),
        ({"current": "nonsense"}, forks("0x1", None), "skipped"),
        (forks("0xAb", "0xCd", "0xEf"), forks("0xaB", "0xcD", "0xeF"), "pass"),
        (forks("0x1", "0x2", "0x3"), forks("0x1", "0x2", "0x2"), "fail"),
        (forks("0x1", "0x2", "0x3"), forks("0x1", "0x2", "0x4"), "warn"),
        (forks("0x1", "0x2", "0x3"), without_last("0x1", "0x2"), "pass"),
        (without_last("0x1", "0x2"), forks("0x1", "0x2", "0x3"), "pass"),
    ],
)
async def test_upgrades_are_read_as_eip_7910_has_them(
    mine: Json, theirs: Json, outcome: str
) -> None:
    """Current, next and last, in either case of hex; an answer that is none tells nothing."""
    node, other = Canned(), Canned()
    absent = Refusal("the method eth_config does not exist/is not available", -32601)
    node.answers["eth_config"] = absent if mine is None else mine
    other.answers["eth_config"] = absent if theirs is None else theirs
    async with staged(node, other) as pair:
        assert (await upgrades(pair, 0.0)).outcome == outcome


async def test_upgrades_that_only_a_reference_knows_of_block() -> None:
    """Two old nodes agree with each other until the day of the fork."""
    node, other, reference = Canned(), Canned(), Canned()
    for one, upcoming in ((node, None), (other, None), (reference, "0x2")):
        one.answers["eth_config"] = forks("0x1", upcoming)
    async with staged(node, other, a=reference) as pair:
        found = await upgrades(pair, 0.0)
    assert (found.outcome, found.reason) == ("fail", "not_ready")
    assert "by the a" in found.summary


@pytest.mark.parametrize(("lost", "outcome"), [(1, "pass"), (LOOKS - 1, "pass"), (9, "unknown")])
async def test_upgrades_that_were_not_answered_are_asked_for_again(lost: int, outcome: str) -> None:
    """One lost answer makes no gate inconclusive."""
    node, other = Canned(), Canned()
    for one in (node, other):
        one.answers["eth_config"] = forks("0x1", None)
    requests = itertools.count()

    async def respond(request: web.BaseRequest, asked: Json) -> web.StreamResponse | None:
        return reply(b"", 503) if next(requests) < lost else None

    other.respond = respond
    async with staged(node, other) as pair:
        assert (await upgrades(pair, 0.0)).outcome == outcome
    assert next(requests) == min(lost + 1, LOOKS)
