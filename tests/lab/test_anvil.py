"""One anvil process."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.errors import LabError, LabRpcError

REPOSITORY = Path(__file__).parents[2]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="prctl and pidfd are Linux's")


async def test_anvil_started_answers_and_has_its_chain(node: Anvil, chain: Chain) -> None:
    """The chain id, the genesis and the epochs are those that were asked for."""
    assert int(await node.rpc("eth_chainId"), 16) == chain.chain_id
    genesis = await node.rpc("eth_getBlockByNumber", "0x0", False)
    assert int(genesis["timestamp"], 16) == chain.genesis_timestamp
    heights = {
        tag: int((await node.rpc("eth_getBlockByNumber", tag, False))["number"], 16)
        for tag in ("latest", "safe", "finalized")
    }
    assert heights == {"latest": 20, "safe": 16, "finalized": 12}


async def test_anvil_error_answer_carries_code_and_method(node: Anvil) -> None:
    """An error object becomes an exception that says which method, which code."""
    with pytest.raises(LabRpcError, match="net_peerCount") as caught:
        await node.rpc("net_peerCount")
    assert caught.value.code == -32601


async def test_anvil_batch_keeps_order_and_errors_apart(node: Anvil) -> None:
    """Every call of a batch has its own result or error, in the order of the calls."""
    number, error, chain_id = await node.batch(
        [("eth_blockNumber",), ("net_peerCount",), ("eth_chainId",)]
    )
    assert (number, chain_id) == ("0x14", "0x7a69")
    assert isinstance(error, LabRpcError)
    with pytest.raises(LabRpcError):
        await node.strict_batch([("eth_blockNumber",), ("net_peerCount",)])
    assert await node.batch([]) == []


async def test_anvil_many_at_once_have_different_ports(anvil_path: Path, chain: Chain) -> None:
    """Nodes that start together never meet on one port."""
    nodes = [Anvil(chain, binary=anvil_path) for _ in range(4)]
    await asyncio.gather(*(node.start() for node in nodes))
    urls = {node.url for node in nodes}
    await asyncio.gather(*(node.stop() for node in nodes))
    assert len(urls) == 4


async def test_anvil_stopped_is_gone_and_says_so(anvil_path: Path, chain: Chain) -> None:
    """After the context there is no process, and a call is an error that says why."""
    async with Anvil(chain, name="gone", binary=anvil_path) as node:
        pid = node.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(LabError, match="gone is not running"):
        await node.rpc("eth_chainId")


async def test_anvil_that_hangs_is_killed(anvil_path: Path, chain: Chain) -> None:
    """A stopped process ignores SIGTERM; it is gone all the same, within two seconds."""
    async with Anvil(chain, binary=anvil_path) as node:
        pid = node.pid
        os.kill(pid, signal.SIGSTOP)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 2
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_anvil_killed_by_another_hand_is_named_with_its_exit(
    anvil_path: Path, chain: Chain
) -> None:
    """A call to a node that died says which node and how it ended."""
    async with Anvil(chain, name="victim", binary=anvil_path) as node:
        handle = os.pidfd_open(node.pid)
        os.kill(node.pid, signal.SIGKILL)
        await asyncio.to_thread(select.select, [handle], [], [], 10)
        os.close(handle)
        with pytest.raises(LabError, match="victim did not answer eth_chainId"):
            await node.rpc("eth_chainId")


async def test_anvil_that_refuses_its_arguments_shows_its_log(anvil_path: Path) -> None:
    """The end of the node's own log is in the error."""
    bad = Chain(chain_id=1, genesis_timestamp=1, hardfork="no-such-fork")
    with pytest.raises(LabError, match=r"(?s)did not come up.*no-such-fork"):
        await Anvil(bad, binary=anvil_path).start()


async def test_anvil_binary_that_does_not_start_is_an_error(tmp_path: Path, chain: Chain) -> None:
    """A file that is no program is named."""
    with pytest.raises(LabError, match="does not start"):
        await Anvil(chain, binary=tmp_path / "absent").start()


@linux_only
def test_anvil_dies_with_a_parent_that_is_killed(anvil_path: Path, tmp_path: Path) -> None:
    """SIGKILL leaves a test runner no time to clean up, and still leaves no node behind."""
    script = (
        "import asyncio, sys, time\n"
        "from pathlib import Path\n"
        "from monitor.lab.anvil import Anvil, Chain\n"
        "async def main():\n"
        f"    binary = Path({str(anvil_path)!r})\n"
        "    async with Anvil(Chain(1, int(time.time())), binary=binary) as n:\n"
        "        print(n.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as parent:
        assert parent.stdout is not None
        handle = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([handle], [], [], 10)
        os.close(handle)
    assert ended
