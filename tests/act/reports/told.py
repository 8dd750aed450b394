"""Runs of the gate by hand, of which reports are drawn."""

from __future__ import annotations

from dataclasses import replace

from monitor.act.reports.told import Told
from monitor.canary.comparison import Comparison, Line, word_of
from monitor.canary.differences import Difference
from monitor.conformance.outcome import Conformance, Tried
from monitor.conformance.outcome import word_of as word_of_vectors
from monitor.judge.verdict import verdict_of
from monitor.model import Evidence, Finding, Level, Verdict
from tests.act import snapshots
from tests.act.rulings import BLIND, BROKEN, HELD, WARNED, ruling

HOSTILE = (
    "]]> <script>\x1b[31m\x00 ::error::x%0A | `a` \u0085 [b](http://c) \ufffe "
    "##[error]planted ###\n[error]planted HTTPS://d/e www.f.example g@h.example @i"
)
"""What a node may say: markup of every format, commands, and what XML cannot hold."""
LINES = {"node:local": 7, "rule:0": 21, "rule:1": 22, "rule:2": 23, "rule:3": 24}


def bad(level: Level, subject: str = "node:local", check: str = "head") -> Finding:
    """A finding whose words are another's."""
    said = Evidence("local", "eth_getBlockByNumber", HOSTILE, snapshots.NOW, threshold="at most 2")
    made = snapshots.finding(check, subject, level)
    return replace(
        made,
        reason="behind",
        summary=f"behind {HOSTILE}",
        measured=5.0,
        limit=2.0,
        evidence=(said,),
    )


def healthy() -> Told:
    """All is well, and one check is not supported."""
    verdict = replace(snapshots.healthy("local").verdict, skipped=(("peers", "node:local"),))
    return Told(verdict, "1.2.3", None, "headwatch.yaml", LINES)


def troubled() -> Told:
    """One of each: failed, warned, blind and unseen checks, and rules that came to all of it."""
    findings = (
        bad(Level.FAILED),
        bad(Level.DEGRADED, check="peers"),
        bad(Level.UNKNOWN, check="fork"),
        bad(Level.UNKNOWN, check="txpool"),
        snapshots.finding("identity", "node:local", Level.OK),
    )
    verdict = verdict_of(findings, snapshots.NOW)
    ruled = ruling("fail", HELD, BROKEN, WARNED, BLIND)
    return Told(verdict, "1.2.3", ruled, "deploy/head,watch.yaml", LINES)


def blind() -> Told:
    """Nothing failed and nothing could be seen; nobody wrote a file."""
    return Told(verdict_of((bad(Level.UNKNOWN),), snapshots.NOW), "1.2.3")


def endless(count: int = 8000) -> Told:
    """More than any report has room for."""
    findings = [bad(Level.FAILED, f"node:n{index}") for index in range(count)]
    return Told(verdict_of(findings, snapshots.NOW), "1.2.3", None, "headwatch.yaml")


def canary() -> Told:
    """One of each outcome of a canary run, in the words of a hostile node."""
    line = Line(f"eth_call {HOSTILE}", HOSTILE, "0x2")
    found = (
        Comparison("identity", "pass", "same_chain", "chain 1", asked=1),
        Comparison("upgrades", "skipped", "unsupported", "neither serves it"),
        Comparison("consensus", "unknown", "unseen", f"not seen {HOSTILE}"),
        Comparison(
            "answers", "fail", "changed", f"differs {HOSTILE}", (line,), 5, "method:eth_call"
        ),
        Comparison("answers", "warn", "fields_added", "new", (line,), 5, "method:eth_foo"),
        Comparison("latency", "unknown", "too_few", "too few"),
    )
    verdict = Verdict(snapshots.NOW, (), word_of(found), Level.FAILED)
    return Told(verdict, "1.2.3", comparisons=found)


def conformance() -> Told:
    """One of each outcome of vectors, in the words of a hostile node."""
    changed = Difference(f"a.{HOSTILE}", "changed", HOSTILE, "0x2")
    files = (
        Tried("eth_a", "bad", "fail", "differs", f"differs {HOSTILE}", 7, (changed,)),
        Tried("eth_a", "good", "pass", "same", "1 answer as expected"),
        Tried("eth_b", "gone", "skipped", "absent", f"not there {HOSTILE}", 2),
        Tried("eth_b", "slow", "unknown", "timeout", f"no answer {HOSTILE}", 3),
    )
    found = Conformance("vectors", HOSTILE, f"on it {HOSTILE}", files=files)
    verdict = Verdict(snapshots.NOW, (), word_of_vectors(found), Level.FAILED)
    return Told(verdict, "1.2.3", conformance=found)


def blind_conformance() -> Told:
    """Vectors that nobody put, for the node is on another chain."""
    found = Conformance("vectors", HOSTILE, blind=f"another chain {HOSTILE}")
    verdict = Verdict(snapshots.NOW, (), word_of_vectors(found), Level.UNKNOWN)
    return Told(verdict, "1.2.3", conformance=found)


RUNS = {
    "canary": canary(),
    "conformance": conformance(),
    "blind conformance": blind_conformance(),
    "healthy": healthy(),
    "troubled": troubled(),
    "blind": blind(),
}
