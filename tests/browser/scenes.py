"""What the browser is shown: situations with a past, served as a sidecar serves them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from monitor.act.live import Live
from monitor.act.server import application
from monitor.maintenance import CONFIGURATION, Window
from monitor.model import Evidence, Level, Snapshot
from monitor.transactions.journal import Reader
from tests.act import accounts, ledgers, pasts, snapshots
from tests.act.conftest import Stage, view_of
from tests.act.snapshots import NETWORK, NOW, TIP, finding, hash_of, head_at
from tests.act.surveyed_checks import surveyed

BRANCH = 7
MAINTENANCE = (
    Window("w3", NOW - 900, NOW + 2700, (), ("spare",), "client update to 1.17", "alice"),
    Window("weekly", NOW + 7200, NOW + 10_800, (NETWORK,), (), "reboots", CONFIGURATION),
)


def forked() -> Snapshot:
    """One of two nodes follows a chain of its own."""
    subject = "node:local"
    fork = finding(
        "fork",
        subject,
        Level.FAILED,
        "forked",
        summary=f"another hash than the references from block {TIP - 20} on, 20 blocks deep",
        measured=20.0,
        limit=3.0,
        unit="blocks",
        as_of=head_at(TIP, BRANCH).stamp,
        since=NOW - 190.0,
        evidence=(
            Evidence(
                "local",
                "eth_getBlockByNumber",
                f"block {TIP} is {hash_of(TIP, BRANCH)}",
                NOW - 1.5,
                head_at(TIP, BRANCH).stamp,
            ),
            Evidence(
                f"{NETWORK} references (one, three, two)",
                "quorum",
                f"block {TIP} is {hash_of(TIP)}",
                NOW - 1.5,
                head_at(TIP).stamp,
                "3 blocks (ethereum@1: deeper reorgs come less than once in 30 days)",
                4.2e-8,
            ),
        ),
    )
    well = snapshots.healthy("local", "spare")
    seen = tuple(o for o in well.observations if o.node != "local")
    branch = snapshots.observations_of("local", TIP, BRANCH)
    return replace(snapshots.with_finding(well, fork), observations=(*seen, *branch))


def healthy() -> Snapshot:
    return snapshots.healthy("local", "spare")


def asked() -> Snapshot:
    """Everything is asked of two nodes, one of which has no peers."""
    alone = finding(
        "peers",
        "node:local",
        Level.DEGRADED,
        "no_peers",
        summary="no peers, fewer than 3",
        measured=0.0,
        limit=3.0,
        unit="peers",
        since=NOW - 400.0,
        evidence=(Evidence("local", "net_peerCount", "0 peers", NOW - 1.5),),
    )
    return snapshots.with_finding(surveyed(healthy(), "local", "spare"), alone)


SCENES: Mapping[str, Snapshot] = {
    "healthy": healthy(),
    "stalled": snapshots.stalled(),
    "forked": forked(),
    "unknown": snapshots.split(),
    "asked": asked(),
}
WATCHED: Mapping[str, Snapshot] = {
    "watched": accounts.watched(),
    "halted": replace(accounts.watched(snapshots.stalled()), transactions_mode="halted"),
}
"""With accounts: one in trouble, one at rest."""
KEPT: Mapping[str, Snapshot] = {
    "ledgers": ledgers.kept(
        healthy(), (ledgers.wrong(), ledgers.differing()), (ledgers.fresh(), None)
    ),
}
"""With ledgers: one that differs, one that was never compared."""


@dataclass
class Theatre:
    """A stage and the address where it is shown."""

    stage: Stage
    address: str = ""
    _runner: web.AppRunner | None = field(default=None, repr=False)

    async def open(self, port: int = 0) -> None:
        """Serve it, at a port of its own unless one is named."""
        self._runner = web.AppRunner(
            application(view_of(self.stage)), access_log=None, shutdown_timeout=0.5
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port, reuse_address=True).start()
        self.address = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def play(self, snapshot: Snapshot, rounds: int) -> None:
        """Another situation, with the news of it."""
        self.stage.snapshot = snapshot
        verdict = snapshot.verdict.word
        self.stage.live.publish(at=NOW + rounds, verdict=verdict, rounds=rounds)


@asynccontextmanager
async def shown(snapshot: Snapshot, *, hours: float = 2.0) -> AsyncIterator[Theatre]:
    """The situation after some hours in which two nodes were well and not so well.

    Where accounts are watched, their journal is `tests.act.accounts.written`.
    """
    names = [facts.name for facts in snapshot.endpoints if facts.kind == "node"]
    well = snapshots.healthy(*names)
    chapters = [(hours * 0.6, well), (hours * 0.02, snapshots.stalled()), (hours * 0.2, well)]
    chapters += [(hours * 0.03, snapshots.split()), (hours * 0.15, well), (0.02, snapshot)]
    history = await pasts.history_at()
    pasts.live_through(history, chapters)
    await history.flush()
    silenced = frozenset({"node:spare"} & {f"node:{name}" for name in names})
    stage = Stage(
        replace(snapshot, silenced=silenced),
        history=history,
        windows=MAINTENANCE if silenced else (),
        live=Live(interval_seconds=0.1),
    )
    theatre = Theatre(stage)
    with TemporaryDirectory() as directory:
        if snapshot.accounts:
            path = await accounts.written(Path(directory) / "journal.sqlite")
            stage.journal, stage.orders = Reader(path), accounts.Clerk()
        await theatre.open()
        try:
            yield theatre
        finally:
            await theatre.close()
            await history.close()
