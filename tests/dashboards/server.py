"""A real Prometheus that holds a recording and scrapes nobody."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

from tests import stack

FILL_SECONDS_MAX = 60.0
# The recording has a fixed date; nothing of it may be dropped, however long ago that is.
RETENTION = "100y"


class Recorded(stack.Prometheus):
    """It is filled before it is started."""

    def __init__(self, program: Path, directory: Path) -> None:
        super().__init__(program, directory, config="global: {}\n")

    def flags(self) -> Sequence[str]:
        return (*super().flags(), f"--storage.tsdb.retention.time={RETENTION}")

    def fill(self, promtool: Path, page: str) -> None:
        """Write a recording into the blocks of its database."""
        source = self.data.with_suffix(".om")
        source.write_text(page, encoding="utf-8")
        command = (promtool, "tsdb", "create-blocks-from", "openmetrics", source, self.data)
        done = subprocess.run(
            [str(word) for word in command],
            capture_output=True,
            text=True,
            timeout=FILL_SECONDS_MAX,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def instant(self, expression: str, at: float) -> list[Any]:
        """What an instant query finds."""
        return self._series(self.get("query", query=expression, time=f"{at}"))

    def range(self, expression: str, begin: float, end: float, step: int) -> list[Any]:
        """What a range query finds."""
        span = {"start": f"{begin}", "end": f"{end}", "step": f"{step}"}
        return self._series(self.get("query_range", query=expression, **span))

    def values(self, label: str, selector: str, begin: float, end: float) -> list[str]:
        """The values of a label among the series that a selector chooses."""
        path = f"label/{label}/values"
        found = self.get(path, **{"match[]": selector}, start=f"{begin}", end=f"{end}")
        return [str(value) for value in found]

    def get(self, path: str, **parameters: str) -> Any:
        """The data of an answer. Raises AssertionError, with Prometheus' own words."""
        try:
            answer = stack.get_json(f"{self.url}/api/v1/{path}?{urlencode(parameters)}")
        except HTTPError as refused:
            answer = json.load(refused)
        assert answer["status"] == "success", f"{answer['error']}: {parameters}"
        # Prometheus 3 says here that a counter's name does not end with _total, and the like.
        words = [*answer.get("warnings", ()), *answer.get("infos", ())]
        assert not words, f"{words}: {parameters}"
        return answer["data"]

    @staticmethod
    def _series(answer: Any) -> list[Any]:
        """The values of each series: lists of (time, value as text)."""
        return [each.get("values", [each.get("value")]) for each in answer["result"]]
