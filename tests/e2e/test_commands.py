"""The command as its users start it: processes, signals, exit codes, output."""

from __future__ import annotations

import asyncio
import datetime
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from monitor.commands.gating import OUTPUT_KINDS
from monitor.config import INITIAL, show
from monitor.lab.network import LabNetwork
from monitor.lab.timeline import INTERVAL_SECONDS, lab_settings
from tests.e2e.processes import (
    SECONDS_MAX,
    get,
    headwatch,
    headwatch_beside,
    sidecar,
    until_status,
)
from tests.stack import free_port

KEY = "s3cretKey0123456789"
GATE_SCHEMA = Path(__file__).parents[2] / "docs" / "gate.schema.json"


async def test_run_beside_real_nodes_serves_every_route_and_ends_on_sigterm(
    anvil_path: Path, tmp_path: Path
) -> None:
    """The pages answer from one state, /-/synced follows the node, SIGTERM ends with exit 0."""
    del anvil_path
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0")))
        async with sidecar(config) as (process, address):
            await until_status(f"{address}/-/ready", 200)
            await until_status(f"{address}/-/synced?node=local", 200)
            assert (await get(f"{address}/-/healthy"))[0] == 200
            _, metrics = await get(f"{address}/metrics")
            assert 'headwatch_verdict{verdict="pass"} 1' in metrics
            verdict = json.loads((await get(f"{address}/api/v1/verdict"))[1])
            jsonschema.validate(verdict, json.loads(GATE_SCHEMA.read_text()))
            assert verdict["verdict"] == "pass"
            assert "local" in (await get(f"{address}/"))[1]
            net.local.stall()
            reasons = await until_status(f"{address}/-/synced?node=local", 503)
            assert "stall" in reasons
            assert (await get(f"{address}/-/healthy"))[0] == 200
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), SECONDS_MAX) == 0


async def test_maintenance_and_status_speak_with_the_running_sidecar(
    anvil_path: Path, tmp_path: Path
) -> None:
    """A window silences at once, is listed and ended; `status` exits as the verdict is."""
    del anvil_path
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0")))
        async with sidecar(config) as (_, address):
            await until_status(f"{address}/-/synced?node=local", 200)
            listen = address.removeprefix("http://")
            text = config.read_text().replace("listen: 127.0.0.1:0", f"listen: {listen}")
            config.write_text(text)

            async def asked(*arguments: str) -> Any:
                return await headwatch_beside(*arguments, "-c", str(config))

            healthy = await asked("status", "--once", "--json")
            assert healthy.returncode == 0, healthy.stderr
            assert json.loads(healthy.stdout)["verdict"] == "pass"
            added = await asked(
                *("maintenance", "add", "--for", "1h", "--node", "local"),
                *("--reason", "the disk is changed", "--json"),
            )
            assert added.returncode == 0, added.stderr
            (window,) = json.loads(added.stdout)["windows"]
            silenced = 'headwatch_maintenance{network="dev",node="local",reference=""} 1'
            assert silenced in (await get(f"{address}/metrics"))[1]
            net.local.stall()
            await until_status(f"{address}/-/synced?node=local", 503)
            failing = await asked("status", "--once")
            assert failing.returncode == 1, failing.stderr
            assert "the disk is changed" in failing.stdout
            listed = await asked("maintenance", "list")
            assert listed.returncode == 0, listed.stderr
            assert "the disk is changed" in listed.stdout
            ended = await asked("maintenance", "end", window["id"])
            assert ended.returncode == 0, ended.stderr
            assert silenced not in (await get(f"{address}/metrics"))[1]
            again = await asked("maintenance", "end", window["id"])
            assert again.returncode == 2
            assert "there is no such window" in again.stderr
    gone = await headwatch_beside("status", "--once", "--url", address)
    assert gone.returncode == 3
    assert len(gone.stderr.splitlines()) == 1


def test_notify_test_tells_everybody_and_exits_as_they_took_it(tmp_path: Path) -> None:
    """One line each; an unknown name and nobody to tell are usage errors; no key is repeated."""
    config = tmp_path / "headwatch.yaml"
    config.write_text(INITIAL)
    done = headwatch("notify", "test", "-c", str(config))
    assert done.returncode == 2
    assert "nobody: there is nothing under `alerting`" in done.stderr
    dead = f"http://127.0.0.1:{free_port()}/{KEY}"
    config.write_text(INITIAL + f"alerting: {{heartbeats: [{{name: alive, url: '{dead}'}}]}}\n")
    done = headwatch("notify", "test", "-c", str(config), "alife")
    assert done.returncode == 2
    assert "'alife', told are alive" in done.stderr
    done = headwatch("notify", "test", "-c", str(config))
    assert done.returncode == 1
    assert done.stdout.startswith("alive  heartbeat  ")
    assert "refused" in done.stdout
    assert KEY not in done.stdout + done.stderr


