"""Logs and receipts of a real node, proven, and put to the references where they are not."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from monitor.judge.logs import LogsSeen, judge
from monitor.lab.faults import Fault
from monitor.model import Finding, Level, Observation
from monitor.probes import logs
from monitor.probes.asked import Asked
from monitor.rpc.errors import MalformedAnswer
from tests.judge.builders import NAMELESS, NOW
from tests.probes.asking import asked_of, stage

ABSENT = (-32601, "the method eth_getBlockReceipts does not exist/is not available")
LACKS_RECEIPTS = Fault("override", methods="eth_getBlockReceipts", error=ABSENT)


def judged(seen: LogsSeen, asked: Asked[LogsSeen]) -> Finding:
    observation = Observation("local", "logs", NOW, 0.1, seen)
    (finding,) = judge([observation], asked.round, NAMELESS, NOW)
    return finding


async def test_logs_of_a_real_node_prove_themselves_for_one_call_of_each_reference(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Receipts come to the root of the header, logs are those of the receipts."""
    async with stage(anvil_path, session) as real:
        await real.mined("pay", "log", "log")
        asked = await real.asked()
        spent = real.calls()
        seen = await logs.probe(asked)
        assert [now - then for now, then in zip(real.calls(), spent, strict=True)] == [1, 1, 1]
        assert seen.has_right_receipts
        assert seen.has_right_logs
        assert (seen.logs.count, seen.stamp.number) == (2, 9)
        assert seen.receipts is not None
        assert seen.receipts.count == 3
        assert judged(seen, asked).level == Level.OK


@pytest.mark.parametrize("part", ["last", "all", "data"])
@pytest.mark.parametrize(
    ("method", "reason"),
    [("eth_getLogs", "logs_differ"), ("eth_getBlockReceipts", "receipts_root_differs")],
)
@pytest.mark.parametrize(("count", "level"), [(3, Level.FAILED), (1, Level.DEGRADED)])
async def test_logs_that_a_node_tells_wrong_are_seen_on_the_right_head(
    anvil_path: Path,
    session: aiohttp.ClientSession,
    *,
    part: str,
    method: str,
    reason: str,
    count: int,
    level: Level,
) -> None:
    """A log that is missing, or has other data, by the index or in a receipt."""
    async with stage(anvil_path, session) as real:
        await real.mined("log", "log")
        asked = await real.asked(count)
        real.proxy.set(Fault("wrong_logs", methods=method, part=part))  # type: ignore[arg-type]
        finding = judged(await logs.probe(asked), asked)
        assert (finding.level, finding.reason) == (level, reason)


async def test_logs_of_a_node_without_receipts_are_compared(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """The references' logs, and the bloom of the header, are what is left."""
    async with stage(anvil_path, session) as real:
        await real.mined("log", "log")
        real.proxy.set(LACKS_RECEIPTS)
        asked = await real.asked()
        seen = await logs.probe(asked)
        assert seen.receipts is None
        assert seen.logs.bloom == seen.logs_bloom
        assert len(seen.log_answers) == 3
        assert judged(seen, asked).level == Level.OK
        real.proxy.set(LACKS_RECEIPTS, Fault("wrong_logs", methods="eth_getLogs", part="data"))
        seen = await logs.probe(await real.asked())
        assert seen.logs.bloom == seen.logs_bloom
        assert judged(seen, asked).reason == "logs_differ"


async def test_logs_that_were_wrong_are_asked_for_again_where_the_next_block_is_empty(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """An empty block acquits nobody; a block that is right now does."""
    async with stage(anvil_path, session) as real:
        await real.mined("log")
        real.proxy.set(Fault("wrong_logs", methods="eth_getLogs"))
        wrong = await logs.probe(await real.asked())
        await real.anvil.rpc("anvil_mine", "0x2")
        asked = await real.asked(before=[wrong])
        again = await logs.probe(asked)
        assert again.stamp == wrong.stamp
        assert judged(again, asked).reason == "logs_differ"
        real.proxy.heal()
        asked = await real.asked(before=[wrong])
        healed = await logs.probe(asked)
        assert healed.stamp == wrong.stamp
        assert judged(healed, asked).level == Level.OK
        next_one = await logs.probe(await real.asked(before=[healed]))
        assert next_one.stamp.number == wrong.stamp.number + 2


async def test_logs_that_were_wrong_in_a_block_that_is_gone_are_not_asked_for_again(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """What is not believed any more proves nothing."""
    async with stage(anvil_path, session) as real:
        await real.mined("log")
        real.proxy.set(Fault("wrong_logs", methods="eth_getLogs"))
        wrong = await logs.probe(await real.asked())
        await real.anvil.rpc("anvil_mine", "0x14")
        seen = await logs.probe(await real.asked(before=[wrong]))
        assert seen.stamp.number > wrong.stamp.number


async def test_logs_without_a_block_to_compare_at_are_not_asked_for(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Without a reference there is none."""
    async with stage(anvil_path, session) as real:
        with pytest.raises(MalformedAnswer, match="no block"):
            await logs.probe(asked_of(real.node, (), ()))


async def test_logs_whose_header_nobody_knows_are_compared(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Without a root the majority says what they should be."""
    async with stage(anvil_path, session) as real:
        await real.mined("log")
        heads = (await real.asked()).heads
        asked = asked_of(real.node, (real.node, real.node, real.node), heads)
        real.proxy.set(Fault("override", methods="eth_getBlockByHash", result=None))
        seen = await logs.probe(asked)
        assert (seen.receipts_root, seen.logs_bloom) == (None, None)
        assert judged(seen, asked).level == Level.OK
