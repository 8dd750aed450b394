"""What is stored of findings: bounded, and the same when it is read."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.history.evidence import (
    EVIDENCE_COUNT_MAX,
    SUMMARY_CHARACTERS_MAX,
    cut,
    edge_of,
    level_of,
    read,
    written,
)
from monitor.model import BlockNumber, BlockStamp, Evidence, Hash32, Level
from tests.history.samples import action

texts = st.text(st.characters(codec="utf-8"), max_size=50)
stamps = st.builds(
    BlockStamp,
    st.integers(0, 2**70).map(BlockNumber),
    texts.map(Hash32),
    st.integers(0, 2**63),
)
evidences = st.builds(
    Evidence,
    source=texts,
    method=texts,
    said=texts,
    at=st.floats(0, 1e10),
    block=st.none() | stamps,
    threshold=st.none() | texts,
    p_value=st.none() | st.floats(0, 1),
)


@settings(deadline=None)
@given(st.lists(evidences, max_size=EVIDENCE_COUNT_MAX))
def test_evidence_is_read_as_it_was_written(evidence: list[Evidence]) -> None:
    """Every field comes back, also numbers that no database column would hold."""
    assert read(written(evidence)) == tuple(evidence)


def test_evidence_of_any_size_is_stored_in_a_few_kilobytes() -> None:
    """A node that writes novels fills no disk; what is cut ends with a mark."""
    novel = Evidence("s" * 9999, "m" * 9999, "w" * 10**6, 1.0, threshold="t" * 9999)
    text = written([novel] * 100)
    assert len(text.encode()) < 6000
    kept = read(text)
    assert len(kept) == EVIDENCE_COUNT_MAX
    assert all(each.said.endswith("w…") for each in kept)
    assert written(()) == ""


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(1, 10))
def test_text_is_cut_and_can_always_be_encoded(text: str, most: int) -> None:
    """A lone half of a character, which JSON may bring, ends no write."""
    assert len(cut(text, most)) <= most
    cut(text, most).encode()
    if "\ud83d" not in text and len(text) <= most and text.isprintable():
        assert cut(text, most) == text


def test_edge_keeps_what_an_action_says() -> None:
    """Level, reason and cause as they were, the summary cut."""
    told = action("changed", Level.DEGRADED, 7.5)
    told = replace(
        told,
        before=Level.FAILED,
        finding=replace(told.finding, summary="x" * 9999, because=("stall", "node:local")),
    )
    edge = edge_of(told, silenced=True)
    assert (edge.at, edge.kind, edge.key, edge.network) == (7.5, "changed", told.key, "ethereum")
    assert (edge.level, edge.before, edge.reason) == (Level.DEGRADED, Level.FAILED, "behind")
    assert (edge.because, edge.silenced) == (("stall", "node:local"), True)
    assert len(edge.summary) == SUMMARY_CHARACTERS_MAX


def test_levels_are_stored_by_their_words() -> None:
    """A file says the same when the numbers of levels change."""
    assert [level_of(level.word) for level in Level] == list(Level)