def test_assets_are_written_and_what_was_changed_is_left_alone(tmp_path: Path) -> None:
    """An operator's own edits survive an upgrade, and are named; `--force` is the way over them."""
    done = headwatch("assets", str(tmp_path))
    assert done.returncode == 0, done.stderr
    mine = tmp_path / "alerts" / "alertmanager.yml"
    mine.write_text("route: {receiver: mine}\n")
    (tmp_path / "dashboards" / "fleet.json").unlink()
    done = headwatch("assets", str(tmp_path), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["kept"] == ["alerts/alertmanager.yml"]
    assert "--force" in done.stderr
    assert mine.read_text() == "route: {receiver: mine}\n"
    assert (tmp_path / "dashboards" / "fleet.json").is_file()
    done = headwatch("assets", str(tmp_path), "--force", "--runbook-url", "https://x.example.org/r")
    assert done.returncode == 0
    assert "https://x.example.org/r/HeadwatchNodeStalled" in (
        (tmp_path / "alerts" / "headwatch.rules.yml").read_text()
    )
    blocked = tmp_path / "file"
    blocked.write_text("")
    done = headwatch("assets", str(blocked))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


async def test_sighup_with_a_broken_file_keeps_the_old_configuration(
    anvil_path: Path, tmp_path: Path
) -> None:
    """A faulty reload is shown as a metric and changes nothing; a good one takes effect."""
    del anvil_path
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        good = show(lab_settings(net, INTERVAL_SECONDS, listen="127.0.0.1:0"))
        config.write_text(good)
        async with sidecar(config) as (process, address):
            await until_status(f"{address}/-/synced?node=local", 200)
            failed = "headwatch_config_last_reload_successful 0.0"
            config.write_text(good.replace("nodes:", "nodez:"))
            process.send_signal(signal.SIGHUP)
            await _until_metric(address, failed)
            assert (await get(f"{address}/-/synced?node=local"))[0] == 200
            config.write_text(good.replace("name: local", "name: renamed"))
            process.send_signal(signal.SIGHUP)
            await _until_metric(address, "headwatch_config_last_reload_successful 1.0")
            await until_status(f"{address}/-/synced?node=renamed", 200)
            assert (await get(f"{address}/-/synced?node=local"))[0] == 404


async def _until_metric(address: str, line: str) -> None:
    async with asyncio.timeout(SECONDS_MAX):
        while line not in (await get(f"{address}/metrics"))[1].splitlines():
            await asyncio.sleep(0.05)


async def test_gate_on_a_healthy_node_by_flags_alone_passes_with_valid_json(
    anvil_path: Path, tmp_path: Path
) -> None:
    """One-off use needs no file; the JSON on stdout and in the report follows the schema."""
    del anvil_path
    async with LabNetwork() as net:
        references = [word for r in net.reference.values() for word in ("--reference", r.url)]
        report = tmp_path / "verdict.json"
        done = await headwatch_beside(
            *("gate", "--node", net.local.url, *references, "--network", "dev"),
            *("--interval-seconds", "0.25", "--json", "--output", f"json={report}"),
        )
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        schema = json.loads(GATE_SCHEMA.read_text())
        jsonschema.validate(document, schema)
        assert document["verdict"] == "pass"
        assert document["data"] == {"ok": True}
        assert json.loads(report.read_text())["verdict"] == "pass"


async def test_gate_with_a_window_fails_a_node_that_recovers_within_it(
    anvil_path: Path, tmp_path: Path
) -> None:
    """Within a window every finding counts at its worst."""
    del anvil_path
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS)))
        asked = asyncio.create_task(headwatch_beside("gate", "-c", str(config), "--for", "9s"))
        await net.wait_blocks(8)
        net.local.stall()
        await net.wait_blocks(12)
        net.local.follow()
        done = await asked
        assert done.returncode == 1, done.stdout + done.stderr
        assert "stall" in done.stdout


