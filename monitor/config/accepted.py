"""The file of accepted findings: what a gate is to let pass, why, and until when."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationError

from monitor.config import wording
from monitor.config.kinds import Model, Sentence, expects
from monitor.config.problems import ConfigError
from monitor.config.tree import read

DAYS_MAX = 366
"""What is accepted for longer than a year is a decision, and belongs into the configuration."""


def _date(value: object) -> object:
    """A date as it is written: YAML would read one, and this house reads only text."""
    return datetime.date.fromisoformat(value) if isinstance(value, str) else value


class Accepted(Model):
    """One finding that is accepted."""

    check: Annotated[str, expects("expected the name of a check")]
    """The check whose finding it is."""
    subject: Annotated[str, expects("expected a subject, such as node:NAME")]
    """What it is about, as reports name it: node:NAME, reference:NETWORK/quorum, ledger:NAME, …"""
    why: Sentence
    """For whoever reads the report."""
    until: Annotated[
        datetime.date,
        BeforeValidator(_date),
        expects('expected a date in quotes, as in "2027-01-31"'),
    ]
    """The last day (UTC) on which it is accepted; at most a year ahead."""
    reasons: tuple[str, ...] = ()
    """Only with one of these reasons. Default: with any."""


class AcceptedFile(Model):
    """accepted.yaml."""

    accepted: tuple[Accepted, ...]
    """The findings that are accepted."""


def load_accepted(path: Path, now: float) -> tuple[Accepted, ...]:
    """The entries of a YAML file. Raises ConfigError with every mistake at its line."""
    tree = read(path, "docs/gate.md shows what one looks like")
    read_entries: tuple[Accepted, ...] = ()
    try:
        read_entries = AcceptedFile.model_validate(tree.root).accepted
    except ValidationError as error:
        wording.note_items(tree, error, Accepted)
    today = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    limit = today + datetime.timedelta(days=DAYS_MAX)
    for index, entry in enumerate(read_entries):
        if entry.until > limit:
            hint = "for longer, turn the check off in the configuration"
            tree.note(("accepted", index, "until"), f"expected a day up to {limit}", hint)
    if tree.problems:
        raise ConfigError(tree.problems)
    return read_entries
