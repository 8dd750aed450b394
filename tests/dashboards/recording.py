"""Twenty minutes of headwatch's own metrics page, as a file that Prometheus can be filled with.

Every page is drawn by the collector from a snapshot, once in 15 s: a metric that is no longer
exported is not recorded, and the board that asks for it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, TypeVar

from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse

from monitor.act.collector import registry_of, render
from monitor.act.instruments import Instruments
from monitor.model import (
    Action,
    Finding,
    Level,
    Snapshot,
    TransactionsMode,
    reference_label,
    subject_of,
)
from tests.act import ledgers, snapshots
from tests.act.surveyed_checks import surveyed

T = TypeVar("T")
Kind = Literal["opened", "changed", "closed"]

SCRAPE_SECONDS = 15
SCRAPED = {"job": "headwatch", "instance": "10.0.0.7:9108"}
"""What Prometheus adds to everything that it scrapes."""
QUORUM = subject_of(reference_label(snapshots.NETWORK))
GROWTH = {
    "at": 1.0,
    "calls_today": 0.5,
    "calls_total": 2.0,
    "number": 1 / 12,
    "oldest_pending_seconds": 1.0,
    "reconciled_at": 1.0,
    "round_at": 1.0,
    "rounds_total": 1 / 6,
    "since": 1.0,
    "timestamp": 1.0,
    "total": 1 / 600,
}
"""By how much a field of a snapshot grows in a second, by its name."""
ERRORS_PER_SECOND = 0.05
MISTAKE_SECONDS = 5 * SCRAPE_SECONDS
"""So long before the end a mistake is made that is made once."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A situation that lasts for some scrapes."""

    snapshot: Snapshot
    scrapes: int
    edges: tuple[tuple[Kind, str, str], ...] = ()
    """Kind, check and subject of what turned when it began."""
    silenced: frozenset[str] = frozenset()
    mode: TransactionsMode = "acting"


LOCAL = subject_of("local")
LOST = snapshots.account_facts(
    "worker",
    states={"lost": 1, "gap": 2},
    gap_nonces=1,
    local_only=2,
    is_local_stale=True,
    is_evidence_weak=True,
    budget_limit_wei=None,
)


def _watching(snapshot: Snapshot) -> Snapshot:
    """With two accounts, one of which has lost a transaction."""
    watching = snapshots.watching(snapshot, snapshots.account_facts(), LOST)
    lost = snapshots.account_finding("worker", Level.FAILED, "lost")
    return snapshots.with_finding(watching, lost)


def _keeping(snapshot: Snapshot, *, is_wrong: bool) -> Snapshot:
    """With two ledgers: one that differs in the end, and one that was never compared."""
    if is_wrong:
        return ledgers.kept(
            snapshot, (ledgers.wrong(), ledgers.differing()), (ledgers.fresh(), None)
        )
    well = ledgers.ledger_finding(ledgers.NAME, Level.OK, "equal")
    return ledgers.kept(snapshot, (ledgers.compared(), well), (ledgers.fresh(), None))


PHASES = (
    Phase(snapshots.healthy("local", "spare"), 20, mode="halted"),
    Phase(
        snapshots.unreachable(), 15, (("opened", "head", LOCAL),), frozenset({LOCAL, "node:spare"})
    ),
    Phase(
        snapshots.split(),
        15,
        (("changed", "head", LOCAL), ("opened", "references", QUORUM)),
        frozenset({QUORUM}),
    ),
    # The last one is what is true "now": boards that show numbers show these.
    Phase(
        snapshots.stalled(),
        30,
        (
            ("closed", "identity", LOCAL),
            ("closed", "references", QUORUM),
            ("opened", "stall", LOCAL),
        ),
    ),
)
BEGIN = snapshots.NOW
END = BEGIN + SCRAPE_SECONDS * (sum(phase.scrapes for phase in PHASES) - 1)


