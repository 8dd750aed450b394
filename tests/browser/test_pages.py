"""The pages as people meet them, in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.scenes import SCENES, Theatre, forked, healthy, shown

pytestmark = pytest.mark.wide

ROUTES = ("/", "/node/local", "/incidents", "/runbook/HeadwatchNodeStalled")
WIDE, PHONE = 1280, 360
MILLISECONDS_MAX = 20_000
expect.set_options(timeout=MILLISECONDS_MAX)
FOCUSABLE = """() => [...document.querySelectorAll(
  'a[href], button, select, input, summary, [tabindex="0"]')]
  .filter((e) => e.checkVisibility({checkVisibilityCSS: true}))"""
OPEN_ALL = "document.querySelectorAll('details').forEach((e) => { e.open = true; })"
NAME = "(e) => `${e.tagName} ${e.id} ${e.textContent.trim().slice(0, 40)} ${e.href || ''}`"


@asynccontextmanager
async def looking(
    browser: Browser,
    address: str,
    *,
    width: int = WIDE,
    scheme: Literal["light", "dark"] = "light",
    script: bool = True,
) -> AsyncIterator[tuple[Page, list[str]]]:
    """A page, and what its console complains of."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        java_script_enabled=script,
        reduced_motion="reduce",
    )
    context.set_default_timeout(MILLISECONDS_MAX)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    await page.goto(address)
    try:
        yield page, said
    finally:
        await context.close()


async def chart_is_drawn(page: Page) -> None:
    """Waits for it where there is one: what is measured should not move."""
    if await page.locator("#chart").count():
        await page.locator("#chart canvas").wait_for()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("scene", SCENES)
async def test_page_works_without_a_word_in_the_console(
    scene: str, route: str, browser: Browser
) -> None:
    """Whatever the situation, nothing is refused by the policy, missing, or broken."""
    async with (
        shown(SCENES[scene]) as theatre,
        looking(browser, theatre.address + route) as (page, said),
    ):
        await expect(page.locator("#live-words")).to_have_text("live")
        await chart_is_drawn(page)
        assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("route", ROUTES)
async def test_page_has_no_barrier_that_axe_knows(
    route: str, scheme: Literal["light", "dark"], browser: Browser, axe_script: str
) -> None:
    """Contrast, names, roles, order, landmarks: no violation, on a wide screen and on a phone."""
    found: list[str] = []
    for scene, snapshot in SCENES.items():
        async with shown(snapshot) as theatre:
            for width in (WIDE, PHONE):
                address = theatre.address + route
                async with looking(browser, address, width=width, scheme=scheme) as (page, _):
                    await chart_is_drawn(page)
                    await page.evaluate(OPEN_ALL)
                    found += await violations(page, axe_script, f"{scene} at {width}")
    assert found == []


async def violations(page: Page, axe_script: str, where: str) -> list[str]:
    """What axe finds, with the element it is about."""
    await page.evaluate(axe_script)
    result: dict[str, Any] = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{where}: {row['id']} {node['target']} {node['failureSummary']}"
        for row in result["violations"]
        for node in row["nodes"]
    ]


@pytest.mark.parametrize("width", [WIDE, PHONE])
@pytest.mark.parametrize("route", ROUTES)
async def test_keyboard_reaches_everything_in_order(
    route: str, width: int, browser: Browser
) -> None:
    """Tab goes from link to control in the order of the page, and where it is can be seen."""
    async with (
        shown(SCENES["stalled"]) as theatre,
        looking(browser, theatre.address + route, width=width) as (page, _),
    ):
        await expect(page.locator("#live-words")).to_have_text("live")
        await chart_is_drawn(page)
        expected = await page.evaluate(f"({FOCUSABLE})().map({NAME})")
        reached = []
        for _ in expected:
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate(f"({NAME})(document.activeElement)"))
            outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", reached[-1]
        assert reached == expected
        assert len(expected) > 10


@pytest.mark.parametrize("route", ROUTES)
async def test_page_fits_a_phone(route: str, browser: Browser) -> None:
    """Nothing is wider than 360 pixels, in any situation."""
    for scene in SCENES.values():
        async with (
            shown(scene) as theatre,
            looking(browser, theatre.address + route, width=PHONE) as (page, _),
        ):
            await chart_is_drawn(page)
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE


