"""The sentences and numbers that pages, terminal and logs share. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from monitor.judge.verdict import decides
from monitor.model import QUORUM, Finding, Level, Verdict

NAMED_COUNT_MAX = 3
"""How many subjects a headline names before it only counts them."""
SUMMARY_CHARACTERS_MAX = 160


def plain(text: str) -> str:
    """On one line and printable: a node's own words may hold escape sequences for a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def rfc3339(at: float) -> str:
    """A time in UTC to the millisecond, e.g. `2026-11-24T02:25:00.123Z`."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock_time(at: float, now: float) -> str:
    """A time as a person reads it, UTC; with the date where it is not today's."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S") + " UTC"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: `4.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0:
        return "-" + duration(-seconds)
    if round(seconds, 1) < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def amount(value: float, unit: str) -> str:
    """A number with its unit: `5 blocks`, `1 block`, `124 seconds`."""
    number = f"{value:.0f}" if value == int(value) else f"{value:.4g}"
    return f"{number} {unit.removesuffix('s') if value == 1 else unit}".strip()


def measure(finding: Finding) -> str:
    """`5 blocks measured, limit 3 blocks`; empty where nothing was measured."""
    if finding.measured is None:
        return ""
    words = f"measured {amount(finding.measured, finding.unit)}"
    if finding.limit is not None:
        words += f", limit {amount(finding.limit, finding.unit)}"
    return words


def subject_words(subject: str) -> str:
    """`node local`, `reference a of ethereum`, `the references of ethereum`."""
    kind, _, name = subject.partition(":")
    if kind != "reference":
        return f"{kind} {name}".strip()
    network, _, name = name.rpartition("/")
    return f"the references of {network}" if name == QUORUM else f"reference {name} of {network}"


def roots(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that no other of them explains."""
    keys = {finding.key for finding in findings}
    return tuple(finding for finding in findings if finding.because not in keys)


def deciding(verdict: Verdict) -> tuple[Finding, ...]:
    """The findings that make the verdict what it is; of a pass, those that could unmake it."""
    if verdict.word == "pass":
        return tuple(f for f in verdict.findings if decides(f) or f.level == Level.DEGRADED)
    if verdict.word == "inconclusive":
        return tuple(f for f in verdict.findings if f.level == Level.UNKNOWN and decides(f))
    failed = tuple(f for f in verdict.findings if f.level == Level.FAILED)
    # Under `strict` a verdict fails without any finding that has.
    return failed or tuple(f for f in verdict.findings if f.level == Level.DEGRADED)


def since_of(verdict: Verdict) -> float | None:
    """Since when this verdict holds, as far as the levels tell; None when nothing was judged.

    A failure lasts since its oldest finding, a pass since the last of its findings came right.
    """
    times = [f.since for f in deciding(verdict) if f.since is not None]
    if not times:
        return None
    return max(times) if verdict.word == "pass" else min(times)


def headline(verdict: Verdict) -> str:
    """The verdict in one sentence."""
    if not verdict.findings:
        return "nothing has been judged yet"
    if verdict.word == "pass":
        return _passing(verdict)
    causes: dict[str, list[str]] = {}
    found = deciding(verdict)
    for finding in roots(found) or found:
        causes.setdefault(finding.subject, []).append(finding.check)
    if verdict.word == "fail":
        verb = "FAILED" if verdict.level == Level.FAILED else "DEGRADED, which fails a strict gate"
        return _listed(causes, f"{{}} {verb}: {{}}")
    return _listed(causes, "{} cannot be judged: {}")


def _passing(verdict: Verdict) -> str:
    nodes = {(f.network, f.subject) for f in verdict.findings if f.subject.startswith("node:")}
    networks = {network for network, _ in nodes}
    if len(nodes) == 1:
        sentence = f"{subject_words(next(iter(nodes))[1])} is on the network's chain"
    else:
        every = "both" if len(nodes) == 2 else f"all {len(nodes)}"
        whose = "the network's chain" if len(networks) == 1 else "their networks' chains"
        sentence = f"{every} nodes are on {whose}"
    warnings = sum(f.level == Level.DEGRADED for f in verdict.findings)
    if warnings:
        sentence += f", with {warnings} warning{'s' * (warnings != 1)}"
    return sentence


def _listed(causes: dict[str, list[str]], form: str) -> str:
    named = list(causes.items())[:NAMED_COUNT_MAX]
    sentence = "; ".join(
        form.format(subject_words(subject), ", ".join(checks)) for subject, checks in named
    )
    more = len(causes) - len(named)
    return f"{sentence}; and {more} more" if more else sentence


def count_levels(findings: Iterable[Finding]) -> dict[Level, int]:
    """How many findings stand at each level, worst first, without those that have none."""
    counts: dict[Level, int] = {}
    for finding in findings:
        counts[finding.level] = counts.get(finding.level, 0) + 1
    return dict(sorted(counts.items(), reverse=True))