async def test_gate_writes_every_report_in_one_run(anvil_path: Path, tmp_path: Path) -> None:
    """Of a node on a private fork: each format is whole, and annotations go to standard output."""
    del anvil_path
    kinds = [kind for kind in OUTPUT_KINDS if kind != "annotations"]
    config, summary = tmp_path / "headwatch.yaml", tmp_path / "markdown"
    summary.write_text("of another step\n")
    async with LabNetwork() as net:
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS)))
        net.local.fork()
        await net.wait_blocks(12)
        outputs = [word for kind in kinds for word in ("--output", f"{kind}={tmp_path / kind}")]
        done = await headwatch_beside(
            *("gate", "-c", str(config), *outputs, "--output", "annotations=-")
        )
    assert done.returncode == 1, done.stdout + done.stderr
    line = next(n for n, text in enumerate(config.read_text().splitlines(), 1) if "local" in text)
    assert f"::error file={config},line={line},title=fork%3A node%3Alocal::" in done.stdout
    assert "FAIL" not in done.stdout
    assert "FAIL  node local FAILED: fork" in (tmp_path / "text").read_text()
    assert summary.read_text().startswith("of another step\n## ❌ headwatch: fail\n")
    assert "verdict=fail\n" in (tmp_path / "github-output").read_text()
    failures = ET.parse(tmp_path / "junit").iter("failure")  # noqa: S314 - we wrote it
    assert any(failure.get("type", "").startswith("fork/") for failure in failures)
    for kind in ("json", "sarif", "codequality"):
        json.loads((tmp_path / kind).read_text())
    assert (tmp_path / "openmetrics").read_text().endswith("# EOF\n")
    assert all(str(tmp_path) not in (tmp_path / kind).read_text() for kind in ("dotenv", "text"))


async def test_gate_wait_ends_when_the_node_has_caught_up(anvil_path: Path, tmp_path: Path) -> None:
    """A node that is behind at first holds the pipeline up, and lets it go with exit 0."""
    del anvil_path
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS)))
        net.local.stall()
        await net.wait_blocks(12)
        report = tmp_path / "late.json"
        late = await headwatch_beside(
            *("gate", "wait", "-c", str(config), "--timeout", "4s", "--output", f"json={report}")
        )
        assert late.returncode == 1, late.stdout + late.stderr
        assert "the time of 4 s was over" in late.stderr
        waiting = asyncio.create_task(
            headwatch_beside("gate", "wait", "-c", str(config), "--for", "2s", "--timeout", "60s")
        )
        net.local.follow()
        done = await waiting
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.startswith("PASS  node local is on the network's chain")


