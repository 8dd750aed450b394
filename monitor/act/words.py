"""The sentences and numbers that pages, terminal and logs share. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence

from monitor.judge.verdict import ACCEPTED, decides
from monitor.model import QUORUM, Finding, Level, Verdict, short

NAMED_COUNT_MAX = 3
"""How many subjects a headline names before it only counts them."""
TENTHS_BELOW_SECONDS = 9.95
"""Below this a tenth of a second is shown."""
DURATION_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
COUNTS_IN_WORDS = {2: "both"}


def plain(text: str) -> str:
    """On one line and printable: a node's own words may hold escape sequences for a terminal.

    And no command for a runner of GitHub, which obeys `##[add-mask]` anywhere in a line of a log
    (actions/runner, ActionCommand.TryParse), and `::add-mask::` only where the line begins.
    """
    words = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return words.replace("##[", "## [")


def rfc3339(at: float) -> str:
    """A time in UTC to the millisecond, e.g. `2026-11-24T02:25:00.123Z`.

    A block's timestamp may be any number; one that no calendar has is written as seconds.
    """
    try:
        moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    except (ValueError, OverflowError, OSError):
        return f"{at:.6g} s"
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
    if seconds < TENTHS_BELOW_SECONDS:
        return f"{seconds:.1f} s"
    rest = round(seconds)
    words: list[str] = []
    for unit, length in DURATION_UNITS:
        count, rest = divmod(rest, length)
        if count:
            words.append(f"{count} {unit}")
        elif words:
            break
    return " ".join(words[:2])


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
    if kind == "tx":
        return f"transaction {short(name)}"
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


def causes_of(verdict: Verdict) -> tuple[Finding, ...]:
    """Of the deciding findings, those that none of the others explains."""
    found = deciding(verdict)
    return roots(found) or found


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
    checks: dict[str, list[str]] = {}
    for finding in causes_of(verdict):
        checks.setdefault(finding.subject, []).append(finding.check)
    said = [_half(verdict, subject, names) for subject, names in checks.items()]
    said = said or ["all was well at last, and not for as long as was asked for"]
    more = len(said) - NAMED_COUNT_MAX
    named = "; ".join(said[:NAMED_COUNT_MAX])
    return f"{named}; and {more} more" if more > 0 else named


def _half(verdict: Verdict, subject: str, checks: Sequence[str]) -> str:
    """One subject's part of a headline that is not a pass."""
    who, what = subject_words(subject), ", ".join(checks)
    if verdict.word == "inconclusive":
        blind = subject.startswith("reference:")
        return f"{who} cannot be believed" if blind else f"{who} cannot be judged: {what}"
    verb = "FAILED" if verdict.level == Level.FAILED else "DEGRADED, which fails a strict gate"
    return f"{who} {verb}: {what}"


def _passing(verdict: Verdict) -> str:
    nodes = {(f.network, f.subject) for f in verdict.findings if f.subject.startswith("node:")}
    networks = {network for network, _ in nodes}
    accepted = sum(f.reason == ACCEPTED for f in verdict.findings)
    if accepted:
        who = subject_words(next(iter(nodes))[1]) if len(nodes) == 1 else f"{len(nodes)} nodes"
        verb = "passes" if len(nodes) == 1 else "pass"
        sentence = f"{who} {verb}, with {accepted} accepted finding{'s' * (accepted != 1)}"
    elif len(nodes) == 1:
        sentence = f"{subject_words(next(iter(nodes))[1])} is on the network's chain"
    else:
        every = COUNTS_IN_WORDS.get(len(nodes), f"all {len(nodes)}")
        whose = "the network's chain" if len(networks) == 1 else "their networks' chains"
        sentence = f"{every} nodes are on {whose}"
    warnings = sum(f.level == Level.DEGRADED for f in verdict.findings)
    if warnings:
        sentence += f", with {warnings} warning{'s' * (warnings != 1)}"
    return sentence


def count_levels(findings: Iterable[Finding]) -> dict[Level, int]:
    """How many findings stand at each level, worst first, without those that have none."""
    counts: dict[Level, int] = {}
    for finding in findings:
        counts[finding.level] = counts.get(finding.level, 0) + 1
    return dict(sorted(counts.items(), reverse=True))
