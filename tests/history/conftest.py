"""What every test of the history may ask for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.history.samples import OPENED


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close every store that a test has opened in memory."""
    yield
    while OPENED:
        OPENED.pop().close()
