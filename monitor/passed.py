"""Which version of each node has passed the gate, since when, and by which report.

The memory of a rollout (`headwatch gate --state FILE`), one JSON file for any number of nodes: what
is in service, what was before it and is the way back, and the digest of the report that let it
through. Only a pass changes it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from monitor.act.words import rfc3339
from monitor.ledger.store.disk import write_whole

BYTES_MAX = 2**20


class StateError(Exception):
    """The file cannot be read or written, or is no state file; `str()` is one line."""


class Before(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version that a node had before."""

    version: str
    since: str


class Passed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version of a node that has passed."""

    version: str
    """As `web3_clientVersion` names it."""
    since: str
    """When this version passed first, RFC 3339."""
    report: str
    """`sha256:` and the digest of the last pass's report, as `--output json` writes it."""
    at: str
    """When it passed last."""
    before: Before | None = None
    """None: no other version has passed."""


class State(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    schema: Literal["headwatch.passed/1"]
    nodes: dict[str, Passed]
    """By the node's name in the configuration."""


EMPTY = State("headwatch.passed/1", {})


def digest(report: str) -> str:
    """What `sha256sum` says of the report's file."""
    return "sha256:" + hashlib.sha256(report.encode()).hexdigest()


def updated(state: State, versions: Mapping[str, str], *, report: str, at: float) -> State:
    """The state after a pass of these nodes; `report` is the digest. Others stay as they were.

    A node that goes back to an older version has that one since now: what counts is what serves.
    """
    nodes = dict(state.nodes)
    moment = rfc3339(at)
    for name, version in versions.items():
        old = nodes.get(name)
        if old is None:
            nodes[name] = Passed(version, moment, report, moment)
        elif old.version == version:
            nodes[name] = Passed(version, old.since, report, moment, old.before)
        else:
            nodes[name] = Passed(version, moment, report, moment, Before(old.version, old.since))
    return State(state.schema, {name: nodes[name] for name in sorted(nodes)})


def read(path: Path) -> State:
    """The state of a file; an empty one where there is no file. Raises StateError."""
    try:
        with path.open("rb") as file:
            body = file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return EMPTY
    except OSError as error:
        raise StateError(_said(path, error.strerror)) from None
    if len(body) > BYTES_MAX:
        raise StateError(_said(path, f"more than {BYTES_MAX} bytes are no state file"))
    try:
        return msgspec.json.decode(body, type=State)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(_said(path, f"not a state file: {error}")) from None


def record(path: Path, versions: Mapping[str, str], *, report: str, at: float) -> None:
    """Write down a pass: whole or not at all, one after the other. Raises StateError."""
    # Through a link the file itself is replaced, and not the link.
    path = path.resolve()
    try:
        with _alone(path.parent):
            state = updated(read(path), versions, report=report, at=at)
            body = msgspec.json.format(msgspec.json.encode(state), indent=2) + b"\n"
            write_whole(path, body)
    except OSError as error:
        raise StateError(_said(path, error.strerror)) from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One writer at a time in this folder. The lock is on the folder, so that no file stays."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _said(path: Path, what: str | None) -> str:
    return f"--state {path}: {what or 'the disk gave no reason'}"
