"""The heights whose hash is known from the logs of a page."""

from __future__ import annotations

from monitor.ledger.store.marks import marks_of
from monitor.ledger.store.words import Mark
from tests.ledger.store.samples import logs_of, named, nothing


def test_marks_of_logs_are_their_blocks_and_the_end() -> None:
    """Each block once, newest first; the end comes first, whether it has logs or not."""
    logs = logs_of([4, 7, 9], 3)
    known = [Mark(block, named(block)) for block in (9, 7, 4)]
    assert marks_of(logs, Mark(9, named(9))) == known
    assert marks_of(logs, Mark(12, named(12))) == [Mark(12, named(12)), *known]
    assert marks_of(nothing(), Mark(12, named(12))) == [Mark(12, named(12))]
