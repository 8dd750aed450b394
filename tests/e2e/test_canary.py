"""`headwatch gate --baseline --candidate` on real nodes: two versions, and faults one at a time."""

from __future__ import annotations

import datetime
import json
import random
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest
from aiohttp import web

from monitor.canary.asking import opened
from monitor.canary.comparison import Comparison, word_of
from monitor.canary.restarting import restart
from monitor.canary.run import Plan, compare
from monitor.config import Tap, Transactions, show
from monitor.judge.profiles import PROFILES, Policy, override, policy
from monitor.lab.anvil import Anvil, Chain
from monitor.lab.faults import Fault
from monitor.lab.network import LabNetwork
from monitor.lab.port import Port
from monitor.lab.proxy import FaultProxy
from monitor.lab.timeline import lab_settings
from monitor.url import Url
from tests.e2e.processes import headwatch, headwatch_beside, sidecar
from tests.stack import free_port

GATE_SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "gate.schema.json").read_text(encoding="utf-8")
)
GENESIS = 1_700_000_000
BLOCKS = 20
CONTROLS = 20
INTERVAL_SECONDS = 0.25
PACE: Policy = policy(override(PROFILES["dev"], interval_seconds=INTERVAL_SECONDS))
PAIRS = 22
"""Enough to be judged by."""
FLAGS = ("--network", "dev", "--interval-seconds", "0.25")
GWEI = 10**9


async def played(node: Anvil) -> None:
    """The same payments at the same times: on two nodes with the same rules, the same blocks."""
    draw = random.Random(7)  # noqa: S311 - the same on both
    accounts = await node.rpc("eth_accounts")
    for number in range(1, BLOCKS + 1):
        for _ in range(draw.randint(0, 4)):
            tip = draw.randint(1, 4) * GWEI
            fees = draw.choice(
                (
                    {"gasPrice": hex(4 * GWEI + tip)},
                    {"maxFeePerGas": hex(20 * GWEI), "maxPriorityFeePerGas": hex(tip)},
                )
            )
            payment = {"from": draw.choice(accounts), "to": draw.choice(accounts), "value": "0x1"}
            await node.rpc("eth_sendTransaction", {**payment, "gas": hex(21_000), **fees})
        await node.rpc("evm_mine", GENESIS + 12 * number)


@asynccontextmanager
async def two(hardfork: str, *binaries: Path) -> AsyncIterator[list[Anvil]]:
    """Two plain processes on which the same was played."""
    chain = Chain(31337, GENESIS, hardfork=hardfork)
    async with Anvil(chain, binary=binaries[0]) as a, Anvil(chain, binary=binaries[1]) as b:
        for node in (a, b):
            await played(node)
        yield [a, b]


def document(done: Any) -> Any:
    """The JSON that the command printed, held against the schema."""
    found = json.loads(done.stdout)
    jsonschema.validate(found, GATE_SCHEMA)
    return found


def failed(found: Any) -> dict[str, Any]:
    """The comparisons of a document that failed, by subject."""
    return {one["subject"]: one for one in found["comparisons"] if one["outcome"] == "fail"}


async def gated(nodes: Sequence[Anvil | FaultProxy], *more: str) -> Any:
    """The command on two nodes."""
    baseline, candidate = nodes
    return await headwatch_beside(
        *("gate", "--baseline", baseline.url, "--candidate", candidate.url, *FLAGS, *more)
    )


async def test_version_that_computes_another_state_is_blocked_at_its_first_block(
    anvil_path: Path, anvil_before_path: Path, tmp_path: Path
) -> None:
    """Under Prague the older anvil leaves out EIP-2935's contract: block 1, by its state root."""
    junit = tmp_path / "canary.xml"
    async with two("prague", anvil_before_path, anvil_path) as nodes:
        done = await gated(nodes, "--json", "--output", f"junit={junit}")
    assert done.returncode == 1, done.stderr
    found = document(done)
    (consensus,) = failed(found).values()
    assert (consensus["check"], consensus["reason"]) == ("consensus", "parted")
    assert consensus["summary"] == "the chains part at block 1: stateRoot differs"
    assert {line["what"] for line in consensus["evidence"]} == {
        "block 1: stateRoot",
        "block 1: hash",
    }
    assert all(line["baseline"] != line["candidate"] for line in consensus["evidence"])
    assert "the chains part at block 1: stateRoot differs" in junit.read_text()


