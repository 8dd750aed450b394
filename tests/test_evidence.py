"""What is stored of evidence: bounded, and the same when it is read."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.evidence import cut, read, written
from monitor.model import BlockNumber, BlockStamp, Evidence, Hash32

COUNT_MAX, CHARACTERS_MAX = 6, 300
write = partial(written, count_max=COUNT_MAX, characters_max=CHARACTERS_MAX)
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
@given(st.lists(evidences, max_size=COUNT_MAX))
def test_evidence_is_read_as_it_was_written(evidence: list[Evidence]) -> None:
    """Every field comes back, also numbers that no database column would hold."""
    assert read(write(evidence)) == tuple(evidence)


def test_evidence_of_any_size_is_stored_in_a_few_kilobytes() -> None:
    """A node that writes novels fills no disk; what is cut ends with a mark."""
    novel = Evidence("s" * 9999, "m" * 9999, "w" * 10**6, 1.0, threshold="t" * 9999)
    text = write([novel] * 100)
    assert len(text.encode()) < 6000
    kept = read(text)
    assert len(kept) == COUNT_MAX
    assert all(each.said.endswith("w…") for each in kept)
    assert all(len(each.said) == len(each.threshold or "") == CHARACTERS_MAX for each in kept)
    assert write(()) == ""
    assert read("") == ()


@settings(deadline=None)
@given(st.text(max_size=20), st.integers(1, 10))
def test_text_is_cut_and_can_always_be_encoded(text: str, most: int) -> None:
    """A lone half of a character, which JSON may bring, ends no write."""
    assert len(cut(text, most)) <= most
    cut(text, most).encode()
    if "\ud83d" not in text and len(text) <= most and text.isprintable():
        assert cut(text, most) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("x" * CHARACTERS_MAX, "x" * CHARACTERS_MAX),
        ("x" * (CHARACTERS_MAX + 1), "x" * (CHARACTERS_MAX - 1) + "…"),
        ("a lone \ud800", "a lone ?"),
        ("", ""),
    ],
)
def test_text_is_cut_at_its_limit_and_made_fit_for_a_file(text: str, kept: str) -> None:
    """The sign of the cut included; what UTF-8 cannot write is replaced."""
    assert cut(text, CHARACTERS_MAX) == kept
