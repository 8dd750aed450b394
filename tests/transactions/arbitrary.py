"""Rounds of any kind, likely and unlikely, for the properties of deciding and planning.

Nonces 5 to 7, two known transactions for each, of which a slot may hold either, both or none; any
endpoint may say anything of any of them, or nothing, or fail to answer. Most repeat what the first
one says, since otherwise nobody would ever agree.

Everything is thrown from a string of bytes, a byte a choice: one draw of hypothesis for a whole
round, which is fast, and zero bytes, to which it shrinks, are the first of every option.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hypothesis import strategies as st

from monitor.model import Hash32, Unseen
from monitor.transactions.rules import Rules
from monitor.transactions.words import (
    TERMINAL,
    AccountCounters,
    AccountRound,
    Attempt,
    AttemptKind,
    Counters,
    PoolEntry,
    Presence,
    Receipt,
    Slot,
    State,
    View,
)
from tests.transactions.builders import (
    ETHER,
    GWEI,
    MARKET,
    NOW,
    TIMEOUT,
    TIP,
    cancellation,
    hash_of,
    head_at,
    payment,
    receipt_of,
    round_of,
    slot_of,
)

T = TypeVar("T")
NONCES = (5, 6, 7)
WORDS = tuple(f"{version} {nonce}" for nonce in NONCES for version in ("tx", "new"))
HASHES = tuple(hash_of(word) for word in WORDS)
STRANGER = hash_of("stranger")
LIVE = tuple(state for state in State if state not in TERMINAL)
HAS: tuple[Presence | Unseen | None, ...] = (
    *("absent", "absent", "pending", "pending", "queued", "mined"),
    *(TIMEOUT, None),
)
"""None: not asked."""
COUNTS: tuple[int | Unseen, ...] = (5, 5, 5, 6, 6, 7, 8, 4, 9, TIMEOUT)
KINDS: tuple[AttemptKind, ...] = ("observed", "observed", "replace", "cancel", "fill")


class Dice:
    """Choices from a string of bytes; when it is spent, always the first option."""

    def __init__(self, thrown: bytes) -> None:
        self._thrown = iter(thrown)

    def pick(self, *options: T) -> T:
        return options[next(self._thrown, 0) % len(options)]

    def happens(self, times: int, of: int) -> bool:
        """So many times of so many; not, when the dice are spent."""
        return next(self._thrown, 0) % of >= of - times


@dataclass(frozen=True)
class Scene:
    """What `decide` is given."""

    slots: tuple[Slot, ...]
    memory: Mapping[int, Counters]
    before: AccountCounters
    round: AccountRound


def _attempts(dice: Dice, nonce: int) -> tuple[Attempt, ...]:
    """Oldest first; some without bytes, of some only the hash is known."""
    made = []
    for version in dice.pick(("tx",), ("tx", "new"), ("tx", "new"), ("new",), ()):
        word = f"{version} {nonce}"
        known = payment(
            word,
            nonce=nonce,
            fee_cap_wei=dice.pick(30, 9, 10, 12) * GWEI,
            tip_cap_wei=dice.pick(2, 0, 1) * GWEI,
            value_wei=dice.pick(ETHER, 0, 5 * ETHER),
        )
        if dice.happens(1, 4):
            known = cancellation(word, nonce=nonce)
        is_known = not dice.happens(1, 6)
        has_raw = is_known and not dice.happens(1, 4)
        made.append(
            Attempt(hash_of(word), dice.pick(*KINDS), NOW, known if is_known else None, has_raw)
        )
    return tuple(made)


def _slot(dice: Dice, nonce: int) -> Slot:
    was_mined = dice.happens(1, 3)
    age = dice.pick(26, 0, 2, 3, 26, 151)
    return slot_of(
        nonce=nonce,
        attempts=_attempts(dice, nonce),
        state=dice.pick(*LIVE),
        mined_number=TIP - 2 if was_mined else None,
        mined_hash=head_at(TIP - 2).hash if was_mined else None,
        first_seen_at=NOW - 12.0 * age,
        first_seen_number=dice.pick(TIP - age, TIP - age, None),
    )


def _receipt(dice: Dice, word: str) -> Receipt:
    return receipt_of(
        word,
        number=dice.pick(TIP - 100, TIP - 101, TIP - 1, TIP),
        branch=dice.pick("main", "main", "main", "other"),
        is_success=not dice.happens(1, 4),
    )


def _pool(dice: Dice) -> tuple[PoolEntry, ...]:
    return tuple(
        PoolEntry(dice.pick(*HASHES, STRANGER), dice.pick(*NONCES), dice.pick("pending", "queued"))
        for _ in range(dice.pick(0, 1, 2, 3))
    )


def view_of(dice: Dice, label: str, operator: str) -> View:
    """What one endpoint may say, of its own mind in everything; often the same of every hash."""
    mood: Presence | None = dice.pick("absent", None, "pending", "queued")
    presence: dict[Hash32, Presence | Unseen] = {}
    receipts: dict[Hash32, Receipt | Unseen | None] = {}
    for word in WORDS:
        has = dice.pick(*((mood, mood) if mood else ()), *HAS)
        if has is not None:
            presence[hash_of(word)] = has
        if has == "mined" or dice.happens(1, 2):
            receipts[hash_of(word)] = dice.pick(
                _receipt(dice, word) if has in {"mined", TIMEOUT} else None, None, TIMEOUT
            )
    return View(
        label=label,
        operator=operator,
        at=NOW,
        head=head_at(TIP - dice.pick(0, 0, 1, 3, -2)),
        nonce_latest=(latest := dice.pick(*COUNTS)),
        nonce_pending=dice.pick(latest, latest, *COUNTS),
        presence=presence,
        receipts=receipts,
        pool=dice.pick(_pool(dice), None, TIMEOUT),
        balance_wei=dice.pick(2 * ETHER, 0, TIMEOUT, None),
    )


def _round(dice: Dice) -> AccountRound:
    """One to three operators configured, with none to two endpoints each."""
    operators = dice.pick(3, 3, 3, 3, 3, 2, 1)
    first = view_of(dice, "net/a", "a")
    answered = []
    for name in "abc"[:operators]:
        for place in range(dice.pick(1, 1, 1, 1, 1, 1, 1, 1, 2, 0)):
            label = f"net/{name}{place}"
            own = view_of(dice, label, name) if dice.happens(1, 4) else first
            answered.append(replace(own, label=label, operator=name))
    mine: View | Unseen = view_of(dice, "local", "local")
    return round_of(
        *answered,
        local=dice.pick(mine, mine, mine, TIMEOUT),
        number=dice.pick(*(TIP,) * 8, TIP - 1, TIP + 1, None),
        operators=operators,
        need=operators // 2 + 1,
        final_number=dice.pick(TIP - 100, TIP - 1, None),
        local_synced=dice.pick(True, False, None),
        local_peers=dice.pick(25, 0, TIMEOUT),
        market=dice.pick(MARKET, MARKET, TIMEOUT),
    )


def scene_of(thrown: bytes) -> Scene:
    """The scene that these bytes make."""
    dice = Dice(thrown)
    slots = tuple(_slot(dice, nonce) for nonce in NONCES if not dice.happens(1, 4))
    memory = {
        slot.id: Counters(
            dice.pick(TIP - 1, TIP, -1),
            absent_rounds=dice.pick(0, 2, 5),
            taken_rounds=dice.pick(0, 0, 2, 5),
            unmined_rounds=dice.pick(0, 0, 1, 5),
            forked_rounds=dice.pick(0, 0, 1, 5),
        )
        for slot in slots
        if dice.happens(3, 4)
    }
    before = AccountCounters(
        dice.pick(TIP - 1, TIP, -1),
        ahead_rounds=dice.pick(0, 1, 5),
        stale_rounds=dice.pick(0, 1, 5),
        gap_nonce=dice.pick(*NONCES, None),
        gap_rounds=dice.pick(1, 0, 5),
    )
    return Scene(slots, memory, before, _round(dice))


def rules_of(thrown: bytes) -> Rules:
    """The policy that these bytes make."""
    dice = Dice(thrown)
    yes_or_no: Sequence[bool] = (True, False)
    return Rules(
        rebroadcast=dice.pick(*yes_or_no),
        resend=dice.pick(*yes_or_no),
        replace=dice.pick(*yes_or_no),
        cancel=dice.pick(*yes_or_no),
        fill=dice.pick(*yes_or_no),
        propose=dice.pick(*yes_or_no),
        cancel_after_seconds=dice.pick(None, 100.0),
        fee_cap_max_wei=dice.pick(100 * GWEI, None),
        budget_a_day_wei=dice.pick(ETHER, None),
    )


scenes = st.binary(min_size=400, max_size=400).map(scene_of)
liars = st.binary(min_size=60, max_size=60).map(lambda thrown: view_of(Dice(thrown), "net/c", "c"))
policies = st.binary(min_size=9, max_size=9).map(rules_of)
