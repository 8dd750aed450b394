"""Watched accounts and their transactions as people meet them, in a real browser."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.async_api import Browser, expect

from tests.act.accounts import tx_hash
from tests.browser.scenes import WATCHED, shown
from tests.browser.test_pages import (
    FOCUSABLE,
    NAME,
    OPEN_ALL,
    PHONE,
    WIDE,
    listening,
    looking,
    violations,
)

pytestmark = pytest.mark.wide

ROUTES = ("/", *(f"/transactions/{tx_hash(nonce)}" for nonce in (16, 17, 19)))


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scene", WATCHED)
async def test_page_works_without_a_word_in_the_console(
    scene: str, route: str, browser: Browser
) -> None:
    """Nothing is refused by the policy, missing, or broken; and nothing is wider than a phone."""
    async with shown(WATCHED[scene]) as theatre:
        for width in (WIDE, PHONE):
            async with looking(browser, theatre.address + route, width=width) as (page, said):
                await expect(page.locator("#live-words")).to_have_text("live")
                await page.evaluate(OPEN_ALL)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
                assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("route", ROUTES)
async def test_page_has_no_barrier_that_axe_knows(
    route: str, scheme: Literal["light", "dark"], browser: Browser, axe_script: str
) -> None:
    """Contrast, names, roles, order, landmarks: no violation, on a wide screen and on a phone."""
    found: list[str] = []
    for scene, snapshot in WATCHED.items():
        async with shown(snapshot) as theatre:
            for width in (WIDE, PHONE):
                address = theatre.address + route
                async with looking(browser, address, width=width, scheme=scheme) as (page, _):
                    await page.evaluate(OPEN_ALL)
                    found += await violations(page, axe_script, f"{scene} at {width}")
    assert found == []


async def test_keyboard_leads_from_the_account_to_its_transaction(browser: Browser) -> None:
    """Every link and every summary is reached, in the order of the page, and can be seen."""
    async with (
        shown(WATCHED["watched"]) as theatre,
        looking(browser, f"{theatre.address}/transactions/{tx_hash(17)}") as (page, _),
    ):
        await expect(page.locator("#live-words")).to_have_text("live")
        expected = await page.evaluate(f"({FOCUSABLE})().map({NAME})")
        reached = []
        for _ in expected:
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate(f"({NAME})(document.activeElement)"))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", reached[-1]
        assert reached == expected


async def test_pages_lead_to_each_other_without_scripts(browser: Browser) -> None:
    """From what is wrong to the account, to the transaction, to the command that sends it."""
    async with (
        shown(WATCHED["watched"]) as theatre,
        looking(browser, theatre.address, script=False) as (page, said),
    ):
        await page.locator("#slot-scheduler-17 a").click()
        await page.wait_for_url(f"**/transactions/{tx_hash(17)}")
        await expect(page.locator("main h1")).to_have_text("Nonce 17 of scheduler")
        await page.locator(f"#curl-{tx_hash(17)} summary").click()
        await expect(page.locator(f"#curl-{tx_hash(17)} pre")).to_contain_text("curl -s")
        assert said == []


async def test_news_keep_the_command_open(browser: Browser) -> None:
    """Who is about to copy it is not disturbed by the next round."""
    async with (
        shown(WATCHED["watched"]) as theatre,
        looking(browser, f"{theatre.address}/transactions/{tx_hash(17)}") as (page, _),
    ):
        await listening(theatre)
        opened = page.locator(f"#curl-{tx_hash(17)}")
        await opened.locator("summary").click()
        theatre.play(WATCHED["halted"], rounds=1)
        await expect(page.locator("#band .small")).to_contain_text("Node local FAILED")
        assert await opened.get_attribute("open") is not None