async def test_version_that_answers_otherwise_is_blocked_and_the_method_named(
    anvil_path: Path, anvil_before_path: Path, tmp_path: Path
) -> None:
    """Under Cancun the chain is one and `eth_feeHistory` is not; new fields only warn.

    Once somebody has accepted it, the candidate passes, and the report says so.
    """
    accepted = tmp_path / "accepted.yaml"
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=30)
    accepted.write_text(
        "accepted:\n  - {check: answers, subject: 'method:eth_feeHistory', "
        f"why: rewards are right now, until: '{until}'}}\n"
    )
    async with two("cancun", anvil_before_path, anvil_path) as nodes:
        done = await gated(nodes, "--json")
        allowed = await gated(nodes, "--accepted", str(accepted))
    assert done.returncode == 1, done.stderr
    found = document(done)
    (history,) = failed(found).values()
    assert (history["check"], history["subject"]) == ("answers", "method:eth_feeHistory")
    assert "reward" in history["summary"]
    assert all(line["baseline"] and line["candidate"] for line in history["evidence"])
    warned = {one["subject"] for one in found["comparisons"] if one["outcome"] == "warn"}
    assert "method:eth_getTransactionReceipt" in warned
    assert allowed.returncode == 0, allowed.stdout
    assert "with 1 accepted and" in allowed.stdout
    assert f"failed and accepted until {until}, rewards are right now" in allowed.stdout


async def test_same_version_passes_with_all_twelve_checks_told(anvil_path: Path) -> None:
    """What was not asked for is skipped, and says so: it is no pass."""
    async with two("prague", anvil_path, anvil_path) as nodes:
        done = await gated(nodes, "--json")
    assert done.returncode == 0, done.stdout
    found = document(done)
    outcomes = {one["check"]: one["outcome"] for one in found["comparisons"]}
    assert list(outcomes) == GATE_SCHEMA["$defs"]["comparison"]["properties"]["check"]["enum"]
    skipped = {check for check, outcome in outcomes.items() if outcome == "skipped"}
    assert skipped == {"peers", "disk", "transaction", "restart"}
    assert set(outcomes.values()) == {"pass", "skipped"}


async def compared(net: LabNetwork, **more: Any) -> tuple[Comparison, ...]:
    """A lab's local node as the candidate, beside its leader and one more."""
    plan = Plan(
        baseline=Url(net.reference["a"].url),
        candidate=Url(net.local.url),
        policy=PACE,
        references={"b": Url(net.reference["b"].url)},
        latency_pairs=PAIRS,
    )
    return await compare(plan)


@dataclass(frozen=True, slots=True)
class Bad:
    """One way in which a candidate is bad, and the only check that says so."""

    name: str
    check: str
    reason: str
    strike: Callable[[LabNetwork], None]
    said: str


GONE = (-32601, "the method eth_getProof does not exist/is not available")


def _few_peers(net: LabNetwork) -> None:
    for node, count in ((net.reference["a"], 25), (net.local, 3)):
        node.proxy.set(Fault("override", methods="net_peerCount", result=hex(count)))


CANDIDATES = (
    Bad(
        "lagging",
        "head",
        "behind",
        lambda net: net.local.proxy.set(Fault("lag", blocks=12)),
        "at worst 1",
    ),
    Bad(
        "slow",
        "latency",
        "slower",
        lambda net: net.local.proxy.set(Fault("latency", seconds=0.03)),
        "methods are slower",
    ),
    Bad(
        "method gone",
        "methods",
        "gone",
        lambda net: net.local.proxy.set(Fault("override", methods="eth_getProof", error=GONE)),
        "eth_getProof is gone",
    ),
    Bad("forked", "consensus", "parted", lambda net: net.local.fork(), "miner differs"),
    Bad("fewer peers", "peers", "few_peers", _few_peers, "3 peers"),
)


@pytest.mark.parametrize("bad", CANDIDATES, ids=lambda bad: bad.name)
async def test_bad_candidate_is_blocked_for_its_own_reason_only(anvil_path: Path, bad: Bad) -> None:
    """One fault of the lab, one failed check, and it names what is wrong."""
    async with LabNetwork(("a", "b"), INTERVAL_SECONDS, binary=anvil_path) as net:
        await net.wait_blocks(16)
        bad.strike(net)
        await net.wait_blocks(6)
        found = await compared(net)
    assert word_of(found) == "fail"
    wrong = [(one.check, one.reason) for one in found if one.outcome == "fail"]
    assert wrong == [(bad.check, bad.reason)], found
    (one,) = [one for one in found if one.outcome == "fail"]
    assert bad.said in one.summary
    assert one.lines


