"""One target's part of a snapshot: what `/probe` shows of its last round. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

from monitor.act.report import gate_text
from monitor.act.words import duration, plain, rfc3339
from monitor.judge.verdict import verdict_of
from monitor.model import BlockStamp, Head, NodeFacts, Snapshot, Unseen, subject_of

LINKS_SHOWN_MAX = 20
"""How many entries of a mapping are written out."""


def find(snapshot: Snapshot, target: str) -> NodeFacts | None:
    """The endpoint with this label: a node's name, or `NETWORK/NAME` of a reference."""
    return next((facts for facts in snapshot.endpoints if facts.label == target), None)


def narrow(snapshot: Snapshot, facts: NodeFacts) -> Snapshot:
    """The snapshot as if this endpoint were the only one; its verdict is of its findings alone."""
    label = facts.label
    subject = subject_of(label)
    findings = [f for f in snapshot.verdict.findings if f.subject == subject]
    skipped = [key for key in snapshot.verdict.skipped if key[1] == subject]
    return replace(
        snapshot,
        verdict=verdict_of(findings, snapshot.verdict.at, skipped),
        observations=tuple(o for o in snapshot.observations if o.node == label),
        networks=tuple(n for n in snapshot.networks if n.name == facts.network),
        endpoints=(facts,),
        accounts=(),
        transactions_mode="off",
    )


def debug_text(snapshot: Snapshot, facts: NodeFacts) -> str:
    """What was asked of one endpoint last, what it said, and what was made of it."""
    narrowed = narrow(snapshot, facts)
    lines = [
        f"target    {facts.label} ({facts.kind} of {facts.network})",
        f"url       {facts.url}",
        f"client    {plain(facts.client) or 'not known'}",
        f"calls     {facts.calls_total} in all, {_budget(facts)}",
        f"errors    {_errors(facts) or 'none'}",
        f"socket    {facts.subscription}",
        f"drawn     {rfc3339(snapshot.at)}; no question was asked for this page",
        "",
        "OBSERVATIONS",
    ]
    for seen in narrowed.observations:
        age = duration(snapshot.at - seen.at)
        lines.append(
            f"  {seen.check}  {rfc3339(seen.at)}, {age} ago, took {seen.took_seconds * 1000:.1f} ms"
        )
        lines += [f"    {line}" for line in _value_lines(seen.seen)]
    findings = gate_text(narrowed.verdict, colour=False)
    lines += ["", "FINDINGS", *(f"  {line}".rstrip() for line in findings.split("\n"))]
    if facts.last_exchange is not None:
        request, answer = facts.last_exchange
        lines += ["", "LAST REQUEST", f"  {plain(request)}"]
        lines += ["", "LAST ANSWER", f"  {plain(answer)}"]
    return "\n".join(lines) + "\n"


def _budget(facts: NodeFacts) -> str:
    if facts.calls_a_day is None:
        return "no budget"
    return f"{facts.calls_today} of {facts.calls_a_day} today"


def _errors(facts: NodeFacts) -> str:
    return ", ".join(f"{reason} {n}" for reason, n in sorted(facts.errors_total.items()) if n)


def _value_lines(value: object, name: str = "") -> Iterator[str]:
    """Any frozen value of `judge/seen.py`, field by field."""
    prefix = f"{name}: " if name else ""
    if isinstance(value, Unseen):
        yield f"{prefix}NOT SEEN, {value.reason}: {plain(value.detail)}"
    elif isinstance(value, Head | BlockStamp):
        yield f"{prefix}block {value.number} {value.hash} at {rfc3339(value.timestamp)}"
    elif is_dataclass(value) and not isinstance(value, type):
        if name:
            yield f"{name}:"
        for item in fields(value):
            for line in _value_lines(getattr(value, item.name), item.name):
                yield f"  {line}" if name else line
    elif isinstance(value, dict):
        yield f"{prefix}{len(value)} entries"
        for key in sorted(value, reverse=True)[:LINKS_SHOWN_MAX]:
            yield from (f"  {line}" for line in _value_lines(value[key], str(key)))
    else:
        yield f"{prefix}{plain(str(value))}"
