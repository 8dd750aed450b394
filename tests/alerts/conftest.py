"""A real Alertmanager with the example's own configuration."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests import stack

CONFIGURATION = Path(__file__).parents[2] / "alerts" / "alertmanager.yml"
SETTLE_SECONDS_MAX = 5.0


class Inhibitor(stack.Alertmanager):
    """It is asked which alerts it would not tell."""

    def post(self, alerts: Sequence[dict[str, str]]) -> None:
        body = json.dumps([{"labels": labels} for labels in alerts]).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=stack.ANSWER_SECONDS):  # noqa: S310
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
        alerts = stack.get_json(f"{self.url}/api/v2/alerts?{filters}")
        return {a["labels"]["alertname"] for a in alerts if a["status"]["inhibitedBy"]}


@pytest.fixture(scope="session")
def inhibitor(alertmanager: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inhibitor]:
    """Alertmanager with `alerts/alertmanager.yml` as it is; nothing is told in its first seconds.

    Every route but the watchdog's waits for half a minute before it tells, and the tests are over
    by then; the receivers are at names that do not exist.
    """
    config = CONFIGURATION.read_text(encoding="utf-8")
    with Inhibitor(alertmanager, tmp_path_factory.mktemp("alertmanager"), config=config) as started:
        yield started
