"""The outcome on disk, and what a gate makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.config.ledgers import Ledger
from monitor.ledger.configured import LEDGERS
from monitor.ledger.job import Outcome
from monitor.ledger.last import (
    BYTES_MAX,
    DIFFERENCES,
    MAX_AGE_SECONDS,
    NAME,
    Last,
    findings,
    last_of,
    measures,
    put_last,
)
from monitor.ledger.plain import PlainError, dump
from monitor.model import Address, Level
from monitor.poco.difference import Difference

NOW = 1_795_000_000.0
LEDGER = Ledger(name="drops", network="ethereum", node="local", address=Address("0x" + "0d" * 20))
WRONG = Outcome(
    "fail",
    differences_count=2,
    differences_by_kind={"stake": 2},
    differences=(Difference(kind="stake", why="predicted 1, stored 2", delta=1),),
)


def kept(tmp_path: Path, outcome: Outcome, age: float = 10.0, name: str = "drops") -> Path:
    put_last(tmp_path / LEDGERS / name, Last(NOW - age, LEDGER.address, outcome))
    return tmp_path


def test_outcome_that_was_kept_is_read_again_as_it_was(tmp_path: Path) -> None:
    """Differences and all, in a folder that may not be there yet."""
    last = Last(NOW, LEDGER.address, WRONG)
    put_last(tmp_path / "new", last)
    assert last_of(tmp_path / "new") == last
    assert [path.name for path in (tmp_path / "new").iterdir()] == [NAME]


def test_outcome_that_was_never_kept_is_none(tmp_path: Path) -> None:
    """That is no error: nothing was reconciled yet."""
    assert last_of(tmp_path / "none") is None


def test_outcome_without_an_end_is_refused_for_its_size(tmp_path: Path) -> None:
    """However long it is, no more than the limit is read; and up to there, all of it is."""
    whole = dump(Last, Last(NOW, LEDGER.address, WRONG))
    (tmp_path / NAME).write_bytes(whole.ljust(BYTES_MAX))
    assert last_of(tmp_path) == Last(NOW, LEDGER.address, WRONG)
    (tmp_path / NAME).write_bytes(whole.ljust(BYTES_MAX + 1))
    with pytest.raises(PlainError, match=f"more than {BYTES_MAX} bytes"):
        last_of(tmp_path)


@pytest.mark.parametrize("raw", [b"", b"{", b'{"at":1}'], ids=len)
def test_outcome_that_is_damaged_is_refused(tmp_path: Path, raw: bytes) -> None:
    """Half a file, another document, or one without an end."""
    (tmp_path / NAME).write_bytes(raw)
    with pytest.raises(PlainError):
        last_of(tmp_path)


@pytest.mark.parametrize(
    ("age", "level", "reason"),
    [
        (MAX_AGE_SECONDS, Level.FAILED, "stake"),
        (MAX_AGE_SECONDS + 1, Level.UNKNOWN, "stale_outcome"),
        (-1.0, Level.FAILED, "stake"),
        (-MAX_AGE_SECONDS - 1, Level.UNKNOWN, "stale_outcome"),
    ],
    ids=["as old as may be", "older", "of a second ahead", "of before the clock was set back"],
)
def test_finding_of_a_gate_is_as_good_as_it_is_fresh(
    tmp_path: Path, age: float, level: Level, reason: str
) -> None:
    """A difference of an hour ago says nothing of now."""
    (found,) = findings(kept(tmp_path, WRONG, age), [LEDGER], NOW)
    assert (found.level, found.reason, found.subject) == (level, reason, "ledger:drops")


def test_finding_of_a_ledger_that_was_never_reconciled_is_unknown(tmp_path: Path) -> None:
    """The gate says that nobody has looked."""
    (found,) = findings(tmp_path, [LEDGER], NOW)
    assert (found.level, found.reason) == (Level.UNKNOWN, "stale_outcome")
    assert "never" in found.summary


def test_finding_of_a_ledger_whose_address_was_changed_is_unknown(tmp_path: Path) -> None:
    """What was found of another contract under the same name says nothing of this one."""
    moved = LEDGER.model_copy(update={"address": Address("0x" + "0e" * 20)})
    (found,) = findings(kept(tmp_path, Outcome("pass")), [moved], NOW)
    assert (found.level, found.reason) == (Level.UNKNOWN, "stale_outcome")
    assert LEDGER.address in found.summary


def test_finding_of_a_damaged_outcome_names_the_file(tmp_path: Path) -> None:
    """One line with the place, and no traceback."""
    path = kept(tmp_path, WRONG) / LEDGERS / "drops" / NAME
    path.write_bytes(b"{")
    (found,) = findings(tmp_path, [LEDGER], NOW)
    assert (found.level, found.reason) == (Level.UNKNOWN, "no_outcome")
    assert str(path) in found.summary


def test_differences_are_measured_over_all_ledgers(tmp_path: Path) -> None:
    """`ledger.differences.count` is what a rule of a gate compares with 0."""
    other = LEDGER.model_copy(update={"name": "other"})
    kept(tmp_path, WRONG)
    kept(tmp_path, Outcome("pass"), name="other")
    assert measures(tmp_path, [LEDGER, other], NOW) == {DIFFERENCES: 2.0}


def test_differences_of_what_was_not_seen_are_no_number(tmp_path: Path) -> None:
    """Not seen is not zero: neither for one ledger of two, nor for none."""
    kept(tmp_path, Outcome("pass"))
    other = LEDGER.model_copy(update={"name": "other"})
    assert measures(tmp_path, [LEDGER, other], NOW) == {DIFFERENCES: None}
    assert measures(tmp_path, [], NOW) == {DIFFERENCES: None}
    assert measures(tmp_path, [LEDGER], NOW) == {DIFFERENCES: 0.0}