async def test_gate_lets_pass_what_is_accepted_and_says_so(
    anvil_path: Path, tmp_path: Path
) -> None:
    """With a file of accepted findings a node that lags passes; the report names the reason."""
    del anvil_path
    accepted = tmp_path / "accepted.yaml"
    until = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    entries = [
        f'  - {{check: {check}, subject: "node:local", why: old disk, until: "{until}"}}'
        for check in ("stall", "head", "txpool")
    ]
    accepted.write_text("\n".join(["accepted:", *entries]) + "\n")
    async with LabNetwork() as net:
        config = tmp_path / "headwatch.yaml"
        config.write_text(show(lab_settings(net, INTERVAL_SECONDS)))
        net.local.stall()
        await net.wait_blocks(12)
        done = await headwatch_beside("gate", "-c", str(config), "--accepted", str(accepted))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PASS  node local passes, with 1 accepted finding")
    assert f"failed and accepted until {until}, old disk: block " in done.stdout
    assert "txpool of node:local is accepted and was not found" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("gate", "--node", "http://127.0.0.1:1"), 2, "at least one --reference"),
        (("gate", "--node", "htp:/x", "--reference", "http://127.0.0.1:2"), 2, "--node"),
        (("gate", "--interval-seconds", "0"), 2, "needs --node"),
        (("gate", "--for", "soon"), 2, "expected a time"),
        (("gate", "--output", "pdf=x", "-c", "missing.yaml"), 2, "KIND"),
        (("gate", "-c", "missing.yaml"), 2, "missing.yaml"),
        (("run", "-c", "missing.yaml"), 2, "missing.yaml"),
        (("config", "check", "-c", "missing.yaml"), 2, "missing.yaml"),
        (("lab", "scenario", "stal"), 2, "did you mean 'stall'"),
        (("nonsense",), 2, "invalid choice"),
        ((), 2, "required"),
        (("--help",), 0, "exit codes"),
    ],
)
def test_command_line_mistake_is_told_in_one_line_with_its_exit_code(
    arguments: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    """A usage error exits 2, names what was wrong, and shows no traceback."""
    done = headwatch(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_gate_on_nodes_that_are_not_there_is_inconclusive_and_hides_the_key() -> None:
    """Nobody answers: exit 3 within the deadline, and the key in the URLs is nowhere."""
    done = headwatch(
        *("gate", "--node", f"http://127.0.0.1:1/v3/{KEY}", "--network", "dev"),
        *("--reference", f"http://127.0.0.1:2/v3/{KEY}?token={KEY}"),
    )
    assert done.returncode == 3, done.stderr
    assert "INCONCLUSIVE" in done.stdout.upper()
    assert KEY not in done.stdout + done.stderr


def test_config_commands_start_validate_and_print(tmp_path: Path) -> None:
    """Init writes what check accepts and never overwrites; show masks; schema is JSON."""
    path = tmp_path / "headwatch.yaml"
    assert headwatch("config", "init", str(path)).returncode == 0
    assert path.read_text() == INITIAL
    again = headwatch("config", "init", str(path))
    assert again.returncode == 2
    assert "left as it is" in again.stderr
    path.write_text(INITIAL.replace("http://127.0.0.1:8545", f"http://127.0.0.1:8545/v3/{KEY}"))
    check = headwatch("config", "check", "-c", str(path))
    assert check.returncode == 0, check.stderr
    for form in ((), ("--json",)):
        shown = headwatch("config", "show", "-c", str(path), *form)
        assert shown.returncode == 0
        assert KEY not in shown.stdout
        assert "127.0.0.1:8545/***" in shown.stdout
    assert json.loads(shown.stdout)["nodes"][0]["name"] == "local"
    assert json.loads(headwatch("config", "schema").stdout)["type"] == "object"


def test_run_on_an_address_that_is_taken_exits_2_and_says_so(tmp_path: Path) -> None:
    """The port belongs to somebody else: one line, exit 2."""
    config = tmp_path / "headwatch.yaml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        config.write_text(
            f"http: {{listen: '{address}'}}\n"
            "nodes:\n  - name: local\n    network: dev\n    url: http://127.0.0.1:1\n"
            "    references: [{name: a, url: 'http://127.0.0.1:2'}]\n"
        )
        done = headwatch("run", "-c", str(config))
    assert done.returncode == 2, done.stderr
    assert f"cannot listen on {address}" in done.stderr


def test_result_that_nobody_can_take_is_told_in_one_line(tmp_path: Path) -> None:
    """A full disk below stdout: exit 2; below a report: the verdict's, which is still printed."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    command = [sys.executable, "-m", "monitor"]
    with full.open("w") as disk:
        done = subprocess.run(
            [*command, "config", "schema"],
            stdout=disk,
            stderr=subprocess.PIPE,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines() == [
        "headwatch: cannot write the result: No space left on device"
    ]
    report = headwatch(
        *("gate", "--node", "http://127.0.0.1:1", "--reference", "http://127.0.0.1:2"),
        *("--network", "dev", "--output", f"json={full}"),
        cwd=tmp_path,
    )
    assert report.returncode == 3
    assert "No space left on device" in report.stderr
    assert "INCONCLUSIVE" in report.stdout


def test_lab_list_as_json_names_every_scenario() -> None:
    """The table is readable by machines."""
    rows = json.loads(headwatch("lab", "list", "--json").stdout)
    assert {row["name"] for row in rows} >= {"lag", "stall", "private-fork", "liar-ahead"}
    assert all(row["exit_code"] in {0, 1, 3} for row in rows)


def test_demo_plays_to_its_end_and_finds_every_fault(anvil_path: Path, poco_path: Path) -> None:
    """`headwatch demo` on real nodes: stalled, forked, payments lost, a wrong number; exit 0."""
    del anvil_path, poco_path
    done = headwatch("demo", "--json", "--listen", "127.0.0.1:0")
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(row) for row in done.stdout.splitlines()]
    assert [e["event"] for e in events if e["event"] in {"fault", "heal"}] == [
        *("fault", "heal") * 4
    ]
    failed = {e["check"] for e in events if e["level"] == "failed" and e["because"] is None}
    assert failed >= {"stall", "fork", "ledger"}
    (mined,) = (e["text"] for e in events if e["event"] == "mined")
    assert mined == "5 of 5 payments are on the network"
    seconds = [e["seconds"] for e in events]
    assert seconds == sorted(seconds)


def test_lab_scenario_command_prints_the_timeline_and_exits_0(anvil_path: Path) -> None:
    """Fault in, finding opened, heal, finding closed, in this order."""
    del anvil_path
    done = headwatch("lab", "scenario", "liar-ahead")
    assert done.returncode == 0, done.stdout + done.stderr
    order = [done.stdout.index(word) for word in (" fault ", " opened ", " heal ", " closed ")]
    assert order == sorted(order)
    assert "as expected" in done.stdout
