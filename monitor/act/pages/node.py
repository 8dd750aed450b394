"""One node: everything that is known of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from monitor.act.pages.band import Band, WindowRow, band_of, window_rows
from monitor.act.pages.bars import SPAN_SECONDS, Slot, Strip, share_words, slots_of, strip_of
from monitor.act.pages.cards import Card, card_of
from monitor.act.pages.chart import Line, lag_line
from monitor.act.pages.fleet import round_words, thresholds
from monitor.act.pages.rows import NodeRow, node_row
from monitor.act.pages.timeline import IncidentRow, incident_rows
from monitor.act.readings import Reading, read
from monitor.act.report import nested
from monitor.act.target import debug_text, find, narrow
from monitor.act.words import clock_time, duration, plain
from monitor.judge.verdict import reference_of
from monitor.model import (
    Level,
    NetworkFacts,
    NodeFacts,
    Observation,
    Snapshot,
    Unseen,
    node_subject,
)

if TYPE_CHECKING:
    from monitor.history import Bar, Incident, LagPoint, Uptime
    from monitor.maintenance import Window


@dataclass(frozen=True, slots=True)
class NodePast:
    """What the history says of one node; empty where there is none."""

    bars: Sequence[Bar | None] = ()
    uptime: Uptime | None = None
    incidents: Sequence[Incident] = ()
    lag: Sequence[LagPoint] = ()
    """Of the last 24 hours."""
    is_kept: bool = False


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """What one probe wrote down last."""

    probe: str
    at: str
    age: str
    took: str
    said: str


@dataclass(frozen=True, slots=True)
class NodePage:
    """Everything that the template writes."""

    band: Band
    windows: tuple[WindowRow, ...]
    node: NodeRow
    network: str
    facts: tuple[tuple[str, str], ...]
    """(what, in words)."""
    thresholds: tuple[tuple[str, str], ...]
    round: str
    cards: tuple[Card, ...]
    """All its checks, what is wrong first."""
    skipped: tuple[str, ...]
    probes: tuple[ProbeRow, ...]
    raw: str
    """As `/probe?debug=1` says it."""
    has_history: bool
    uptime: tuple[tuple[str, str], ...]
    strip: Strip
    slots: tuple[Slot, ...]
    line: Line
    incidents: tuple[IncidentRow, ...]
    badge: str
    """Markdown that shows its badge elsewhere."""


NO_PAST = NodePast()


def node_page(
    snapshot: Snapshot,
    facts: NodeFacts,
    *,
    refresh_seconds: int,
    past: NodePast = NO_PAST,
    windows: Sequence[Window] = (),
    page_url: str = "",
) -> NodePage:
    """The page of one node of this snapshot, whose last exchange is in `facts`."""
    now, subject = snapshot.at, node_subject(facts.name)
    narrowed = narrow(snapshot, facts)
    network = network_of(snapshot, facts)
    reading = next(r for r in read(replace(narrowed, endpoints=(facts,))))
    findings = narrowed.verdict.findings
    bad = list(nested([f for f in findings if f.level != Level.OK]))
    good = [f for f in findings if f.level == Level.OK]
    limit_blocks = 1 if network is None else max(1, network.lag_blocks)
    return NodePage(
        band=band_of(narrowed, path=f"/node/{facts.name}", refresh_seconds=refresh_seconds),
        windows=window_rows([w for w in windows if w.covers(facts.network, subject)], now),
        node=node_row(reading, is_silenced=subject in snapshot.silenced),
        network=facts.network,
        facts=_facts(reading, network, now),
        thresholds=() if network is None else thresholds(network),
        round="" if network is None else round_words(network, now),
        cards=tuple(
            card_of(finding, now, depth=depth)
            for depth, finding in (*bad, *((0, finding) for finding in good))
        ),
        skipped=tuple(check for check, _ in narrowed.verdict.skipped),
        probes=tuple(_probe(seen, now) for seen in narrowed.observations),
        raw=debug_text(snapshot, facts),
        has_history=past.is_kept,
        uptime=_uptime(past.uptime),
        strip=strip_of(past.bars),
        slots=slots_of(past.bars, now),
        line=lag_line(past.lag, now=now, span_seconds=SPAN_SECONDS, limit_blocks=limit_blocks),
        incidents=incident_rows(past.incidents, now, has_steps=False),
        badge=_badge(facts.name, page_url),
    )


def node_of(snapshot: Snapshot, name: str) -> NodeFacts | None:
    """The configured node of this name."""
    facts = find(snapshot, name)
    return facts if facts is not None and facts.kind == "node" else None


def network_of(snapshot: Snapshot, facts: NodeFacts) -> NetworkFacts | None:
    """The network of an endpoint."""
    return next((n for n in snapshot.networks if n.name == facts.network), None)


def _facts(
    reading: Reading, network: NetworkFacts | None, now: float
) -> tuple[tuple[str, str], ...]:
    facts, final = reading.facts, reading.finalized
    reference = None if network is None else reference_of(network, now)
    counted = ", ".join(f"{n:,} {reason}" for reason, n in sorted(facts.errors_total.items()) if n)
    rows = (
        ("network head", "" if reference is None else str(reference.head.number)),
        ("finalized", "" if final is None else str(final.number)),
        ("client", plain(facts.client)),
        ("address", facts.url),
        ("calls", f"{facts.calls_total:,}"),
        ("failed calls", counted or "none"),
        ("socket", facts.subscription),
    )
    return tuple((name, words or "not known") for name, words in rows)


def _probe(seen: Observation[object], now: float) -> ProbeRow:
    said = "answered"
    if isinstance(seen.seen, Unseen):
        said = f"not seen, {seen.seen.reason}: {plain(seen.seen.detail)}"
    return ProbeRow(
        probe=seen.check,
        at=clock_time(seen.at, now),
        age=duration(now - seen.at),
        took=f"{seen.took_seconds * 1000:.1f} ms",
        said=said,
    )


def _uptime(uptime: Uptime | None) -> tuple[tuple[str, str], ...]:
    if uptime is None:
        return ()
    spans = (("24 h", uptime.day), ("7 days", uptime.week), ("30 days", uptime.month))
    return tuple((name, share_words(share) or "not known") for name, share in spans)


def _badge(name: str, page_url: str) -> str:
    origin = page_url.rstrip("/")
    return f"[![{name}]({origin}/badge/{name}.svg)]({origin}/node/{name})"