@pytest.mark.wide
async def test_healthy_candidate_is_let_through_twenty_times_of_twenty(anvil_path: Path) -> None:
    """Nothing is blocked that is not bad: a gate of one false alarm in ten would hardly pass."""
    async with LabNetwork(("a", "b"), INTERVAL_SECONDS, binary=anvil_path) as net:
        await net.wait_blocks(16)
        for run in range(CONTROLS):
            found = await compared(net)
            wrong = [one for one in found if one.outcome in {"fail", "unknown"}]
            assert not wrong, (run, wrong)
            assert word_of(found) == "pass"


async def test_candidate_that_is_not_there_is_inconclusive_and_its_key_hidden(
    anvil_path: Path,
) -> None:
    """Exit 3, all checks told, and no part of a URL anywhere."""
    key = "s3cretKey0123456789"
    async with Anvil(Chain(31337, GENESIS), binary=anvil_path) as node:
        done = await headwatch_beside(
            *("gate", "--baseline", node.url, "--candidate", f"http://127.0.0.1:1/v3/{key}"),
            *FLAGS,
        )
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith("INCONCLUSIVE  nobody can say")
    assert key not in done.stdout + done.stderr
    assert "http" not in done.stdout


@pytest.mark.wide
async def test_recorded_traffic_is_put_to_both_and_what_writes_is_not(
    anvil_path: Path, tmp_path: Path
) -> None:
    """`latest` becomes one block for both; a write is counted, and reaches nobody."""
    traffic = tmp_path / "traffic.jsonl"
    async with two("prague", anvil_path, anvil_path) as nodes:
        account = (await nodes[0].rpc("eth_accounts"))[0]
        requests = [
            {"method": "eth_getBalance", "params": [account, "latest"]},
            {"method": "eth_getBlockByNumber", "params": ["0xffff", False]},
            {"method": "eth_sendTransaction", "params": [{"from": account, "to": account}]},
            {"method": "anvil_mine", "params": ["0x1"]},
        ]
        traffic.write_text("".join(json.dumps(one) + "\n" for one in requests))
        before = [await node.rpc("eth_blockNumber") for node in nodes]
        done = await gated(nodes, "--traffic", str(traffic))
        after = [await node.rpc("eth_blockNumber") for node in nodes]
        pools = [await node.rpc("txpool_status") for node in nodes]
        traffic.write_text('{"method": "eth_chainId"}\nnonsense\n')
        wrong = await gated(nodes, "--traffic", str(traffic))
    assert done.returncode == 0, done.stdout
    assert "not put: 1 above, 2 unsafe" in done.stdout
    assert before == after
    assert all(pool == {"pending": "0x0", "queued": "0x0"} for pool in pools)
    assert wrong.returncode == 2
    assert "traffic.jsonl: line 2 is not JSON" in wrong.stderr


async def test_transaction_is_sent_through_the_candidate_and_seen(
    anvil_path: Path, tmp_path: Path
) -> None:
    """A node beside itself has it at once; the second time that is no proof any more."""
    path = tmp_path / "signed.hex"
    async with two("prague", anvil_path, anvil_path) as nodes:
        accounts = await nodes[0].rpc("eth_accounts")
        payment = {"from": accounts[0], "to": accounts[1], "value": "0x1", "gas": hex(21_000)}
        nonce = await nodes[0].rpc("eth_getTransactionCount", accounts[0], "latest")
        fees = {"gasPrice": hex(50 * GWEI), "nonce": nonce, "chainId": hex(31337)}
        raw = await nodes[0].rpc("eth_signTransaction", {**payment, **fees})
        path.write_text(raw + "\n")
        proxy = FaultProxy({"itself": nodes[0].url})
        await proxy.start()
        itself: list[Anvil | FaultProxy] = [proxy, nodes[0]]
        sent = await gated(itself, "--transaction", str(path), "--json")
        done = await gated(itself, "--transaction", str(path), "--json")
        await proxy.stop()
        path.write_text("0xnothex")
        wrong = await gated(nodes, "--transaction", str(path))
    for run, outcome, reason in (
        (sent, "pass", "arrived"),
        (done, "unknown", "known_already"),
    ):
        (one,) = [c for c in document(run)["comparisons"] if c["check"] == "transaction"]
        assert (one["outcome"], one["reason"]) == (outcome, reason), one
    assert wrong.returncode == 2
    assert "signed.hex: not 0x" in wrong.stderr


