"""What a child is asked, and what it answers: through JSON and back, with nothing lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.ledger.job import (
    Job,
    Outcome,
    Request,
    Seat,
    Step,
    outcome_json,
    outcome_of,
    request_json,
    request_of,
)
from monitor.ledger.plain import PlainError
from monitor.model import Address, BlockNumber, BlockStamp, Hash32, LedgerTotals
from monitor.poco.difference import Difference
from monitor.rpc.node import Limits
from monitor.url import Url

HUB = Address("0x" + "11" * 20)
TOTALS = LedgerTotals(1, 2, 3, 2**80, 5, {"completed": 1}, {"faulty": 2}, (0, 5))


@given(
    st.text(min_size=1),
    st.none() | st.just(Path("/var/lib/x y")),
    st.none() | st.integers(0, 2**53),
    st.floats(0.1, 1e6),
)
def test_request_comes_back_as_it_was(
    name: str, folder: Path | None, block: int | None, seconds: float
) -> None:
    """Names, folders, limits and whole URLs: a child does what its parent was told to do."""
    job = Job(
        name=name,
        protocol="poco-v1",
        contract=HUB,
        node=Seat("main", Url("http://node.example/v3/s3cret"), ""),
        references=(Seat("a", Url("https://a.example/"), "one"),),
        folder=folder,
        from_block=block,
        chain_id=1,
        limits=Limits(deadline_seconds=seconds),
    )
    request = Request(job, report=folder)
    again = request_of(request_json(request))
    assert again == request
    assert again.job.node.url.reveal() == "http://node.example/v3/s3cret"


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("inconclusive", "behind", "the node is behind"),
        Outcome(
            verdict="fail",
            chain_id=1,
            block=BlockStamp(BlockNumber(7), Hash32("0x" + "ab" * 32), 9),
            events=5,
            events_new=2,
            differences_count=1,
            differences_by_kind={"stake": 1},
            differences=(Difference("stake", "why", account=HUB, predicted=2**70, delta=-1),),
            totals=TOTALS,
        ),
    ],
)
def test_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    """With a verdict and without: amounts of any size, and what there is none of."""
    assert outcome_of(outcome_json(outcome)) == outcome


@pytest.mark.parametrize("raw", [b"", b"{}", b"null", b'{"verdict": "maybe"}', b"Traceback"])
def test_outcome_of_anything_else_is_refused(raw: bytes) -> None:
    """Half an answer, or a traceback in its place, is no outcome."""
    with pytest.raises(PlainError):
        outcome_of(raw)


def test_request_of_a_bad_url_tells_nothing_of_it() -> None:
    """A key stays where it was."""
    raw = request_json(Request(Job("x", "poco-v1", HUB, Seat("a", Url("http://a.example/k3yk3y")))))
    with pytest.raises(PlainError) as caught:
        request_of(raw.replace(b"http:", b"gopher:"))
    assert "k3yk3y" not in str(caught.value)


def test_step_of_nothing_counted_is_only_what_is_done() -> None:
    """Where nobody knows how long it takes nothing is counted."""
    assert Step("looking") == ("looking", 0, 0, "")
