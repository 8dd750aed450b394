"""What runs beside the loop where the configuration asks for it: transactions, tap, ledgers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.config import Settings, read_token
from monitor.sidecar import Sidecar
from monitor.transactions.orders import OrderError, Orders

if TYPE_CHECKING:
    from monitor.bookkeeping import Bookkeeping
    from monitor.watchdog import Watchdog

log = logging.getLogger("headwatch")


@contextlib.asynccontextmanager
async def guarding(sidecar: Sidecar, directory: Path | None) -> AsyncIterator[Watchdog | None]:
    """The watchdog of transactions, where accounts or a tap are configured; None elsewhere.

    Raises JournalError where its journal is another process's, or no good.
    """
    wanted = sidecar.settings.transactions
    if directory is None or not (wanted.accounts or wanted.tap):
        yield None
        return
    # Imported here because a sidecar without accounts need not pay for curves and hashes.
    from monitor.watchdog import Watchdog

    watchdog = Watchdog(sidecar, directory)
    await watchdog.open()
    try:
        yield watchdog
    finally:
        await watchdog.close()


@contextlib.asynccontextmanager
async def keeping_books(
    sidecar: Sidecar, directory: Path | None
) -> AsyncIterator[Bookkeeping | None]:
    """Who reconciles the ledgers, where some are configured and may be kept; None elsewhere."""
    if directory is None or not sidecar.settings.ledgers:
        yield None
        return
    # Imported here because a sidecar without ledgers need not know their rules.
    from monitor.bookkeeping import Bookkeeping

    books = Bookkeeping(sidecar, directory)
    try:
        yield books
    finally:
        await books.close()


@contextlib.asynccontextmanager
async def tapping(watchdog: Watchdog | None) -> AsyncIterator[str | None]:
    """The address of the tap, where one is configured.

    Raises OSError where it cannot listen, ConfigError where its token cannot be read.
    """
    tap = None if watchdog is None else watchdog.sidecar.settings.transactions.tap
    if watchdog is None or tap is None:
        yield None
        return
    setting = "transactions.tap.token_file"
    token = None if tap.token_file is None else read_token(tap.token_file, setting)
    async with watchdog.tapping.open(token) as address:
        log.info("tap on %s, in front of %s", address, tap.node)
        yield address


@contextlib.asynccontextmanager
async def alone(settings: Settings, directory: Path) -> AsyncIterator[Orders]:
    """Orders where no sidecar runs: the journal is taken for as long as the context is open.

    Networks and accounts are looked at once, so that an order stands on something. Raises
    JournalError where a sidecar has the journal, OrderError where no account is configured.
    """
    async with Sidecar(settings) as sidecar, guarding(sidecar, directory) as watchdog:
        if watchdog is None:
            message = "no account is watched: name some under `transactions.accounts`"
            raise OrderError(message, "refused")
        await asyncio.gather(*(sidecar.round(watch) for watch in sidecar.watches.values()))
        await asyncio.gather(*(watchdog.round(network) for network in watchdog.keepers))
        yield watchdog.orders