@pytest.mark.wide
async def test_restart_is_seen_and_one_that_did_not_happen_is_not_believed(
    anvil_path: Path,
) -> None:
    """A process that is back at once was away nevertheless; the command `true` proves nothing."""
    async with LabNetwork(("a", "b"), INTERVAL_SECONDS, binary=anvil_path) as net:
        await net.wait_blocks(4)

        async def restarted(request: web.BaseRequest) -> web.StreamResponse:
            await net.restart("local")
            return web.Response()

        port = Port(restarted)
        await port.open()
        order = f"import urllib.request as r; r.urlopen('http://127.0.0.1:{port.number}')"
        commands = [(order, "head_kept", 60.0)] * 5 + [("pass", "never_away", 2.0)]
        baseline, candidate = (Url(one.url) for one in (net.reference["a"], net.local))
        try:
            async with opened(baseline, candidate, {}) as pair:
                for script, reason, seconds in commands:
                    found = await restart(
                        pair,
                        (sys.executable, "-c", script),
                        deadline_seconds=seconds,
                        clock=time.monotonic,
                    )
                    assert found.reason == reason, found
        finally:
            await port.close()


@pytest.mark.wide
async def test_restart_command_that_fails_blocks(anvil_path: Path) -> None:
    """The operator's command is run without a shell; its exit code counts."""
    async with two("prague", anvil_path, anvil_path) as nodes:
        command = shlex.join((sys.executable, "-c", "raise SystemExit(7)"))
        done = await gated(nodes, "--restart-command", command, "--json")
    assert done.returncode == 1, done.stderr
    (one,) = failed(document(done)).values()
    assert (one["check"], one["reason"]) == ("restart", "command_failed")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--baseline", "http://127.0.0.1:1"), "needs --baseline URL and --candidate URL"),
        (("--traffic", "x"), "--traffic is of a canary run"),
        (("--baseline", "http://127.0.0.1:1", "--candidate", "htp:/x"), "--candidate"),
        (("--baseline", "htp:/x", "--candidate", "http://127.0.0.1:1"), "--baseline"),
        (
            ("--baseline", "http://a.test", "--candidate", "http://b.test", "-c", "x.yaml"),
            "-c does not go with --baseline",
        ),
        (
            ("--baseline", "http://a.test", "--candidate", "http://b.test", "--traffic", "none"),
            "--traffic none: No such file",
        ),
        (
            (
                *("--baseline", "http://a.test", "--candidate", "http://b.test"),
                *("--restart-command", "'"),
            ),
            "--restart-command: No closing quotation",
        ),
    ],
)
def test_mistake_on_the_command_line_is_told_in_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """Exit 2, before any node is asked."""
    done = headwatch("gate", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.wide
async def test_traffic_that_the_tap_recorded_is_replayed(anvil_path: Path, tmp_path: Path) -> None:
    """From a program's requests through the tap to the canary's questions; no send among them."""
    traffic, listen = tmp_path / "traffic.jsonl", f"127.0.0.1:{free_port()}"
    async with LabNetwork(("a", "b"), INTERVAL_SECONDS, binary=anvil_path) as net:
        await net.wait_blocks(16)
        settings = lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0")
        tap = Tap(listen=listen, node="local", record=traffic)
        watched = settings.model_copy(update={"transactions": Transactions(tap=tap)})
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(watched))
        account = (await net.local.anvil.rpc("eth_accounts"))[0]
        async with sidecar(config) as (process, _), aiohttp.ClientSession() as session:
            for method, params in (
                ("eth_getBalance", [account, "latest"]),
                ("eth_sendRawTransaction", ["0x02"]),
            ):
                call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
                async with session.post(f"http://{listen}", json=call) as response:
                    assert response.status == 200, await response.text()
            process.send_signal(signal.SIGTERM)
            await process.wait()
        recorded = [json.loads(line) for line in traffic.read_text().splitlines()]
        assert recorded == [{"method": "eth_getBalance", "params": [account, "latest"]}]
        nodes = [net.reference["a"].proxy, net.local.proxy]
        done = await gated(nodes, "--traffic", str(traffic))
    assert done.returncode == 0, done.stdout + done.stderr