def later(value: T, seconds: float) -> T:
    """The same so many seconds later: times move, heights and counters grow."""
    if isinstance(value, tuple):
        return type(value)(later(held, seconds) for held in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed: dict[str, Any] = {}
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name in GROWTH and held is not None:
            changed[field.name] = held + type(held)(GROWTH[field.name] * seconds)
        elif field.name == "errors_total":
            more = int(ERRORS_PER_SECOND * seconds)
            changed[field.name] = {reason: count + more for reason, count in held.items()}
        else:
            changed[field.name] = later(held, seconds)
    return replace(value, **changed)


def moments() -> Iterator[tuple[float, Snapshot]]:
    """Every snapshot that is scraped, and when."""
    at = BEGIN
    edges: dict[tuple[str, str], Action] = {}
    for phase in PHASES:
        for kind, check, subject in phase.edges:
            found = _finding(check, subject)
            edges[found.key] = Action(kind, found.key, at, found, Level.UNKNOWN)
        watching = replace(_watching(surveyed(phase.snapshot)), transactions_mode=phase.mode)
        snapshot = _keeping(watching, is_wrong=phase is PHASES[-1])
        for _ in range(phase.scrapes):
            yield (
                at,
                replace(
                    later(snapshot, at - BEGIN),
                    edges=tuple(edges.values()),
                    silenced=phase.silenced,
                    windows_active=int(bool(phase.silenced)),
                    windows_planned=1,
                ),
            )
            at += SCRAPE_SECONDS


def _finding(check: str, subject: str) -> Finding:
    return snapshots.finding(check, subject, Level.FAILED)


def use(instruments: Instruments, snapshot: Snapshot, at: float, index: int) -> None:
    """What happens between two scrapes, some of it now and then."""
    for facts in snapshot.endpoints:
        for method in ("eth_getBlockByNumber", "eth_chainId"):
            calls = instruments.rpc_call_seconds.labels(node=facts.label, method=method)
            calls.observe(0.004 * (1 + index % 7))
    pay(instruments, snapshot, at, index)
    now_and_then = int(index % 5 == 0)
    instruments.internal_errors.labels(place="round").inc(now_and_then)
    if at >= END - MISTAKE_SECONDS:
        # Made once, and counted from then on.
        instruments.internal_errors.labels(place="http").inc(at == END - MISTAKE_SECONDS)
    instruments.scheduler_events.labels(event="overrun").inc(now_and_then)
    for outcome in ("sent", "failed", "dropped"):
        instruments.notifications.labels(channel="oncall", outcome=outcome).inc(now_and_then)
    instruments.notifications_held.labels(channel="oncall", reason="flapping").inc(now_and_then)
    instruments.queued["oncall"] = now_and_then
    instruments.told_at["oncall"] = at - 30.0
    instruments.history_errors.inc(now_and_then)
    instruments.history_lost.inc(now_and_then)
    instruments.history_size_bytes.set(40_960.0 + index)
    instruments.scheduler_lag_seconds.set(0.004)
    instruments.scrape_duration_seconds.set(0.01)
    instruments.reloaded(at=BEGIN)


def pay(instruments: Instruments, snapshot: Snapshot, at: float, index: int) -> None:
    """What happens to transactions between two scrapes."""
    for facts in snapshot.accounts:
        labels = {"network": facts.network, "account": facts.alias}
        included = instruments.tx_inclusion_seconds.labels(**labels)
        included.observe(4.0 * (1 + index % 7), {"tx_hash": snapshots.hash_of(index)})
        if at >= END - MISTAKE_SECONDS:
            instruments.tx_reorged.labels(**labels).inc(at == END - MISTAKE_SECONDS)
        instruments.tx_closed.labels(**labels, state="final_ok").inc()
        for result in ("signed", "capped"):
            instruments.tx_signed.labels(**labels, act="replace", result=result).inc(index % 2)
    for endpoint in snapshot.endpoints:
        for reaction in ("accepted", "unrecognised"):
            sends = instruments.tx_sends.labels(
                node=endpoint.label, act="rebroadcast", reaction=reaction
            )
            sends.inc(index % 2)
    instruments.tx_proposals.labels(outcome="sent").inc(index % 2)
    instruments.tx_journal_commit_seconds.observe(0.002 * (1 + index % 3))
    instruments.tx_journal_errors.inc(index % 5 == 0)
    for kind in ("send", "other"):
        instruments.tap_requests.labels(kind=kind).inc(3)
        instruments.tap_seconds.labels(kind=kind).observe(0.004 * (1 + index % 7))


def recorded() -> str:
    """The file: OpenMetrics with a time at every sample, each family in one piece."""
    instruments = Instruments()
    families: dict[str, tuple[Family, list[str]]] = {}
    for index, (at, snapshot) in enumerate(moments()):
        use(instruments, snapshot, at, index)
        registry = registry_of(snapshot, instruments)
        page, _ = render(registry, "application/openmetrics-text")
        for family in parse(page.decode()):  # type: ignore[no-untyped-call]
            _, lines = families.setdefault(family.name, (family, []))
            lines += [_line(s.name, {**s.labels, **SCRAPED}, s.value, at) for s in family.samples]
    pieces = [
        line
        for family, lines in families.values()
        for line in (f"# TYPE {family.name} {family.type}", *lines)
    ]
    return "\n".join((*pieces, "# EOF", ""))


def _line(name: str, labels: Mapping[str, str], value: float, at: float) -> str:
    pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {value} {at}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def names(page: str) -> Sequence[str]:
    """The series of a recording."""
    return sorted({line.partition("{")[0] for line in page.splitlines() if line[0] != "#"})
