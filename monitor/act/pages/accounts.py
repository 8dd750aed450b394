"""The watched accounts: what is on its way, and how nodes and network count it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor.act.pages.cards import BADGES, since_words
from monitor.act.words import duration
from monitor.model import (
    AccountFacts,
    Finding,
    Level,
    SlotFacts,
    Snapshot,
    account_subject,
    reference_label,
)
from monitor.transactions.sentences import ether

CHECK = "transactions"
CARDS_MAX = 12
"""Accounts with a card of their own; of the others a line says enough."""
LINES_MAX = 100
SLOTS_MAX = 8
"""Transactions of one account; `headwatch tx list` has the rest."""
GAPS_NAMED_MAX = 6
MODES = {
    "halted": ("Halted", "nothing is sent until `headwatch tx resume`"),
    "dry_run": ("Dry run", "it is only said what would be sent"),
}
"""What is said above the accounts, where nothing is sent."""


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many transactions are in a state, with the worst level of those that are known."""

    words: str
    level: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A number with its name; `is_odd` where it is not as it should be."""

    name: str
    words: str
    note: str = ""
    is_odd: bool = False


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One transaction that is on its way."""

    anchor: str
    nonce: str
    level: str
    badge: str
    state: str
    hash: str
    """Empty where only a hole in the nonces is known."""
    attempts: str
    age: str
    summary: str


@dataclass(frozen=True, slots=True)
class AccountCard:
    """One account."""

    anchor: str
    alias: str
    network: str
    node: str
    level: str
    badge: str
    since: str
    summary: str
    states: tuple[StateCount, ...]
    nonces: tuple[Fact, ...]
    """The next one: of the network, of the node, and with the node's pool."""
    facts: tuple[Fact, ...]
    asked: Fact
    slots: tuple[SlotRow, ...]
    slots_left_out: int


@dataclass(frozen=True, slots=True)
class AccountsPart:
    """The section of the first page."""

    mode: str
    banner: tuple[str, str] | None
    """What holds for all, in a word and a sentence."""
    cards: tuple[AccountCard, ...]
    """Those with something on their way, or in trouble; the worst first."""
    quiet: tuple[AccountCard, ...]
    """The others, a line each."""
    left_out: int


def accounts_part(snapshot: Snapshot) -> AccountsPart | None:
    """The section; None where no account is watched."""
    if not snapshot.accounts:
        return None
    findings = {f.subject: f for f in snapshot.verdict.findings if f.check == CHECK}
    cards = sorted(
        ((facts, findings.get(account_subject(facts.alias))) for facts in snapshot.accounts),
        key=lambda pair: (-_level(pair[1]), -sum(pair[0].states.values()), pair[0].alias),
    )
    busy = [pair for pair in cards if pair[0].states or _level(pair[1]) > Level.UNKNOWN]
    shown = busy[:CARDS_MAX]
    others = [pair for pair in cards if pair not in shown]
    lines = others[:LINES_MAX]
    return AccountsPart(
        mode=snapshot.transactions_mode,
        banner=MODES.get(snapshot.transactions_mode),
        cards=tuple(_card(facts, finding, snapshot.at) for facts, finding in shown),
        quiet=tuple(_card(facts, finding, snapshot.at) for facts, finding in lines),
        left_out=len(others) - len(lines),
    )


def state_words(state: str) -> str:
    """`not propagated`."""
    return state.replace("_", " ")


def _level(finding: Finding | None) -> Level:
    """What nobody has judged yet is not known to be well."""
    return Level.UNKNOWN if finding is None else finding.level


def _card(facts: AccountFacts, finding: Finding | None, now: float) -> AccountCard:
    level = _level(finding)
    slots = facts.slots[:SLOTS_MAX]
    return AccountCard(
        anchor=f"account-{facts.alias}",
        alias=facts.alias,
        network=facts.network,
        node=facts.node,
        level=level.word,
        badge=BADGES[level],
        since="" if finding is None else since_words(finding.since, now),
        summary="not judged yet" if finding is None else finding.summary,
        states=tuple(_states(facts)),
        nonces=tuple(_nonces(facts)),
        facts=tuple(_facts(facts)),
        asked=_asked(facts, now),
        slots=tuple(_slot(slot, facts.alias, now) for slot in slots),
        slots_left_out=max(0, max(len(facts.slots), sum(facts.states.values())) - len(slots)),
    )


