"""A browser, and what finds barriers in a page; without them wide tests fail in CI."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from monitor.lab.errors import LabError
from tests.browser import axe
from tests.browser.chromium import MissingChromiumError, browsing, find


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium; its absence fails in CI and skips elsewhere."""
    try:
        find()
    except MissingChromiumError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    async with browsing() as found:
        yield found


@pytest.fixture(scope="session")
def axe_script() -> str:
    """The source of axe-core; its absence fails in CI and skips elsewhere."""
    try:
        return axe.fetch().read_text(encoding="utf-8")
    except LabError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
