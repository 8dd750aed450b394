"""A tiny network of pools around one chain, and a watchdog that decides and plans on it.

Nonces are counted as nodes count them, a pool takes a second transaction of a nonce for 10 % more,
and passes on what a block could take now. A node may be behind, silent, cut off from gossip, or
lose its pool; blocks that are not final may be replaced. Time goes by blocks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

from monitor.model import Hash32, Unseen
from monitor.transactions.decide import consumed, decide
from monitor.transactions.plan import Past, Step, plan
from monitor.transactions.rules import Rules
from monitor.transactions.words import (
    DESTRUCTIVE,
    TERMINAL,
    AccountCounters,
    AccountRound,
    Act,
    Attempt,
    AttemptKind,
    Consumer,
    Counters,
    Decision,
    Market,
    PoolEntry,
    Presence,
    Receipt,
    Slot,
    State,
    Transaction,
    View,
)
from tests.transactions.builders import (
    ETHER,
    GWEI,
    INTERVAL,
    MARKET,
    NOW,
    SENDER,
    TIMEOUT,
    cancellation,
    hash_of,
    head_at,
    payment,
)

FINAL_DEPTH = 6
RULES = Rules(
    replace=True,
    cancel=True,
    fill=True,
    bumps_max=50,
    actions_an_hour_max=10**6,
    fee_cap_max_wei=10**6 * GWEI,
    budget_a_day_wei=10**6 * ETHER,
)
KINDS: dict[Act, AttemptKind] = {
    Act.REPLACE: "replace",
    Act.CANCEL: "cancel",
    Act.FILL: "fill",
}


@dataclass(frozen=True)
class Block:
    hash: Hash32
    transactions: tuple[Transaction, ...] = ()


class Chain:
    """Blocks by height; the account's transactions are all there is in them."""

    def __init__(self) -> None:
        self.blocks = [Block(head_at(0).hash)]
        self._fresh = count()

    @property
    def height(self) -> int:
        return len(self.blocks) - 1

    @property
    def final_height(self) -> int:
        return max(0, self.height - FINAL_DEPTH)

    def append(self, *transactions: Transaction) -> None:
        self.blocks.append(Block(hash_of(f"block {next(self._fresh)}"), transactions))

    def mined(self, upto: int) -> list[tuple[int, Transaction]]:
        """Everything up to a height, with the heights."""
        return [
            (height, transaction)
            for height, block in enumerate(self.blocks[: upto + 1])
            for transaction in block.transactions
        ]

    def reorganise(self, depth: int) -> list[Transaction]:
        """Put as many empty blocks, and one more, in the place of the last ones; what they held."""
        depth = min(depth, self.height - self.final_height)
        kept = len(self.blocks) - depth
        gone = [one for block in self.blocks[kept:] for one in block.transactions]
        del self.blocks[kept:]
        for _ in range(depth + 1):
            self.append()
        return gone


@dataclass
class Node:
    """A node, its pool, and what is wrong with it."""

    label: str
    chain: Chain
    lag: int = 0
    is_silent: bool = False
    is_mute: bool = False
    """It answers, and not what is asked of transactions."""
    is_island: bool = False
    """It gossips with nobody."""
    pool: dict[int, Transaction] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return max(0, self.chain.height - self.lag)

    @property
    def latest(self) -> int:
        return len(self.chain.mined(self.height))

    @property
    def executable(self) -> list[Transaction]:
        """What a block could take now, in order."""
        found = []
        nonce = self.latest
        while nonce in self.pool:
            found.append(self.pool[nonce])
            nonce += 1
        return found

    def take(self, transaction: Transaction) -> None:
        """As `eth_sendRawTransaction`, or gossip."""
        held = self.pool.get(transaction.nonce)
        is_more = held is None or transaction.fee_cap_wei * 10 >= held.fee_cap_wei * 11
        if transaction.nonce >= self.latest and is_more:
            self.pool[transaction.nonce] = transaction

    def forget_used(self) -> None:
        for nonce in [nonce for nonce in self.pool if nonce < self.latest]:
            del self.pool[nonce]

    def view(self, hashes: list[Hash32], at: float) -> View:
        mined = {one.hash: height for height, one in self.chain.mined(self.height)}
        ready = {one.hash for one in self.executable}
        pooled = {one.hash: one for one in self.pool.values()}
        presence: dict[Hash32, Presence | Unseen] = {}
        receipts: dict[Hash32, Receipt | Unseen | None] = {}
        for tx_hash in hashes:
            if self.is_mute:
                presence[tx_hash] = receipts[tx_hash] = TIMEOUT
                continue
            presence[tx_hash], receipts[tx_hash] = "absent", None
            if tx_hash in mined:
                height = mined[tx_hash]
                block = self.chain.blocks[height]
                presence[tx_hash] = "mined"
                receipts[tx_hash] = Receipt(tx_hash, height, block.hash, True, 21_000)
            elif tx_hash in pooled:
                presence[tx_hash] = "pending" if tx_hash in ready else "queued"
        head = head_at(self.height)
        return View(
            label=self.label,
            operator=self.label,
            at=at,
            head=replace(head, hash=self.chain.blocks[self.height].hash),
            nonce_latest=self.latest,
            nonce_pending=TIMEOUT if self.is_mute else self.latest + len(ready),
            presence=presence,
            receipts=receipts,
            pool=tuple(
                PoolEntry(one.hash, one.nonce, "pending" if one.hash in ready else "queued")
                for one in self.pool.values()
            ),
            balance_wei=10**6 * ETHER,
        )


