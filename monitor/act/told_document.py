"""A gate's document read back, strictly: what a sidecar answered becomes a verdict again. Pure.

The shape is `docs/gate.schema.json`. A sidecar repeats what nodes say of themselves, so every text
is made plain here. Rules are read anew by their grammar.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from monitor.act.words import plain
from monitor.judge.verdict import verdict_of
from monitor.model import (
    BlockNumber,
    BlockStamp,
    Evidence,
    Finding,
    Hash32,
    Key,
    Level,
    Verdict,
    VerdictWord,
)
from monitor.policy.evaluation import Result, Ruling, verdict_word
from monitor.policy.rules import Options, Severity, parse
from monitor.policy.units import PolicyError

LEVELS = {level.word: level for level in Level}


class DocumentError(Exception):
    """What was answered is no verdict that this version can read; the text says why."""


class _Stamp(msgspec.Struct, frozen=True):
    number: int
    hash: str
    timestamp: int


class _Key(msgspec.Struct, frozen=True):
    check: str
    subject: str

    @property
    def key(self) -> Key:
        return plain(self.check), plain(self.subject)


class _Evidence(msgspec.Struct, frozen=True):
    source: str
    method: str
    said: str
    at: datetime
    block: _Stamp | None
    threshold: str | None
    p_value: float | None


class _Finding(msgspec.Struct, frozen=True):
    check: str
    subject: str
    network: str
    level: Literal["ok", "unknown", "degraded", "failed"]
    reason: str
    summary: str
    measured: float | None
    limit: float | None
    unit: str
    as_of: _Stamp | None
    since: datetime | None
    because: _Key | None
    evidence: tuple[_Evidence, ...]


class _Rule(msgspec.Struct, frozen=True):
    rule: str
    severity: Severity
    network: str | None
    over_seconds: float | None
    min_samples: int
    consecutive: int
    verdict: VerdictWord
    reason: str
    actual: float | None
    subject: str | None
    samples: int
    detail: str
    max_age_seconds: float | None = None


class _Document(msgspec.Struct, frozen=True):
    schema: Literal["headwatch.gate/1"]
    verdict: VerdictWord
    at: datetime
    headwatch: str
    policy: str | None
    findings: tuple[_Finding, ...]
    skipped: tuple[_Key, ...]
    rules: tuple[_Rule, ...]


_DECODER = msgspec.json.Decoder(_Document)


def read(body: bytes) -> tuple[Verdict, Ruling | None]:
    """The verdict and, where a gate was asked, its ruling. Raises DocumentError."""
    try:
        document = _DECODER.decode(body)
        findings = tuple(_finding(one) for one in document.findings)
        skipped = tuple(one.key for one in document.skipped)
        verdict = verdict_of(findings, document.at.timestamp(), skipped)
        results = tuple(_result(rule) for rule in document.rules)
    except (msgspec.DecodeError, UnicodeError, RecursionError, OverflowError, ValueError) as error:
        message = f"no verdict of headwatch: {plain(str(error))}"
        raise DocumentError(message) from None
    except PolicyError as error:
        message = f"a rule that this version cannot read: {plain(str(error))}"
        raise DocumentError(message) from None
    # What is written there is the word of checks and rules together.
    word = verdict_word(verdict.word, results)
    if document.verdict != word:
        message = f"it says {document.verdict}, and its checks and rules come to {word}"
        raise DocumentError(message)
    if document.policy is None:
        return verdict, None
    return verdict, Ruling(plain(document.policy), word, results)


def _finding(one: _Finding) -> Finding:
    return Finding(
        check=plain(one.check),
        subject=plain(one.subject),
        network=plain(one.network),
        level=LEVELS[one.level],
        reason=plain(one.reason),
        summary=plain(one.summary),
        measured=one.measured,
        limit=one.limit,
        unit=plain(one.unit),
        as_of=_stamp(one.as_of),
        since=None if one.since is None else one.since.timestamp(),
        because=None if one.because is None else one.because.key,
        evidence=tuple(_evidence(evidence) for evidence in one.evidence),
    )


def _stamp(one: _Stamp | None) -> BlockStamp | None:
    if one is None:
        return None
    return BlockStamp(BlockNumber(one.number), Hash32(plain(one.hash)), one.timestamp)


def _evidence(one: _Evidence) -> Evidence:
    return Evidence(
        source=plain(one.source),
        method=plain(one.method),
        said=plain(one.said),
        at=one.at.timestamp(),
        block=_stamp(one.block),
        threshold=None if one.threshold is None else plain(one.threshold),
        p_value=one.p_value,
    )


def _result(one: _Rule) -> Result:
    options = Options(
        severity=one.severity,
        over_seconds=one.over_seconds,
        min_samples=one.min_samples,
        consecutive=one.consecutive,
        network=plain(one.network or ""),
        max_age_seconds=one.max_age_seconds,
    )
    return Result(
        rule=parse(one.rule, options),
        word=one.verdict,
        reason=plain(one.reason),
        actual=one.actual,
        subject=plain(one.subject or ""),
        samples=one.samples,
        detail=plain(one.detail),
    )
