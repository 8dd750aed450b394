"""The transaction watchdog beside the rounds: accounts, journal, signers, tap, orders.

The sidecar judges nodes; the watchdog asks about accounts in the same network, at the pace of its
heads, and hands its findings to the same fold. The journal is open for as long as it lives, and
nobody else can have it meanwhile. A journal that fails stops the acting and not the watching of
nodes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from monitor.config import Settings
from monitor.judge.verdict import is_on_network
from monitor.model import AccountFacts, Address, Finding, Level, node_subject
from monitor.rpc.pending import PendingSubscription
from monitor.sidecar import Sidecar
from monitor.tapping import Tapping, tapped
from monitor.transactions.acting import Acting
from monitor.transactions.configured import rules_of, signers_of
from monitor.transactions.desk import Desk
from monitor.transactions.filing import Filing
from monitor.transactions.journal import (
    JOURNAL_NAME,
    Journal,
    JournalError,
    JournalFencedError,
    Reader,
)
from monitor.transactions.keeper import Events, Keeper, Mode
from monitor.transactions.looking import Looking
from monitor.transactions.orders import Orders
from monitor.transactions.proposal import Proposals
from monitor.transactions.recalling import carry_over, recall
from monitor.transactions.resuming import resume
from monitor.transactions.sending import Sending, Sent
from monitor.transactions.sight import Sight
from monitor.transactions.signers import Signer
from monitor.transactions.signing import Signing
from monitor.transactions.telling import findings_of, over, trouble
from monitor.transactions.ward import Ward
from monitor.transactions.words import Act, Slot, State, Transaction
from monitor.watch import Watch

log = logging.getLogger("headwatch")

HALT_NAME = "halted"
POLL_SECONDS_MAX = 2.0
"""How often an account's own node is asked what is new in its pool."""
ANNOUNCED_SECONDS_MIN = 0.25
"""Between two looks at a pool that announcements give cause to."""
BEAT_SECONDS = 10.0
CLOSE_SECONDS = 5.0
RETIRE_SECONDS = 3600.0
DAY_SECONDS = 86_400.0


