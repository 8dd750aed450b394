"""`headwatch gate conformance` on real nodes: vectors by hand, and vectors of another node."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from junitparser import Failure, JUnitXml, Skipped

from monitor.lab.anvil import Anvil, Chain
from monitor.lab.faults import Fault
from monitor.lab.proxy import FaultProxy
from tests.conformance.written import answers, asks, refuses, write, write_head
from tests.e2e.processes import headwatch, headwatch_beside

GATE_SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "gate.schema.json").read_text(encoding="utf-8")
)
GENESIS = 1_700_000_000
CHAIN = Chain(31337, GENESIS)
PAYER, PAYEE = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266", "0x" + "0" * 36 + "beef"
BLOCKS = 4
PAID_WEI = 1_000_000_000_000_000_000
ACCOUNTS = "0x21e19e0c9bab2400000"
"""Ten thousand ether, of which nothing was spent."""
OTHER = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"
FIRST_SLOT = "0x" + "0" * 64
KEY = "s3cretKey0123456789"


@asynccontextmanager
async def played(binary: Path, blocks: int = BLOCKS) -> AsyncIterator[Anvil]:
    """A chain that is the same every time: a payment of one ether in block 1, then empty blocks."""
    async with Anvil(CHAIN, binary=binary) as node:
        payment = {"from": PAYER, "to": PAYEE, "value": hex(PAID_WEI), "gas": hex(21_000)}
        fees = {"maxFeePerGas": hex(4 * 10**9), "maxPriorityFeePerGas": hex(10**9)}
        await node.rpc("eth_sendTransaction", {**payment, **fees})
        for number in range(1, blocks + 1):
            await node.rpc("evm_mine", GENESIS + 12 * number)
        yield node


def by_hand(folder: Path) -> None:
    """What follows from how the chain was made, and from execution-apis; no node was asked."""
    write(
        folder, "eth_blockNumber/simple", "// the height", asks("eth_blockNumber"), answers("0x4")
    )
    write(folder, "eth_chainId/simple", asks("eth_chainId"), answers("0x7a69"))
    write(folder, "net_version/simple", asks("net_version"), answers("31337"))
    write(
        folder,
        "eth_getBalance/paid",
        asks("eth_getBalance", PAYEE, "latest"),
        answers(hex(PAID_WEI)),
    )
    write(folder, "eth_getBalance/before", asks("eth_getBalance", PAYEE, "0x0"), answers("0x0"))
    write(folder, "eth_getBalance/unspent", asks("eth_getBalance", OTHER, "0x2"), answers(ACCOUNTS))
    write(
        folder,
        "eth_getTransactionCount/both-sides",
        "// a nonce counts what was sent, and not what came",
        asks("eth_getTransactionCount", PAYER, "0x0"),
        answers("0x0"),
        "// one payment later",
        asks("eth_getTransactionCount", PAYER, "0x1"),
        answers("0x1"),
        asks("eth_getTransactionCount", PAYEE, "0x1"),
        answers("0x0"),
    )
    write(folder, "eth_getCode/none", asks("eth_getCode", PAYEE, "latest"), answers("0x"))
    count = "eth_getBlockTransactionCountByNumber"
    write(
        folder,
        f"{count}/one",
        asks(count, "0x1"),
        answers("0x1"),
        asks(count, "0x2"),
        answers("0x0"),
    )
    write(
        folder,
        "eth_getBlockByNumber/future",
        asks("eth_getBlockByNumber", "0x3e8", False),
        answers(None),
    )
    unknown = "0x" + "7" * 64
    write(
        folder,
        "eth_getTransactionByHash/unknown",
        asks("eth_getTransactionByHash", unknown),
        answers(None),
    )
    write(
        folder,
        "eth_getBalance/no-address",
        "// JSON-RPC 2.0: invalid params",
        asks("eth_getBalance", "0x12", "latest"),
        refuses(-32602),
    )
    write(
        folder,
        "eth_gasPrice/shape",
        "// what a node asks for is its own",
        "// speconly: client response is only checked for schema validity.",
        asks("eth_gasPrice"),
        answers("0x1"),
    )
    write(folder, "eth_notThere/simple", asks("eth_notThere"), answers("0x1"))


async def conformance(folder: Path, url: str, *more: str) -> Any:
    """The command."""
    return await headwatch_beside(
        "gate", "conformance", "--vectors", str(folder), "--node", url, *more
    )


def document(done: Any) -> Any:
    """The JSON that the command printed, held against the schema."""
    found = json.loads(done.stdout)
    jsonschema.validate(found, GATE_SCHEMA)
    return found


def outcomes(found: Any) -> dict[str, str]:
    return {
        f"{one['method']}/{one['name']}": one["outcome"] for one in found["conformance"]["files"]
    }


async def test_node_that_answers_as_it_should_passes(anvil_path: Path, tmp_path: Path) -> None:
    """What was written by hand is what a real client says; a method that is not there is skipped.

    The same with --strict is a failure.
    """
    by_hand(tmp_path)
    async with played(anvil_path) as node:
        done = await conformance(tmp_path, node.url, "--json")
        strict = await conformance(tmp_path, node.url, "--strict")
    assert done.returncode == 0, done.stdout + done.stderr
    found = document(done)
    assert outcomes(found).pop("eth_notThere/simple") == "skipped"
    assert found["conformance"]["counts"] == {"fail": 0, "unknown": 0, "skipped": 1, "pass": 13}
    assert found["conformance"]["client"].startswith("anvil/")
    assert strict.returncode == 1
    assert strict.stdout.startswith("FAIL  1 skipped, 13 pass of 14 files")


async def test_node_a_block_short_fails_where_it_shows(anvil_path: Path, tmp_path: Path) -> None:
    """By file, by path inside of the answer, and with both values; in every report."""
    by_hand(tmp_path)
    junit = tmp_path / "vectors.xml"
    async with played(anvil_path, BLOCKS - 1) as node:
        done = await conformance(tmp_path, node.url, "--output", f"junit={junit}")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "FAIL  1 fail, 1 skipped, 12 pass of 14 files: eth_blockNumber/simple"
    assert '        - the answer: expected "0x4", answered "0x3"' in lines
    assert "  ✓ eth_getBalance                        4 pass" in lines
    suites = JUnitXml.fromfile(str(junit))
    cases = {case.name: [type(one) for one in case.result] for suite in suites for case in suite}
    assert cases["eth_blockNumber/simple"] == [Failure]
    assert cases["eth_notThere/simple"] == [Skipped]
    assert cases["eth_chainId/simple"] == []
    assert {suite.name for suite in suites} >= {"conformance eth_getBalance"}


ASKED: tuple[tuple[Any, ...], ...] = (
    *(("eth_getBlockByNumber", hex(number), True) for number in range(BLOCKS + 1)),
    *(("eth_getBlockReceipts", hex(number)) for number in range(BLOCKS + 1)),
    *(("eth_getProof", account, [FIRST_SLOT], "0x2") for account in (PAYER, PAYEE)),
    ("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}),
    ("eth_feeHistory", "0x2", "0x2", [50]),
)


async def recorded(node: Anvil, folder: Path) -> None:
    """Vectors of what this node says, with its head."""
    for index, (method, *params) in enumerate(ASKED):
        write(
            folder,
            f"{method}/{index}",
            asks(method, *params),
            answers(await node.rpc(method, *params)),
        )
    write_head(folder, (await node.rpc("eth_getBlockByNumber", "latest", False))["hash"])


async def test_vectors_of_one_node_pass_on_the_same_and_fail_on_one_that_lies(
    anvil_path: Path, tmp_path: Path
) -> None:
    """A field that a proxy changes is named by file and path, and nothing else is."""
    async with played(anvil_path) as node:
        await recorded(node, tmp_path)
    async with played(anvil_path) as other:
        done = await conformance(tmp_path, other.url, "--json")
        assert done.returncode == 0, done.stdout
        found = document(done)["conformance"]
        assert found["chain"] == "its head is the vectors', block 4"
        assert found["counts"]["pass"] == len(ASKED)
        receipts = await other.rpc("eth_getBlockReceipts", "0x1")
        proxy = FaultProxy({"node": other.url}, seed=7)
        await proxy.start()
        try:
            lie = [receipts[0] | {"status": "0x0", "gasUsed": "0x5209"}]
            proxy.set(
                Fault("override", methods="eth_getBlockReceipts", params=("0x1",), result=lie),
                Fault("override", methods="eth_getLogs", error=(-32000, "too much")),
            )
            lied = await conformance(tmp_path, f"{proxy.url}/{KEY}", "--json")
        finally:
            await proxy.stop()
    assert lied.returncode == 1, lied.stdout
    assert KEY not in lied.stdout + lied.stderr
    failed = {
        f"{one['method']}/{one['name']}": [
            (each["path"], each["expected"], each["answered"]) for each in one["differences"]
        ]
        for one in document(lied)["conformance"]["files"]
        if one["outcome"] != "pass"
    }
    first, logs = ASKED.index(("eth_getBlockReceipts", "0x1")), len(ASKED) - 2
    assert failed == {
        f"eth_getBlockReceipts/{first}": [
            *(("[0].status", '"0x1"', '"0x0"'), ("[0].gasUsed", '"0x5208"', '"0x5209"'))
        ],
        f"eth_getLogs/{logs}": [("", "a result", "error -32000")],
    }


async def test_node_on_another_chain_is_inconclusive(anvil_path: Path, tmp_path: Path) -> None:
    """Its answers would mean nothing; one that is further on the same chain is asked."""
    async with played(anvil_path) as node:
        await recorded(node, tmp_path)
    async with Anvil(Chain(31337, GENESIS + 1), binary=anvil_path) as other:
        apart = await conformance(tmp_path, other.url, "--json")
    async with played(anvil_path, BLOCKS + 2) as further:
        beyond = await conformance(tmp_path, further.url, "--json", "--method", "eth_getProof")
    assert apart.returncode == 3, apart.stdout
    assert document(apart)["conformance"]["blind"].startswith("the node is on another chain")
    assert document(apart)["conformance"]["files"] == []
    assert beyond.returncode == 0, beyond.stdout
    found = document(beyond)["conformance"]
    assert found["chain"] == "its head is 2 blocks beyond the vectors', block 4"
    assert found["counts"]["pass"] == 2


def test_node_that_is_not_there_is_inconclusive_in_one_line(tmp_path: Path) -> None:
    """Nobody is guilty of what nobody has seen."""
    by_hand(tmp_path)
    url = f"http://127.0.0.1:1/{KEY}"
    done = headwatch("gate", "conformance", "--vectors", str(tmp_path), "--node", url)
    assert done.returncode == 3, done.stdout
    said = "INCONCLUSIVE  the vectors say nothing: the node cannot be asked: connection refused"
    assert done.stdout.splitlines()[0] == said
    assert KEY not in done.stdout + done.stderr


async def test_what_is_left_out_is_told_and_what_need_not_be_too(
    anvil_path: Path, tmp_path: Path
) -> None:
    """A file of exceptions must not only grow; what it names is no failure under --strict."""
    by_hand(tmp_path)
    skip = tmp_path / "skip"
    skip.write_text("eth_notThere/*  # not before the next release\neth_old/*  # was wrong once\n")
    async with played(anvil_path) as node:
        done = await conformance(tmp_path, node.url, "--skip", str(skip), "--strict")
        some = await conformance(
            tmp_path, node.url, "--skip", str(skip), "--method", "eth_chainId", "--json"
        )
    assert done.returncode == 0, done.stdout
    assert f"headwatch: {skip}, line 2: eth_old/* leaves out nothing" in done.stderr
    assert "line 1" not in done.stderr
    assert re.search(r"^headwatch: asking: 1 of 14 files$", done.stderr, re.MULTILINE)
    assert (some.returncode, some.stderr) == (0, "")
    assert outcomes(document(some)) == {"eth_chainId/simple": "pass"}


URL = "http://127.0.0.1:1"
WRONG: dict[str, tuple[list[str], str]] = {
    "no vectors": (["conformance", "--node", URL], "conformance needs --vectors DIR and --node"),
    "no node": (["conformance", "--vectors", "DIR"], "conformance needs --vectors DIR and --node"),
    "no directory": (
        ["conformance", "--node", URL, "--vectors", "nowhere"],
        "--vectors nowhere: it is no directory",
    ),
    "no URL": (["conformance", "--node", "localhost", "--vectors", "DIR"], "--node"),
    "configuration": (
        ["conformance", "--node", URL, "--vectors", "DIR", "-c", "x.yaml"],
        "-c does not go with conformance",
    ),
    "window": (
        ["conformance", "--node", URL, "--vectors", "DIR", "--for", "1m"],
        "--for does not go with conformance",
    ),
    "canary": (
        ["conformance", "--node", URL, "--vectors", "DIR", "--baseline", URL],
        "--baseline does not go with conformance",
    ),
    "no method": (
        ["conformance", "--node", URL, "--vectors", "DIR", "--method", "eth_x"],
        "there is no METHOD/NAME.io of eth_x",
    ),
    "broken": (
        ["conformance", "--node", URL, "--vectors", "DIR"],
        "eth_a/broken.io: line 2: this answer has no request",
    ),
    "no verb": (["--vectors", "DIR"], "--vectors is of `headwatch gate conformance`"),
    "no verb, method": (["--method", "eth_a"], "--method is of `headwatch gate conformance`"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistake_of_the_operator_is_one_line_and_exit_two(name: str, tmp_path: Path) -> None:
    """Said before any node is asked, with the file and its line where it is a file's."""
    write(tmp_path, "eth_a/broken", "// a", answers(1))
    arguments, said = WRONG[name]
    done = headwatch("gate", *(str(tmp_path) if one == "DIR" else one for one in arguments))
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
