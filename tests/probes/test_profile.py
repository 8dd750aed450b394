"""The headers that a chain's pace is read from: linked, bounded, and for few calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest

from monitor.judge.profile import IntervalsSeen
from monitor.judge.profiles import PROFILES, override, policy
from monitor.judge.refit import linked
from monitor.judge.seen import HeadSeen
from monitor.model import Observation, Unseen
from monitor.probes.asked import Asked
from monitor.probes.fork import blocks_at
from monitor.probes.profile import CALLS_A_DAY, FIRST_COUNT, KEPT_COUNT, probe
from monitor.rpc.errors import CallRejected, MethodAbsent
from tests.judge.builders import NOW, TIMEOUT, said
from tests.probes.conftest import Dial
from tests.probes.situation import asked_of
from tests.rpc.canned import Canned, Chain, Clock, Refusal, serving

TOP = 3000
MINUTES = 300.0
Before = Sequence[Observation[IntervalsSeen]]


@pytest.fixture
async def reference() -> AsyncIterator[Canned]:
    """One with three thousand blocks."""
    async with serving(Canned(Chain(TOP))) as (canned,):
        yield canned


async def asked(
    dial: Dial, canned: Canned, before: Before = (), *, at: float = NOW
) -> Asked[IntervalsSeen]:
    """The question, with the reference's newest block elected; what that costs is forgotten."""
    node = dial(canned.url)
    (head,) = await blocks_at(node, [canned.chain.head])
    canned.forget()
    trail = [said(HeadSeen(head, None), at, "dev/quorum")]
    return asked_of(node, heads=trail, before=before, clock=Clock(at))


def written(seen: IntervalsSeen | Unseen, at: float) -> Observation[IntervalsSeen]:
    return Observation("dev/quorum", "profile", at, 0.1, seen)


async def test_first_headers_are_the_newest_and_linked(dial: Dial, reference: Canned) -> None:
    """So many as say something, and not all that there are."""
    found = await probe(await asked(dial, reference))
    assert [head.number for head in found.headers] == list(range(TOP - FIRST_COUNT + 1, TOP + 1))
    assert linked(found.headers) == found.headers
    assert len(reference.calls) == FIRST_COUNT


async def test_headers_that_are_known_are_not_asked_again(dial: Dial, reference: Canned) -> None:
    """Only what came since costs a call."""
    first = await probe(await asked(dial, reference))
    reference.chain = Chain(TOP + 15)
    question = await asked(dial, reference, [written(first, NOW - MINUTES)])
    second = await probe(question)
    assert reference.heights == list(range(TOP + 1, TOP + 16))
    assert second.headers[:FIRST_COUNT] == first.headers
    assert linked(second.headers) == second.headers


async def test_chain_faster_than_may_be_asked_for_is_asked_for_seldom(
    dial: Dial, reference: Canned
) -> None:
    """A thousand blocks in five minutes are more than a day's share: the known ones stand."""
    first = await probe(await asked(dial, reference))
    reference.chain = Chain(TOP + KEPT_COUNT)
    share = KEPT_COUNT * 86_400 / CALLS_A_DAY
    early = await asked(dial, reference, [written(first, NOW - share + 60)])
    assert await probe(early) == first
    assert reference.calls == []
    # An answer that changed nothing does not begin the time anew.
    before = [written(first, NOW - share - 60), written(first, NOW - MINUTES)]
    late = await probe(await asked(dial, reference, before))
    assert len(late.headers) == KEPT_COUNT
    assert late.headers[-1].number == TOP + KEPT_COUNT


async def test_what_could_not_be_seen_is_made_up_for(dial: Dial, reference: Canned) -> None:
    """A failure in between forgets nothing; one that goes on is the reference's, and is raised."""
    first = await probe(await asked(dial, reference))
    reference.chain = Chain(TOP + 3)
    before = [written(first, NOW - 2 * MINUTES), written(TIMEOUT, NOW - MINUTES)]
    found = await probe(await asked(dial, reference, before))
    assert len(found.headers) == FIRST_COUNT + 3
    question = await asked(dial, reference)
    reference.answers["eth_getBlockByNumber"] = Refusal("limit exceeded", -32005)
    with pytest.raises(CallRejected):
        await probe(question)


async def test_chain_shorter_than_the_window_is_read_whole(dial: Dial) -> None:
    """From block 0 on."""
    async with serving(Canned(Chain(20))) as (canned,):
        found = await probe(await asked(dial, canned))
    assert [head.number for head in found.headers] == list(range(21))


@pytest.mark.parametrize("interval_seconds", [None, 0.25])
async def test_development_chain_has_no_pace(
    dial: Dial, reference: Canned, interval_seconds: float | None
) -> None:
    """It makes blocks as it is told: the check is skipped, and costs nothing."""
    dev = override(PROFILES["dev"], interval_seconds=interval_seconds)
    question = replace(await asked(dial, reference), policy=policy(dev))
    with pytest.raises(MethodAbsent):
        await probe(question)
    assert reference.calls == []


async def test_head_that_is_not_elected_leaves_what_is_known(dial: Dial, reference: Canned) -> None:
    """Without a head there is nothing to read up to."""
    first = await probe(await asked(dial, reference))
    question = await asked(dial, reference, [written(first, NOW - MINUTES)])
    trail = [said(TIMEOUT, NOW, "dev/quorum")]
    assert await probe(replace(question, heads=trail)) == first
