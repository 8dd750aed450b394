"""A real Alertmanager with the example's own configuration."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

CONFIGURATION = Path(__file__).parents[2] / "alerts" / "alertmanager.yml"
START_SECONDS_MAX = 20.0
SETTLE_SECONDS_MAX = 5.0
LISTENING = re.compile(r"Listening on.*?address=\S*?:(\d+)")


@dataclass(frozen=True, slots=True)
class Inhibitor:
    """What is asked of it: which alerts it would not tell, and because of which."""

    url: str

    def post(self, alerts: Sequence[dict[str, str]]) -> None:
        body = json.dumps([{"labels": labels} for labels in alerts]).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass

    def silenced_with(self, expected: set[str], **labels: str) -> set[str]:
        """As `silenced`, once these are among them, or after some seconds without.

        Alertmanager hears of a new cause a moment after it has answered.
        """
        deadline = time.monotonic() + SETTLE_SECONDS_MAX
        while not (found := self.silenced(**labels)) >= expected:
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        return found

    def silenced(self, **labels: str) -> set[str]:
        """The names of the alerts with these labels that an inhibition keeps back."""
        filters = "&".join(f"filter={name}%3D%22{value}%22" for name, value in labels.items())
        url = f"{self.url}/api/v2/alerts?{filters}"
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310
            alerts = json.load(answer)
        return {a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"]}


@pytest.fixture(scope="session")
def inhibitor(alertmanager: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inhibitor]:
    """Alertmanager with `alerts/alertmanager.yml` as it is; nothing is told in its first seconds.

    Every route but the watchdog's waits for half a minute before it tells, and the tests are over
    by then; the receivers are at names that do not exist.
    """
    folder = tmp_path_factory.mktemp("alertmanager")
    log = folder / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [
                str(alertmanager),
                f"--config.file={CONFIGURATION}",
                f"--storage.path={folder}",
                "--web.listen-address=127.0.0.1:0",
                "--cluster.listen-address=",
            ],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        found = None
        while found is None:
            said = log.read_text(encoding="utf-8")
            found = LISTENING.search(said)
            ended = server.poll() is not None or time.monotonic() > deadline
            if found is None and ended:
                pytest.fail(f"Alertmanager did not start:\n{said[-2000:]}", pytrace=False)
            time.sleep(0.02)
        yield Inhibitor(f"http://127.0.0.1:{found[1]}")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)