def _states(facts: AccountFacts) -> Iterator[StateCount]:
    """The worst first; of a state none of whose slots is among the shown no level is known."""
    levels: dict[str, Level] = {}
    for slot in facts.slots:
        levels[slot.state] = max(slot.level, levels.get(slot.state, Level.OK))
    order = sorted(facts.states.items(), key=lambda one: (-levels.get(one[0], -1), one[0]))
    for state, count in order:
        level = levels.get(state)
        yield StateCount(f"{count:,} {state_words(state)}", "none" if level is None else level.word)


def _nonces(facts: AccountFacts) -> Iterator[Fact]:
    yield Fact("nonce of the network", *_network_nonce(facts))
    yield Fact(
        f"nonce of {facts.node}",
        _number(facts.nonces.get((facts.node, "latest"))),
        "behind the network" if facts.is_local_stale else "",
        is_odd=facts.is_local_stale,
    )
    yield Fact(
        "with its pool",
        _number(facts.nonces.get((facts.node, "pending"))),
        f"{facts.local_only} known to it alone" if facts.local_only else "",
        is_odd=facts.local_only > 0,
    )


def _facts(facts: AccountFacts) -> Iterator[Fact]:
    if facts.oldest_pending_seconds is not None:
        yield Fact("oldest in no block", duration(facts.oldest_pending_seconds))
    if facts.gap_nonces:
        holes = sorted(slot.nonce for slot in facts.slots if slot.hash is None)
        named = ", ".join(map(str, holes[:GAPS_NAMED_MAX]))
        more = "" if len(holes) <= GAPS_NAMED_MAX else ", …"
        yield Fact("missing nonces", f"{facts.gap_nonces:,}", f"{named}{more}", is_odd=True)
    if facts.budget_limit_wei is not None:
        yield _budget(facts.budget_spent_wei, facts.budget_limit_wei)


def _asked(facts: AccountFacts, now: float) -> Fact:
    words = (
        "not yet" if facts.round_at is None else duration(max(0.0, now - facts.round_at)) + " ago"
    )
    note = "too few answered" if facts.is_evidence_weak else ""
    return Fact("references asked", words, note, is_odd=facts.is_evidence_weak)


def _network_nonce(facts: AccountFacts) -> tuple[str, str]:
    """The references' next nonce; where they differ, from the lowest to the highest."""
    prefix = reference_label(facts.network, "")
    said = {
        nonce
        for (label, tag), nonce in facts.nonces.items()
        if tag == "latest" and label.startswith(prefix)
    }
    if len(said) > 1:
        return f"{min(said)}–{max(said)}", "the references differ"
    return _number(next(iter(said), None)), ""


def _number(nonce: int | None) -> str:
    return "not seen" if nonce is None else str(nonce)


def _budget(spent_wei: int, limit_wei: int) -> Fact:
    """A share is cut, not rounded: 100 % is all of it."""
    share = "" if limit_wei == 0 else f"{100 * spent_wei // limit_wei} %"
    words = f"{ether(spent_wei).removesuffix(' ether')} of {ether(limit_wei)}"
    return Fact("gas of today", words, share, is_odd=spent_wei >= limit_wei)


def _slot(slot: SlotFacts, alias: str, now: float) -> SlotRow:
    return SlotRow(
        anchor=f"slot-{alias}-{slot.nonce}",
        nonce=str(slot.nonce),
        level=slot.level.word,
        badge=BADGES[slot.level],
        state=state_words(slot.state),
        hash=slot.hash or "",
        attempts=f"{slot.attempts} attempts" if slot.attempts > 1 else "",
        age=duration(max(0.0, now - slot.first_seen_at)),
        summary=slot.summary,
    )
