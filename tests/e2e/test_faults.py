"""A node that answers garbage, nothing or too much: one finding of its own, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config import NodeSettings
from monitor.judge.verdict import REQUIRED, Memory
from monitor.lab.faults import Fault
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, is_healthy, lab_settings, watched
from monitor.model import Level, node_subject
from monitor.url import Url

SPARE = "spare"
FAULTS = {
    "html": Fault("html"),
    "truncated": Fault("truncate"),
    "wrong id": Fault("wrong_id"),
    "too large": Fault("huge", size_bytes=16 * 2**20),
    "a byte at a time": Fault("slowloris", seconds=0.2),
    "hanging": Fault("hang"),
    "reset": Fault("reset"),
    "unauthorised": Fault("http", status=401),
    "throttled": Fault("http", status=429, retry_after_seconds=1),
    "unavailable": Fault("http", status=503),
    "left out of the batch": Fault("drop_from_batch", methods="eth_getBlockByNumber"),
    "null": Fault("override", methods="eth_getBlockByNumber", result=None),
    "a number": Fault("override", methods="eth_getBlockByNumber", result=7),
    "an empty object": Fault("override", methods="eth_getBlockByNumber", result={}),
    "no quantity": Fault(
        "override",
        methods="eth_getBlockByNumber",
        result={
            "number": "many",
            "hash": "0x" + "1" * 64,
            "parentHash": "0x" + "2" * 64,
            "timestamp": "0x1",
        },
    ),
    "an error": Fault(
        "override",
        methods="eth_getBlockByNumber",
        error=(-32000, "database is closed\x00\n\x1b[31m"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_faulty_answers_of_one_node_are_unseen_there_and_nowhere_else(
    fault: Fault, anvil_path: Path
) -> None:
    """Its head is UNKNOWN with the reason; the other node stays ok; nothing of ours crashes."""
    del anvil_path
    async with LabNetwork() as net:
        settings = lab_settings(net, INTERVAL_SECONDS)
        # The same node without the proxy before it: what happens to one is not the other's.
        spare = NodeSettings(name=SPARE, network="dev", url=Url(net.local.anvil.url))
        settings = settings.model_copy(update={"nodes": (*settings.nodes, spare)})
        async with watched(net, settings, lambda event: None) as (view, _):
            assert await view.until(is_healthy, INTERVAL_SECONDS)
            net.local.proxy.set(fault)
            local = ("head", node_subject("local"))

            def is_unseen(memory: Memory) -> bool:
                return memory[local].finding.level == Level.UNKNOWN

            assert await view.until(is_unseen, INTERVAL_SECONDS)
            finding = view.sidecar.memory[local].finding
            assert finding.reason in {"timeout", "refused", "malformed", "rpc_error"}
            assert finding.summary.isprintable()
            await net.wait_blocks(4)
            others = [h.finding for k, h in view.sidecar.memory.items() if "local" not in k[1]]
            assert {f.level for f in others} == {Level.OK}, others
            errors = view.sidecar.instruments.internal_errors.collect()
            assert [s for metric in errors for s in metric.samples if s.value] == []
            net.local.proxy.heal()
            assert await view.until(is_well_again, INTERVAL_SECONDS)


def is_well_again(memory: Memory) -> bool:
    """What a verdict waits for is well; a check beside it that failed is asked within a minute."""
    held = [one for key, one in memory.items() if key[0] in REQUIRED]
    return all(one.settled and one.finding.level == Level.OK for one in held)


async def test_node_that_takes_no_batches_is_asked_one_by_one_and_stays_ok(
    anvil_path: Path,
) -> None:
    """A provider that refuses batches is a dialect, not a fault."""
    del anvil_path
    async with LabNetwork() as net:
        net.local.proxy.set(Fault("no_batch"))
        settings = lab_settings(net, INTERVAL_SECONDS)
        async with watched(net, settings, lambda event: None) as (view, _):
            assert await view.until(is_healthy, INTERVAL_SECONDS)
