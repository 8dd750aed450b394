"""Gates with rules, as a pipeline meets them: the command, its exit codes, and the sidecar."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import aiohttp
import jsonschema
import pytest

from monitor.config import Gate, show
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, lab_settings
from monitor.passed import read
from tests.e2e.processes import (
    SECONDS_MAX,
    get,
    headwatch,
    headwatch_beside,
    sidecar,
    until_status,
)

GATE_SCHEMA = Path(__file__).parents[2] / "docs" / "gate.schema.json"
GATES: dict[str, Any] = {
    "well": {"preset": "quick", "rules": ["rpc.errors.count == 0"]},
    "many": {"rules": ["head.lag_blocks.max < 3", "references.agreeing_operators.min >= 9"]},
    "warned": {"rules": [{"rule": "references.agreeing_operators.min >= 9", "severity": "warn"}]},
    "blind": {"rules": ["ledger.differences.count == 0"]},
    "waits": {
        "rules": [
            {"rule": "references.agreeing_operators.min >= 9", "abort_on_fail": True},
            {"rule": "head.lag_blocks.p95 < 3", "over": "10m"},
        ]
    },
}


def written(net: LabNetwork, path: Path, listen: str = "127.0.0.1:0") -> Path:
    """A configuration of these gates, as `config show` prints it."""
    gates = {name: Gate.model_validate_json(json.dumps(gate)) for name, gate in GATES.items()}
    settings = lab_settings(net, INTERVAL_SECONDS, listen=listen)
    path.write_text(show(settings.model_copy(update={"gate": gates})))
    return path


async def test_gate_with_rules_exits_as_they_come_out(anvil_path: Path, tmp_path: Path) -> None:
    """0, 1 and 3 on real nodes that are well; the report tells every rule with its value."""
    del anvil_path
    schema = json.loads(GATE_SCHEMA.read_text())
    async with LabNetwork() as net:
        await net.wait_blocks(3)
        config = str(written(net, tmp_path / "headwatch.yaml"))
        for name, more, code, verdict in (
            ("well", (), 0, "pass"),
            ("many", (), 1, "fail"),
            ("warned", (), 0, "pass"),
            ("warned", ("--strict",), 1, "fail"),
            ("blind", (), 3, "inconclusive"),
            ("waits", (), 1, "fail"),
        ):
            report = tmp_path / "verdict.txt"
            done = await headwatch_beside(
                *("gate", "-c", config, "--gate", name, "--json", *more),
                *("--output", f"text={report}"),
            )
            assert done.returncode == code, (name, done.stdout, done.stderr)
            document = json.loads(done.stdout)
            jsonschema.validate(document, schema)
            assert (document["policy"], document["verdict"]) == (name, verdict)
            text = report.read_text()
            assert f"rules of {name}" in text
            assert all(rule["rule"] in text for rule in document["rules"])
            assert ("ended early" in done.stderr) == (name == "waits")


async def test_gate_remembers_the_version_that_passed(anvil_path: Path, tmp_path: Path) -> None:
    """On a pass only, with the digest of the very report; a broken file is told beforehand."""
    del anvil_path
    state, report = tmp_path / "state.json", tmp_path / "verdict.json"
    async with LabNetwork() as net:
        await net.wait_blocks(3)
        config = str(written(net, tmp_path / "headwatch.yaml"))
        said = ("-c", config, "--state", str(state), "--output", f"json={report}")
        for gate, code in (("many", 1), ("blind", 3), ("well", 0)):
            assert not state.exists()
            done = await headwatch_beside("gate", *said, "--gate", gate)
            assert done.returncode == code, (gate, done.stdout, done.stderr)
        first = read(state).nodes["local"]
        assert first.version.startswith("anvil/")
        assert first.report == "sha256:" + hashlib.sha256(report.read_bytes()).hexdigest()
        assert (await headwatch_beside("gate", "wait", *said)).returncode == 0
        again = read(state).nodes["local"]
        assert (again.version, again.since) == (first.version, first.since)
        assert again.at > first.at
        assert again.report == "sha256:" + hashlib.sha256(report.read_bytes()).hexdigest()
        state.write_text("{}")
        done = await headwatch_beside("gate", *said)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert f"--state {state}: not a state file" in done.stderr
        missing = ("gate", "-c", config, "--state", str(tmp_path / "none" / "state.json"))
        done = await headwatch_beside(*missing)
        assert (done.returncode, done.stdout) == (2, "")
        assert "is no directory that can be written to" in done.stderr


async def test_sidecar_answers_for_its_gates(anvil_path: Path, tmp_path: Path) -> None:
    """From what its rounds brought: GET with the document, POST by status with the reason."""
    del anvil_path
    async with LabNetwork() as net:
        await net.wait_blocks(3)
        config = written(net, tmp_path / "headwatch.yaml")
        async with sidecar(config) as (_, address):
            async with asyncio.timeout(SECONDS_MAX):
                while not json.loads((await get(f"{address}/api/v1/gate/well"))[1])["data"]["ok"]:
                    await asyncio.sleep(0.05)
            async with aiohttp.ClientSession() as session:
                for name, status, said in (
                    ("well", 200, "pass: "),
                    ("many", 503, "fail: 1 of 2 rules failed: references.agreeing_operators"),
                    ("blind", 503, "inconclusive: 1 of 1 rules could not be judged: ledger."),
                    ("wel", 404, "did you mean well?"),
                ):
                    async with session.post(f"{address}/api/v1/gate/{name}", json={}) as answer:
                        assert answer.status == status
                        assert said in await answer.text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--gate", "deplay", "-c", "one.yaml"), "did you mean 'deploy'?"),
        (("--gate", "deploy", "-c", "bad.yaml"), "bad.yaml:4: gate.deploy.rules[0]: no such"),
        (("--gate", "deploy", "--node", "http://127.0.0.1:1"), "--gate names rules of a config"),
    ],
)
def test_gate_that_is_misspelt_is_told_in_one_line(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    """Exit 2, before any node is asked."""
    node = (
        "nodes: [{name: local, network: dev, url: 'http://127.0.0.1:1', "
        "references: [{name: a, url: 'http://127.0.0.1:2'}]}]\n"
    )
    for name, rule in (("one", "head.lag_blocks.max < 3"), ("bad", "head.lag_blcks.max < 3")):
        text = f"{node}gate:\n  deploy:\n    rules: ['{rule}']\n"
        (tmp_path / f"{name}.yaml").write_text(text)
    done = headwatch("gate", *arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


async def test_gate_asks_a_running_sidecar(anvil_path: Path, tmp_path: Path) -> None:
    """Its verdict and its gates with their exit codes and reports, and nothing that it is not."""
    del anvil_path
    schema = json.loads(GATE_SCHEMA.read_text())
    report = tmp_path / "junit.xml"
    async with LabNetwork() as net:
        config = written(net, tmp_path / "headwatch.yaml")
        async with sidecar(config) as (_, address):
            await until_status(f"{address}/-/synced?node=local", 200)
            for more, code, verdict in (
                ((), 0, "pass"),
                (("--gate", "many"), 1, "fail"),
                (("--gate", "warned"), 0, "pass"),
                (("--gate", "warned", "--strict"), 1, "fail"),
                (("--gate", "blind"), 3, "inconclusive"),
            ):
                done = await headwatch_beside(
                    *("gate", "--sidecar", address, *more, "--json"),
                    *("--output", f"junit={report}"),
                )
                assert done.returncode == code, (more, done.stdout, done.stderr)
                document = json.loads(done.stdout)
                jsonschema.validate(document, schema)
                assert document["verdict"] == verdict
                assert "node:local" in report.read_text()
            nobody = await headwatch_beside("gate", "--sidecar", address, "--gate", "unheard")
            assert (nobody.returncode, "no gate of this name" in nobody.stderr) == (2, True)
            page = await headwatch_beside("gate", "--sidecar", f"{address}/badge")
            assert page.returncode == 3, page.stderr
            old = await headwatch_beside("gate", "--sidecar", address, "--max-age", "1ms")
            assert old.returncode in {2, 3}
        gone = await headwatch_beside("gate", "--sidecar", f"{address}/s3cretKey0123456789")
        assert gone.returncode == 3
        assert "cannot be read: connection refused" in gone.stderr
        assert "s3cretKey0123456789" not in gone.stderr
    both = await headwatch_beside("gate", "--sidecar", "http://127.0.0.1:1", "--for", "60s")
    assert both.returncode == 2
    assert "goes without --for" in both.stderr
