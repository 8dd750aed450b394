"""Accounts of a real node, proven, and put to the references where they are not."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from monitor.judge.state import StateSeen, judge
from monitor.lab.faults import Fault
from monitor.model import Finding, Level, Observation
from monitor.probes import state
from monitor.probes.asked import Asked
from monitor.rpc.errors import CallRejected, MalformedAnswer
from tests.judge.builders import NAMELESS, NOW
from tests.probes.asking import asked_of, stage

PRUNED = (-32000, "missing trie node 1f2e (path ) state 0x1f2e is not available")
ABSENT = (-32601, "the method eth_getProof does not exist/is not available")


def judged(seen: StateSeen, asked: Asked[StateSeen]) -> Finding:
    observation = Observation("local", "state", NOW, 0.1, seen)
    (finding,) = judge([observation], asked.round, NAMELESS, NOW)
    return finding


async def test_state_of_a_real_node_proves_itself_for_one_call_of_each_reference(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Four methods say of three accounts what is proven under the root in the header."""
    async with stage(anvil_path, session) as real:
        await real.mined("pay", "log")
        asked = await real.asked()
        spent = real.calls()
        seen = await state.probe(asked)
        assert [now - then for now, then in zip(real.calls(), spent, strict=True)] == [1, 1, 1]
        assert all(reading.is_proven for reading in seen.readings)
        assert {reading.method for reading in seen.readings} == {
            *("eth_getProof", "eth_getBalance", "eth_getTransactionCount", "eth_call")
        }
        assert len({reading.account for reading in seen.readings}) == 3
        finding = judged(seen, asked)
        assert (finding.level, seen.stamp.number) == (Level.OK, 9)


async def test_state_of_an_empty_block_is_that_of_its_system_contracts(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """An account that is not there is proven too."""
    async with stage(anvil_path, session) as real:
        asked = await real.asked()
        assert judged(await state.probe(asked), asked).level == Level.OK


@pytest.mark.parametrize(
    "method", ["eth_getProof", "eth_getBalance", "eth_getTransactionCount", "eth_call"]
)
@pytest.mark.parametrize(("count", "level"), [(3, Level.FAILED), (1, Level.DEGRADED)])
async def test_state_that_a_node_tells_wrong_by_one_method_is_seen(
    anvil_path: Path, session: aiohttp.ClientSession, method: str, count: int, level: Level
) -> None:
    """A cache of one method is enough to be wrong; the others say what is right."""
    async with stage(anvil_path, session) as real:
        await real.mined("pay")
        asked = await real.asked(count)
        real.proxy.set(Fault("wrong_state", methods=method))
        finding = judged(await state.probe(asked), asked)
        assert (finding.level, finding.reason) == (level, "state_differs")
        assert {one.method for one in finding.evidence} == {method}


async def test_state_of_a_node_without_proofs_is_compared_with_the_references(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """A provider without `eth_getProof` is judged by what it says."""
    async with stage(anvil_path, session) as real:
        await real.mined("pay")
        real.proxy.set(Fault("override", methods="eth_getProof", error=ABSENT))
        asked = await real.asked()
        spent = real.calls()
        assert judged(await state.probe(asked), asked).level == Level.OK
        assert [now - then for now, then in zip(real.calls(), spent, strict=True)] == [8, 8, 8]
        real.proxy.set(
            Fault("override", methods="eth_getProof", error=ABSENT),
            Fault("override", methods="eth_call", error=(-32000, "no creation here")),
            Fault("wrong_state", methods="eth_getBalance"),
        )
        asked = await real.asked()
        finding = judged(await state.probe(asked), asked)
        assert (finding.level, finding.measured) == (Level.FAILED, 3.0)


async def test_state_with_proofs_of_another_root_is_wrong_where_the_references_have_theirs(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """The proof of another block hangs together and proves nothing about this one."""
    async with stage(anvil_path, session) as real:
        await real.mined("pay")
        asked = await real.asked()
        assert asked.pinned is not None
        other = await real.anvil.rpc("eth_getProof", "0x" + "00" * 20, [], "0x1")
        real.proxy.set(Fault("override", methods="eth_getProof", result=other))
        seen = await state.probe(asked)
        assert {one.what for one in seen.readings if one.method == "eth_getProof"} == {"state root"}
        finding = judged(seen, asked)
        assert finding.level == Level.FAILED
        assert "the state root of" in finding.summary


async def test_state_that_is_pruned_or_of_a_block_it_does_not_have_is_not_seen(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Not wrong, and not right."""
    async with stage(anvil_path, session) as real:
        asked = await real.asked()
        real.proxy.set(Fault("override", methods="eth_getBalance", error=PRUNED))
        with pytest.raises(CallRejected, match="missing trie node"):
            await state.probe(asked)
        real.proxy.set(Fault("override", methods="eth_getBlockByHash", result=None))
        with pytest.raises(MalformedAnswer):
            await state.probe(asked)


async def test_state_without_a_block_to_compare_at_is_not_asked_for(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Without a reference there is none."""
    async with stage(anvil_path, session) as real:
        with pytest.raises(MalformedAnswer, match="no block"):
            await state.probe(asked_of(real.node, (), ()))


async def test_state_whose_header_nobody_agrees_on_is_compared_by_values(
    anvil_path: Path, session: aiohttp.ClientSession
) -> None:
    """Without a root nothing is proven; the majority is asked for each value."""
    async with stage(anvil_path, session) as real:
        await real.mined("pay")
        liar = real.references[0]
        heads = (await real.asked()).heads
        asked = asked_of(real.node, (liar, real.node, real.node), heads)
        real.proxy.set(
            Fault(
                "override", methods="eth_getBlockByHash", params=(_hash(asked), False), result=None
            )
        )
        seen = await state.probe(asked)
        assert all(reading.proven is None for reading in seen.readings)
        assert seen.stamp.timestamp == 0
        assert judged(seen, asked).level == Level.OK


def _hash(asked: Asked[StateSeen]) -> str:
    assert asked.pinned is not None
    return asked.pinned.hash