async def test_policy_is_in_force(browser: Browser) -> None:
    """An inline script or style that somebody got into the page does nothing."""
    async with (
        shown(SCENES["stalled"]) as theatre,
        looking(browser, theatre.address) as (page, _),
    ):
        refused = await page.evaluate(
            """async () => {
              const seen = [];
              document.addEventListener("securitypolicyviolation",
                (event) => seen.push(event.effectiveDirective));
              const script = document.createElement("script");
              script.textContent = "window.broken = 1";
              document.body.append(script);
              const box = document.createElement("div");
              box.innerHTML = '<p style="color: red" onclick="window.broken = 2">x</p>';
              document.body.append(box);
              box.firstChild.click();
              await fetch("http://127.0.0.1:1/").catch(() => 0);
              await new Promise((done) => setTimeout(done, 0));
              return [window.broken === undefined, ...new Set(seen)].map(String).sort();
            }"""
        )
        assert refused == [
            "connect-src",
            "script-src-attr",
            "script-src-elem",
            "style-src-attr",
            "true",
        ]


async def test_news_change_the_page_and_nothing_that_was_chosen(browser: Browser) -> None:
    """What is new appears without a reload; focus, what was opened and the place stay."""
    async with (
        shown(SCENES["stalled"]) as theatre,
        looking(browser, theatre.address) as (page, said),
    ):
        await expect(page.locator("#live-words")).to_have_text("live")
        await listening(theatre)
        await page.evaluate("window.mark = 1")
        await page.locator("#evidence-head-node-local > summary").click()
        await page.locator("#node-spare a").focus()
        await page.evaluate("window.scrollTo(0, 400)")
        theatre.play(forked(), rounds=1)
        await expect(page.locator("h1")).to_have_text("Node local FAILED: fork")
        assert await page.evaluate("window.mark") == 1
        assert await page.locator("#evidence-head-node-local").count() == 0
        assert await page.locator("#evidence-fork-node-local").get_attribute("open") is not None
        focused = await page.evaluate("document.activeElement.textContent")
        assert focused == "spare"
        await page.locator("#evidence-fork-node-local > summary").click()
        theatre.play(forked(), rounds=2)
        theatre.play(healthy(), rounds=3)
        await expect(page.locator("h1")).to_contain_text("on the network's chain")
        assert await page.title() == "Pass – headwatch"
        await expect(page.locator("#live-words")).to_have_text("live")
        await expect(page.locator("#live-pause")).to_be_visible()
        assert "pass.svg" in str(await page.locator("link[rel=icon]").get_attribute("href"))
        assert said == []


async def test_news_keep_what_was_opened(browser: Browser) -> None:
    """Evidence that is being read is not closed by the next round."""
    async with (
        shown(SCENES["stalled"]) as theatre,
        looking(browser, theatre.address) as (page, _),
    ):
        await listening(theatre)
        await page.locator("#evidence-head-node-local > summary").click()
        await page.locator("#evidence-stall-node-local > summary").click()
        looks = theatre.stage.looks
        theatre.play(SCENES["stalled"], rounds=1)
        await page.wait_for_event("response", lambda r: r.url == f"{theatre.address}/")
        await page.evaluate("new Promise((done) => setTimeout(done, 0))")
        assert theatre.stage.looks > looks
        assert await page.locator("#evidence-head-node-local").get_attribute("open") is not None
        assert await page.locator("#evidence-stall-node-local").get_attribute("open") is None


async def test_news_leave_the_chart_alone(browser: Browser) -> None:
    """The page around the chart changes; the chart is not drawn twice nor lost."""
    async with (
        shown(SCENES["stalled"]) as theatre,
        looking(browser, f"{theatre.address}/node/local") as (page, said),
    ):
        await chart_is_drawn(page)
        await listening(theatre)
        await expect(page.locator("#lag")).to_be_hidden()
        theatre.play(healthy(), rounds=1)
        await expect(page.locator("h1")).to_contain_text("on the network's chain")
        assert await page.locator("#chart canvas").count() == 1
        await expect(page.locator("#chart")).to_be_visible()
        await expect(page.locator("#lag")).to_be_hidden()
        assert said == []


async def test_lost_connection_is_said_and_found_again(browser: Browser) -> None:
    """A page that shows an old state says that it does, and recovers by itself."""
    async with (
        shown(SCENES["healthy"]) as theatre,
        looking(browser, theatre.address) as (page, _),
    ):
        await listening(theatre)
        port = int(theatre.address.rsplit(":", 1)[1])
        await theatre.close()
        await expect(page.locator("#live-words")).to_have_text("connection lost")
        await expect(page.locator("body.lost")).to_be_visible()
        theatre.stage.snapshot = SCENES["stalled"]
        await theatre.open(port)
        await expect(page.locator("#live-words")).to_have_text("live")
        await expect(page.locator("h1")).to_have_text("Node local FAILED: stall")


