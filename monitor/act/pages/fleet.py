"""The first page: the verdict, what is wrong, and every node of every network. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from monitor.act.pages.accounts import AccountsPart, accounts_part
from monitor.act.pages.band import Band, WindowRow, band_of, window_rows
from monitor.act.pages.bars import share_words, strip_of
from monitor.act.pages.cards import Card, card_of
from monitor.act.pages.ledgers import LedgerCard, ledger_cards
from monitor.act.pages.rows import COLUMNS, NodeRow, ReferenceRow, node_row, reference_row
from monitor.act.pages.timeline import IncidentRow, incident_rows
from monitor.act.readings import Reading, read
from monitor.act.report import nested
from monitor.act.state import level_of
from monitor.act.words import duration, subject_words
from monitor.judge.verdict import reference_of
from monitor.model import Finding, Level, NetworkFacts, Snapshot, subject_of

if TYPE_CHECKING:
    from monitor.history import Bar, Incident, Uptime
    from monitor.maintenance import Window

CARDS_MAX = 40
"""Of all networks together; the API has the rest."""
CARDS_OPEN_MAX = 6
"""Up to so many cards show their evidence at once."""
CARDS_EVIDENCE_MAX = 12
"""So many cards carry their evidence; of the others the node's page has it."""


@dataclass(frozen=True, slots=True)
class FleetPast:
    """What the history says of everything; empty where there is none."""

    bars: Mapping[str, Sequence[Bar | None]] = field(default_factory=dict)
    """By subject, oldest first."""
    uptime: Mapping[str, Uptime] = field(default_factory=dict)
    incidents: Sequence[Incident] = ()
    """The newest, newest first."""
    is_kept: bool = False
    """Whether there is a history at all."""
    problem: str = ""
    """Why it is not written now."""


@dataclass(frozen=True, slots=True)
class NetworkPart:
    """One network's section."""

    name: str
    profile: str
    head: str
    hash: str
    head_age: str
    confidence: str
    agreement: str
    thresholds: tuple[tuple[str, str], ...]
    """(what, in words)."""
    cards: tuple[Card, ...]
    nodes: tuple[NodeRow, ...]
    references: tuple[ReferenceRow, ...]
    round: str


@dataclass(frozen=True, slots=True)
class FleetPage:
    """Everything that the template writes."""

    band: Band
    windows: tuple[WindowRow, ...]
    networks: tuple[NetworkPart, ...]
    checks: tuple[str, ...]
    cards_open: bool
    cards_left_out: int
    incidents: tuple[IncidentRow, ...]
    has_history: bool
    history_problem: str
    skipped: tuple[str, ...]
    accounts: AccountsPart | None
    ledgers: tuple[LedgerCard, ...]


NO_PAST = FleetPast()


def fleet_page(
    snapshot: Snapshot,
    *,
    refresh_seconds: int,
    past: FleetPast = NO_PAST,
    windows: Sequence[Window] = (),
) -> FleetPage:
    """The page of one moment."""
    verdict, now = snapshot.verdict, snapshot.at
    bad = [finding for finding in verdict.findings if finding.level != Level.OK]
    found = list(nested(bad))
    cards = tuple(_cards(found[:CARDS_MAX], now))
    readings = read(snapshot)
    return FleetPage(
        band=band_of(snapshot, path="/", refresh_seconds=refresh_seconds),
        windows=window_rows(windows, now),
        networks=tuple(
            _network_part(
                network,
                [r for r in readings if r.facts.network == network.name],
                [card for finding, card in cards if finding.network == network.name],
                snapshot,
                past,
            )
            for network in snapshot.networks
        ),
        checks=COLUMNS,
        cards_open=len(found) <= CARDS_OPEN_MAX,
        cards_left_out=len(found) - len(cards),
        incidents=incident_rows(past.incidents, now, has_steps=False),
        has_history=past.is_kept,
        history_problem=past.problem,
        skipped=tuple(f"{check} of {subject_words(subject)}" for check, subject in verdict.skipped),
        accounts=accounts_part(snapshot),
        ledgers=ledger_cards(snapshot),
    )


def _cards(found: Sequence[tuple[int, Finding]], now: float) -> Iterator[tuple[Finding, Card]]:
    """Only the first card of a check says what to do: forty times the same is read by nobody."""
    advised: set[str] = set()
    for place, (depth, finding) in enumerate(found):
        card = card_of(finding, now, depth=depth, has_evidence=place < CARDS_EVIDENCE_MAX)
        if finding.check in advised:
            card = replace(card, why="", remedy="")
        if not depth:
            advised.add(finding.check)
        yield finding, card


def _network_part(
    network: NetworkFacts,
    readings: Sequence[Reading],
    cards: Sequence[Card],
    snapshot: Snapshot,
    past: FleetPast,
) -> NetworkPart:
    now = snapshot.at
    reference = reference_of(network, now)
    nodes = [r for r in readings if r.facts.kind == "node"]
    nodes.sort(key=lambda r: (-level_of(r), r.facts.name))
    head = hash_ = head_age = confidence = ""
    agreement = "no head of the references can be believed now"
    voters: tuple[str, ...] = ()
    if reference is not None:
        head, hash_ = str(reference.head.number), reference.head.hash
        head_age = duration(now - reference.head.timestamp)
        confidence, voters = reference.confidence, reference.voters
        agreement = f"{len(voters)} of {reference.operators} operators agree: {', '.join(voters)}"
    elif network.round_at is None:
        agreement = "waiting for the first round"
    return NetworkPart(
        name=network.name,
        profile=network.profile,
        head=head,
        hash=hash_,
        head_age=head_age,
        confidence=confidence,
        agreement=agreement,
        thresholds=thresholds(network),
        cards=tuple(cards),
        nodes=tuple(_row(reading, snapshot, past) for reading in nodes),
        references=tuple(reference_row(r, voters) for r in readings if r.facts.kind == "reference"),
        round=round_words(network, now),
    )


def _row(reading: Reading, snapshot: Snapshot, past: FleetPast) -> NodeRow:
    subject = subject_of(reading.label)
    bars, uptime = past.bars.get(subject, ()), past.uptime.get(subject)
    return node_row(
        reading,
        is_silenced=subject in snapshot.silenced,
        strip=strip_of(bars),
        uptime="" if uptime is None else share_words(uptime.day),
    )


def thresholds(network: NetworkFacts) -> tuple[tuple[str, str], ...]:
    """From where on what is wrong, in words."""
    blocks = f"{network.lag_blocks} block{'s' * (network.lag_blocks != 1)}"
    return (
        ("block time", f"{network.interval_seconds:g} s"),
        ("behind from", blocks),
        ("stalled from", f"{blocks} missed while the network moves"),
        ("forked from", f"{network.confirmations} blocks apart"),
        ("network quiet after", duration(network.stall_seconds)),
    )


def round_words(network: NetworkFacts, now: float) -> str:
    """When the last round was, and how long it took."""
    if network.round_at is None:
        return "no round yet"
    return (
        f"round {network.rounds_total:,} took {network.round_seconds * 1000:.0f} ms, "
        f"{duration(now - network.round_at)} ago"
    )