class Watchdog:
    """Everything that watches and moves transactions, of all networks.

    `open` before the first round, `close` after the last.
    """

    def __init__(self, sidecar: Sidecar, directory: Path) -> None:
        self.sidecar = sidecar
        self.journal = Journal(
            directory / JOURNAL_NAME,
            clock=sidecar.clock,
            on_commit=sidecar.instruments.tx_journal_commit_seconds.observe,
        )
        self.reader = Reader(directory / JOURNAL_NAME)
        self.keepers: dict[str, Keeper] = {}
        self.tapping = Tapping(self)
        self.halt_file = directory / HALT_NAME
        self.orders: Orders = Desk(lambda: self.keepers, self.halt_file, lambda: self.mode)
        self._signers: dict[str, Signer] = {}
        self.on_news: Callable[[str], None] = lambda network: None
        """Called when a node announces a transaction, at most a few times a second."""
        self._announcing: dict[str, asyncio.Task[None]] = {}
        self._resumed: set[str] = set()
        self.beaten_at: dict[str, float] = {}
        self._looked_at: dict[str, float] = {}
        self._retired_at = sidecar.clock()
        self._is_fenced = False
        self._failing: dict[str, str] = {}
        """What the journal said of a network's last round, where that failed: it is logged once."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_halted(self) -> bool:
        """Whether nothing may be sent: by configuration, by order, or since we lost the journal."""
        halted = self.sidecar.settings.transactions.halted
        return halted or self._is_fenced or self.halt_file.exists()

    @property
    def _wards(self) -> list[Ward]:
        return [ward for keeper in self.keepers.values() for ward in keeper.wards]

    @property
    def mode(self) -> Mode:
        if self.is_halted:
            return "halted"
        return "dry_run" if self.sidecar.settings.transactions.dry_run else "acting"

    async def open(self) -> None:
        """Take the journal. Raises JournalError: another process has it, or it is no good."""
        await self.journal.open()
        self.apply(self.sidecar.settings)
        for network, keeper in self.keepers.items():
            await recall(self.journal, keeper.wards, network, now=self.sidecar.clock())
        self.sidecar.accounts = self.facts
        self.sidecar.transactions_mode = lambda: self.mode

    async def close(self) -> None:
        """Let running sends end, then let go of the journal."""
        for signer in set(self._signers.values()):
            self.hold(signer.close())
        for task in self._announcing.values():
            task.cancel()
        await asyncio.gather(*self._announcing.values(), return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.journal.close()

    def _listen(self, settings: Settings) -> None:
        """Hear of transactions as the accounts' own nodes announce them, by their sockets."""
        for task in self._announcing.values():
            task.cancel()
        theirs = {account.node for account in settings.transactions.accounts}
        self._announcing = {
            node.name: asyncio.create_task(
                PendingSubscription(
                    node.websocket,
                    self.sidecar.session,
                    partial(self._announced, node.network),
                    clock=self.sidecar.clock,
                ).run()
            )
            for node in settings.nodes
            if node.websocket is not None and node.name in theirs
        }

    def _announced(self, network: str, sender: str | None) -> None:
        """Look at the pool, unless that was just done: a busy pool announces all the time."""
        keeper = self.keepers.get(network)
        if keeper is None or (sender is not None and Address(sender) not in keeper.by_address):
            return
        age = self.sidecar.clock() - self._looked_at.get(network, 0.0)
        if not 0 <= age < ANNOUNCED_SECONDS_MIN:
            self.on_news(network)

    def hold(self, work: Coroutine[object, object, None]) -> None:
        """Do something beside the rounds; a mistake of ours in it is counted."""
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if not task.cancelled():
                self.sidecar.shielded("transactions", task.result)

        task.add_done_callback(done)

    def apply(self, settings: Settings) -> None:
        """Watch what these settings say. What is in the journal stays there."""
        transactions = settings.transactions
        for signer in set(self._signers.values()):
            self.hold(signer.close())
        for keeper in self.keepers.values():
            keeper.is_over = True
        self._signers = signers_of(transactions, self.sidecar.session, self.sidecar.clock)
        proposals = None
        if transactions.proposals is not None:
            proposals = Proposals(
                transactions.proposals.url,
                transactions.proposals.token_file,
                self.sidecar.session,
                lambda outcome: self.sidecar.instruments.tx_proposals.labels(outcome=outcome).inc(),
            )
        self.tapping.apply(settings)
        before = self._wards
        self.keepers = {
            network: self._keeper(network, settings, proposals)
            for network in {account.network or "" for account in transactions.accounts}
        }
        carry_over(before, self._wards)
        self._listen(settings)
        self.sidecar.instruments.begin(
            [(account.network or "", account.alias) for account in transactions.accounts]
        )

    def _keeper(self, network: str, settings: Settings, proposals: Proposals | None) -> Keeper:
        clock, instruments = self.sidecar.clock, self.sidecar.instruments
        transactions = settings.transactions
        wards = [
            Ward(account, rules_of(transactions.policy(account.policy)), network)
            for account in transactions.accounts
            if account.network == network
        ]
        sight = Sight(clock)
        node = tapped(settings)
        filing = Filing(
            self.journal,
            sight,
            clock,
            is_claimed=self._is_claimed,
            is_tapped=node is not None and node.network == network,
        )

        def sent(act: Act, one: Sent) -> None:
            labels = {"node": one.label, "act": act.value, "reaction": one.reaction.value}
            instruments.tx_sends.labels(**labels).inc()

        def signed(ward: Ward, act: Act, result: str) -> None:
            labels = {"network": network, "account": ward.account.alias, "act": act.value}
            instruments.tx_signed.labels(**labels, result=result).inc()

        acting = Acting(
            self.journal,
            Sending(self.journal, clock, sent, is_halted=lambda: self.is_halted),
            Signing(self.journal, clock=clock, signer_of=self._signers.get, on_signed=signed),
            clock=clock,
            proposals=lambda: proposals,
        )
        looking = Looking(
            sight,
            filing,
            clock=clock,
            is_synced=self.is_on_network,
            with_known=acting.with_known,
        )
        keeper = Keeper(
            wards,
            self.journal,
            acting,
            looking,
            filing=filing,
            clock=clock,
            events=Events(included=self._included, reorged=self._reorged, closed=self._closed),
        )
        keeper.in_flight = self.tapping.in_flight
        return keeper

    def hasten(self) -> None:
        """Something came in: whatever the height, the next round asks."""
        self._looked_at.clear()
        for keeper in self.keepers.values():
            for ward in keeper.wards:
                ward.is_urgent = True

    def is_on_network(self, node: str) -> bool | None:
        """Whether a node is on its network, by the evaluated state; None: not known."""
        return is_on_network(self.sidecar.memory, node_subject(node))

    def due(self) -> tuple[str, ...]:
        """Networks whose accounts were not looked at for as long as their own nodes allow."""
        now = self.sidecar.clock()
        return tuple(
            name
            for name in self.keepers
            if not 0 <= now - self._looked_at.get(name, 0.0) < POLL_SECONDS_MAX
        )

    def may_rebroadcast(self, network: str, alias: str) -> bool:
        """Whether the policy of an account lets its transactions be sent to references."""
        keeper = self.keepers.get(network)
        wards = () if keeper is None else keeper.wards
        return any(ward.account.alias == alias and ward.rules.rebroadcast for ward in wards)

    def _is_claimed(self, transaction: Transaction) -> bool:
        """Whether it is of an account that is watched on its chain, as far as chains are known."""
        return any(
            transaction.sender in keeper.by_address
            and (transaction.chain_id is None or keeper.chain_id in {None, transaction.chain_id})
            for keeper in self.keepers.values()
        )

    # -- one round -------------------------------------------------------------------------------

    async def round(self, network: str) -> None:
        """One round of a network's accounts, after a round of its nodes; told as findings.

        Never raises but for cancellation and our own mistakes: where the journal fails, the
        accounts' findings say so, and nothing is sent.
        """
        keeper, watch = self.keepers.get(network), self.sidecar.watches.get(network)
        if keeper is None or watch is None:
            return
        self._looked_at[network] = self.sidecar.clock()
        try:
            await self._round(keeper, watch)
        except JournalError as error:
            self.sidecar.instruments.tx_journal_errors.inc()
            self._is_fenced = self._is_fenced or isinstance(error, JournalFencedError)
            keeper.is_stale = True
            if self._failing.get(network) != str(error):
                self._failing[network] = str(error)
                log.error("transactions of %s: %s", network, error)  # noqa: TRY400 - the disk's
            self._trouble(keeper, "journal_failed", str(error), Level.FAILED)
        else:
            if self._failing.pop(network, ""):
                log.info("transactions of %s: the journal is well again", network)

    def _trouble(self, keeper: Keeper, reason: str, summary: str, level: Level) -> None:
        """No account of a network could be judged: nobody may take that for well."""
        if not keeper.is_over:
            self.sidecar.fold(
                trouble(ward.account.alias, ward.network, reason, summary, level)
                for ward in keeper.wards
            )

    async def _round(self, keeper: Keeper, watch: Watch) -> None:
        network = watch.name
        if keeper.is_stale:
            identity = None if watch.round is None else watch.round.identity
            if identity is None:
                # Whose journal entries these are is not known before the chain is.
                if watch.round is not None:
                    text = "its network was not seen yet: too few references answer"
                    self._trouble(keeper, "network_unseen", text, Level.UNKNOWN)
                return
            await recall(
                self.journal,
                keeper.wards,
                network,
                now=self.sidecar.clock(),
                chain_id=identity.chain_id,
            )
            keeper.is_stale = False
        if network not in self._resumed and watch.round is not None and self.mode == "acting":
            await self._resume(keeper, watch)
        is_news = await keeper.round(watch, lambda: self.mode)
        await self._keep_up(network, watch)
        if is_news:
            self._tell(keeper, network)

    async def _resume(self, keeper: Keeper, watch: Watch) -> None:
        """Send again, byte for byte, what was to be sent when the last process ended."""
        endpoints = {endpoint.label: endpoint for endpoint in watch.endpoints}
        intents = await self.journal.open_intents()
        send = keeper.acting.sending.resume
        # Halted meanwhile, what is left waits until that is over.
        if await resume(intents, endpoints, send, lambda: self.mode == "acting"):
            self._resumed.add(watch.name)

    def _tell(self, keeper: Keeper, network: str) -> None:
        findings: list[Finding] = []
        for ward in keeper.wards:
            told = ward.told(self.sidecar.clock())
            if ward.trouble is not None:
                alias, why = ward.account.alias, ward.trouble
                findings.append(trouble(alias, network, "journal_failed", why, Level.FAILED))
            elif told is not None and ward.round is not None:
                findings += findings_of(ward.account.alias, network, ward.slots, told, ward.round)
        subjects = {finding.subject for finding in findings}
        mine = (f for f in self.sidecar.verdict.findings if f.network == network)
        findings += over(mine, subjects, self.sidecar.clock())
        self.sidecar.fold(findings)

    async def _keep_up(self, network: str, watch: Watch) -> None:
        now = self.sidecar.clock()
        head = None if watch.round is None else getattr(watch.round.reference, "head", None)
        if head is not None and now - self.beaten_at.get(network, 0.0) >= BEAT_SECONDS:
            await self.journal.beat(network, head.number, now)
            self.beaten_at[network] = now
        if now - self._retired_at >= RETIRE_SECONDS:
            self._retired_at = now
            days = self.sidecar.settings.transactions.retention_days
            await self.journal.retire(now - days * DAY_SECONDS)

    # -- what is counted and shown ---------------------------------------------------------------

    def _included(self, ward: Ward, slot: Slot, seconds: float) -> None:
        newest = slot.newest
        self.sidecar.instruments.tx_inclusion_seconds.labels(
            network=ward.network, account=ward.account.alias
        ).observe(seconds, {} if newest is None else {"tx_hash": newest.hash})

    def _reorged(self, ward: Ward) -> None:
        labels = {"network": ward.network, "account": ward.account.alias}
        self.sidecar.instruments.tx_reorged.labels(**labels).inc()

    def _closed(self, ward: Ward, slot: Slot, state: State) -> None:
        labels = {"network": ward.network, "account": ward.account.alias}
        self.sidecar.instruments.tx_closed.labels(**labels, state=state.value).inc()
        log.info("%s nonce %d: closed, %s", ward.account.alias, slot.nonce, state.value)

    def facts(self) -> tuple[AccountFacts, ...]:
        """What the pages say of the accounts, by network and alias."""
        now = self.sidecar.clock()
        wards = sorted(self._wards, key=lambda ward: (ward.network, ward.account.alias))
        return tuple(ward.facts(now) for ward in wards)
