"""What the server is given to look at, and the little that it may do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from monitor.act.instruments import Instruments
from monitor.act.live import Live
from monitor.model import NodeFacts, Snapshot, Verdict

if TYPE_CHECKING:
    from monitor.history import History
    from monitor.maintenance import Window
    from monitor.policy.evaluation import Ruling
    from monitor.transactions.journal import Reader
    from monitor.transactions.orders import Orders


async def _nothing() -> None:
    """For a server that nobody waits for."""


class Gates(Protocol):
    """Who holds the rules of gates against what is measured."""

    @property
    def names(self) -> tuple[str, ...]: ...

    async def judge(self, name: str, /) -> tuple[Verdict, Ruling]:
        """What this gate says now. Raises KeyError where there is none of this name."""
        ...


@dataclass(frozen=True, slots=True)
class View:
    """The one state, the past, and what may be changed from outside."""

    snapshot: Callable[[], Snapshot]
    alive: Callable[[], bool]
    """Whether the loop still turns."""
    reload: Callable[[], Awaitable[str | None]] | None
    """Reads the configuration again; the answer is None, or why the old one stays. None: off."""
    token: str | None
    """Asked for as a bearer token by what changes something."""
    instruments: Instruments
    exchange: Callable[[NodeFacts], tuple[str, str] | None] = lambda facts: facts.last_exchange
    """The last request and answer of an endpoint: scrubbing them is for those who ask."""
    history: History | None = None
    """None: nothing is remembered, and the pages say so by leaving it out."""
    windows: Callable[[], tuple[Window, ...]] = lambda: ()
    """Maintenance: the windows that are active now, then those that are planned."""
    windows_changed: Callable[[], Awaitable[None]] = _nothing
    """Called after a window was added or ended here, so that `windows` knows of it."""
    live: Live = field(default_factory=Live)
    """Tells open pages that there is something new."""
    page_url: Callable[[], str] = lambda: ""
    """Where people reach the pages, for what they copy from here."""
    orders: Orders | None = None
    """Who takes orders for watched accounts; None: no account is watched."""
    journal: Reader | None = None
    """Where their transactions are written down; None likewise."""
    ledger_report: Callable[[str], Path] | None = None
    """Where the last report of a ledger lies, by its name; None: no ledger is configured."""
    has_eip2159: bool = False
    """Whether metrics have the names of EIP-2159 as well."""
    gates: Gates | None = None
    """The gates of the configuration; None: nobody holds rules against anything here."""
