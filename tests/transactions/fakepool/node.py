"""A node without its RPC: a pool before a real chain, its peers, and how it lies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable

import aiohttp

from tests.transactions.fakepool.checks import Account, Settings
from tests.transactions.fakepool.contents import Entry
from tests.transactions.fakepool.dialects import DIALECTS
from tests.transactions.fakepool.pool import Change, Pool
from tests.transactions.fakepool.refusals import Client, Refusal, Refused
from tests.transactions.fakepool.signed import Signed, UndecodableError, UnsignedError, decode
from tests.transactions.fakepool.upstream import Upstream

USED_MAX = 256
"""Mined transactions that are remembered, in case their blocks go."""
REBROADCAST_PERCENT = 5
"""Nethermind, TxBroadcaster: of its local transactions, and one more."""


class Node:
    """A pool that follows a chain and tells its peers; every switch may be turned at any time."""

    def __init__(
        self, name: str, client: Client, upstream: Upstream, settings: Settings | None = None
    ) -> None:
        self.name = name
        self.upstream = upstream
        self.dialect = DIALECTS[client]
        self.settings = settings or Settings()
        self.peers: list[Node] = []
        self.gossips = True
        """Whether it tells its peers; what it did not tell at its moment is never told."""
        self.listens = True
        """Whether it takes what its peers tell."""
        self.is_syncing = False
        self.has_started = True
        """False: before the initial sync is over (Besu), before the pool runs (Erigon)."""
        self.is_indexing = False
        """geth: of what it does not find, it cannot say yet whether it is in a block."""
        self.is_private = False
        """A relay: it shows and tells nobody what it has pooled."""
        self.zeroes_signatures = False
        """As MEV Blocker shows pooled transactions."""
        self.swallows: int | None = 0
        """How many of the next sends it takes with a hash and forgets; None: all."""
        self.reinjects = True
        """Whether what a reorganisation takes out of the chain comes back into the pool."""
        self.refusals: list[Refused] = []
        """What the next sends are refused for, whatever they are."""
        self.tracked: list[Signed] = []
        """geth's local tracker: refused for now, reported as success."""
        self.on_pending: Callable[[Signed], Awaitable[None]] | None = None
        self._pool: Pool | None = None
        self._used: dict[str, Entry] = {}
        self._lock = asyncio.Lock()

    @property
    def pool(self) -> Pool:
        """What it has pooled; after the first look at the chain."""
        assert self._pool is not None, f"{self.name} has not seen the chain yet"
        return self._pool

    # -- its chain -------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Look at the head, and do with the pool what a new one brings."""
        async with self._lock:
            change = await self._catch_up()
        await self._tell(change.announced)

    async def freeze(self, number: int | None = None) -> None:
        """Show the chain as of this height, by default of now; the pool sees no more of it."""
        if number is None:
            number = (await self.upstream.head()).number
        self.upstream.frozen_at = number
        await self.refresh()

    async def thaw(self) -> None:
        """Show the chain as it is."""
        await self.upstream.thaw()
        await self.refresh()

    def sync(self, *, is_syncing: bool) -> None:
        """Fall out of sync, or be in sync again; Besu's pool is emptied and shut meanwhile."""
        self.is_syncing = is_syncing
        if is_syncing and self.dialect.while_syncing == "refuses":
            self.pool.wipe()

    # -- its pool --------------------------------------------------------------------------------

    async def send(self, raw: str, *, is_local: bool = True) -> str:
        """The hash, as `eth_sendRawTransaction` returns it; raises Refused.

        That the hash is returned does not say that the transaction is pooled.
        """
        transaction = _decoded(raw)
        if self.refusals:
            raise self.refusals.pop(0)
        self._check_open()
        if self.swallows is None or self.swallows > 0:
            self.swallows = None if self.swallows is None else self.swallows - 1
            return transaction.hash
        try:
            await self._take(transaction, is_local=is_local)
        except Refused as refused:
            is_tracked = is_local and self.settings.tracks_locals and not self.settings.no_locals
            if not is_tracked or refused.refusal not in self.dialect.hidden:
                raise
            self.tracked.append(transaction)
        return transaction.hash

    async def hear(self, transaction: Signed) -> None:
        """A peer tells of a transaction; what is refused is refused in silence."""
        if not self.listens or self.is_syncing:
            return
        try:
            await self._take(transaction, is_local=False)
        except Refused:
            return

    async def recheck(self) -> None:
        """Try again, as geth's local tracker does each minute, what was refused for now."""
        waiting, self.tracked = self.tracked, []
        for transaction in waiting:
            await self.send(transaction.raw)

    async def count(self, sender: str) -> int:
        """The nonce after what it shows of the sender: `eth_getTransactionCount`, `pending`."""
        async with self._lock:
            change = await self._catch_up()
            account = await self._account(sender)
            nonce = account.nonce if self.is_private else self.pool.next_nonce(sender)
        await self._tell(change.announced)
        return nonce

    def forget(self, hash_: str) -> None:
        """Lose one pooled transaction, without a word."""
        self.pool.drop(hash_)

    def wipe(self) -> None:
        """Lose them all."""
        self.pool.wipe()
        self.tracked.clear()

    async def restart(self, *, has_journal: bool = True) -> None:
        """Come up again with what this client keeps, and announce that anew."""
        self.tracked.clear()
        await self._tell(self.pool.restart(has_journal=has_journal))

    def evict_at_peers(self, hash_: str) -> None:
        """Its peers lose what it has told them, and it will not tell them again."""
        for peer in self.peers:
            peer.forget(hash_)

    def refuse_next(self, refusal: Refusal, **numbers: int) -> None:
        """Refuse the next send for this, whatever it is."""
        self.refusals.append(Refused(refusal, **numbers))

    # -- its peers -------------------------------------------------------------------------------

    async def greet(self, peer: Node) -> None:
        """A new peer is told of all that is executable; nobody else is told again."""
        if self.is_syncing and self.dialect.while_syncing != "takes":
            return
        for transaction, place in tuple(self.pool.places()):
            if place == "pending" and self.gossips and not self.is_private:
                await peer.hear(transaction)

    # -- inside ----------------------------------------------------------------------------------

    def _check_open(self) -> None:
        if not self.has_started:
            is_named = self.dialect.minds(Refusal.INITIAL_SYNC)
            raise Refused(Refusal.INITIAL_SYNC if is_named else Refusal.NOT_SYNCED)
        is_shut = self.dialect.while_syncing == "refuses" or self.settings.no_locals
        if self.is_syncing and is_shut and self.dialect.minds(Refusal.NOT_SYNCED):
            raise Refused(Refusal.NOT_SYNCED)

    async def _take(self, transaction: Signed, *, is_local: bool) -> None:
        async with self._lock:
            before = await self._catch_up()
            await self._account(transaction.sender)
            error: Refused | None = None
            try:
                change = self.pool.add(transaction, is_local=is_local)
            except Refused as refused:
                poked = self._poked(transaction, refused) if is_local else ()
                error, change = refused, Change(announced=poked)
        await self._tell((*before.announced, *change.announced))
        if error is not None:
            raise error

    def _poked(self, transaction: Signed, refused: Refused) -> tuple[Signed, ...]:
        """What Erigon announces again when a replacement of it is refused."""
        if not self.dialect.pokes or refused.refusal is not Refusal.REPLACE:
            return ()
        same_sender = self.pool.of(transaction.sender)
        return tuple(old for old in same_sender if old.nonce == transaction.nonce)

    async def _account(self, sender: str) -> Account:
        if sender not in self.pool.accounts:
            self.pool.accounts |= await self.upstream.accounts([sender], self.pool.head)
        return self.pool.accounts[sender]

    async def _catch_up(self) -> Change:
        """Stand on the present head; called under the lock."""
        head = await self.upstream.head()
        if self._pool is None:
            self._pool = Pool(self.dialect, head, self.settings)
        pool = self._pool
        if head.hash == pool.head.hash:
            return Change()
        senders = pool.senders | {entry.transaction.sender for entry in self._used.values()}
        change = pool.move(head, await self.upstream.accounts(sorted(senders), head))
        announced = [*change.announced, *await self._reinjected(change.used)]
        if self.dialect.rebroadcasts:
            own = pool.local_pending()
            announced += own[: len(own) * REBROADCAST_PERCENT // 100 + 1]
        return Change(announced=tuple(announced))

    async def _reinjected(self, used: Iterable[Entry]) -> list[Signed]:
        """What the chain has lost is pooled again; what it has gained is remembered."""
        announced: list[Signed] = []
        for hash_, entry in tuple(self._used.items()):
            transaction = entry.transaction
            if transaction.nonce < self.pool.accounts[transaction.sender].nonce:
                continue
            del self._used[hash_]
            if self.reinjects:
                with contextlib.suppress(Refused):
                    announced += self.pool.add(transaction, is_local=entry.is_local).announced
        entries = {entry.transaction.hash: entry for entry in used}
        if entries:
            mined = await self.upstream.mined(list(entries))
            self._used |= {hash_: entries[hash_] for hash_ in entries if hash_ in mined}
            for hash_ in list(self._used)[:-USED_MAX]:
                del self._used[hash_]
        return announced

    async def _tell(self, transactions: Iterable[Signed]) -> None:
        """Announce to whoever is a peer now; who has it already, as the one it is from, knows."""
        is_mute = self.is_syncing and self.dialect.while_syncing != "takes"
        for transaction in transactions:
            if self.is_private:
                continue
            if self.on_pending is not None:
                await self.on_pending(transaction)
            if not self.gossips or is_mute:
                continue
            for peer in tuple(self.peers):
                # A peer whose chain is down hears nothing.
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    await peer.hear(transaction)


async def connect(one: Node, other: Node) -> None:
    """Make them peers; each tells the other of what it has."""
    if other in one.peers:
        return
    one.peers.append(other)
    other.peers.append(one)
    await one.greet(other)
    await other.greet(one)


def disconnect(one: Node, other: Node) -> None:
    """Peers no more."""
    one.peers.remove(other)
    other.peers.remove(one)


def isolate(node: Node) -> None:
    """No peers any more."""
    for peer in tuple(node.peers):
        disconnect(node, peer)


def _decoded(raw: str) -> Signed:
    try:
        return decode(raw)
    except UndecodableError:
        raise Refused(Refusal.UNDECODABLE) from None
    except UnsignedError:
        raise Refused(Refusal.INVALID_SENDER) from None
