"""A real Prometheus and a real Alertmanager on ports of their own, for the tests of a whole.

    with Alertmanager(program, directory, config=…) as alertmanager:
        alertmanager.url

Each dies with whoever started it, writes to a log file, and shows the end of it where a test finds
it not ready. Nothing gossips: Alertmanager would open port 9094.
"""

from __future__ import annotations

import ctypes
import functools
import json
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

READY_SECONDS = 20.0
END_SECONDS = 10.0
TAIL_LINES = 40
PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.05
ANSWER_SECONDS = 5.0


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def _die_with_parent() -> None:
    _libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def get_json(url: str) -> Any:
    """What a server answers, as JSON. Raises OSError while it does not answer."""
    with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - ours
        return json.load(answer)


class Program:
    """A server with a configuration file, a data directory, `/-/ready` and a log."""

    name = ""

    def __init__(self, program: Path, directory: Path, *, config: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = directory / f"{self.name}.yml"
        self.config.write_text(config, encoding="utf-8")
        self.log = directory / f"{self.name}.log"
        self._directory = directory
        self._command = [str(program), *self.flags()]
        self._child: subprocess.Popen[bytes] | None = None

    def flags(self) -> Sequence[str]:
        raise NotImplementedError

    @property
    def data(self) -> Path:
        """Where it keeps what must outlive it; `flags` names it."""
        return self._directory / f"{self.name}-data"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, on the same port each time, and wait until it is ready."""
        _libc()  # Loaded here: between fork and exec is no place to look for libraries.
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._directory,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one thread, and it dies with us
            )
        try:
            self.wait(self.is_ready, READY_SECONDS, "ready")
        except BaseException:
            self.kill()
            raise

    def kill(self) -> None:
        """End it as a power cut would."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.wait(END_SECONDS)

    def reload(self, config: str) -> None:
        """Another configuration; it is asked to read it."""
        self.config.write_text(config, encoding="utf-8")
        request = urllib.request.Request(f"{self.url}/-/reload", method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=ANSWER_SECONDS):  # noqa: S310
            return

    def is_ready(self) -> bool:
        child = self._child
        assert child is not None, f"{self.name} was not started"
        assert child.poll() is None, f"{self.name} ended with {child.returncode}\n{self.tail()}"
        ready = f"{self.url}/-/ready"
        try:
            with urllib.request.urlopen(ready, timeout=ANSWER_SECONDS):  # noqa: S310 - ours
                return True
        except OSError:
            return False

    def wait(self, condition: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait until a condition holds. Fails with the end of the log."""
        deadline = time.monotonic() + seconds
        while not condition():
            late = time.monotonic() > deadline
            assert not late, f"{self.name}: not {what} after {seconds:g} s\n{self.tail()}"
            time.sleep(POLL_SECONDS)

    def tail(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"--- the end of {self.log.name} ---", *lines[-TAIL_LINES:]])


class Alertmanager(Program):
    """Groups, inhibits and routes what is posted to it."""

    name = "alertmanager"

    def flags(self) -> Sequence[str]:
        return (
            f"--config.file={self.config}",
            f"--storage.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        )

    def alerts(self) -> list[dict[str, Any]]:
        """What it knows to be firing, silenced and inhibited ones included."""
        found: list[dict[str, Any]] = get_json(f"{self.url}/api/v2/alerts")
        return found


class Prometheus(Program):
    """Scrapes, evaluates, sends alerts. Its first scrape takes 5 s, whatever is configured."""

    name = "prometheus"

    def flags(self) -> Sequence[str]:
        return (
            f"--config.file={self.config}",
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            # An alert that fires before Alertmanager is discovered would be lost for a minute.
            "--rules.alert.resend-delay=1s",
            "--log.level=warn",
        )

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The instant vector of an expression."""
        answer = get_json(f"{self.url}/api/v1/query?{urlencode({'query': expression})}")
        assert answer["status"] == "success", answer
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """Every rule with its health and, for alerts, its state."""
        groups = get_json(f"{self.url}/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


def webhook_config(webhook_url: str) -> str:
    """A configuration of Alertmanager that tells one webhook of everything at once, ends too."""
    return f"""
route:
  receiver: hook
  group_by: [alertname, network, node, reference]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs:
      - url: {webhook_url}
        send_resolved: true
"""


def prometheus_config(
    *,
    targets: Mapping[str, Sequence[str]],
    alertmanagers: Sequence[str] = (),
    rule_files: Sequence[Path] = (),
    interval: str = "200ms",
) -> str:
    """A configuration of Prometheus: jobs with their HOST:PORT, and whom alerts are sent to."""
    document = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(path) for path in rule_files],
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": list(hosts)}]}
            for job, hosts in targets.items()
        ],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]
            if alertmanagers
            else []
        },
    }
    return json.dumps(document)  # YAML is a superset of JSON.
