"""A state document of a sidecar, read strictly: JSON in, frozen values out. Pure.

The shape is `docs/state.schema.json`. Only what a terminal shows is decoded. A sidecar repeats what
nodes say of themselves, so every text is made plain here, once for all that print it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal, NoReturn, TypeAlias

import msgspec

from monitor.act.words import headline, plain, rfc3339, since_of
from monitor.judge.verdict import verdict_of
from monitor.model import (
    Finding,
    Key,
    Level,
    Verdict,
    VerdictWord,
    node_subject,
    reference_label,
    subject_of,
)

NAMES_SHOWN_MAX = 8
Json: TypeAlias = Mapping[str, object]
LevelWord = Literal["ok", "unknown", "degraded", "failed"]


class DocumentError(Exception):
    """What was answered is no state that this version can read; the text says why."""


class NoNodeError(Exception):
    """The sidecar watches no node of the name that was asked for; the text names some it does."""


def _check_moment(moment: datetime | None) -> None:
    """Raises ValueError for one that RFC 3339 can write and UTC has no year for."""
    if moment is None:
        return
    try:
        moment.astimezone(UTC)
    except (OverflowError, ValueError):
        message = "a time beyond every calendar"
        raise ValueError(message) from None


class Line(str):
    """A text on one line, of printable characters only."""

    __slots__ = ()


class Window(msgspec.Struct, frozen=True):
    """A maintenance window."""

    active: bool
    ends_at: datetime
    networks: tuple[Line, ...]
    nodes: tuple[Line, ...]
    reason: Line

    def __post_init__(self) -> None:
        """Raise ValueError for a time that cannot be shown, as others here do."""
        _check_moment(self.ends_at)


class NetworkState(msgspec.Struct, frozen=True):
    """One network; without a head none of its references can be believed now."""

    name: Line
    profile: Line
    head: int | None
    age_seconds: float | None
    confidence: Line | None
    voters: tuple[Line, ...]
    operators: int | None
    rounds: int


class UnseenState(msgspec.Struct, frozen=True):
    """Why there is no head."""

    detail: Line


class EndpointState(msgspec.Struct, frozen=True):
    """One node or reference."""

    name: Line
    network: Line
    level: LevelWord
    client: Line
    head: int | None
    hash: Line | None
    lag_blocks: int | None
    age_seconds: float | None
    checks: dict[str, LevelWord]
    silenced: bool
    unseen: UnseenState | None
    operator: Line = Line()
    """Of a reference."""
    votes: bool = False

    @property
    def severity(self) -> Level:
        return Level[self.level.upper()]

    @property
    def bad_checks(self) -> tuple[str, ...]:
        """Those that are not ok; keys pass no hook of the decoder, so they are made plain here."""
        return tuple(plain(check) for check, level in self.checks.items() if level != "ok")


class CauseState(msgspec.Struct, frozen=True):
    """The key of the finding that explains another."""

    check: Line
    subject: Line


class FindingState(msgspec.Struct, frozen=True):
    """One judged sentence, without its evidence."""

    check: Line
    subject: Line
    network: Line
    level: LevelWord
    reason: Line
    summary: Line
    since: datetime | None
    because: CauseState | None

    def __post_init__(self) -> None:
        _check_moment(self.since)

    @property
    def finding(self) -> Finding:
        """In the words of the house, so that the judges' own rules apply to it."""
        because: Key | None = None
        if self.because is not None:
            because = (self.because.check, self.because.subject)
        return Finding(
            check=self.check,
            subject=self.subject,
            network=self.network,
            level=Level[self.level.upper()],
            reason=self.reason,
            summary=self.summary,
            since=None if self.since is None else self.since.timestamp(),
            because=because,
        )


class State(msgspec.Struct, frozen=True):
    """Everything that is shown of one moment."""

    schema: Literal["headwatch.state/1"]
    at: datetime
    version: Line
    ready: bool
    verdict: VerdictWord
    since: datetime | None
    headline: Line
    networks: tuple[NetworkState, ...]
    nodes: tuple[EndpointState, ...]
    references: tuple[EndpointState, ...]
    findings: tuple[FindingState, ...]
    windows: tuple[Window, ...]

    def __post_init__(self) -> None:
        _check_moment(self.at)
        _check_moment(self.since)

    @property
    def now(self) -> float:
        """When it was told, by the sidecar's clock."""
        return self.at.timestamp()


def read_json(body: bytes) -> Json:
    """The document as it came. Raises DocumentError."""
    try:
        document = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        message = "the answer is not JSON"
        raise DocumentError(message) from None
    if not isinstance(document, dict):
        message = "the answer is not a state document"
        raise DocumentError(message)
    return document


def _refuse(constant: str) -> NoReturn:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def state_of(document: Json) -> State:
    """The values that are shown. Raises DocumentError, which names the field that is wrong."""
    try:
        return msgspec.convert(document, State, dec_hook=_line)
    except (msgspec.ValidationError, RecursionError, UnicodeEncodeError) as error:
        message = f"not a state document of headwatch.state/1: {plain(str(error))}"
        raise DocumentError(message) from None


def _line(kind: type, value: object) -> Line:
    if kind is not Line or not isinstance(value, str):
        message = f"expected a text, found {type(value).__name__}"
        raise TypeError(message)
    return Line(plain(value))


def narrowed(document: Json, node: str) -> Json:
    """The document as if this node were the only one, with the verdict that follows.

    It is judged from its own findings and those of its network's references together, as
    `/-/synced` does. Raises DocumentError and NoNodeError.
    """
    state = state_of(document)
    network = next((each.network for each in state.nodes if each.name == node), None)
    if network is None:
        raise NoNodeError(_no_node(node, state))
    subjects = {node_subject(node), subject_of(reference_label(network))}
    kept = [finding.finding for finding in state.findings if finding.subject in subjects]
    verdict = verdict_of(kept, state.now)
    since = since_of(verdict)
    return {
        **document,
        **_verdict_json(verdict),
        "since": None if since is None else rfc3339(since),
        "networks": _only(document, "networks", "name", {network}),
        "nodes": _only(document, "nodes", "name", {node}),
        "references": _only(document, "references", "network", {network}),
        "findings": _only(document, "findings", "subject", subjects),
        "skipped": _only(document, "skipped", "subject", subjects),
    }


def _no_node(node: str, state: State) -> str:
    names = [each.name for each in state.nodes]
    more = len(names) - NAMES_SHOWN_MAX
    shown = ", ".join(names[:NAMES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
    return f"there is no node {plain(node)}; there are {shown}" if names else "there are no nodes"


def _verdict_json(verdict: Verdict) -> Json:
    return {
        "verdict": verdict.word,
        "level": verdict.level.word,
        "headline": headline(verdict),
    }


def _only(document: Json, part: str, field: str, wanted: set[str]) -> list[Json]:
    """The entries of a part whose field is one of these; a part that is not shown may be odd."""
    entries = document.get(part)
    found = entries if isinstance(entries, list) else []
    return [entry for entry in found if isinstance(entry, dict) and entry.get(field) in wanted]
