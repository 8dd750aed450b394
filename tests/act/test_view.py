from __future__ import annotations

from monitor.act.instruments import Instruments
from monitor.act.view import View
from tests.act import snapshots


async def test_view_of_the_least_has_neither_past_nor_windows() -> None:
    """What only looks at the state needs no history, no accounts and nobody who listens."""
    view = View(snapshots.healthy, lambda: True, None, None, Instruments())
    assert (view.history, view.windows(), view.page_url(), view.live.clients) == (None, (), "", 0)
    assert (view.orders, view.journal) == (None, None)
    await view.windows_changed()
    facts = view.snapshot().endpoints[-1]
    assert view.exchange(facts) == facts.last_exchange


def test_views_do_not_share_those_who_listen() -> None:
    """Two servers in one process, as in tests, do not tell each other's pages."""
    first, second = (
        View(snapshots.healthy, lambda: True, None, None, Instruments()) for _ in range(2)
    )
    assert first.live is not second.live
