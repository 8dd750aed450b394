"""A real Prometheus on a free port of loopback, filled with a recording."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

START_SECONDS_MAX = 30.0
FILL_SECONDS_MAX = 60.0
ANSWER_SECONDS_MAX = 10.0
POLL_SECONDS = 0.02
# The recording has a fixed date; nothing of it may be dropped, however long ago that is.
RETENTION = "100y"


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The HTTP API of a server."""

    port: int

    def instant(self, expression: str, at: float) -> list[Any]:
        """What an instant query finds."""
        return self._series(self.get("query", query=expression, time=f"{at}"))

    def range(self, expression: str, begin: float, end: float, step: int) -> list[Any]:
        """What a range query finds."""
        return self._series(
            self.get(
                "query_range", query=expression, start=f"{begin}", end=f"{end}", step=f"{step}"
            )
        )

    def values(self, label: str, selector: str, begin: float, end: float) -> list[str]:
        """The values of a label among the series that a selector chooses."""
        path = f"label/{label}/values"
        found = self.get(path, **{"match[]": selector}, start=f"{begin}", end=f"{end}")
        return [str(value) for value in found]

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer. Raises AssertionError, with Prometheus' own words."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", f"/api/v1/{path}?{urlencode(parameters)}")
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        assert answer["status"] == "success", f"{answer['error']}: {parameters}"
        # Prometheus 3 says here that a counter's name does not end with _total, and the like.
        words = [*answer.get("warnings", ()), *answer.get("infos", ())]
        assert not words, f"{words}: {parameters}"
        return answer["data"]

    def is_ready(self) -> bool:
        """Whether it answers queries."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request("GET", "/-/ready")
            return connection.getresponse().status == 200
        except ConnectionError:
            return False
        finally:
            connection.close()

    @staticmethod
    def _series(answer: Any) -> list[Any]:
        """The values of each series: lists of (time, value as text)."""
        return [each.get("values", [each.get("value")]) for each in answer["result"]]


def fill(promtool: Path, page: str, directory: Path) -> None:
    """Write a recording into the blocks of a database."""
    source = directory / "recorded.om"
    source.write_text(page, encoding="utf-8")
    command = [
        str(promtool),
        "tsdb",
        "create-blocks-from",
        "openmetrics",
        str(source),
        str(directory / "blocks"),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=FILL_SECONDS_MAX, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def serving(program: Path, directory: Path) -> Iterator[Prometheus]:
    """Serve the blocks of a directory until the end of the block; it ends whatever happens."""
    configuration = directory / "prometheus.yml"
    configuration.write_text("global: {}\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(program),
        f"--config.file={configuration}",
        f"--storage.tsdb.path={directory / 'blocks'}",
        f"--storage.tsdb.retention.time={RETENTION}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = directory / "prometheus.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield _ready(Prometheus(port), server, log)
        finally:
            server.kill()
            server.wait()


def _ready(prometheus: Prometheus, server: subprocess.Popen[bytes], log: Path) -> Prometheus:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not prometheus.is_ready():
        words = log.read_text(encoding="utf-8")[-800:]
        assert server.poll() is None, f"prometheus ended with {server.returncode}:\n{words}"
        assert time.monotonic() < deadline, f"not ready after {START_SECONDS_MAX} s:\n{words}"
        time.sleep(POLL_SECONDS)
    return prometheus
