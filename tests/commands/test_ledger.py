"""What the commands of the ledger hand out; as they are started: `tests/e2e/test_ledger.py`."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from monitor.commands import UsageError
from monitor.commands.ledger import unseen_json, write_output
from monitor.ledger.errors import CouldNotSee
from monitor.ledger.ranges import Meaning as MeaningOfLogs
from monitor.ledger.refusals import Meaning
from monitor.ledger.remedies import REMEDIES

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs" / "ledger-unseen.schema.json").read_text(encoding="utf-8")
)
REASONS = {*REMEDIES, *map(str, Meaning), *map(str, MeaningOfLogs)}


@contextmanager
def no_room(size: int) -> Iterator[None]:
    """Files that this program cannot make larger than so many bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_write_output_without_room_leaves_what_was_there(tmp_path: Path) -> None:
    """A report of yesterday is better than half of today's."""
    path = tmp_path / "report.json"
    write_output(path, "yesterday")
    with no_room(10), pytest.raises(UsageError, match=r"--output .*report.json: File too large"):
        write_output(path, "today" * 100)
    assert [each.read_text() for each in tmp_path.iterdir()] == ["yesterday\n"]


def test_write_output_through_a_link_writes_the_file_it_names(tmp_path: Path) -> None:
    """The link stays, as with any program that writes to it."""
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    write_output(link, "{}")
    assert link.is_symlink()
    assert real.read_text() == "{}\n"


def test_write_output_into_what_is_no_file_writes_to_it() -> None:
    """/dev/stdout and pipes take it; where they do not, the reason is told."""
    write_output(Path("/dev/null"), "{}")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(UsageError, match=r"--output /dev/full: No space left on device"):
        write_output(Path("/dev/full"), "{}")


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_unseen_json_of_every_reason_fits_its_schema(reason: str) -> None:
    """What could not be seen is told in one shape, whatever it was."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(unseen_json(CouldNotSee(reason, "a node did not show")))


def test_unseen_schema_refuses_what_is_no_reason() -> None:
    """An error that names no reason, or says nothing, is a mistake of ours."""
    assert not Draft202012Validator(SCHEMA).is_valid(unseen_json(CouldNotSee("", "x")))
    assert not Draft202012Validator(SCHEMA).is_valid(unseen_json(CouldNotSee("pruned", "")))