async def test_page_polls_where_events_are_refused(browser: Browser) -> None:
    """With every place taken by others it still follows, a little slower."""
    async with (
        shown(SCENES["healthy"]) as theatre,
        looking(browser, "about:blank") as (page, _),
    ):
        await page.route("**/api/v1/events", lambda route: route.fulfill(status=503))
        await page.goto(f"{theatre.address}/?refresh=1")
        theatre.stage.snapshot = SCENES["stalled"]
        await expect(page.locator("h1")).to_have_text("Node local FAILED: stall")
        assert theatre.stage.live.clients == 0


async def test_pause_is_one_key_and_holds(browser: Browser) -> None:
    """Who reads can stop the page from moving by the keyboard, and let it go on."""
    async with (
        shown(SCENES["healthy"]) as theatre,
        looking(browser, theatre.address) as (page, _),
    ):
        await listening(theatre)
        await page.locator("#live-pause").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#live-words")).to_have_text("paused")
        theatre.play(SCENES["stalled"], rounds=1)
        await page.wait_for_function("document.getElementById('live-pause').textContent==='resume'")
        await expect(page.locator("h1")).to_contain_text("on the network's chain")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Node local FAILED: stall")


@pytest.mark.parametrize("scene", SCENES)
async def test_page_is_whole_without_scripts(scene: str, browser: Browser) -> None:
    """Everything is there without JavaScript, also the line of the lag."""
    async with (
        shown(SCENES[scene]) as theatre,
        looking(browser, theatre.address, script=False) as (page, said),
    ):
        await expect(page.locator("h1")).not_to_be_empty()
        await expect(page.locator("header noscript a")).to_be_visible()
        await expect(page.locator("#live")).to_be_hidden()
        await expect(page.locator("#node-local svg.bars")).to_be_visible()
        await page.locator("#node-local a").click()
        await expect(page.locator("#lag svg")).to_be_visible()
        await expect(page.locator("#chart")).to_be_hidden()
        await page.goto(f"{theatre.address}/incidents")
        await page.locator("#filter-node").select_option("local")
        await page.locator("#filter-show").click()
        await page.wait_for_url("**/incidents?network=&node=local")
        assert said == []


async def test_page_without_scripts_follows_by_reloading(browser: Browser) -> None:
    """The page that a text browser or a locked-down desk shows is not yesterday's."""
    async with (
        shown(SCENES["healthy"]) as theatre,
        looking(browser, f"{theatre.address}/?refresh=1", script=False) as (page, _),
    ):
        theatre.stage.snapshot = SCENES["stalled"]
        await expect(page.locator("h1")).to_have_text("Node local FAILED: stall")


async def listening(theatre: Theatre) -> None:
    """Waits until the page hears of news."""
    async with asyncio.timeout(MILLISECONDS_MAX / 1000):
        while not theatre.stage.live.clients:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("route", ["/", "/node/local", "/incidents"])
async def test_news_leave_the_page_as_it_would_have_been_drawn(
    route: str, browser: Browser
) -> None:
    """Through every situation and back: what is changed in place is what a reload would show."""
    shape = """() => [...document.querySelectorAll("#band *, #main *")]
      .filter((e) => !e.closest("[data-keep], [data-hides], noscript, select"))
      .map((e) => `${e.nodeName} ${e.id} ${e.className.baseVal ?? e.className} ` +
        [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.nodeValue.trim()).join("|"))
    """
    async with (
        shown(SCENES["healthy"]) as theatre,
        looking(browser, theatre.address + route) as (page, said),
        looking(browser, "about:blank") as (other, _),
    ):
        await chart_is_drawn(page)
        await listening(theatre)
        order = ("stalled", "healthy", "unknown", "forked", "healthy", "unknown", "stalled")
        for rounds, scene in enumerate(order, 1):
            theatre.play(SCENES[scene], rounds)
            head = SCENES[scene].verdict.word
            await other.goto(theatre.address + route)
            while await other.locator(f"#band.{head}").count() == 0:
                await other.reload()
            expected = await other.evaluate(shape)
            await page.wait_for_function(
                f"(expected) => JSON.stringify(({shape})()) === JSON.stringify(expected)",
                arg=expected,
            )
            await expect(page.locator("#live")).to_be_visible()
        assert said == []
