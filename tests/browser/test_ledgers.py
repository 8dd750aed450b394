"""The ledgers as people meet them, in a real browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.act.ledgers import NAME
from tests.browser.scenes import KEPT, shown
from tests.browser.test_pages import OPEN_ALL, PHONE, WIDE, looking, violations

pytestmark = pytest.mark.wide


@pytest.mark.parametrize("width", [WIDE, PHONE])
async def test_page_with_ledgers_works_without_a_word_in_the_console(
    width: int, browser: Browser
) -> None:
    """Nothing is refused by the policy, missing, or broken; and nothing is wider than a phone."""
    async with (
        shown(KEPT["ledgers"]) as theatre,
        looking(browser, theatre.address + "/", width=width) as (page, said),
    ):
        await expect(page.locator("#live-words")).to_have_text("live")
        await page.evaluate(OPEN_ALL)
        card = page.locator(f"#ledger-{NAME}")
        await expect(card).to_contain_text("2,400.000000001 RLC")
        await expect(card.locator("meter")).to_have_count(7)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_with_ledgers_has_no_barrier_that_axe_knows(
    scheme: Literal["light", "dark"], browser: Browser, axe_script: str
) -> None:
    """Contrast, names, roles, order, landmarks: no violation, on a wide screen and on a phone."""
    found: list[str] = []
    async with shown(KEPT["ledgers"]) as theatre:
        for width in (WIDE, PHONE):
            async with looking(browser, theatre.address + "/", width=width, scheme=scheme) as (
                page,
                _,
            ):
                await page.evaluate(OPEN_ALL)
                found += await violations(page, axe_script, f"ledgers at {width}")
    assert found == []
