from __future__ import annotations

import asyncio
import gzip

import pytest

from monitor.act import drawn
from tests.act import snapshots
from tests.act.conftest import Serve, Stage


async def test_metrics_fifty_scrapes_at_once_draw_one_page(serve: Serve) -> None:
    """However many ask at the same moment, the snapshot is looked at once."""
    stage = Stage(snapshots.fleet(20))
    client = await serve(stage)

    async def scrape() -> bytes:
        async with client.get("/metrics") as answer:
            return await answer.read()

    bodies = await asyncio.gather(*(scrape() for _ in range(50)))
    assert stage.looks == 1
    assert len(set(bodies)) == 1


async def test_metrics_after_half_a_second_are_drawn_anew(serve: Serve) -> None:
    """A page is kept for a moment only, and the second one tells how long the first took."""
    stage = Stage()
    client = await serve(stage)
    async with client.get("/metrics") as answer:
        assert "headwatch_scrape_duration_seconds" not in await answer.text()
    stage.now += drawn.KEEP_SECONDS
    async with client.get("/metrics") as answer:
        assert "headwatch_scrape_duration_seconds 0.0" in await answer.text()
    assert stage.looks == 2


async def test_metrics_formats_are_kept_apart(serve: Serve) -> None:
    """One scraper's OpenMetrics is not handed to the next one that wants Prometheus' text."""
    client = await serve(Stage())
    async with client.get("/metrics", headers={"Accept": "application/openmetrics-text"}) as one:
        assert (await one.text()).endswith("# EOF\n")
        assert one.headers["Content-Type"].startswith("application/openmetrics-text")
    async with client.get("/metrics") as other:
        assert "# EOF" not in await other.text()


async def test_metrics_are_packed_for_those_who_unpack(serve: Serve) -> None:
    """The gzip page is the same page; who does not accept it gets it plain."""
    client = await serve(Stage())
    accept = {"Accept-Encoding": "gzip"}
    async with client.get("/metrics", headers=accept) as packed:
        assert packed.headers["Content-Encoding"] == "gzip"
        text = await packed.text()
    async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as plain:
        assert "Content-Encoding" not in plain.headers
        assert await plain.text() == text
    assert len(gzip.compress(text.encode())) < len(text)


@pytest.mark.parametrize("path", ["/metrics", "/probe?target=local"])
@pytest.mark.parametrize("has_eip2159", [False, True], ids=["off", "on"])
async def test_metrics_have_the_names_of_the_eip_where_that_is_asked_for(
    serve: Serve, path: str, *, has_eip2159: bool
) -> None:
    """Off is the rule: whoever scrapes the clients too has these names from them."""
    client = await serve(Stage(has_eip2159=has_eip2159))
    async with client.get(path) as answer:
        assert ("ethereum_" in await answer.text()) is has_eip2159


async def test_probe_draws_the_last_round_of_one_target(serve: Serve) -> None:
    """Only the samples of the target, or in words all that is known of it."""
    stage = Stage(snapshots.stalled())
    stage.exchange = lambda facts: (f"to {facts.name}", "said")  # type: ignore[method-assign]
    client = await serve(stage)
    async with client.get("/probe?target=spare") as answer:
        text = await answer.text()
    assert 'node="spare"' in text
    assert 'node="local"' not in text
    async with client.get("/probe?target=local&debug=1") as answer:
        text = await answer.text()
    assert "LAST REQUEST\n  to local\n\nLAST ANSWER\n  said\n" in text
    assert "stands at block" in text
