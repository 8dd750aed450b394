"""One Prometheus with twenty minutes of headwatch in it, for all tests of the boards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboards import recording
from tests.dashboards.server import Recorded


@pytest.fixture(scope="session")
def page() -> str:
    """What was recorded, as promtool reads it."""
    return recording.recorded()


@pytest.fixture(scope="session")
def filled(
    promtool: Path, prometheus: Path, page: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Recorded]:
    """It serves what was recorded between `recording.BEGIN` and `recording.END`."""
    server = Recorded(prometheus, tmp_path_factory.mktemp("prometheus"))
    server.fill(promtool, page)
    with server:
        yield server
