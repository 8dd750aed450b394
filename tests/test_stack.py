"""The servers that the tests of a whole start: they start, reload, end, and say why not."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stack import (
    END_SECONDS,
    POLL_SECONDS,
    Alertmanager,
    Prometheus,
    prometheus_config,
    webhook_config,
)

ROOT = Path(__file__).parents[1]
FIRST_SCRAPE_SECONDS = 30.0


def test_prometheus_scrapes_and_evaluates(
    prometheus: Path, alertmanager: Path, tmp_path: Path
) -> None:
    """With an Alertmanager beside it, on ports of their own, and it can be told to read again."""
    rules = tmp_path / "test.rules.yml"
    rules.write_text(
        "groups: [{name: g, rules: [{alert: Always, expr: vector(1)}]}]", encoding="utf-8"
    )
    config = webhook_config("http://127.0.0.1:1/")
    with Alertmanager(alertmanager, tmp_path / "am", config=config) as receiver:
        config = prometheus_config(
            targets={"alertmanager": [f"127.0.0.1:{receiver.port}"]},
            alertmanagers=[f"127.0.0.1:{receiver.port}"],
            rule_files=[rules],
        )
        with Prometheus(prometheus, tmp_path / "prometheus", config=config) as server:
            server.reload(config)
            server.wait(
                lambda: [row["value"][1] for row in server.query("up")] == ["1"],
                FIRST_SCRAPE_SECONDS,
                "scraped",
            )
            server.wait(
                lambda: [a["labels"]["alertname"] for a in receiver.alerts()] == ["Always"],
                FIRST_SCRAPE_SECONDS,
                "alerting",
            )
            assert [rule["health"] for rule in server.rules()] == ["ok"]
        assert not server.log.read_text(encoding="utf-8").count("panic")


def test_server_dies_with_whoever_started_it(alertmanager: Path, tmp_path: Path) -> None:
    """A run of tests that is killed leaves nothing behind that listens."""
    program = (
        "import sys, pathlib, tests.stack as stack\n"
        "config = stack.webhook_config('http://127.0.0.1:1/')\n"
        "server = stack.Alertmanager(*map(pathlib.Path, sys.argv[1:]), config=config)\n"
        "server.start()\n"
        "print(server.port, flush=True)\n"
        "sys.stdin.read()\n"
    )
    starter = subprocess.Popen(
        (sys.executable, "-c", program, alertmanager, tmp_path),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        assert listens(port)
        starter.kill()
    deadline = time.monotonic() + END_SECONDS
    while listens(port):
        assert time.monotonic() < deadline, "it outlived whoever started it"
        time.sleep(POLL_SECONDS)


def listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def test_server_that_does_not_start_shows_the_end_of_its_log(
    alertmanager: Path, tmp_path: Path
) -> None:
    """A broken configuration is read in the failure, and not guessed."""
    broken = Alertmanager(alertmanager, tmp_path, config="route: {receiver: nobody}\n")
    with pytest.raises(AssertionError, match="nobody"):
        broken.start()
    assert broken._child is None