@dataclass
class Ledger:
    """What was sent for one slot, as the journal has it."""

    last_sent_at: float | None = None
    rebroadcasts: int = 0
    bumps: int = 0
    last_bump_number: int | None = None

    @property
    def past(self) -> Past:
        return Past(
            last_sent_at=self.last_sent_at,
            rebroadcasts=self.rebroadcasts,
            bumps=self.bumps,
            last_bump_number=self.last_bump_number,
        )


class Watchdog:
    """Looks, decides, plans, and does what was planned."""

    def __init__(self, chain: Chain, local: Node, references: list[Node]) -> None:
        self.chain = chain
        self.local = local
        self.references = references
        self.slots: dict[int, Slot] = {}
        self.closed: dict[int, tuple[State, Slot]] = {}
        self.counters: dict[int, Counters] = {}
        self.before = AccountCounters()
        self.done: list[tuple[Slot, Step, Decision, AccountRound]] = []
        self.made: dict[Hash32, Transaction] = {}
        """Signed for us."""
        self.base_fee_wei = MARKET.base_fee_wei
        self._ledgers: dict[int, Ledger] = {}

    @property
    def now(self) -> float:
        return NOW + INTERVAL * self.chain.height

    def observe(self, transaction: Transaction, kind: AttemptKind = "observed") -> None:
        """Write down a transaction, with its bytes."""
        if transaction.nonce in self.closed:
            return
        slot = self.slots.get(transaction.nonce) or self._slot(transaction.nonce)
        if all(one.hash != transaction.hash for one in slot.attempts):
            made = Attempt(transaction.hash, kind, self.now, transaction, has_raw=True)
            slot = replace(slot, attempts=(*slot.attempts, made))
        self.slots[slot.nonce] = slot

    def _slot(self, nonce: int) -> Slot:
        return Slot(
            id=nonce,
            chain_id=1,
            sender=SENDER,
            nonce=nonce,
            attempts=(),
            state=State.PENDING,
            since=self.now,
            first_seen_at=self.now,
            first_seen_number=self.chain.height,
        )

    def look(self) -> AccountRound:
        hashes = [one.hash for slot in self.slots.values() for one in slot.attempts]
        fresh = [node for node in self.references if not node.is_silent]
        heights = sorted((node.height for node in fresh), reverse=True)
        need = len(self.references) // 2 + 1
        height = heights[need - 1] if len(heights) >= need else None
        market: Market = replace(MARKET, base_fee_wei=self.base_fee_wei)
        return AccountRound(
            at=self.now,
            network="net",
            alias="till",
            address=SENDER,
            interval_seconds=INTERVAL,
            head=None if height is None else head_at(height),
            need=need,
            operators=len(self.references),
            final_number=None if height is None else max(0, height - FINAL_DEPTH),
            references=tuple(node.view(hashes, self.now) for node in fresh),
            local=TIMEOUT if self.local.is_silent else self.local.view(hashes, self.now),
            local_synced=self.local.lag == 0,
            local_peers=0 if self.local.is_island else 9,
            market=market,
        )

    def round(self) -> None:
        """One round: what the local pool holds is written down, then everything else follows."""
        if not self.local.is_silent:
            for transaction in self.local.pool.values():
                self.observe(transaction)
        round_ = self.look()
        live = tuple(self.slots.values())
        decision = decide(live, self.counters, self.before, round_, RULES)
        self.before = decision.counters
        for nonce in decision.gap_nonces:
            if nonce not in self.slots and nonce not in self.closed:
                self.slots[nonce] = self._slot(nonce)
        for slot in sorted(live, key=lambda slot: slot.nonce):
            self._follow(slot, decision.slots[slot.id], round_)

    def _follow(self, slot: Slot, decision: Decision, round_: AccountRound) -> None:
        self.counters[slot.id] = decision.counters
        receipt, state = decision.receipt, decision.state
        slot = replace(slot, state=state)
        if receipt is not None:
            slot = replace(slot, mined_number=receipt.number, mined_hash=receipt.block_hash)
        if Act.FIND_CONSUMER in decision.acts:
            state = self._consumer(slot, round_) or state
        if state in TERMINAL:
            assert slot.nonce not in self.closed, "a slot closes once"
            self.closed[slot.nonce] = (state, slot)
            del self.slots[slot.nonce]
            return
        self.slots[slot.nonce] = slot
        ledger = self._ledgers.setdefault(slot.nonce, Ledger())
        number = None if round_.head is None else round_.head.number
        steps, _ = plan(
            slot,
            decision,
            ledger.past,
            RULES,
            self.now,
            market=None if isinstance(round_.market, Unseen) else round_.market,
            number=number,
            has_signer=True,
            dry_run=False,
            halted=False,
        )
        for step in steps:
            self.done.append((self.slots[slot.nonce], step, decision, round_))
            self._do(self.slots[slot.nonce], step, ledger, number)

    def _consumer(self, slot: Slot, round_: AccountRound) -> State | None:
        """As the block scan finds it at the agreed head; None while it is not final."""
        if round_.head is None or round_.final_number is None:
            return None
        for height, taken in self.chain.mined(round_.final_number):
            if taken.nonce == slot.nonce:
                block = self.chain.blocks[height]
                return consumed(slot, Consumer(taken, height, block.hash))
        return None

    def _do(self, slot: Slot, step: Step, ledger: Ledger, number: int | None) -> None:
        newest = slot.newest
        transaction = None if newest is None else newest.transaction
        if step.act in DESTRUCTIVE:
            transaction = self._sign(slot, step.act)
            ledger.bumps, ledger.last_bump_number = ledger.bumps + 1, number
        elif step.act is Act.REBROADCAST:
            ledger.rebroadcasts += 1
        if transaction is None:
            return
        ledger.last_sent_at = self.now
        targets = {
            "references": self.references,
            "local": [self.local],
            "all": [*self.references, self.local],
        }[step.targets]
        for node in targets:
            if not node.is_silent:
                node.take(transaction)

    def _sign(self, slot: Slot, act: Act) -> Transaction:
        """With a fifth more than everything before it, and twice the base fee."""
        known = [one.transaction for one in slot.attempts if one.transaction is not None]
        fee_cap_wei = max(2 * self.base_fee_wei, *(one.fee_cap_wei * 6 // 5 for one in known), 0)
        word = f"{act} {slot.nonce} {len(slot.attempts)}"
        made = replace(
            known[0] if act is Act.REPLACE else cancellation(word, nonce=slot.nonce),
            hash=hash_of(word),
            fee_cap_wei=fee_cap_wei,
        )
        self.made[made.hash] = made
        self.observe(made, KINDS[act])
        return made


class Network:
    """The chain, three references, the local node, the sender, and the watchdog."""

    def __init__(self) -> None:
        self.chain = Chain()
        self.local = Node("local", self.chain)
        self.references = [Node(f"net/{name}", self.chain) for name in "abc"]
        self.watchdog = Watchdog(self.chain, self.local, self.references)
        self.payments: dict[Hash32, Transaction] = {}
        """Signed by the sender, by hash."""

    @property
    def nodes(self) -> list[Node]:
        return [self.local, *self.references]

    def sign(self, nonce: int, fee_cap_wei: int) -> Transaction:
        """A payment of the sender; each has an amount of its own."""
        number = len(self.payments)
        made = payment(
            f"payment {number}", nonce=nonce, value_wei=ETHER + number, fee_cap_wei=fee_cap_wei
        )
        self.payments[made.hash] = made
        return made

    def gossip(self) -> None:
        """Everybody that gossips passes on what a block could take now."""
        connected = [node for node in self.nodes if not node.is_island]
        for node in connected:
            for transaction in node.executable:
                for other in connected:
                    other.take(transaction)

    def mine(self, proposer: Node, base_fee_wei: int) -> None:
        """A block of what the proposer has and the base fee lets in."""
        taken = []
        for transaction in proposer.executable if proposer.lag == 0 else []:
            if transaction.fee_cap_wei < base_fee_wei:
                break
            taken.append(transaction)
        self.chain.append(*taken)
        for node in self.nodes:
            node.forget_used()

    def heal(self) -> None:
        """Everybody answers, follows the chain and gossips."""
        for node in self.nodes:
            node.lag = 0
            node.is_silent = node.is_mute = node.is_island = False
            node.forget_used()
